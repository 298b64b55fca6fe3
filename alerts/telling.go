package alerts

import (
	"cmp"
	"context"
	"maps"
)

// A telling is a notification on its way: it says what was decided, and the templates of its
// rule are to be filled in. That takes as long as they ask, and nobody waits for it who asks
// how things stand. Of a pending alert nobody is told: its labels alone are filled in.
type telling struct {
	Notification
	alert *alert
	data  templateData
	// at is the event time that its annotations are of.
	at int64
	// own are annotations that stand wherever the rule does not name them, ours those that
	// stand whatever it names.
	own, ours map[string]string
	err       error
}

// notify begins to tell of an alert that has just changed.
func (e *Engine) notify(a *alert, now int64) telling {
	if a.state == Firing {
		e.doubt(a, now)
	}
	a.subject, a.change = a.rule.subject(), nil
	return e.telling(a, now, now)
}

// label begins to give a pending alert its labels.
func (e *Engine) label(a *alert) telling {
	n := Notification{Alert: a.id(), Status: a.state, ActiveAt: instant(a.activeAt)}
	return telling{Notification: n, alert: a, data: e.templateData(a)}
}

// telling is of an alert as it is at an event time, by what was decided now.
func (e *Engine) telling(a *alert, at, now int64) telling {
	link := e.link(a, at)
	return telling{Notification: e.notification(a, now, link), alert: a, data: e.templateData(a), at: at, own: a.figures(at, link)}
}

// fillIn fills in the templates, by what a view answers them.
func (e *Engine) fillIn(list []telling, v View) {
	asked := e.questions(v)
	for i := range list {
		if t := &list[i]; t.alert.rule != nil && t.Status != Resolved {
			t.data.query = asked.ask
			t.Labels, t.err = t.alert.rule.labels(context.Background(), t.data, t.ActiveAt.UnixMilli())
		}
	}
	ctx, end := asked.wait()
	defer end()
	for i := range list {
		if t := &list[i]; t.alert.rule != nil && t.Status != Pending {
			t.data.query = asked.ask
			said, err := t.alert.rule.annotations(ctx, t.data, t.at)
			t.err = cmp.Or(t.err, err)
			t.Annotations = t.own
			maps.Copy(t.Annotations, said)
			maps.Copy(t.Annotations, t.ours)
		}
	}
}

// tell has the alerts show what is told of them. A rule shows the first error of the last
// close in which alerts of it came or fired, and no more: it may be that of thousands.
func (e *Engine) tell(list []telling) []Notification {
	var out []Notification
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range list {
		if t := &list[i]; t.alert.rule != nil && t.Status != Resolved {
			t.alert.rule.err = nil
		}
	}
	for i := range list {
		t := &list[i]
		if a := t.alert; a.rule != nil {
			if t.Status != Resolved {
				a.labels = t.Labels
			}
			a.annotations, a.rule.err = maps.Clone(t.Annotations), cmp.Or(a.rule.err, t.err)
		}
		if e.saved = nil; t.Status == Pending {
			continue
		}
		t.identify()
		e.lately[t.Alert] = t.alert
		out = append(out, t.Notification)
	}
	return out
}

// labels are those by which receivers know an alert of the rule.
func (r *Rule) labels(ctx context.Context, data templateData, at int64) (map[string]string, error) {
	own, err := expandAll(ctx, r.Labels, r.Alert, data, at)
	out := maps.Clone(data.series)
	maps.Copy(out, own)
	out["alertname"] = r.Alert
	maps.DeleteFunc(out, func(_, v string) bool { return v == "" }) // as in Prometheus
	return out, err
}

// annotations are what the rule says of an alert.
func (r *Rule) annotations(ctx context.Context, data templateData, at int64) (map[string]string, error) {
	return expandAll(ctx, r.Annotations, r.Alert, data, at)
}
