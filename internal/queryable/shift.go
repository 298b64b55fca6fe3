package queryable

import (
	"math"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

// A sustained shift is told by two cumulative sums (CUSUM, Page 1954), one for each
// direction, over the last days.
//
// The hours of a day go together: a day is a good one or a bad one. So what is summed up
// is of days: the mean, over the 24 hours, of how far the values are from what is usual,
// in thirds of the band, and no more than the band. Days differ more of one KPI than of
// another, and one that grows is always above what it was weeks ago: so a day is compared
// with those before the last ones, and measured by how much these differ.
const (
	lastDays   = 7
	daysBefore = 21
	// fewestDays are those before that must be known, fewestHours those of a day.
	fewestDays  = 10
	fewestHours = 12
	// slack is how much of a day's deviation is nothing, in standard deviations.
	slack = 1.5
	// steadiest is the least that days are taken to differ by, in thirds of the band.
	steadiest = 0.2
)

const (
	anHour     = int64(time.Hour / time.Millisecond)
	hoursOfDay = 24
)

// hoursBefore are the ends of all windows that say how far one has shifted.
func (p *past) hoursBefore(end int64) (list []int64) {
	if len(p.weeksBefore(wholeHour(end))) == 0 {
		return nil
	}
	for k := range int64((lastDays + daysBefore) * hoursOfDay) {
		at := wholeHour(end) - k*anHour
		if _, known := p.before[at]; at < p.oldest || known && k > 0 {
			continue // as are those of its weeks
		}
		list = append(append(list, at), p.weeksBefore(at)...)
	}
	return list
}

func wholeHour(ms int64) int64 { return ms - (ms%anHour+anHour)%anHour }

// tellShift has the series tell how far they have shifted at an instant.
func (p *past) tellShift(in instant) error {
	end := wholeHour(in.end)
	return p.tell(in, func(g *group, _ kpi.Part) (float64, bool) {
		if _, ok := p.off(g, end); !ok {
			return 0, false
		}
		days := make([]float64, 0, lastDays+daysBefore)
		for d := range int64(lastDays + daysBefore) {
			sum, n := 0.0, 0
			for k := range int64(hoursOfDay) {
				if off, ok := p.off(g, end-(d*hoursOfDay+k)*anHour); ok {
					sum, n = sum+off, n+1
				}
			}
			if n < fewestHours {
				sum, n = math.NaN(), 1
			}
			days = append(days, sum/float64(n))
		}
		return shift(days)
	})
}

// off is how far a value was from what was usual, in thirds of the band.
func (p *past) off(g *group, end int64) (off float64, ok bool) {
	off, told := p.offs[g][end]
	if !told {
		off = math.NaN()
		v, there := p.values[g][end]
		if u, ok := p.usual(g, end); ok && u.half > 0 && (there || p.zero(end)) {
			off = spread * min(max((v-u.middle)/u.half, -1), 1)
		}
		if p.offs[g] == nil {
			p.offs[g] = map[int64]float64{}
		}
		p.offs[g][end] = off
	}
	return off, !math.IsNaN(off)
}

// shift is the greater of the two sums, that of low days below 0. The days are the newest
// first, NaN where one is not known.
func shift(days []float64) (sum float64, ok bool) {
	before := make([]float64, 0, daysBefore)
	for _, d := range days[lastDays:] {
		if !math.IsNaN(d) {
			before = append(before, d)
		}
	}
	if len(before) < fewestDays {
		return 0, false
	}
	middle := median(before)
	squares := 0.0
	for _, d := range before {
		squares += (d - middle) * (d - middle)
	}
	by := max(math.Sqrt(squares/float64(len(before)-1)), steadiest)
	up, down := 0.0, 0.0
	for i := lastDays - 1; i >= 0; i-- {
		if math.IsNaN(days[i]) {
			continue
		}
		z := (days[i] - middle) / by
		up, down = max(0, up+z-slack), max(0, down-z-slack)
	}
	if down > up {
		return -down, true
	}
	return up, true
}
