package oracle

import (
	"math/big"
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

// churn is the one sample of a KPI about users who are away.
func (o *Oracle) churn(m *kpi.Measure, day int32, v View) Sample {
	rows := o.visible(span{never, o.calendar.start(day + 1)}, v)
	out := Sample{Labels: []string{}, Numerator: o.inactive(m, day, rows), Denominator: new(big.Int), Revision: 1}

	// What came late restated the day if that changed the number.
	end := o.calendar.start(day + 1)
	var late []int
	for _, r := range rows {
		if c := o.entered(r); c < len(o.heads) && o.heads[c-1] >= end && !slices.Contains(late, c) {
			late = append(late, c)
		}
	}
	slices.Sort(late)
	until := func(crossing int) *big.Int {
		return o.inactive(m, day, slices.DeleteFunc(slices.Clone(rows), func(r *row) bool { return o.entered(r) > crossing }))
	}
	for _, c := range late {
		if until(c-1).Cmp(until(c)) != 0 {
			out.Revision++
		}
	}
	return out
}

// inactive counts the users who are at risk, or churned, on the day.
func (o *Oracle) inactive(m *kpi.Measure, day int32, rows []*row) *big.Int {
	var n int64
	for _, days := range o.activeDays(m.Where, rows) {
		last := days[len(days)-1]
		away, gap := day-last, int32(m.ChurnGap)
		if m.Op == kpi.Churned && away >= gap || m.Op == kpi.AtRisk && away > rhythm(days, gap) && away < gap {
			n++
		}
	}
	return big.NewInt(n)
}

// activeDays lists for each user the days with an event that passes, ascending.
func (o *Oracle) activeDays(where *kpi.Expr, rows []*row) map[string][]int32 {
	out := map[string][]int32{}
	for _, r := range rows {
		if r.user == "" || !r.passes(where) {
			continue
		}
		if d := o.calendar.day(r.time); !slices.Contains(out[r.user], d) {
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
