package app

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/delivery"
	"github.com/tidewatch/tidewatch/alerts/reason"
	"github.com/tidewatch/tidewatch/internal/api"
	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/internal/queryable"
	"github.com/tidewatch/tidewatch/internal/space"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/merge"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// merge brings a parcel together and judges the rules.
func (e *engine) merge(p *parcel) {
	e.turnOver()
	for now := range e.lane.merge(p) {
		e.retain()
		e.evaluate(now, p.position.Sequence > e.lane.quietTo)
	}
	e.retain()
}

// evaluate judges the rules at a head that closed. What was judged before is
// not judged again, though it may have been corrected: rules that wait for a time
// to come wait by what it is then. Nobody hears of it while what was done is done again.
func (e *engine) evaluate(now closed, heard bool) {
	at := now.head * 1000
	if at <= e.alerted {
		e.resume(e.rules.Load(), now)
		return
	}
	e.alerted = at
	told := e.rules.Load().Evaluate(at, e.view(now))
	if heard {
		e.judged = e.judged || time.Since(time.UnixMilli(at))-e.timing.Disorder < delayedAfter
		e.explain(told, now)
	}
	e.notifications = append(e.notifications, told...)
}

// resume shows rules the live windows at a head that was judged. At the last of these alerts
// stand as those say.
func (e *engine) resume(rules *ruleset, now closed) {
	rules.Resume(e.view(now))
	if now.head*1000 == e.alerted {
		rules.Recall()
	}
}

// A closed is what the lane's watch saw at a head.
type closed struct {
	head    int64
	first   int64 // event time in ms of the earliest event
	samples [][]sample.Sample
	live    *merge.Live // if there are rules that are queried
}

type watchedKey struct {
	kpi, by string
	window  kpi.Window
}

// A ruleView shows the rules what there was as one close left it.
type ruleView struct {
	engine *engine
	closed
	watched map[watchedKey]int
}

func (e *engine) view(now closed) ruleView { return ruleView{e, now, e.rules.Load().watched} }

// Series are the samples of a KPI in the window that ends at the next step.
func (v ruleView) Series(name string, by kpi.Set, w kpi.Window) []sample.Sample {
	return v.samples[v.watched[watchedKey{name, by.Key(), w}]]
}

// Query is what an expression comes to.
func (v ruleView) Query(ctx context.Context, expr string, at int64) (_ promql.Vector, mixed bool, _ error) {
	e := v.engine
	return e.vector(ctx, e.recorded(known(queryable.New(then{e, v.closed}, e.frames), e.rules.Load().Engine)), expr, at)
}

// Sealed are the samples of a window that nothing changes any more.
func (v ruleView) Sealed(name string, by kpi.Set, w kpi.Window, end int64) ([]sample.Sample, bool, error) {
	e := v.engine
	if end > e.lane.sealed()*1000 {
		return nil, false, nil
	}
	if oldest, _ := e.kept(w, v.head*1000, e.since(v.first)); time.UnixMilli(end).Before(oldest) {
		return nil, false, fmt.Errorf("%s windows are kept from %s", w, oldest.UTC().Format(time.RFC3339))
	}
	answer, err := e.lookup(merge.Question{KPI: name, By: by, Window: w, Moment: merge.At(e.plan, w, end)}, e.store, nil)
	if err != nil {
		return nil, false, err
	}
	return answer.Samples, true, nil
}

// vector is what an expression comes to at a time, in Unix milliseconds, as alerts.View has it.
func (e *engine) vector(ctx context.Context, series storage.Queryable, expr string, at int64) (_ promql.Vector, mixed bool, err error) {
	defer func() { // after a restart the same rule would fail again
		if fault := recover(); fault != nil {
			err = fmt.Errorf("evaluate %s: %v", expr, fault)
			e.log.Error().Err(err).Bytes("stack", debug.Stack()).Msg("a rule fails")
		}
	}()
	parsed, err := expression.Parse(expr) // a template may ask anything
	if err != nil {
		return nil, false, err
	}
	if steps := expression.Steps(parsed, 0); steps > alerts.MaxSamples {
		return nil, false, fmt.Errorf("it steps through %d instants, more than %d", steps, alerts.MaxSamples)
	}
	ctx = queryable.WithTerms(ctx, queryable.TermsOf(parsed, expression.Lookback))
	out, warnings, err := expression.Vector(ctx, e.promql, series, expr, time.UnixMilli(at))
	return out, queryable.Mixed(warnings), err
}

// A then is what queries see as of a close.
type then struct {
	*engine
	closed
}

// Look implements queryable.Source.
func (t then) Look() queryable.View { return closeView{view{t.engine, t.live, t.closed.first}} }

// A closeView shows the live windows at the head that closed, though the watermark is
// beyond it: by less than a second, or where time jumps by any length.
type closeView struct{ view }

// Watermark implements queryable.View.
func (v closeView) Watermark() (ms int64, known bool) {
	ms, known = v.view.Watermark()
	return min(ms, v.live.Head()*1000), known
}

