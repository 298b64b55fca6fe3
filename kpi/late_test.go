package kpi

import (
	"slices"
	"testing"
	"time"
)

// TestDaysThatEndTooEarly: who has days that are over before all is in is told so.
func TestDaysThatEndTooEarly(t *testing.T) {
	const costs = `{sum: {field: amount_minor, where: 'type == "ad_cost"'}`
	for _, tt := range []struct {
		kpi  string
		want []string
	}{
		{costs + `, unit: money, windows: [1h]`, nil},
		{costs + `, unit: money, windows: [day], horizon: 3`, nil},
		{costs + `, unit: money, windows: [1h, day]`, []string{
			"a.yaml:1: kpis[0].windows: day is over before all ad_cost is in, which may come 60h late: write horizon: 3 to have days open for as long"}},
		{costs + `, unit: money, windows: [day], horizon: 2`, []string{
			"a.yaml:1: kpis[0].horizon: 2 is less than the 60h that ad_cost may come late: write horizon: 3 to have days open for as long"}},
		{`{count: {where: 'type in ["pay", "refund"]'}, windows: [day]`, []string{
			"a.yaml:1: kpis[0].windows: day is over before all refund is in, which may come 2d late: write horizon: 2 to have days open for as long"}},
		{`{count: {where: 'type == "click"'}, windows: [day]`, nil},
		{`{count: {}, windows: [day]`, nil}, // of every event: hardly meant to wait for a few
		{`{from: orders, ratio: {numerator: {sum: {field: amount_minor, where: 'fact == "payment"'}}, denominator: {from: events, sum: {field: amount_minor, where: 'type == "ad_cost"'}}}, unit: number, windows: [day], horizon: 1`, []string{
			"a.yaml:1: kpis[0].horizon: 1 is less than the 60h that ad_cost may come late: write horizon: 3 to have days open for as long"}},
	} {
		c, err := Load(time.UTC, File{Name: "a.yaml", Data: []byte("kpis: [{name: x, " + tt.kpi[1:] + "}]")})
		if err != nil {
			t.Fatalf("%s: %v", tt.kpi, err)
		}
		c.SetAcceptLate(map[string]time.Duration{"ad_cost": 60 * time.Hour, "refund": 48 * time.Hour})
		var got []string
		for _, w := range c.Warnings {
			got = append(got, w.Error())
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: warns %q, want %q", tt.kpi, got, tt.want)
		}
	}
}

// TestAcceptLateIsMeant: the numbers depend on what is accepted late where days are open
// for it, and only there.
func TestAcceptLateIsMeant(t *testing.T) {
	c, err := Default(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	before := map[string]string{}
	for _, k := range c.KPIs {
		before[k.Name] = k.ID
	}
	meaning := string(c.Meaning())
	c.SetAcceptLate(map[string]time.Duration{"ad_cost": 60 * time.Hour})
	var changed []string
	for _, k := range c.KPIs {
		if k.ID != before[k.Name] {
			changed = append(changed, k.Name)
		}
	}
	if want := []string{"cpa", "cpc", "roi", "roi_net", "spend"}; !slices.Equal(changed, want) {
		t.Errorf("the IDs of %v change, want %v", changed, want)
	}
	if string(c.Meaning()) == meaning {
		t.Error("the catalogue means the same")
	}
}
