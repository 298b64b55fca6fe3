package queryable

import (
	"math"
	"math/rand/v2"
	"testing"
)

// A life is how far a series is off, hour by hour, in thirds of the band, as off has it.
type life struct {
	*rand.Rand
	hours []float64
	day   float64
	heavy bool
}

// go on for an hour: hours differ, days differ as a whole, and it has drifted away from
// what was usual weeks ago.
func (l *life) goOn(by float64) {
	if len(l.hours)%hoursOfDay == 0 {
		l.day = l.NormFloat64()
		if l.heavy { // three degrees of freedom
			x, y, z := l.NormFloat64(), l.NormFloat64(), l.NormFloat64()
			l.day /= math.Sqrt((x*x + y*y + z*z) / 3)
		}
	}
	off := by + 0.4 + 0.5*l.day + 1.2*l.NormFloat64()
	l.hours = append(l.hours, min(max(off, -spread), spread))
}

// shift is that of the series at its last hour.
func (l *life) shift() (float64, bool) {
	days := make([]float64, lastDays+daysBefore)
	for d := range days {
		of := l.hours[len(l.hours)-(d+1)*hoursOfDay:][:hoursOfDay]
		for _, off := range of {
			days[d] += off / hoursOfDay
		}
	}
	return shift(days)
}

// TestShiftFalseAlarms holds the shift to what docs/promql.md says of it: so often in so
// many years a series that does not shift leaves a bound to one side.
func TestShiftFalseAlarms(t *testing.T) {
	const years = 200
	for _, c := range []struct {
		heavy  bool
		bound  float64
		alarms int
	}{{false, 5, 47}, {false, 8, 6}, {false, 10, 1}, {true, 5, 180}, {true, 8, 40}, {true, 10, 16}} {
		l := &life{Rand: rand.New(rand.NewPCG(1, 2)), heavy: c.heavy}
		for len(l.hours) < (lastDays+daysBefore)*hoursOfDay {
			l.goOn(0)
		}
		alarms, last := 0, -lastDays*hoursOfDay
		for n := range years * 365 * hoursOfDay {
			l.goOn(0)
			if len(l.hours) > 1<<16 && len(l.hours)%hoursOfDay == 0 {
				l.hours = append(l.hours[:0], l.hours[len(l.hours)-(lastDays+daysBefore+1)*hoursOfDay:]...)
			}
			if n%6 != 0 { // as soon as one would look at it
				continue
			}
			s, ok := l.shift()
			if !ok {
				t.Fatal("there is no shift")
			}
			if s < -c.bound {
				if n-last > lastDays*hoursOfDay {
					alarms++
				}
				last = n
			}
		}
		if alarms > c.alarms {
			t.Errorf("heavy tails %t: below %g %d times in %d years, want %d at most", c.heavy, -c.bound, alarms, years, c.alarms)
		}
	}
}

// TestShiftDelay holds the shift to how soon it tells of one.
func TestShiftDelay(t *testing.T) {
	for _, c := range []struct {
		by    float64 // thirds of the band
		bound float64
		days  float64
	}{{-3, 5, 1.3}, {-1.5, 5, 2.5}, {-3, 8, 1.8}, {-1.5, 8, 4.3}, {-3, 10, 2.3}, {-1.5, 10, 5.3}} {
		var delays []float64
		for i := range 101 {
			l := &life{Rand: rand.New(rand.NewPCG(1, uint64(i)))}
			for len(l.hours) < 2*(lastDays+daysBefore)*hoursOfDay {
				l.goOn(0)
			}
			hours := 0
			for s := 0.0; s > -c.bound && hours < 30*hoursOfDay; hours++ {
				l.goOn(c.by)
				s, _ = l.shift()
			}
			delays = append(delays, float64(hours)/hoursOfDay)
		}
		if got := median(delays); math.Abs(got-c.days) > 0.15 {
			t.Errorf("a shift by %g is told at %g after %.2f days, want %g", c.by, c.bound, got, c.days)
		}
	}
}
