package kpi

import (
	"fmt"
	"testing"
	"time"
)

func attributionOf(t *testing.T, text string) (*Attribution, *Catalogue) {
	t.Helper()
	c, err := Load(time.UTC, File{Name: "x.yaml", Data: []byte(
		"kpis: [{name: x, from: ads, windows: [1h], count: {where: 'fact == \"touched\"'}}]\noperators: [{name: ads, attribution: {" + text + "}}]",
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
		{"", "count every; " + pay + "; " + click + "; " + view + "; ", 38},
		{"click: , view: {}, count: every", "count every; " + pay + "; " + click + "; " + view + "; ", 38},
		{"count: once, click: {within: 90s}", `count once; ` + pay + `; click 90s type == "click"; ` + view + "; ", 32},
		{"click: {within: 36h}, view: {within: 60d, where: 'type == \"play\"'}", "count every; " + pay + `; click 36h type == "click"; view 60d type == "play"; `, 91},
		{"view: none, where: 'channel == \"a\"', click: {within: 36h}", "count every; " + pay + `; click 36h type == "click"; view none; channel == "a"`, 32},
		{"conversion: 'type in [\"order\", \"pay\"]'", `count every; conversion type in ["order", "pay"]; ` + click + "; " + view + "; ", 38},
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

// What is a conversion first, or a refund or click, is no touch.
func TestTakenTouches(t *testing.T) {
	const first = "an event is one thing, that first: there is no "
	for text, want := range map[string]string{
		`conversion: 'type == "click"'`: `conversion: type == "click" is a conversion, too, and ` + first + `click: tell the two apart`,
		`conversion: 'type in ["pay", "click"]', click: {where: 'type == "click" and campaign_id != nil'}`: `click: type == "click" and campaign_id != nil is a conversion, too, and ` + first + `click: tell the two apart`,
		`click: {where: 'type == "refund"'}`:                            `click: type == "refund" is a refund, too, and ` + first + `click: tell the two apart`,
		`view: {where: 'type == "click" and channel == "a"'}`:           `view: channel == "a" and type == "click" is a click, too, and ` + first + `view: tell the two apart`,
		`conversion: 'type == "click" and vertical == "food"'`:          "",
		`view: {where: 'type in ["click", "impression"]', within: 2d}`:  "",
		`conversion: 'type == "pay" and amount_minor > 0', count: once`: "",
	} {
		_, c := attributionOf(t, text)
		if want != "" {
			want = "x.yaml:2: operators[0].attribution." + want
		}
		if got := fmt.Sprint(c.Warnings); got != "["+want+"]" {
			t.Errorf("%s:\n got %s\nwant [%s]", text, got, want)
		}
	}
}

// Days of the embedded KPIs are open for as much longer as an operator in the place of
// the embedded one takes longer.
func TestReplacedOperator(t *testing.T) {
	c, err := Load(time.UTC, File{Name: "x.yaml", Data: []byte(
		"operators: [{name: attribution, attribution: {click: {within: 30d}}}, {name: funnel, funnel: {window: 1d}}]\nkpis: [{name: roi_mine, from: attribution, horizon: 3, windows: [day], count: {where: 'fact == \"touched\"'}}]",
	)})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"roi": 30, "roi_net": 60, "cvr": 0, "funnel": 1, "roi_mine": 3, "refund_rate": 30} {
		if got := c.KPI(name).Horizon; got != want {
			t.Errorf("%s is open for %d days, want %d", name, got, want)
		}
	}
}
