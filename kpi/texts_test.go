package kpi

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSplitTexts(t *testing.T) {
	steps := []string{"impression", "click", "add_to_cart", "order", "pay"}
	own := `operators:
  - name: buying
    funnel: {steps: [{name: zoom, where: 'type == "click"'}, {name: cart, where: 'type == "add_to_cart"'}, 'type == "pay"'], mode: any}
kpis:
  - {name: buying, from: buying, split: [step], count: {where: 'fact == "reached"'}, windows: [day]}
  - {name: later, from: buying, split: [step], count: {where: 'fact == "possible"'}, windows: [day]}
  - {name: ends, from: buying, split: [step], count: {where: 'fact == "reached" and step in ["3", "zoom"]'}, windows: [day]}
  - name: unreached
    from: buying
    split: [step]
    ratio: {numerator: {count: {where: 'fact == "possible"'}}, denominator: {count: {where: 'fact == "reached"'}}}
    windows: [day]
`
	c, err := Load(time.UTC, File{Name: "x.yaml", Data: []byte(own)})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		kpi, field string
		texts      []string
	}{
		{"funnel", StepField, steps},
		{"funnel_step_rate", StepField, steps},
		{"funnel", "channel", nil},
		{"funnel_conversion", StepField, nil},
		{"plays", StepField, nil},
		{"rfm", SegmentField, RFMSegments}, // its filter may leave the kind of facts out
		{"lifecycle", StateField, []string{"new", "returning", "resurrecting", "dormant"}},
		{"signal_recall_d7", StateField, LeavingStates},
		{"buying", StepField, []string{"zoom", "cart", "3"}},
		{"later", StepField, []string{"cart", "3"}},
		{"ends", StepField, []string{"zoom", "3"}},
		{"unreached", StepField, []string{"zoom", "cart", "3"}},
	} {
		if diff := cmp.Diff(want.texts, c.KPI(want.kpi).SplitTexts(want.field)); diff != "" {
			t.Errorf("%s of %s, -want +got:\n%s", want.field, want.kpi, diff)
		}
	}
}
