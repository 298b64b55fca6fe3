package kpi

import (
	"testing"
	"time"
)

// loadFunnel is the operator funnel of a file that redefines it.
func loadFunnel(t *testing.T, funnel string) (*Catalogue, *Funnel) {
	t.Helper()
	c, err := Load(time.UTC, File{Name: "x.yaml", Data: []byte("operators: [{name: funnel, funnel: " + funnel + "}]")})
	if err != nil {
		t.Fatal(err)
	}
	return c, c.KPI("funnel").From.Journey.(*Funnel)
}

// The embedded KPIs are of any steps: whoever has others gives the operator anew.
func TestFunnelOfOthers(t *testing.T) {
	_, usual := loadFunnel(t, "{}")
	if len(usual.Steps) != 5 || usual.Steps[4].Name != "pay" || usual.Window != 7*day || usual.Mode != Sequential || usual.Hold != "" {
		t.Errorf("by default it is %+v", usual)
	}
	_, f := loadFunnel(t, `{steps: [{name: room, where: 'type == "live_enter"'}, 'type == "gift"'], window: 90m, mode: any, hold: live_id}`)
	if f.Steps[0].Name != "room" || f.Steps[1].Name != "2" || f.Window != 90*time.Minute || f.Mode != AnyOrder || f.Key()[0] != "live_id" {
		t.Errorf("got %+v", f)
	}
}

// What says something else has another meaning.
func TestFunnelMeaning(t *testing.T) {
	seen := map[string]string{}
	for _, text := range []string{
		"{}", "{window: 1d}", "{mode: strict}", "{mode: any}", "{hold: content_id}", "{where: 'channel == \"a\"'}",
		`{steps: ['type == "a"', 'type == "b"']}`, `{steps: ['type == "b"', 'type == "a"']}`, `{steps: ['type == "a"', {name: b, where: 'type == "b"'}]}`,
	} {
		c, _ := loadFunnel(t, text)
		id := c.KPI("funnel_conversion").ID
		if seen[id] != "" {
			t.Errorf("%s and %s are both %s", text, seen[id], id)
		}
		seen[id] = text
	}
}

// A day is open for as long as its funnels can go on.
func TestFunnelHorizon(t *testing.T) {
	for window, want := range map[string]int{"1m": 1, "23h": 1, "24h": 2, "6d": 7, "7d": 8, "60d": 60} {
		_, f := loadFunnel(t, "{window: "+window+"}")
		if got := f.Horizon(); got != want {
			t.Errorf("%s: %d days, want %d", window, got, want)
		}
	}
}
