package queryable

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// TestNamesGoOn: series that stay have the names of before, however many have come and gone
// among them, and a name that is missed is not looked for again.
func TestNamesGoOn(t *testing.T) {
	target := &target{Question: Question{KPI: &kpi.KPI{}, By: kpi.Set{"content_id"}}, parts: []kpi.Part{kpi.NumeratorPart}}
	of := func(before *frame, from, to, without int) *frame {
		a := &sample.Answer{}
		for i := from; i < to; i++ {
			if without == 0 || i%without > without/2 {
				a.Samples = append(a.Samples, sample.Sample{Labels: []string{fmt.Sprintf("v%04d", i)}, Numerator: sample.Number{N: sample.Of(1), Scale: 1}})
			}
		}
		return target.frame(a, target.parts, nil, before)
	}
	all := of(&frame{}, 0, 100, 0)
	for _, tt := range []struct{ from, to, without, fresh int }{{0, 100, 0, 0}, {0, 100, 10, 0}, {50, 150, 0, 50}, {100, 200, 0, 100}, {40, 60, 0, 0}} {
		f := of(all, tt.from, tt.to, tt.without)
		fresh := slices.DeleteFunc(slices.Clone(f.names), func(n *name) bool { return slices.Contains(all.names, n) })
		if len(fresh) != tt.fresh || len(f.names) != len(f.values) {
			t.Errorf("%+v: %d names are new, of %d for %d values", tt, len(fresh), len(f.names), len(f.values))
		}
	}
	if n, skipped := all.like(&sample.Sample{Labels: []string{"w"}}, "", 0, true); n != nil || skipped != len(all.names) {
		t.Errorf("behind all: %v, %d names are passed", n, skipped)
	}
}
