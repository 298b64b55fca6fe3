package kpi

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"
)

// operatorsOf are the operators of a catalogue with a file's, by name.
func operatorsOf(t *testing.T, text string) map[string]*Operator {
	t.Helper()
	c, err := Load(time.UTC, File{Name: "x.yaml", Data: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*Operator{}
	for i, o := range c.Operators {
		if i > 0 && c.Operators[i-1].Name >= o.Name {
			t.Errorf("%s stands behind %s", o.Name, c.Operators[i-1].Name)
		}
		out[o.Name] = o
	}
	return out
}

// An operator that is defined by the parameters of another is the same: the embedded ones,
// and of each kind one of which all is said.
func TestParameters(t *testing.T) {
	said := operatorsOf(t, `
operators:
  - {name: a, days: {churn_gap: 12, where: 'type == "play" and not (channel == "c" or watch_ms * 0.5 < 3)'}}
  - {name: b, sessions: {gap: 90m, where: 'user_id != nil', end: 'type in ["leave", "session_end"]'}}
  - {name: c, orders: {where: 'channel == "a \"quoted\" 抖音"'}}
  - {name: d, plays: {gap: 45m, where: 'max(watch_ms, 3) >= 0.25'}}
  - {name: e, rfm: {recency: [1, 2, 3, 4], frequency: [3, 4, 5, 1000], monetary: {JPY: [1, 2, 3, 4], CNY: [5, 6, 7, 8]}, hysteresis: 25%, where: 'region == "x"'}}
  - {name: e2, rfm: {quintiles: daily}}
  - {name: f, attribution: {count: once, conversion: 'type == "order"', click: {within: 36h, where: 'type == "share"'}, view: none, where: 'shop == "1"'}}
  - {name: g, attribution: {view: {within: 2d, where: 'type == "page_view"'}}}
  - {name: h, funnel: {steps: ['type == "play"', {name: paid, where: 'type == "pay"'}], window: 3d, mode: any, hold: content_id, where: 'device == "ios"'}}
  - {name: i, funnel: {mode: strict}}
  - {name: j, retention: {start: 'type == "pay"', return: 'type == "play"', first: true, by: 24h, after: [2, 5], where: 'channel == "b"'}}
`)
	kinds := map[string]bool{}
	for name, o := range said {
		kinds[o.Kind()] = true
		text, err := json.Marshal(o.Parameters())
		if err != nil {
			t.Fatal(err)
		}
		again := operatorsOf(t, fmt.Sprintf("operators: [{name: again, %s: %s}]", o.Kind(), text))["again"]
		if again.meaning() != o.meaning() {
			t.Errorf("%s: %s means\n%s, and not\n%s", name, text, again.meaning(), o.meaning())
		}
	}
	for _, kind := range operatorKinds() {
		if !kinds[kind] {
			t.Errorf("there is no %s", kind)
		}
	}
}

// The KPIs that read an operator are those from it and those that it stands beside.
func TestReaders(t *testing.T) {
	c, err := Load(time.UTC, File{Name: "x.yaml", Data: []byte(`
keep: [ctr, rfm, reached_50]
kpis: [{name: half, also: slow, count: {where: 'type == "play"'}, windows: [1h]}]
operators: [{name: slow, plays: {gap: 2h}}, {name: alone, orders: {}}]
`)})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{"rfm": {"rfm"}, "plays": {"reached_50"}, "slow": {"half"}, "alone": nil, "orders": nil} {
		i := slices.IndexFunc(c.Operators, func(o *Operator) bool { return o.Name == name })
		var got []string
		for _, k := range c.Readers(c.Operators[i]) {
			got = append(got, k.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s is read by %v, want %v", name, got, want)
		}
	}
}
