package alerts

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/common/model"

	"github.com/tidewatch/tidewatch/alerts/reason"
	"github.com/tidewatch/tidewatch/kpi"
)

// A Status is the alerts and rules of an engine, as the API shows them.
type Status struct {
	// Alerts are firing ones first, the oldest first.
	Alerts []Alert `json:"alerts"`
	// Firing and Pending are how many there are, listed or not.
	Firing  int          `json:"firing"`
	Pending int          `json:"pending"`
	Rules   []RuleStatus `json:"rules"`
	// Files are those that the rules are of.
	Files []*RuleFile `json:"-"`
}

// Listed is the most alerts that Engine.Status shows.
const Listed = 1000

// An Alert is a series of a rule that is pending or firing.
type Alert struct {
	// ID is the same for all notifications and episodes of the alert.
	ID          string            `json:"id"`
	Rule        string            `json:"rule"`
	Group       string            `json:"group"`
	State       State             `json:"state"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	// Value is nil where it is not known after a restart, until the series is judged
	// for the first time.
	Value *float64 `json:"value"`
	// Subject is what it and the figures among the annotations are of; nil where that is not
	// known.
	Subject  *Subject `json:"subject,omitempty"`
	ActiveAt Time     `json:"active_at"`
	FiredAt  Time     `json:"fired_at"`
	// StaleSince is the last evaluation that could judge the series, if it is
	// null or too small now.
	StaleSince Time `json:"stale_since"`
	// Fingerprint is the hash of its labels, by which others name it.
	Fingerprint string `json:"fingerprint"`
	// Of is the rule, nil if it is gone.
	Of *Rule `json:"-"`
	// Hold is empty here: whoever delivers knows of it.
	Hold
}

// MarshalJSON writes the alert: null for a value that is no number or infinite, of which
// JSON has none. The annotation value says what it is.
func (a Alert) MarshalJSON() ([]byte, error) {
	type plain Alert
	if a.Value != nil && (math.IsNaN(*a.Value) || math.IsInf(*a.Value, 0)) {
		a.Value = nil
	}
	return json.Marshal(plain(a))
}

// A RuleStatus is a rule and the furthest state of its alerts.
type RuleStatus struct {
	Group string `json:"group"`
	Name  string `json:"name"`
	Expr  string `json:"expr"`
	For   string `json:"for"`
	// Recover is the condition on which its alerts are over, "" once Expr does not hold.
	Recover string `json:"recover"`
	// Confidence is that of the interval whose end is compared, 0 where the value is.
	Confidence float64 `json:"confidence"`
	// Labels are those that it adds to its series', as its file has them: templates too. They
	// tell rules of one name apart.
	Labels map[string]string `json:"labels"`
	State  State             `json:"state"`
	// Reason says why it is in that state, Reasons by codes.
	Reason  string          `json:"reason"`
	Reasons []reason.Reason `json:"reasons"`
	// Health is "unknown" before the first evaluation, then "ok", or "err"
	// with LastError.
	Health    string `json:"health"`
	LastError string `json:"last_error"`
	// Of is the rule as its file has it.
	Of *Rule `json:"-"`
	// Interval is how often it is evaluated, in event time.
	Interval time.Duration `json:"-"`
}

// Time is a time as the API writes it: in UTC with milliseconds, null for none.
type Time struct{ time.Time }

// MarshalJSON writes the time.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return []byte(`"` + t.String() + `"`), nil
}

// String is the time as it is written in texts.
func (t Time) String() string { return t.UTC().Format(timeFormat) }

// Counts are how many alerts are firing and pending, without those that have just come and
// have no labels yet.
func (e *Engine) Counts() (firing, pending int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.counts()
}

func (e *Engine) counts() (firing, pending int) {
	for a := range e.all() {
		switch {
		case a.labels == nil:
		case a.state == Firing:
			firing++
		default:
			pending++
		}
	}
	return firing, pending
}

// Status is what the rules say as of the last evaluation.
func (e *Engine) Status() Status { return e.StatusOf(Listed) }

// StatusOf is a Status that shows so many alerts at most.
func (e *Engine) StatusOf(most int) Status {
	s, copies, last, now := e.snapshot(most)
	// Templates run outside the lock: evaluation does not wait for them.
	asked := e.questions(last)
	ctx, end := asked.wait()
	defer end()
	for i := range copies {
		s.Alerts = append(s.Alerts, e.list(ctx, &copies[i], asked, now))
	}
	return s
}

// snapshot is a Status without its alerts, and so many of these as they are, as of the close
// that was judged last.
func (e *Engine) snapshot(most int) (s Status, copies []alert, last View, now int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s = Status{Alerts: []Alert{}, Rules: e.ruleStatuses(), Files: e.files}
	s.Firing, s.Pending = e.counts()
	for _, a := range e.first(most) {
		copies = append(copies, *a)
	}
	return s, copies, e.last, e.now
}

// Rules are how the rules stand as of the last evaluation.
func (e *Engine) Rules() []RuleStatus {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ruleStatuses()
}

func (e *Engine) ruleStatuses() []RuleStatus {
	out := []RuleStatus{}
	for _, g := range e.groups {
		for _, r := range g.rules {
			s := r.status()
			s.Interval = time.Duration(max(g.interval, sliceMillis)) * time.Millisecond
			out = append(out, s)
		}
	}
	return out
}

// first are the first n alerts of the list, of those that Counts counts. The caller holds mu.
func (e *Engine) first(n int) []*alert {
	var list []*alert
	var last *alert // of the first n so far, once there are as many
	for a := range e.all() {
		if a.labels == nil || last != nil && compare(a, last) > 0 {
			continue
		}
		if list = append(list, a); len(list)-n == n {
			slices.SortFunc(list, compare)
			list, last = list[:n], list[n-1]
		}
	}
	slices.SortFunc(list, compare)
	return list[:min(n, len(list))]
}

// compare orders alerts as they are listed.
func compare(a, b *alert) int {
	return cmp.Or(cmp.Compare(a.state, b.state), cmp.Compare(a.activeAt, b.activeAt),
		cmp.Compare(a.group, b.group), cmp.Compare(a.name, b.name), cmp.Compare(a.which, b.which), slices.Compare(a.series, b.series))
}

func (r *rule) status() RuleStatus {
	s := RuleStatus{Group: r.group, Name: r.Alert, Expr: r.Expr, For: model.Duration(r.For).String(), Recover: r.Recover, Confidence: r.Confidence, Labels: r.Labels, State: Inactive, Health: "unknown", Of: r.Rule}
	s.Is(r.state())
	switch {
	case r.failed != nil || r.err != nil:
		s.Health, s.LastError = "err", cmp.Or(r.failed, r.err).Error()
	case r.evaluated:
		s.Health = "ok"
	}
	return s
}

// Is has the rule be in a state.
func (s *RuleStatus) Is(state State, because ...reason.Reason) {
	s.State, s.Reason, s.Reasons = state, reason.Text(because), because
}

// state is the furthest one of the rule's alerts, or why it has none.
func (r *rule) state() (State, reason.Reason) {
	firing := 0
	for _, a := range r.active {
		if a.state == Firing {
			firing++
		}
	}
	switch {
	case firing > 0:
		return Firing, reason.Fires.Of(reason.Args{"count": firing})
	case len(r.active) > 0:
		return Pending, reason.HoldsBriefly.Of(reason.Args{"count": len(r.active), "length": model.Duration(r.For).String()})
	case r.failed != nil:
		return WithoutData, reason.Unevaluable.Of(reason.Args{"error": r.failed.Error()})
	case !r.evaluated:
		return WithoutData, reason.NotEvaluated.Alone()
	case r.queried() && r.several:
		return WithoutData, reason.Mixed.Alone()
	case r.queried():
		return Inactive, reason.NoResult.Alone()
	case r.selected == 0 && r.ofNothing():
		return WithoutData, reason.Unseen.Alone()
	case r.selected == 0 && r.counts():
		return Inactive, reason.Zero.Alone()
	case r.selected == 0:
		return WithoutData, reason.Nothing.Alone()
	case r.decided == 0 && r.mixed == r.selected:
		return WithoutData, reason.Mixed.Alone()
	case r.decided == 0 && r.minSamples > 0:
		return WithoutData, reason.TooFew.Of(reason.Args{"least": r.minSamples})
	case r.decided == 0:
		return WithoutData, reason.NoValue.Alone()
	case r.decided < r.selected:
		return Inactive, reason.PartlyJudged.Of(reason.Args{"count": r.selected - r.decided, "of": r.selected})
	}
	return Inactive, reason.HoldsNot.Alone()
}

// counts reports whether a series of which nothing is there is judged as 0.
func (r *rule) counts() bool {
	parts := r.part == kpi.NumeratorPart || r.part == kpi.DenominatorPart
	return r.minSamples == 0 && (parts || !r.kpi.Nullable())
}

// staleSince is 0 for an alert that was judged at the last evaluation.
func (a *alert) staleSince() int64 {
	if a.stale == 0 {
		return 0
	}
	return a.decided
}

// list works on a copy.
func (e *Engine) list(ctx context.Context, a *alert, asked *questions, now int64) Alert {
	out := Alert{
		ID: a.id(), Rule: a.name, Group: a.group, State: a.state, Labels: a.labels,
		Annotations: a.annotations, Subject: a.subject, ActiveAt: Time{instant(a.activeAt)}, Fingerprint: labelSet(a.labels).Fingerprint().String(),
	}
	if a.rule != nil {
		out.Of = a.rule.Rule
	}
	if a.firedAt != 0 {
		out.FiredAt = Time{instant(a.firedAt)}
	}
	if since := a.staleSince(); since != 0 {
		out.StaleSince, now = Time{instant(since)}, since
	}
	if a.seen {
		out.Subject = a.rule.subject()
		data := e.templateData(a)
		data.query = asked.ask
		if v, ok := a.value(); ok {
			out.Value = &v
		}
		out.Annotations, _ = a.rule.annotations(ctx, data, now)
		figures := a.figures(now, e.link(a, now))
		if a.past { // its texts have the last value that is known
			delete(figures, "as_of")
		}
		maps.Copy(figures, out.Annotations)
		if out.Annotations = figures; a.change != nil {
			a.change.annotate(figures)
		}
	}
	if out.Annotations == nil {
		out.Annotations = map[string]string{}
	}
	if out.Value == nil && (a.rule == nil || a.rule.Annotations["value"] == "") { // as it was told
		if v, err := strconv.ParseFloat(out.Annotations["value"], 64); err == nil {
			out.Value = &v
		}
	}
	return out
}
