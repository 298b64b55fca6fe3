package users

import (
	"math"
	"testing"
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
