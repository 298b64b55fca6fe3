// Package backtest judges rules over history: which alerts there would have been, for how
// long, and how many notifications of them.
//
// It is the engine of live alerts that judges. Run has it judge at each instant from one
// time to another, by windows as they are in the end, with all late events and corrections:
// what was known at the time was at times less. A selector of a window that ends at midnight
// is judged by days that are over. Whoever plays the stream again has it judge by what was
// known then; Reaches says how much of the stream that takes, and Join puts the two together.
package backtest

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/queryable"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// MaxInstants is at how many instants rules are judged at most.
const MaxInstants = 100_000

// A Question says what is judged.
type Question struct {
	// Rules are fresh ones. They are used up.
	Rules *alerts.Engine
	// Source has the history, Query evaluates an expression over it.
	Source queryable.Source
	Query  func(expr string, at int64) (_ promql.Vector, mixed bool, err error)
	// From and To are the first and the last instant, Step is between them.
	From, To time.Time
	Step     time.Duration
}

// Run judges. The error names what cannot be.
func Run(ctx context.Context, q Question) (*Report, error) {
	v, err := newView(ctx, q)
	if err != nil {
		return nil, err
	}
	defer v.stop()
	r := NewReport(q.From, q.To, q.Step)
	for at := q.From; !at.After(q.To); at = at.Add(q.Step) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := v.goTo(at.UnixMilli()); err != nil {
			return nil, err
		}
		for _, n := range q.Rules.Evaluate(at.UnixMilli(), v.stays()) {
			if err := r.Take(n, BySealedValues); err != nil {
				return nil, err
			}
		}
	}
	r.Judge(q.Rules.Status())
	return r, nil
}

// A view shows rules the newest windows that ended by an instant.
type view struct {
	query func(expr string, at int64) (_ promql.Vector, mixed bool, err error)
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
	query   func(expr string, at int64) (_ promql.Vector, mixed bool, err error)
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
func (i instant) Query(_ context.Context, expr string, at int64) (promql.Vector, bool, error) {
	return i.query(expr, at)
}
