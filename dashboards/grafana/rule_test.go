package grafana

import (
	"slices"
	"strings"
	"testing"
)

// Of a rule that is an expression it is drawn what it compares, and with what; of one of no
// KPI nothing.
func TestRulesOfExpressions(t *testing.T) {
	d := shipped(t)
	d.Rules = []Rule{
		{"Under", `kpi_gmv_paid{by="currency",window="1h"} < kpi_gmv_paid_band_low{by="currency",window="1h"}`},
		{"Gone", `absent(kpi_plays{by="total",window="5m"})`},
		{"Sum", `2 < sum by (channel) (kpi_orders{by="channel",window="1h"})`},
		{"Foreign", `up == 0`},
		{"Always", `1 > bool 0`},
	}
	var got []string
	for _, p := range made(t, d)["en/alerts.json"].Panels {
		name, _, ok := strings.Cut(p.Title, ":")
		for _, q := range p.Targets {
			if ok {
				got = append(got, name+" "+q.Expr)
			}
		}
	}
	want := []string{
		`Under (kpi_gmv_paid{by="currency",window="1h"}) / 100`, `Under (kpi_gmv_paid_band_low{by="currency",window="1h"}) / 100`,
		`Gone absent(kpi_plays{by="total",window="5m"})`,
		`Sum sum by (channel) (kpi_orders{by="channel",window="1h"})`, `Sum 2`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}
