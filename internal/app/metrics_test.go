package app

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/stream"
)

// replicaOf is a replica over definitions and events of one minute, closed.
func replicaOf(t *testing.T, definitions string, events ...string) *Replica {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "kpis.yaml")
	if err := os.WriteFile(file, []byte(definitions), 0o600); err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.Data, c.KPIs, c.Partitions = filepath.Join(dir, "data"), []string{file}, 1
	log := NewLog()
	const start = int64(1_800_000_000_000)
	for i, e := range events {
		log.Append(start, fmt.Appendf(nil, `{"id":%d,"time":%d,"user_id":"u",%s}`, i, start, e))
	}
	log.Tick(start+1000, stream.Tick{To: start + 60_000})
	r, err := OpenReplica(c, log, ReplicaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Crash(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// Whatever stands in titles and labels, Prometheus' own parser reads it back.
func TestMetricsParse(t *testing.T) {
	channels := []string{`back\slash`, `qu"ote`, "line\nend", `\n`, "\u200b", "抖音"}
	var events []string
	for _, c := range channels {
		events = append(events, fmt.Sprintf(`"type":"pay","channel":%q,"amount_minor":500,"currency":"CNY"`, c))
	}
	r := replicaOf(t, `
kpis:
  - {name: zz, title: {en: "regex \\d+, \"quoted\"\nin two lines"}, count: , by: [channel], windows: [1m]}
  - {name: money, sum: {field: amount_minor}, by: [currency, [currency, channel]], windows: [1m]}
`, events...)
	var page bytes.Buffer
	r.WriteKPIs(&page)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(&page)
	if err != nil {
		t.Fatal(err)
	}
	zz := families["kpi_zz"]
	if got, want := zz.GetHelp(), "regex \\d+, \"quoted\"\nin two lines, last closed window."; got != want {
		t.Errorf("help %q, want %q", got, want)
	}
	var got []string
	for _, m := range zz.GetMetric() {
		for _, l := range m.GetLabel() {
			if l.GetName() == "channel" {
				got = append(got, l.GetValue())
			}
		}
	}
	slices.Sort(got)
	slices.Sort(channels)
	if !slices.Equal(got, channels) {
		t.Errorf("channels %q, want %q", got, channels)
	}
	for _, m := range families["kpi_money"].GetMetric() {
		names := map[string]bool{}
		for _, l := range m.GetLabel() {
			if names[l.GetName()] {
				t.Errorf("%s stands twice in %v", l.GetName(), m)
			}
			names[l.GetName()] = true
		}
		if !names["currency"] || m.GetGauge().GetValue() == 0 {
			t.Errorf("money %v", m)
		}
	}
}

// Only a share of counts has an interval, here as in the API and in rules.
func TestMetricsOfRatios(t *testing.T) {
	r := replicaOf(t, `
kpis:
  - {name: share, ratio: {numerator: {count: {where: 'watch_ms > 5'}}, denominator: {count: }}, windows: [1m]}
  - {name: per_second, ratio: {numerator: {count: }, denominator: {sum: {field: watch_ms}}}, windows: [1m]}
keep: []
`, `"type":"play","watch_ms":4`, `"type":"play","watch_ms":6`)
	var page bytes.Buffer
	r.WriteKPIs(&page)
	var got []string
	for line := range strings.Lines(page.String()) {
		if !strings.HasPrefix(line, "#") {
			name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
			name, _, _ = strings.Cut(name, "{")
			if strings.HasSuffix(name, "_low") || strings.HasSuffix(name, "_high") {
				value = "..."
			}
			got = append(got, name+" "+value)
		}
	}
	want := []string{
		"kpi_per_second 0.2", "kpi_per_second_numerator 2", "kpi_per_second_denominator 10",
		"kpi_share 0.5", "kpi_share_numerator 1", "kpi_share_denominator 2", "kpi_share_low ...", "kpi_share_high ...",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A sum whose millionths are wider than 64 bits is shown as wide as it is.
func TestMetricsOfWideSums(t *testing.T) {
	price := `"type":"click","channel":"a","price":2000000000000`
	r := replicaOf(t, `
kpis:
  - {name: prices, sum: {field: price}, by: [channel], windows: [1m]}
`, price, price, price, price, price)
	var page bytes.Buffer
	r.WriteKPIs(&page)
	for _, want := range []string{
		`kpi_prices{by="total",window="1m"} 1e+13`,
		`kpi_prices{by="channel",window="1m",channel="a"} 1e+13`,
	} {
		if !strings.Contains(page.String(), want+"\n") {
			t.Errorf("%s is missing:\n%s", want, &page)
		}
	}
}

// What does not fit is of the dimension sets with the most series, and counted.
func TestMetricsFewSeriesFirst(t *testing.T) {
	var events []string
	for i := range 6 {
		events = append(events, fmt.Sprintf(`"type":"play","channel":"c%d","device":"d%d"`, i, i%2))
	}
	r := replicaOf(t, `
keep: []
kpis:
  - {name: a, count: , by: [channel, device], windows: [1m]}
  - {name: b, count: , by: [channel], windows: [1m]}
`, events...)
	r.config.Metrics.MaxSeries = 6
	looks := 0 // each may wait
	r.await = func() { looks++ }
	families, shown, dropped := r.kpiFamilies()
	if looks != 1 {
		t.Errorf("%d looks", looks)
	}
	var got []string
	for _, f := range families {
		for _, l := range f.lines {
			got = append(got, strings.ReplaceAll(l, `,window="1m"`, ""))
		}
	}
	want := []string{`kpi_a{by="total"} 6`, `kpi_a{by="device",device="d0"} 3`, `kpi_a{by="device",device="d1"} 3`,
		`kpi_a{by="channel",channel="c0"} 1`, `kpi_a{by="channel",channel="c1"} 1`, `kpi_b{by="total"} 6`}
	if !slices.Equal(got, want) || shown != 6 || dropped != 10 {
		t.Errorf("got %q, %d shown and %d dropped; want %q, 6 and 10", got, shown, dropped, want)
	}
}

// TestMetricsOfCohorts: a cohort is there once its number is final, as in PromQL.
func TestMetricsOfCohorts(t *testing.T) {
	shown := func(days int) string {
		t.Helper()
		var out strings.Builder
		replicaPlaying(t, noon.AddDate(0, 0, -days), noon.AddDate(0, 0, 1-days), noon).WriteKPIs(&out)
		var lines []string
		for line := range strings.Lines(out.String()) {
			if strings.HasPrefix(line, `kpi_retention_d1_numerator{by="total"`) {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
		return strings.Join(lines, "\n")
	}
	if got := shown(1); got != "" {
		t.Errorf("none is final: got %s", got)
	}
	if got, want := shown(2), `kpi_retention_d1_numerator{by="total",window="day",cohort="2026-11-20"} 1`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
