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
			at             time.Duration
			begins, flying bool
			want           bool
		}{
			{0, true, false, true},
			{took + pauseStep, false, false, false},
			{11*took - time.Nanosecond, false, false, false},
			{11 * took, false, false, true},
			{12 * took, false, false, false},
			{13 * took, true, true, true},
			{15 * took, false, true, false},
			{16 * took, false, false, true}, // what flew is garbage
			{18 * took, false, true, false},
			{19 * took, false, false, false},
			{27 * took, false, true, true},
		} {
			time.Sleep(time.Until(began.Add(tt.at)))
			if got := c.force(tt.begins, tt.flying, collect); got != tt.want {
				t.Errorf("after %s, as a pause begins %t, messages on their way %t: collected %t, want %t", tt.at, tt.begins, tt.flying, got, tt.want)
			}
		}
	})
}
