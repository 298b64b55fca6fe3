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
	e.notifications = append(e.notifications, e.rules.Evaluate(e.alerted, liveView{e.lane.merger})...)
}

// deadline is the head at which the rules want to be judged next.
func (e *engine) deadline() int64 {
	if ms, ok := e.rules.NextDeadline(); ok {
		return (ms + 999) / 1000
	}
	return math.MaxInt64
}

// liveView shows the rules the live windows at the head.
type liveView struct{ merger *windows.Merger }

func (v liveView) Series(name string, by kpi.Set, w kpi.Window) []windows.Sample {
	a, err := v.merger.Ask(windows.Question{KPI: name, By: by, Window: w, Moment: windows.Moment{Live: true}}, nil, nil)
	if err != nil {
		return nil
	}
	return a.Samples
}

// notify puts what the rules decided into the outbox, where it is durable.
func (e *engine) notify() error {
	if err := e.deliver.Notify(e.notifications); err != nil {
		return err
	}
	e.notifications = nil
	return nil
}

// Alerts is the state of the rules and of the last notifications.
func (e *engine) Alerts() api.AlertView {
	status := e.rules.Status()
	out := api.AlertView{Alerts: []api.Alert{}, Rules: []api.Rule{}, Deliveries: []api.Delivery{}}
	for _, a := range status.Alerts {
		out.Alerts = append(out.Alerts, api.Alert{Rule: a.Rule, Group: a.Group, State: string(a.State), Labels: a.Labels, Annotations: a.Annotations,
			Value: a.Value, ActiveAt: api.Time{Time: a.ActiveAt.Time}, FiredAt: api.Time{Time: a.FiredAt.Time}})
	}
	for _, r := range status.Rules {
		out.Rules = append(out.Rules, api.Rule{Group: r.Group, Name: r.Name, Expr: r.Expr, For: r.For, State: string(r.State), Health: r.Health, LastError: r.LastError})
	}
	for _, d := range e.deliver.Deliveries() {
		out.Deliveries = append(out.Deliveries, api.Delivery{ID: d.ID, Receiver: d.Receiver, Rule: d.Rule, Status: string(d.Status),
			At: api.Time{Time: d.At.Time}, Attempts: d.Attempts, Outcome: string(d.Outcome), Error: d.Error})
	}
	return out
}
