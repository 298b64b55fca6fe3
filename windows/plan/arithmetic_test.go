package plan

import (
	"math"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

// TestLength checks tail and exit against their definitions.
func TestLength(t *testing.T) {
	for _, length := range []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, time.Hour, 24 * time.Hour} {
		l := lengthOf(kpi.Window{Length: length})
		for head := int64(1_700_000_000); head < 1_700_000_000+2*l.Step+3; head++ {
			end := l.Tail(head) + l.Seconds
			if end < head || end-head >= l.Step || end%l.Step != 0 {
				t.Errorf("%s: live window at %d ends at %d", length, head, end)
			}
			slice := head - 1
			if at := l.Exit(slice); l.Tail(at-1) > Floor(slice, l.Step) || l.Tail(at) <= Floor(slice, l.Step) {
				t.Errorf("%s: slice %d leaves at %d", length, slice, at)
			}
		}
	}
	if got := Floor(-1, 5); got != -5 {
		t.Errorf("Floor(-1, 5) = %d, want -5", got)
	}
	if got := Ceil(-4, 5); got != 0 {
		t.Errorf("Ceil(-4, 5) = %d, want 0", got)
	}
}

// TestSaturation: numbers of filters end at the bounds.
func TestSaturation(t *testing.T) {
	const most = math.MaxInt64
	for _, c := range []struct {
		op         kpi.ExprOp
		x, y, want int64
	}{
		{kpi.Add, most, 1, most}, {kpi.Add, -most, -most, -most}, {kpi.Sub, -most, 2, -most}, {kpi.Sub, 1, 2, -1},
		{kpi.Mul, most, 2 * kpi.Scale, most}, {kpi.Mul, -most, 2 * kpi.Scale, -most}, {kpi.Mul, -3, kpi.Scale / 2, -1}, {kpi.Mul, most, most, most},
		{kpi.Min, 1, 2, 1}, {kpi.Max, 1, 2, 2},
	} {
		if got := arithmetic(c.op, c.x, c.y); got != c.want {
			t.Errorf("arithmetic(%d, %d, %d) = %d, want %d", c.op, c.x, c.y, got, c.want)
		}
	}
}
