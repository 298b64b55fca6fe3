package alerts

import (
	"context"
	"maps"
	"strings"
)

// Standing is the notification of an alert that fires as it stands as of the last evaluation:
// for whoever tells it again. It keeps its id, and what is not known now: texts that ask by
// query(), and all figures where the series was not judged since a restart.
func (e *Engine) Standing(n Notification) Notification {
	a, now := e.fires(&n)
	if a == nil {
		return n
	}
	n.StandsAt = max(now, n.WindowEnd)
	if !a.seen {
		return n
	}
	if since := a.staleSince(); since != 0 {
		now = since
	}
	n.SeenAt, n.Link, n.Subject = max(now, n.WindowEnd), e.link(a, now), a.rule.subject()
	texts, told := maps.Clone(a.rule.Annotations), n.Annotations
	n.Annotations = a.figures(now, n.Link)
	for name, text := range texts {
		if strings.Contains(text, "query") {
			n.Annotations[name] = told[name]
			delete(texts, name)
		}
	}
	said, _ := expandAll(context.Background(), texts, a.name, e.templateData(a), now)
	maps.Copy(n.Annotations, said)
	n.Annotations["notification_id"] = n.ID
	if n.Change != nil {
		n.Change.annotate(n.Annotations)
	}
	return n
}

// fires is a copy of the alert of a notification while it fires, with the event time of the
// last evaluation; nil once it does not, or its rule is gone.
func (e *Engine) fires(n *Notification) (*alert, int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	found := func(a *alert) bool {
		return a != nil && a.state == Firing && a.firedAt == n.StartsAt.UnixMilli() && maps.Equal(a.labels, n.Labels) && a.id() == n.Alert
	}
	for _, g := range e.groups {
		for _, r := range g.rules {
			if r.group != n.Group || r.Alert != n.Rule {
				continue
			}
			if !r.queried() {
				series := make([]string, len(r.by))
				for i, f := range r.by {
					series[i] = n.Labels[f]
				}
				if a := r.active[string(appendKey(nil, series))]; found(a) {
					out := *a
					return &out, e.now
				}
				continue
			}
			for _, a := range r.active {
				if found(a) {
					out := *a
					return &out, e.now
				}
			}
		}
	}
	return nil, 0
}
