package oracle

import (
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

// A user is at risk on a day if the last active day is longer ago than the
// user's own rhythm explains, and churned once it is ChurnGap days ago; never
// both.
const (
	remembered = 64 // days, the last active one included, whose rhythm counts
	minGaps    = 5  // below this there is no rhythm
	minRisk    = 3  // days away that are no risk whatever the rhythm
)

// inactive counts the users who are at risk, or churned, on the day.
func (o *Oracle) inactive(m *kpi.Measure, day int32, v View) int64 {
	var n int64
	for _, days := range o.activeDays(m.Where, day, v) {
		last := days[len(days)-1]
		away, gap := day-last, int32(m.ChurnGap)
		if m.Op == kpi.Churned && away >= gap || m.Op == kpi.AtRisk && away > rhythm(days, gap) && away < gap {
			n++
		}
	}
	return n
}

// activeDays lists for each user the days with an event that passes, up to the
// day, ascending.
func (o *Oracle) activeDays(where *kpi.Expr, day int32, v View) map[string][]int32 {
	out := map[string][]int32{}
	for _, r := range o.visible(span{never, o.calendar.Start(day+1) / 1000}, v) {
		if d := o.calendar.Day(r.time); r.user != "" && r.passes(where) && !slices.Contains(out[r.user], d) {
			out[r.user] = append(out[r.user], d)
		}
	}
	for _, days := range out {
		slices.Sort(days)
	}
	return out
}

// rhythm is the number of days away that the user's rhythm explains: the 90th
// percentile, by nearest rank, of the gaps between active days.
func rhythm(days []int32, gap int32) int32 {
	last := days[len(days)-1]
	var gaps []int32
	for i := 1; i < len(days); i++ {
		if last-days[i-1] < remembered {
			gaps = append(gaps, days[i]-days[i-1])
		}
	}
	if len(gaps) < minGaps {
		return min(minRisk, gap)
	}
	slices.Sort(gaps)
	rank := (len(gaps)*9 + 9) / 10
	return min(max(minRisk, gaps[rank-1]), gap)
}
