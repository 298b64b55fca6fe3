package app

import (
	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/api"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/merge"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// evaluate judges the rules at every head that closed, and in between where they
// wait for a time. What was judged before a recovery is not judged again.
func (e *engine) evaluate(closes []*merge.Live) {
	for _, now := range closes {
		for head := e.deadline(now.Head()); head < now.Head(); head = e.deadline(now.Head()) {
			e.judge(head)
		}
		e.view.now = now
		e.judge(now.Head())
	}
}

// judge evaluates the rules at a head over what they saw last.
func (e *engine) judge(head int64) {
	if head*1000 <= e.alerted {
		return
	}
	e.alerted = head * 1000
	e.notifications = append(e.notifications, e.rules.Evaluate(e.alerted, e.view)...)
}

// deadline is the head before the given one at which the rules want to be judged
// although nothing changed; that one if there is none.
func (e *engine) deadline(before int64) int64 {
	ms, ok := e.rules.NextDeadline()
	if head := (ms + 999) / 1000; ok && e.view.now != nil && head > e.view.now.Head() && head*1000 > e.alerted && head < before {
		return head
	}
	return before
}

// questions are what rules read of live windows.
func questions(reads []alerts.Read) (out []merge.Question) {
	for _, r := range reads {
		out = append(out, merge.Question{KPI: r.KPI, By: r.By, Window: r.Window})
	}
	return out
}

// liveView shows the rules the live windows at a head. It asks again only for
// what has changed.
type liveView struct {
	now   *merge.Live
	known map[liveKey]*liveSamples
}

type liveKey struct {
	kpi, by string
	window  kpi.Window
}

type liveSamples struct {
	version uint64
	samples []sample.Sample
}

// Series are the samples of a KPI in the window that ends at the next step.
func (v *liveView) Series(name string, by kpi.Set, w kpi.Window) []sample.Sample {
	q := merge.Question{KPI: name, By: by, Window: w}
	key, version := liveKey{name, by.Key(), w}, v.now.Version(q)
	if s := v.known[key]; s != nil && s.version == version {
		return s.samples
	}
	samples := v.now.Ask(q).Samples
	v.known[key] = &liveSamples{version, samples}
	return samples
}

// notify puts what the rules decided into the outbox, where it is durable.
func (e *engine) notify() error {
	if err := e.deliver.Notify(e.notifications); err != nil {
		return err
	}
	e.notifications = nil
	return nil
}

// saveAlerts adds the rules' state to a checkpoint.
func (e *engine) saveAlerts(b *barrier) {
	b.alerts, b.clock = e.rules.State()
	b.alerted = e.alerted
}

// Counts are how many alerts are firing and pending.
func (e *engine) Counts() (firing, pending int) { return e.rules.Counts() }

// Alerts is the state of the rules and of their notifications.
func (e *engine) Alerts() api.AlertView {
	return api.AlertView{Status: e.rules.Status(), Progress: e.deliver.Progress()}
}
