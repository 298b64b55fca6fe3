// Package backtest judges rules over history: which alerts there would have been, for how
// long, and how many notifications of them.
//
// It is the engine of live alerts that judges, at each instant from one time to another.
// Windows are read as they are in the end, with all late events and corrections: what was
// known at the time was at times less. A selector of a window that ends at midnight is
// judged by days that are over.
package backtest

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/queryable"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// MaxInstants is at how many instants rules are judged at most.
const MaxInstants = 100_000

// MaxAlerts is how many alerts a Report has at most.
const MaxAlerts = 10_000

// ErrAlerts says that there are more.
var ErrAlerts = fmt.Errorf("there are more than %d alerts", MaxAlerts)

// A Question says what is judged.
type Question struct {
	// Rules are fresh ones. They are used up.
	Rules *alerts.Engine
	// Source has the history, Query evaluates an expression over it.
	Source queryable.Source
	Query  func(expr string, at int64) (promql.Vector, error)
	// From and To are the first and the last instant, Step is between them.
	From, To time.Time
	Step     time.Duration
}

// An Incident is an alert that fired.
type Incident struct {
	Group       string            `json:"group"`
	Rule        string            `json:"rule"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"` // as it fired
	FiredAt     alerts.Time       `json:"fired_at"`
	// ResolvedAt is null where it still fires in the end.
	ResolvedAt alerts.Time `json:"resolved_at"`
}

// A Verdict is what comes of a rule.
type Verdict struct {
	Group string `json:"group"`
	Rule  string `json:"rule"`
	Fired int    `json:"fired"`
	// Seconds is for how long it fired, over all its alerts.
	Seconds   float64 `json:"firing_seconds"`
	LastError string  `json:"last_error"`
}

// A Report is what comes of rules.
type Report struct {
	From          alerts.Time `json:"from"`
	To            alerts.Time `json:"to"`
	Step          float64     `json:"step_seconds"`
	Rules         []Verdict   `json:"rules"`
	Alerts        []Incident  `json:"alerts"` // by when they fired
	Notifications int         `json:"notifications"`
}

// Run judges. The error names what cannot be.
func Run(ctx context.Context, q Question) (*Report, error) {
	v, err := newView(ctx, q)
	if err != nil {
		return nil, err
	}
	defer v.stop()
	r := &Report{From: alerts.Time{Time: q.From}, To: alerts.Time{Time: q.To}, Step: q.Step.Seconds(), Rules: []Verdict{}, Alerts: []Incident{}}
	open := map[string]int{}
	for at := q.From; !at.After(q.To); at = at.Add(q.Step) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := v.goTo(at.UnixMilli()); err != nil {
			return nil, err
		}
		for _, n := range q.Rules.Evaluate(at.UnixMilli(), v.stays()) {
			r.take(n, open)
		}
		if len(r.Alerts) > MaxAlerts {
			return nil, fmt.Errorf("%w by %s: have the rules fire less often, or ask for less time", ErrAlerts, at.UTC().Format(time.RFC3339))
		}
	}
	r.judge(q.Rules.Status(), q.To)
	return r, nil
}

// take notes a notification.
func (r *Report) take(n alerts.Notification, open map[string]int) {
	r.Notifications++
	if n.Status == alerts.Firing {
		open[n.Alert] = len(r.Alerts)
		r.Alerts = append(r.Alerts, Incident{n.Group, n.Rule, n.Labels, n.Annotations, alerts.Time{Time: n.StartsAt}, alerts.Time{}})
	} else if i, ok := open[n.Alert]; ok {
		r.Alerts[i].ResolvedAt = alerts.Time{Time: n.EndsAt}
		delete(open, n.Alert)
	}
}

// judge sums up by rule.
func (r *Report) judge(s alerts.Status, to time.Time) {
	for _, rule := range s.Rules {
		v := Verdict{Group: rule.Group, Rule: rule.Name, LastError: rule.LastError}
		for _, a := range r.Alerts {
			if a.Group != v.Group || a.Rule != v.Rule || !a.has(rule.Of.Labels) {
				continue
			}
			v.Fired++
			end := a.ResolvedAt.Time
			if end.IsZero() {
				end = to
			}
			v.Seconds += end.Sub(a.FiredAt.Time).Seconds()
		}
		r.Rules = append(r.Rules, v)
	}
}

// has reports whether an alert has the labels of a rule, which tell those of one name
// apart. What a template comes to is not looked at.
func (i *Incident) has(labels map[string]string) bool {
	for name, text := range labels {
		if !strings.Contains(text, "{{") && i.Labels[name] != text {
			return false
		}
	}
	return true
}

// A view shows rules the newest windows that ended by an instant.
type view struct {
	query func(expr string, at int64) (promql.Vector, error)
	reads map[string]*read
}

// A read is what a rule reads of a KPI, window by window.
type read struct {
	next    func() (queryable.Window, error, bool)
	stop    func()
	current *sample.Answer
	coming  queryable.Window
	more    bool
}

func newView(ctx context.Context, q Question) (*view, error) {
	v := &view{query: q.Query, reads: map[string]*read{}}
	look := q.Source.Look()
	for _, r := range q.Rules.Reads() {
		key := keyOf(r.KPI, r.By, r.Window)
		k := q.Source.Catalogue().KPI(r.KPI)
		if v.reads[key] != nil || k == nil {
			continue
		}
		one := &read{}
		one.next, one.stop = iter.Pull2(queryable.Windows(ctx, look, queryable.Question{KPI: k, By: r.By, Window: r.Window}, q.From.UnixMilli(), q.To.UnixMilli()))
		v.reads[key] = one
		if err := one.advance(); err != nil {
			v.stop()
			return nil, err
		}
	}
	return v, nil
}

func keyOf(name string, by kpi.Set, w kpi.Window) string { return fmt.Sprint(name, "/", by, "/", w) }

func (v *view) stop() {
	for _, r := range v.reads {
		r.stop()
	}
}

// advance takes the next window up.
func (r *read) advance() (err error) {
	r.coming, err, r.more = r.next()
	return err
}

// goTo has the view be as of an instant.
func (v *view) goTo(at int64) error {
	for _, r := range v.reads {
		for r.more && r.coming.At <= at {
			r.current = r.coming.Answer // nil where it is lost
			if err := r.advance(); err != nil {
				return err
			}
		}
	}
	return nil
}

// stays is what the view shows, which stays as it is: rules judge by it what becomes due
// until the next instant.
func (v *view) stays() instant {
	shown := instant{v.query, make(map[string]*sample.Answer, len(v.reads))}
	for key, r := range v.reads {
		shown.answers[key] = r.current
	}
	return shown
}

// An instant is what a view shows at one.
type instant struct {
	query   func(expr string, at int64) (promql.Vector, error)
	answers map[string]*sample.Answer // nil for none
}

// Series implements alerts.View.
func (i instant) Series(name string, by kpi.Set, w kpi.Window) []sample.Sample {
	if a := i.answers[keyOf(name, by, w)]; a != nil {
		return a.Samples
	}
	return nil
}

// Sealed implements alerts.View: all that is read is sealed, and judged once.
func (i instant) Sealed(string, kpi.Set, kpi.Window, int64) ([]sample.Sample, bool, error) {
	return nil, false, nil
}

// Query implements alerts.View.
func (i instant) Query(_ context.Context, expr string, at int64) (promql.Vector, error) {
	return i.query(expr, at)
}
