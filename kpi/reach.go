package kpi

import (
	"strconv"
	"time"
)

// longestDay is more than a business day lasts where clocks are set back.
const longestDay = 26 * time.Hour

// usualJourney is for how long a session or a play goes on at most, but for a few.
const usualJourney = 6 * time.Hour

// Reach is for how long before an instant what happened makes a difference to what a window
// of the KPI is then. ever says that it does for ever. Of sessions and
// plays, which have no end, those are meant that last no longer than usualJourney.
func (k *KPI) Reach(w Window) (d time.Duration, ever bool) {
	switch {
	case w == Today:
		d = longestDay
	case w.IsDay(): // the newest that is final may be the one before
		d = time.Duration(2+k.Horizon) * longestDay
	default:
		d = w.Length + w.Step()
	}
	for _, o := range []*Operator{k.From, k.Also} {
		if o == nil {
			continue
		}
		more, always := o.reach()
		d, ever = d+more, ever || always
	}
	return d, ever
}

// reach is for how long what a user did makes a difference to facts.
func (o *Operator) reach() (d time.Duration, ever bool) {
	switch o.Journey.(type) {
	case nil: // of days: who is new depends on all days before
		return 0, true
	case *Sessions, *Plays:
		return usualJourney, false
	}
	return time.Duration(o.remembers()+1) * day, false
}

// Since is the first business day of those that a day of the KPI tells of: itself, but of
// what users did in the last days with it, or in its week or month so far.
func (k *KPI) Since(day int32) int32 {
	since := day
	for _, m := range k.Facts() {
		if m.Op != Level {
			continue
		}
		kinds := k.From.kinds()
		name := kinds.of(m.Where)
		for _, n := range kinds[name].trails(name, m.Where, day) {
			since = min(since, day+1-n)
		}
	}
	return since
}

// trails are over how many days, with this one, facts of the kind go, one of which is asked
// for.
func (k factKind) trails(name string, where *Expr, day int32) (days []int32) {
	date := time.Unix(int64(day)*86400, 0).UTC()
	switch name {
	case FactWeek:
		return []int32{int32(date.Weekday()+6)%7 + 1}
	case FactMonth:
		return []int32{int32(date.Day())}
	case FactPayer, FactRepeatPayer:
		return []int32{OrderDays}
	}
	of := where.Texts(OfField)
	if of == nil {
		of = k.fields[OfField]
	}
	for _, text := range of {
		n, _ := strconv.Atoi(text) // they are known
		if name == FactBefore {
			n++ // without the day
		}
		days = append(days, int32(n))
	}
	return days
}
