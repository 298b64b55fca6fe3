package windows

import (
	"math"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

func TestThreshold(t *testing.T) {
	every := func(gap, n int) (bits uint64) {
		for i := range n {
			bits |= 1 << (gap * i)
		}
		return bits
	}
	for _, c := range []struct {
		name     string
		activity uint64
		gap      int32
		want     int32
	}{
		{"one day", 1, 30, 3},
		{"four gaps are no rhythm", every(7, 5), 30, 3},
		{"five gaps are", every(7, 6), 30, 7},
		{"daily", math.MaxUint64, 30, 3},
		{"the 90th percentile of ten gaps is the ninth", every(5, 10) | 1<<63, 30, 5},
		{"of nine the largest", every(5, 9) | 1<<63, 30, 23},
		{"capped", every(12, 6), 10, 10},
		{"a short churn gap", 1, 2, 2},
	} {
		if got := threshold(c.activity, c.gap); got != c.want {
			t.Errorf("%s: threshold(%b, %d) = %d, want %d", c.name, c.activity, c.gap, got, c.want)
		}
	}
}

// TestLens checks tail, exit and blocks against their definitions.
func TestLens(t *testing.T) {
	for _, length := range []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, time.Hour, 24 * time.Hour} {
		l := lensOf(kpi.Window{Length: length})
		for head := int64(1_700_000_000); head < 1_700_000_000+2*l.step+3; head++ {
			end := l.tail(head) + l.length
			if end < head || end-head >= l.step || end%l.step != 0 {
				t.Errorf("%s: live window at %d ends at %d", length, head, end)
			}
			slice := head - 1
			if at := l.exit(slice); l.tail(at-1) > floorTo(slice, l.step) || l.tail(at) <= floorTo(slice, l.step) {
				t.Errorf("%s: slice %d leaves at %d", length, slice, at)
			}
			next := l.nextBlock(head)
			if next <= head || l.blockIndex(next) != l.blockIndex(next-1)+1 || l.blockIndex(next-1) != l.blockIndex(head) {
				t.Errorf("%s: after %d a block begins with %d", length, head, next)
			}
		}
	}
	if got := floorTo(-1, 5); got != -5 {
		t.Errorf("floorTo(-1, 5) = %d, want -5", got)
	}
	if got := ceilTo(-4, 5); got != 0 {
		t.Errorf("ceilTo(-4, 5) = %d, want 0", got)
	}
}

// TestWilson compares with the published values for 95 %.
func TestWilson(t *testing.T) {
	for _, c := range []struct{ k, n, low, high float64 }{
		{0, 10, 0, 0.2775},
		{5, 10, 0.2366, 0.7634},
		{10, 10, 0.7225, 1},
		{81, 263, 0.2553, 0.3662},
	} {
		low, high, ok := Wilson(c.k, c.n)
		if !ok || math.Abs(low-c.low) > 1e-4 || math.Abs(high-c.high) > 1e-4 {
			t.Errorf("Wilson(%v, %v) = %.4f, %.4f, %v, want %.4f, %.4f", c.k, c.n, low, high, ok, c.low, c.high)
		}
	}
	for _, c := range [][2]float64{{1, 0}, {3, 2}, {-1, 2}} {
		if _, _, ok := Wilson(c[0], c[1]); ok {
			t.Errorf("Wilson(%v, %v) has an interval, want none", c[0], c[1])
		}
	}
}

// TestAgenda: what is noted comes back once, in order.
func TestAgenda(t *testing.T) {
	var a agenda
	for _, s := range []int64{5, 3, 9, 5, 3} {
		a.note(s)
	}
	for _, want := range []int64{3, 5, 8} {
		if got := a.next(want-1, 8); got != want {
			t.Errorf("next(%d, 8) = %d, want %d", want-1, got, want)
		}
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
