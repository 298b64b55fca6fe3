package kpi

import (
	"testing"
	"time"
)

// A maturity is part of the definition: what is kept follows it.
func TestMaturityIsMeant(t *testing.T) {
	meanings, ids := map[string]string{}, map[string]string{}
	for _, maturity := range []string{"", "maturity: since_first_ms, "} {
		c, err := Load(time.UTC, File{Name: "x.yaml", Data: []byte(
			"kpis: [{name: x, from: funnel, horizon: 7, " + maturity + "windows: [day], split: [step], count: {where: 'fact == \"reached\"'}}]",
		)})
		if err != nil {
			t.Fatal(err)
		}
		meaning, id := string(c.Meaning()), c.KPI("x").ID
		if same, ok := meanings[meaning]; ok {
			t.Errorf("%q means what %q means", maturity, same)
		}
		if same, ok := ids[id]; ok {
			t.Errorf("%q is %s, as is %q", maturity, id, same)
		}
		meanings[meaning], ids[id] = maturity, maturity
	}
}
