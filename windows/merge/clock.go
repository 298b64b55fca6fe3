package merge

import (
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

// A clock is how far time is, in event time. All aggregates of a merger look at
// one.
type clock struct {
	calendar  *kpi.Calendar
	span      int64  // lateness in seconds, rounded up
	watermark int64  // ms
	head      int64  // the second before which every slice is closed
	sealed    int64  // the second before which nothing changes any more
	steps     uint64 // taken
}

// ends is the second at which the day ends.
func (c *clock) ends(day int32) int64 { return c.calendar.Start(day+1) / 1000 }

// sealedDays are those that end by the sealed second, and the horizon after it,
// ascending.
func sealedDays[T any](c *clock, days map[int32]T, horizon int) (out []int32) {
	for day := range days {
		if c.ends(day+int32(horizon)) <= c.sealed {
			out = append(out, day)
		}
	}
	slices.Sort(out)
	return out
}

func (c *clock) day(second int64) int32 { return c.calendar.Day(second * 1000) }

// dueSeconds are seconds at which sealing has something to do, ascending.
type dueSeconds struct{ seconds []int64 }

func (d *dueSeconds) note(second int64) {
	n := len(d.seconds)
	if n == 0 || d.seconds[n-1] < second {
		d.seconds = append(d.seconds, second)
		return
	}
	if i, ok := slices.BinarySearch(d.seconds, second); !ok {
		d.seconds = slices.Insert(d.seconds, i, second)
	}
}

// next is the first second after the given one, MaxInt64 if there is none. Those
// before are forgotten.
func (d *dueSeconds) next(after int64) int64 {
	for len(d.seconds) > 0 && d.seconds[0] <= after {
		d.seconds = d.seconds[1:]
	}
	if len(d.seconds) > 0 {
		return d.seconds[0]
	}
	return math.MaxInt64
}
