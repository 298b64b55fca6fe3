package merge

import (
	"math"
	"testing"
)

// TestDueSeconds: what is noted comes back once, in order.
func TestDueSeconds(t *testing.T) {
	var a dueSeconds
	for _, s := range []int64{5, 3, 9, 5, 3} {
		a.note(s)
	}
	for _, want := range []int64{3, 5, 9, math.MaxInt64} {
		if got := a.next(want - 1); got != want {
			t.Errorf("next(%d) = %d, want %d", want-1, got, want)
		}
	}
}
