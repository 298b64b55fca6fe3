package grafana

import (
	"os"
	"slices"
	"testing"

	"github.com/tidewatch/tidewatch/internal/document"
)

// What Grafana is provisioned with has the names that the dashboards go by.
func TestProvisioning(t *testing.T) {
	const file = "../../deploy/grafana/datasources.yaml"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := document.Parse(file, data)
	var got []string
	for _, n := range d.Root().Entries().List("datasources") {
		m := n.Entries()
		got = append(got, m.Text("type"), m.Text("name"), m.Text("uid"), m.Text("url"))
	}
	want := []string{
		"prometheus", source, sourceUID, "http://127.0.0.1:8080/prometheus",
		"prometheus", scraper, scraperUID, "http://127.0.0.1:9090",
	}
	if err := d.Err(); err != nil || !slices.Equal(got, want) {
		t.Errorf("data sources %q, %v; want %q", got, err, want)
	}
}
