package kpi

import (
	"fmt"
	"testing"
	"time"
)

func attributionOf(t *testing.T, text string) (*Attribution, *Catalogue) {
	t.Helper()
	c, err := Load(time.UTC, File{Name: "x.yaml", Data: []byte(
		"kpis: [{name: x, from: ads, windows: [day], count: {where: 'fact == \"touched\"'}}]\noperators: [{name: ads, attribution: {" + text + "}}]",
	)})
	if err != nil {
		t.Fatal(err)
	}
	return c.KPI("x").From.Journey.(*Attribution), c
}

// What is left out of an attribution has its default, and all that is said counts.
func TestAttribution(t *testing.T) {
	const (
		pay   = `conversion type == "pay"`
		click = `click 7d type == "click"`
		view  = `view 24h type == "impression"`
	)
	for _, tt := range []struct {
		text, want string
		horizon    int
	}{
		{"", "count every; " + pay + "; " + click + "; " + view + "; ", 37},
		{"click: , view: {}, count: every", "count every; " + pay + "; " + click + "; " + view + "; ", 37},
		{"count: once, click: {within: 90s}", `count once; ` + pay + `; click 90s type == "click"; ` + view + "; ", 31},
		{"click: {within: 36h}, view: {within: 60d, where: 'type == \"play\"'}", "count every; " + pay + `; click 36h type == "click"; view 60d type == "play"; `, 90},
		{"view: none, where: 'channel == \"a\"', click: {within: 36h}", "count every; " + pay + `; click 36h type == "click"; view none; channel == "a"`, 32},
		{"conversion: 'type in [\"order\", \"pay\"]'", `count every; conversion type in ["order", "pay"]; ` + click + "; " + view + "; ", 37},
	} {
		a, c := attributionOf(t, tt.text)
		if got := a.meaning(); got != "attribution("+tt.want+")" || a.Horizon() != tt.horizon || len(c.Warnings) > 0 {
			t.Errorf("%s: %s, horizon %d, %v, want %s, %d", tt.text, got, a.Horizon(), c.Warnings, tt.want, tt.horizon)
		}
	}
}

// A where that lets none of some events through is hardly meant.
func TestAttributionOfNothing(t *testing.T) {
	_, c := attributionOf(t, `where: 'type in ["impression", "refund"]', conversion: 'type == "order"'`)
	want := `[x.yaml:2: operators[0].attribution.where: order is not among the types that are looked at, so there are no conversions: add it to the types in where` +
		` x.yaml:2: operators[0].attribution.where: click is not among the types that are looked at, so there are no clicks: add it to the types in where]`
	if got := fmt.Sprint(c.Warnings); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
