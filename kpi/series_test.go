package kpi

import (
	"testing"
	"time"
)

func TestSeries(t *testing.T) {
	c, err := Load(time.UTC, File{Name: "x.yaml", Data: []byte(`
kpis:
  - {name: rate, ratio: {numerator: {count: }, denominator: {distinct: {field: user_id}}}, windows: [5m]}
  - {name: mean, ratio: {numerator: {sum: {field: watch_ms}}, denominator: {count: }}, windows: [5m]}
  - {name: per_yuan, ratio: {numerator: {count: }, denominator: {sum: {field: price}}}, windows: [5m]}
  - {name: low, count: , windows: [5m]}
`)})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range c.KPIs {
		for _, p := range k.Parts() {
			if got, part := c.Series(k.Series(p)); got != k || part != p {
				t.Errorf("%s is found as %v of %v", k.Series(p), part, got)
			}
		}
	}
	for name, want := range map[string]int{"rate": 5, "mean": 3, "per_yuan": 3, "low": 1, "ctr": 5, "plays": 1} {
		if got := len(c.KPI(name).Parts()); got != want {
			t.Errorf("%s has %d series, want %d", name, got, want)
		}
	}
	for name, want := range map[string]Part{"kpi_rate_high": HighPart, "kpi_rate_denominator": DenominatorPart, "kpi_mean_low": LowPart, "kpi_low": ValuePart} {
		if k, p := c.Series(name); k == nil || p != want {
			t.Errorf("%s is part %d of %v, want %d", name, p, k, want)
		}
	}
	for _, name := range []string{"kpi_", "ctr", "kpi_nothing", "kpi_nothing_low", "up"} {
		if k, _ := c.Series(name); k != nil {
			t.Errorf("%s is of %s", name, k.Name)
		}
	}
}
