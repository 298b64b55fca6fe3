package backtest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
)

// Join puts what was judged as known then in the place of what sealed values say: of each
// rule from its KnownFrom on. The status is of all rules. An alert that fires by both at
// that time is one. One that fires by sealed values alone is over then, one that fires by
// the stream alone is listed from then on.
func (r *Report) Join(known *Report, s alerts.Status) error {
	same := func(a, b Verdict) bool { return a.Group == b.Group && a.Rule == b.Rule }
	if !slices.EqualFunc(r.Rules, known.Rules, same) {
		return errors.New("the service reads other rules in the file: use its version of tidewatch")
	}
	for i, k := range known.Rules {
		v := &r.Rules[i]
		if v.KnownFrom, v.Because = k.KnownFrom, k.Because; !v.KnownFrom.IsZero() {
			v.LastError = k.LastError
		}
	}
	list := []Incident{}
	fires := map[string]int{} // at that time, by sealed values: the places in the list
	for _, a := range r.Alerts {
		from := r.knownFrom(&a, s)
		switch {
		case from.IsZero() || a.over(from):
		case !a.FiredAt.Before(from):
			continue
		default:
			fires[a.key()] = len(list)
			a.ResolvedAt, a.Notifications = alerts.Time{Time: from}, 2
		}
		list = append(list, a)
	}
	for _, a := range known.Alerts {
		from := r.knownFrom(&a, s)
		if from.IsZero() || a.over(from) {
			continue
		}
		if a.FiredAt.Before(from) {
			a.FiredAt = alerts.Time{Time: from}
			a.Notifications-- // it was before
			if i, ok := fires[a.key()]; ok {
				b := &list[i]
				b.ResolvedAt, b.Corrected, b.Notifications = a.ResolvedAt, a.Corrected, 1+a.Notifications
				continue
			}
		}
		list = append(list, a)
	}
	slices.SortStableFunc(list, func(a, b Incident) int {
		return cmp.Or(a.FiredAt.Compare(b.FiredAt.Time), cmp.Compare(a.key(), b.key()))
	})
	r.Alerts, r.Notifications = list, 0
	for _, a := range list {
		r.Notifications += a.Notifications
	}
	r.sum(s)
	return nil
}

// knownFrom is from when on the rule of an alert is judged as known then.
func (r *Report) knownFrom(a *Incident, s alerts.Status) time.Time {
	if i := a.rule(s); i >= 0 {
		return r.Rules[i].KnownFrom.Time
	}
	return time.Time{}
}

// over reports whether it was by a time.
func (a *Incident) over(by time.Time) bool { return !a.ResolvedAt.IsZero() && !a.ResolvedAt.After(by) }

// key is the same of incidents of one alert.
func (a *Incident) key() string { return fmt.Sprint(a.Group, "/", a.Rule, "/", a.Labels) }
