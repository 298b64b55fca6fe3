package backtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/internal/queryable"
	"github.com/tidewatch/tidewatch/kpi"
)

func TestPart(t *testing.T) {
	c, err := kpi.Load(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := expression.Parse(`sum(kpi_plays{by="region",window="1h"})`)
	if err != nil {
		t.Fatal(err)
	}
	recordings := []queryable.Recording{{Name: "all:plays", Expr: recorded}}
	for rule, want := range map[string]string{
		`expr: 'kpi_ctr{by="channel",window="1m"} < 0.1'`:                                                   "ctr [total channel] [1m]",
		`expr: 'kpi_ctr{by="channel",window="1m"} < 0.1', recover: 'kpi_ctr{by="total",window="1h"} > 0.2'`: "ctr [total channel] [1m 1h]",
		`expr: 'all:plays / on() kpi_ctr_numerator{by="total",window=~"5m|24h"} < 0.1'`:                     "ctr [total] [5m 24h], plays [total region] [1h]",
		`expr: 'kpi_spend{by="total",window="1h"} > 5'`:                                                     "spend [total] [1h 24h day]",
		`expr: 'vector(1) > 0'`: "",
		`expr: 'kpi_ctr{window="1m"} < 0.1', annotations: {a: '{{ query "kpi_plays{window=\"5m\"}" | len }}'}`: "all",
	} {
		f, err := alerts.LoadRules("rules", fmt.Appendf(nil, "groups: [{name: g, rules: [{alert: A, %s}]}]", rule), c)
		if err != nil {
			t.Fatalf("%s: %v", rule, err)
		}
		part, err := Part(f, c, recordings)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for i, k := range part.KPIs {
			if i > 0 {
				got += ", "
			}
			got += fmt.Sprint(k.Name, " ", k.By, " ", k.Windows)
		}
		if part == c {
			got = "all"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", rule, got, want)
		}
	}
	if k := c.KPI("ctr"); len(k.By) < 3 || len(k.Windows) < 3 {
		t.Errorf("the catalogue itself has lost some: %v, %v", k.By, k.Windows)
	}
}
