package kpi

import "time"

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