// recordingsOf are what rules record.
func recordingsOf(all iter.Seq2[alerts.Recording, time.Duration]) (list []queryable.Recording, err error) {
	for r, every := range all {
		expr, err := expression.Language.ParseExpr(r.Expr)
		if err != nil {
			panic(err) // it was read before
		}
		list = append(list, queryable.Recording{Name: r.Name, Expr: expr, Labels: labels.FromMap(r.Labels), Every: every})
	}
	return list, queryable.CheckRecordings(list)
}

// recorded shows what is recorded beside what there is.
func (e *engine) recorded(q storage.Queryable) storage.Queryable {
	return storage.QueryableFunc(func(from, to int64) (storage.Querier, error) {
		return queryable.WithRecordings(q, e.promql, e.rules.Load().recordings).Querier(from, to)
	})
}

// notify puts what the rules decided into the outbox, where it is durable.
func (e *engine) notify() error {
	if err := e.deliver.Notify(e.notifications); err != nil {
		return err
	}
	e.notifications = nil
	if e.judged {
		e.deliver.Judged()
	}
	return nil
}

// saveAlerts adds the rules' state to a checkpoint.
func (e *engine) saveAlerts(b *barrier) {
	b.alerts, b.clock = e.rules.Load().State()
	b.alerted = e.alerted
	// What fires is known once all that was done before is done again.
	if b.doubts = b.position.Sequence >= e.lane.quietTo && e.deliver.Doubts(); b.doubts {
		b.firing = e.rules.Load().Firing()
	}
}

// Counts are how many alerts are firing and pending.
func (e *engine) Counts() (firing, pending int) { return e.rules.Load().Counts() }

// Rules are how the rules stand.
func (e *engine) Rules() []alerts.RuleStatus { return e.rules.Load().Rules() }

// Resend has a notification tried at once.
func (e *engine) Resend(id, receiver string) ([]delivery.Delivery, error) {
	return e.deliver.Resend(id, receiver)
}

// Drop has a notification that was given up not be sent again.
func (e *engine) Drop(id, receiver string) ([]delivery.Delivery, error) {
	return e.deliver.Drop(id, receiver)
}

// delayedAfter is how far behind the clock rules may be judged: as long as an input may stop,
// and a backlog last, for no reason.
const delayedAfter = 2 * time.Minute

// Alerts is the state of the rules and of their notifications. Rules that nothing is known
// of say so: their silence is no good news.
func (s *Service) Alerts() api.AlertView {
	v := s.engine.Alerts()
	behind, silent := s.behind(), s.silent()
	for i := range v.Rules {
		switch r := &v.Rules[i]; {
		case r.State != alerts.Inactive && r.State != alerts.WithoutData:
		case len(behind) > 0:
			r.Is(alerts.Delayed, behind...)
		default:
			r.Is(r.State, append(r.Reasons, silent...)...)
		}
	}
	return v
}

// behind says why rules are judged later than they should be, nothing if they are not.
func (s *Service) behind() []reason.Reason {
	wm := s.look().live.Watermark()
	if wm == stream.NoTime {
		return nil
	}
	now := time.Now()
	by := now.Sub(time.UnixMilli(wm)) - s.timing.Disorder
	if by < delayedAfter {
		return nil
	}
	why, args := reason.Halted, reason.Args{"time": alerts.Time{Time: time.UnixMilli(wm)}, "length": by.Round(time.Second).String()}
	if err := s.Paused(); err != nil {
		return []reason.Reason{reason.Paused.Of(args), pausedBy(err)}
	} else if l := s.Ledger(); l.Backlog > 0 {
		why, args["count"] = reason.Backlog, l.Backlog
	} else if now.Before(s.nextTick(now).Add(delayedAfter)) {
		why = reason.EventsOld
	}
	return []reason.Reason{why.Of(args)}
}

// pausedBy says why nothing is taken in.
func pausedBy(err error) reason.Reason {
	if s, ok := errors.AsType[*space.Shortage](err); ok {
		return reason.Disk.Of(reason.Args{"dir": s.Dir, "free": s.Free >> 20, "needed": s.Needed >> 20})
	}
	return reason.Of(err)[0]
}

// silent says that no event was counted of late.
func (s *Service) silent() []reason.Reason {
	last := s.lane.progress.lastEvent.Load()
	if last == 0 {
		return nil
	}
	if since := time.Since(time.UnixMilli(last)); since > delayedAfter {
		return []reason.Reason{reason.Silent.Of(reason.Args{"length": since.Round(time.Second).String()})}
	}
	return nil
}

// Alerts is the state of the rules and of their notifications.
func (e *engine) Alerts() api.AlertView {
	v := api.AlertView{Status: e.rules.Load().Status(), Progress: e.deliver.Progress(), Reload: e.reloads.told()}
	for i := range v.Status.Alerts {
		a := &v.Status.Alerts[i]
		a.Hold = e.deliver.Holds(a.Labels)
	}
	return v
}
