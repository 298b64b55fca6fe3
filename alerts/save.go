package alerts

import (
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strconv"

	"github.com/tidewatch/tidewatch/alerts/reason"
)

// saved is what an epoch keeps of an engine, beside its Clock.
type saved struct {
	Version int          `json:"version"`
	Alerts  []savedAlert `json:"alerts"`
	// Resolved are those that are to be judged again.
	Resolved []savedAlert `json:"resolved,omitempty"`
}

const savedVersion = 2

// A Clock is the part of the state that changes with every evaluation. It is
// small and kept apart, so that the rest need not be written while no alert
// changes.
type Clock struct {
	// Now is the event time of the last evaluation.
	Now int64
	// Moved is that of the last one by which alerts came, fired or went.
	Moved int64 `json:",omitempty"`
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
	Currency    string            `json:"currency,omitempty"`
	Window      string            `json:"window,omitempty"`
	Known       string            `json:"known,omitempty"`
	State       State             `json:"state"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Subject     *Subject          `json:"subject,omitempty"`
	ActiveAt    int64             `json:"active_at"`
	FiredAt     int64             `json:"fired_at,omitempty"`
	OKSince     int64             `json:"ok_since,omitempty"`
	Decided     int64             `json:"decided,omitempty"` // while it is stale
	Stale       int64             `json:"stale,omitempty"`
	Number      string            `json:"number,omitempty"` // JSON has no infinity
	Past        bool              `json:"past,omitempty"`
	Met         bool              `json:"met,omitempty"`
	// Of an alert that is to be judged again, with the condition by which it was.
	End        int64  `json:"end,omitempty"`
	Stood      bool   `json:"stood,omitempty"`
	ResolvedAt int64  `json:"resolved_at,omitempty"`
	Condition  string `json:"condition,omitempty"`
	// Change is what its notification explains.
	Change *Change `json:"change,omitempty"`
}

func (a *alert) save() savedAlert {
	s := savedAlert{
		Group: a.group, Rule: a.name, Which: a.which, Alone: a.alone, Fields: a.fields, Series: a.series, Currency: a.currency, Window: a.window, Known: a.known,
		State: a.state, Labels: a.labels, Annotations: a.annotations, Subject: a.subject,
		ActiveAt: a.activeAt, FiredAt: a.firedAt, OKSince: a.okSince, Decided: a.staleSince(), Stale: a.stale, Number: a.shownNumber(), Past: a.past,
		Met: a.met, End: a.end, Stood: a.stood, Change: a.change,
	}
	if a.end != 0 {
		s.ResolvedAt, s.Condition = a.resolvedAt, a.rule.condition()
	}
	if a.state == Resolved { // a correction says all anew
		s.Annotations, s.Change = nil, nil
	}
	return s
}

// alert is the saved one, without its rule. It is nil if it is damaged.
func (s *savedAlert) alert() *alert {
	if len(s.Fields) != len(s.Series) {
		return nil
	}
	a := &alert{
		group: s.Group, name: s.Rule, which: s.Which, alone: s.Alone, fields: s.Fields, series: s.Series, currency: s.Currency, window: s.Window, known: s.Known,
		state: s.State, labels: s.Labels, annotations: s.Annotations, subject: s.Subject,
		activeAt: s.ActiveAt, firedAt: s.FiredAt, okSince: s.OKSince, resolvedAt: s.ResolvedAt,
		decided: s.Decided, stale: s.Stale, past: s.Past,
		met: s.Met, end: s.End, stood: s.Stood, change: s.Change,
	}
	if v, err := strconv.ParseFloat(s.Number, 64); err == nil {
		a.number = &v
	}
	return a
}

// byPlace orders alerts by what tells them apart.
func byPlace(a, b savedAlert) int {
	return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Which, b.Which),
		slices.Compare(a.Fields, b.Fields), slices.Compare(a.Series, b.Series), cmp.Compare(a.FiredAt, b.FiredAt))
}

// State is what Restore needs to go on from here. The alerts are the same bytes
// while none changes, and cheap.
func (e *Engine) State() (state []byte, at Clock) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.saved == nil {
		s := saved{Version: savedVersion, Alerts: []savedAlert{}}
		for a := range e.all() {
			s.Alerts = append(s.Alerts, a.save())
		}
		for _, a := range e.doubtful {
			if a.state == Resolved {
				s.Resolved = append(s.Resolved, a.save())
			}
		}
		slices.SortFunc(s.Alerts, byPlace)
		slices.SortFunc(s.Resolved, byPlace)
		e.saved, _ = json.Marshal(s) // nothing in it can fail
	}
	at = Clock{Now: e.now, Moved: e.moved, Evaluated: map[string]int64{}}
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
		for r := range e.rules() {
			for _, a := range r.active {
				if !yield(a) {
					return
				}
			}
		}
	}
}

// Restore goes on from a State, perhaps of an engine with other rules: alerts
// whose rule or series is gone resolve at the next evaluation. Nothing, as in
// the first epoch, is an empty state.
func (e *Engine) Restore(state []byte, at Clock) error {
	if err := e.restore(state, at); err != nil {
		return err
	}
	e.remember()
	return nil
}

func (e *Engine) restore(state []byte, at Clock) error {
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
	e.now, e.moved, e.gone, e.saved, e.firing = at.Now, at.Moved, nil, nil, nil
	clear(e.doubtful)
	clear(e.inherited)
	for _, g := range e.groups {
		g.evaluated = at.Evaluated[g.key()]
		for _, r := range g.rules {
			clear(r.active)
		}
	}
	left := s.Alerts
	for _, of := range e.owners() { // who has alerts of its own gets no others
		var others []savedAlert
		for _, sa := range left {
			a := sa.alert()
			if a == nil || a.state != Pending && a.state != Firing {
				return fmt.Errorf("read alert state: alert %q of group %q is damaged", sa.Rule, sa.Group)
			}
			if a.rule = of(a); a.rule == nil || a.rule.active[a.rule.key(a)] != nil {
				others = append(others, sa)
				continue
			}
			a.rule.active[a.rule.key(a)] = a
			e.stillDoubt(a, sa.Condition)
			e.inherits(a)
		}
		left = others
	}
	for _, sa := range left {
		a := sa.alert()
		a.end, a.because = 0, reason.RuleGone
		if e.ruleOf(a) != nil {
			a.because = reason.OtherSeries
		}
		e.gone = append(e.gone, a)
	}
	for _, sa := range s.Resolved {
		a := sa.alert()
		if a == nil || a.state != Resolved {
			return fmt.Errorf("read alert state: alert %q of group %q is damaged", sa.Rule, sa.Group)
		}
		for _, of := range e.owners() {
			if a.rule = of(a); a.rule != nil {
				e.stillDoubt(a, sa.Condition)
				e.inherits(a)
				break
			}
		}
	}
	return nil
}

// stillDoubt has a restored alert be judged again, if its rule still decides by the same.
func (e *Engine) stillDoubt(a *alert, condition string) {
	if a.end == 0 || a.rule.ends == 0 || a.rule.condition() != condition {
		a.end, a.stood = 0, false
		return
	}
	e.doubtful[doubt{a.rule, a.rule.key(a)}] = a
}

// condition is all that the rule decides by.
func (r *rule) condition() string {
	return digest(r.Expr, formatFloat(r.Confidence), strconv.FormatInt(r.minSamples, 10), string(r.NoData), strconv.FormatInt(r.offset, 10))
}

// owners look for the rule that has the series of a restored alert by now, nil for none: its own if
// receivers see no difference, such a one in another group, and then its own however it was edited.
func (e *Engine) owners() []func(*alert) *rule {
	return []func(*alert) *rule{e.keeper, e.heir, e.own}
}

// keeper is the alert's own rule where receivers see no difference.
func (e *Engine) keeper(a *alert) *rule {
	if r := e.ruleOf(a); r != nil && r.likeOwn(a) && r.adopts(a) {
		return r
	}
	return nil
}

// heir is a rule of another group where they see none: the group was renamed, or the rule moved.
// From then on the alert is of that group, by the id that receivers' accounts know.
func (e *Engine) heir(a *alert) *rule {
	for r := range e.rules() {
		if r.group != a.group && r.likeOwn(a) && r.adopts(a) && r.active[r.key(a)] == nil {
			a.known, a.group, a.alone = a.id(), r.group, r.alone
			return r
		}
	}
	return nil
}

// own is the alert's own rule. An alert of the rule's other form takes on the one that it has.
func (e *Engine) own(a *alert) *rule {
	if r := e.ruleOf(a); r != nil && r.adopts(a) {
		return r
	}
	return nil
}

// likeOwn reports whether an alert has the labels of those of the rule: of an expression that is
// known of the same one alone.
func (r *rule) likeOwn(a *alert) bool {
	expr := a.annotations["expr"]
	return r.Alert == a.name && r.which == a.which && r.windowName() == a.window && (!r.queried() || expr == "" || expr == r.Expr)
}

// ruleOf is the rule of an alert as it is by now, nil if it is gone.
func (e *Engine) ruleOf(a *alert) *rule {
	for r := range e.rules() {
		if r.group == a.group && r.Alert == a.name && (r.which == a.which || r.alone && a.alone) {
			return r
		}
	}
	return nil
}

// inherits notes that a restored alert has an id from elsewhere.
func (e *Engine) inherits(a *alert) {
	if a.known != "" {
		e.inherited[a.known] = a
	}
}

// tellApart has an alert that fires not have the id of one that came to be where it is, and is of
// another group by now.
func (e *Engine) tellApart(a *alert) {
	if b := e.inherited[a.id()]; b != nil && b != a && (b.end != 0 || b.rule.active[b.rule.key(b)] == b) {
		a.known = digest(a.id(), a.which)
	}
}

// rules are all rules.
func (e *Engine) rules() iter.Seq[*rule] {
	return func(yield func(*rule) bool) {
		for _, g := range e.groups {
			for _, r := range g.rules {
				if !yield(r) {
					return
				}
			}
		}
	}
}
