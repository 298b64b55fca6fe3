package alerts

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// saved is what an epoch keeps of an engine, beside its Clock.
type saved struct {
	Version int          `json:"version"`
	Alerts  []savedAlert `json:"alerts"`
}

const savedVersion = 2

// A Clock is the part of the state that changes with every evaluation. It is
// small and kept apart, so that the rest need not be written while no alert
// changes.
type Clock struct {
	// Now is the event time of the last evaluation.
	Now int64
	// Evaluated has the last evaluation of each group with an interval.
	Evaluated map[string]int64 `json:",omitempty"`
}

type savedAlert struct {
	Group       string            `json:"group"`
	Rule        string            `json:"rule"`
	Which       string            `json:"which"`
	Alone       bool              `json:"alone,omitempty"`
	Fields      []string          `json:"fields,omitempty"`
	Series      []string          `json:"series,omitempty"`
	State       State             `json:"state"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Subject     *Subject          `json:"subject,omitempty"`
	ActiveAt    int64             `json:"active_at"`
	FiredAt     int64             `json:"fired_at,omitempty"`
	OKSince     int64             `json:"ok_since,omitempty"`
	StaleSince  int64             `json:"stale_since,omitempty"`
	Number      string            `json:"number,omitempty"` // JSON has no infinity
}

// State is what Restore needs to go on from here. The alerts are the same bytes
// while none changes, and cheap.
func (e *Engine) State() (state []byte, at Clock) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.saved == nil {
		all := []savedAlert{}
		for a := range e.all() {
			all = append(all, savedAlert{
				Group: a.group, Rule: a.name, Which: a.which, Alone: a.alone, Fields: a.fields, Series: a.series,
				State: a.state, Labels: a.labels, Annotations: a.annotations, Subject: a.subject,
				ActiveAt: a.activeAt, FiredAt: a.firedAt, OKSince: a.okSince, StaleSince: a.staleSince(), Number: a.shownNumber(),
			})
		}
		slices.SortFunc(all, func(a, b savedAlert) int {
			return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Which, b.Which),
				slices.Compare(a.Fields, b.Fields), slices.Compare(a.Series, b.Series))
		})
		e.saved, _ = json.Marshal(saved{savedVersion, all}) // nothing in it can fail
	}
	at = Clock{Now: e.now, Evaluated: map[string]int64{}}
	for _, g := range e.groups {
		if g.interval > 0 {
			at.Evaluated[g.key()] = g.evaluated
		}
	}
	return e.saved, at
}

// shownNumber is the number of a queried alert as a text, "" for none.
func (a *alert) shownNumber() string {
	if a.number == nil {
		return ""
	}
	return formatFloat(*a.number)
}

// key tells groups apart that differ in when they are evaluated.
func (g *group) key() string { return fmt.Sprintf("%s/%d", g.name, g.interval) }

// all are the alerts that are pending or firing, in no order.
func (e *Engine) all() func(yield func(*alert) bool) {
	return func(yield func(*alert) bool) {
		for _, a := range e.gone {
			if !yield(a) {
				return
			}
		}
		for _, g := range e.groups {
			for _, r := range g.rules {
				for _, a := range r.active {
					if !yield(a) {
						return
					}
				}
			}
		}
	}
}

// Restore goes on from a State, perhaps of an engine with other rules: alerts
// whose rule or series is gone resolve at the next evaluation. Nothing, as in
// the first epoch, is an empty state.
func (e *Engine) Restore(state []byte, at Clock) error {
	if len(state) == 0 {
		return nil
	}
	var s saved
	if err := json.Unmarshal(state, &s); err != nil {
		return fmt.Errorf("read alert state: %w", err)
	}
	if s.Version != savedVersion {
		return fmt.Errorf("read alert state: version %d is not known: run the release that wrote it", s.Version)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.now, e.gone, e.saved = at.Now, nil, nil
	for _, g := range e.groups {
		g.evaluated = at.Evaluated[g.key()]
		for _, r := range g.rules {
			clear(r.active)
		}
	}
	for _, sa := range s.Alerts {
		if len(sa.Fields) != len(sa.Series) || sa.State != Pending && sa.State != Firing {
			return fmt.Errorf("read alert state: alert %q of group %q is damaged", sa.Rule, sa.Group)
		}
		a := &alert{
			group: sa.Group, name: sa.Rule, which: sa.Which, alone: sa.Alone, fields: sa.Fields, series: sa.Series,
			state: sa.State, labels: sa.Labels, annotations: sa.Annotations, subject: sa.Subject,
			activeAt: sa.ActiveAt, firedAt: sa.FiredAt, okSince: sa.OKSince,
			decided: sa.StaleSince, stale: sa.StaleSince != 0,
		}
		if v, err := strconv.ParseFloat(sa.Number, 64); err == nil {
			a.number = &v
		}
		if a.rule = e.owner(a); a.rule == nil {
			e.gone = append(e.gone, a)
			continue
		}
		a.rule.active[a.rule.key(a)] = a
	}
	return nil
}

// owner is the rule that still has the alert's series, or nil.
func (e *Engine) owner(a *alert) *rule {
	for _, g := range e.groups {
		for _, r := range g.rules {
			if r.group != a.group || r.Alert != a.name || r.which != a.which && !(r.alone && a.alone) {
				continue
			}
			if r.queried() {
				return r
			}
			if !slices.Equal(r.by, a.fields) {
				return nil
			}
			for i, ms := range r.match {
				if !matches(ms, a.series[i]) {
					return nil
				}
			}
			return r
		}
	}
	return nil
}
