package app

import (
	"testing"
	"testing/synctest"
	"time"
)

// A pause over the memory budget does not spend the processor on collections.
func TestCollecting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const took = 300 * time.Millisecond
		var c collecting
		collect := func() { time.Sleep(took) }
		began := time.Now()
		for _, tt := range []struct {
			at     time.Duration
			begins bool
			want   bool
		}{
			{0, true, true},
			{took + pauseStep, false, false},
			{11*took - time.Nanosecond, false, false},
			{11 * took, false, true},
			{12 * took, false, false},
			{13 * took, true, true},
			{15 * took, false, false},
			{24 * took, false, true},
		} {
			time.Sleep(time.Until(began.Add(tt.at)))
			if got := c.force(tt.begins, collect); got != tt.want {
				t.Errorf("after %s, as a pause begins %t: collected %t, want %t", tt.at, tt.begins, got, tt.want)
			}
		}
	})
}
