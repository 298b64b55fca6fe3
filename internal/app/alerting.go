package app

import (
	"math"

	"github.com/tidewatch/tidewatch/internal/api"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows"
)

// evaluate judges the rules when the head moved. It runs inside the merge. What
// was judged before a recovery is not judged again.
func (e *engine) evaluate(head int64) {
	if head*1000 <= e.alerted {
		return
	}
	e.alerted = head * 1000
	e.live.now = e.lane.merger.Live()
	e.notifications = append(e.notifications, e.rules.Evaluate(e.alerted, e.live)...)
}

// deadline is the head at which the rules want to be judged next.
func (e *engine) deadline() int64 {
	if ms, ok := e.rules.NextDeadline(); ok {
		return (ms + 999) / 1000
	}
	return math.MaxInt64
}

// liveView shows the rules the live windows at the head. It asks again only for
// what has changed.
type liveView struct {
	merger *windows.Merger
	now    *windows.Live
	known  map[liveKey]*liveSamples
}

type liveKey struct {
	kpi, by string
	window  kpi.Window
}

type liveSamples struct {
	version uint64
	samples []windows.Sample
}

func newLiveView(m *windows.Merger) *liveView {
	return &liveView{merger: m, known: map[liveKey]*liveSamples{}}
}

// Series are the samples of a KPI in the window that ends at the next step.
func (v *liveView) Series(name string, by kpi.Set, w kpi.Window) []windows.Sample {
	q := windows.Question{KPI: name, By: by, Window: w}
	key, version := liveKey{name, by.Key(), w}, v.merger.Version(q)
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

// markAlerts adds the rules' state to a checkpoint.
func (e *engine) markAlerts(m *mark) {
	m.alerts, m.root.Clock = e.rules.State()
	m.root.Alerted = e.alerted
}

// Counts are how many alerts are firing and pending.
func (e *engine) Counts() (firing, pending int) { return e.rules.Counts() }

// Alerts is the state of the rules and of the last notifications.
func (e *engine) Alerts() api.AlertView {
	status := e.rules.Status()
	out := api.AlertView{Alerts: []api.Alert{}, Rules: []api.Rule{}, Deliveries: []api.Delivery{}}
	for _, a := range status.Alerts {
		out.Alerts = append(out.Alerts, api.Alert{Rule: a.Rule, Group: a.Group, State: string(a.State), Labels: a.Labels, Annotations: a.Annotations,
			Value: a.Value, ActiveAt: api.Time{Time: a.ActiveAt.Time}, FiredAt: api.Time{Time: a.FiredAt.Time}, StaleSince: api.Time{Time: a.StaleSince.Time}})
	}
	for _, r := range status.Rules {
		out.Rules = append(out.Rules, api.Rule{Group: r.Group, Name: r.Name, Expr: r.Expr, For: r.For, State: string(r.State), Health: r.Health, LastError: r.LastError})
	}
	for _, d := range e.deliver.Deliveries() {
		out.Deliveries = append(out.Deliveries, api.Delivery{ID: d.ID, Receiver: d.Receiver, Rule: d.Rule, Status: string(d.Status), Labels: d.Labels,
			At: api.Time{Time: d.At.Time}, Attempts: d.Attempts, Outcome: string(d.Outcome), Error: d.Error})
	}
	return out
}
