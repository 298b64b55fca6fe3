package app

import (
	"github.com/tidewatch/tidewatch/internal/api"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/merge"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// merge brings a parcel together and judges the rules.
func (e *engine) merge(p *parcel) {
	closes := e.lane.merge(p)
	e.retain()
	e.evaluate(closes)
}

// evaluate judges the rules at every head that closed. What was judged before is
// not judged again, though it may have been corrected: rules that wait for a time
// to come wait by what it is then.
func (e *engine) evaluate(closes []closed) {
	for _, now := range closes {
		if at := now.head * 1000; at > e.alerted {
			e.alerted = at
			e.notifications = append(e.notifications, e.rules.Evaluate(at, e.view(now))...)
		} else {
			e.rules.Resume(e.view(now))
		}
	}
}

// A closed is what the lane's watch saw at a head.
type closed struct {
	head    int64
	samples [][]sample.Sample
}

// watch has the lane watch what rules read of live windows.
func (e *engine) watch() {
	var qs []merge.Question
	e.watched = map[watchedKey]int{}
	for _, r := range e.rules.Reads() {
		key := watchedKey{r.KPI, r.By.Key(), r.Window}
		if _, ok := e.watched[key]; !ok {
			e.watched[key] = len(qs)
			qs = append(qs, merge.Question{KPI: r.KPI, By: r.By, Window: r.Window})
		}
	}
	e.lane.watch = merge.NewWatch(e.plan, qs)
}

type watchedKey struct {
	kpi, by string
	window  kpi.Window
}

// A liveView shows the rules the live windows as one close left them.
type liveView struct {
	samples [][]sample.Sample
	watched map[watchedKey]int // the questions' places
}

func (e *engine) view(now closed) liveView { return liveView{now.samples, e.watched} }

// Series are the samples of a KPI in the window that ends at the next step.
func (v liveView) Series(name string, by kpi.Set, w kpi.Window) []sample.Sample {
	return v.samples[v.watched[watchedKey{name, by.Key(), w}]]
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
