package app

import (
	"github.com/tidewatch/tidewatch/alerts"
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
func (e *engine) evaluate(closes []*merge.Live) {
	for _, now := range closes {
		if at := now.Head() * 1000; at > e.alerted {
			e.alerted = at
			e.notifications = append(e.notifications, e.rules.Evaluate(at, e.view(now))...)
		} else {
			e.rules.Resume(e.view(now))
		}
	}
}

// questions are what rules read of live windows.
func questions(reads []alerts.Read) (out []merge.Question) {
	for _, r := range reads {
		out = append(out, merge.Question{KPI: r.KPI, By: r.By, Window: r.Window})
	}
	return out
}

// A liveView shows the rules the live windows as one close left them.
type liveView struct {
	*merge.Live
	known map[liveKey]liveSamples
}

// view is what rules see of a close. What has not changed since another is asked
// for once.
func (e *engine) view(now *merge.Live) liveView { return liveView{now, e.known} }

type liveKey struct {
	kpi, by string
	window  kpi.Window
}

type liveSamples struct {
	version uint64
	samples []sample.Sample
}

// Series are the samples of a KPI in the window that ends at the next step.
func (v liveView) Series(name string, by kpi.Set, w kpi.Window) []sample.Sample {
	q := merge.Question{KPI: name, By: by, Window: w}
	key, version := liveKey{name, by.Key(), w}, v.Version(q)
	if s, ok := v.known[key]; ok && s.version == version {
		return s.samples
	}
	samples := v.Ask(q).Samples
	v.known[key] = liveSamples{version, samples}
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
