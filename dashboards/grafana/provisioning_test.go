package grafana

import (
	"os"
	"slices"
	"testing"

	"github.com/tidewatch/tidewatch/internal/document"
)

// provisioned reads a list of a file of deploy/grafana.
func provisioned(t *testing.T, name, list string) []document.Mapping {
	t.Helper()
	file := "../../deploy/grafana/" + name
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := document.Parse(file, data)
	var all []document.Mapping
	for _, n := range d.Root().Entries().List(list) {
		all = append(all, n.Entries())
	}
	if err := d.Err(); err != nil || len(all) == 0 {
		t.Fatalf("%s has %d %s: %v", file, len(all), list, err)
	}
	return all
}

// What Grafana is provisioned with has the names that the dashboards go by.
func TestProvisioning(t *testing.T) {
	for file, want := range map[string][]string{
		"datasources.yaml": {
			stock, source, sourceUID, "http://127.0.0.1:8080/prometheus",
			stock, scraper, scraperUID, "http://127.0.0.1:9090",
		},
		"plugin-datasources.yaml": {
			native, plugged["en"].Text.(string), plugged["en"].Value.(string), "http://127.0.0.1:8080",
			native, plugged["zh"].Text.(string), plugged["zh"].Value.(string), "http://127.0.0.1:8080",
		},
	} {
		var got []string
		for _, m := range provisioned(t, file, "datasources") {
			got = append(got, m.Text("type"), m.Text("name"), m.Text("uid"), m.Text("url"))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: data sources %q, want %q", file, got, want)
		}
	}
}

// Every folder of dashboards is provided, each as one of its own.
func TestProviders(t *testing.T) {
	named := map[string]bool{"": true}
	for i, file := range []string{"dashboards.yaml", "plugin-dashboards.yaml"} {
		var got, want []string
		for _, m := range provisioned(t, file, "providers") {
			options, _ := m.Get("options")
			got = append(got, options.Entries().Text("path"))
			for _, name := range []string{m.Text("folder"), m.Text("name")} {
				if named[name] {
					t.Errorf("%s: %q is no name of its own", file, name)
				}
				named[name] = true
			}
		}
		for _, l := range languages {
			want = append(want, "/var/lib/grafana/dashboards/tidewatch/"+sets[i].folder(l))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: paths %q, want %q", file, got, want)
		}
	}
}
