package alerts

import (
	"context"
	"maps"
	"strings"
)

// Standing is the notification of an alert that fires as it stands as of the last evaluation:
// for whoever tells it again. It keeps its id, and what is not known now: texts that ask by
// query(), and all figures where the series was not judged since a restart, or its expression has
// come to nothing since.
func (e *Engine) Standing(n Notification) Notification {
	a, now := e.fires(&n)
	if a == nil {
		return n
	}
	return e.standing(n, a, now)
}

// standing is the notification by a copy of its alert as of the last evaluation.
func (e *Engine) standing(n Notification, a *alert, now int64) Notification {
	n.StandsAt = max(now, n.WindowEnd)
	if !a.seen || a.past {
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
	if e.firing == nil {
		e.firing = map[string]*alert{}
		for a := range e.all() {
			if a.rule != nil && a.state == Firing {
				e.firing[a.id()] = a
			}
		}
	}
	a := e.firing[n.Alert]
	if a == nil || a.firedAt != n.StartsAt.UnixMilli() {
		return nil, 0
	}
	return new(*a), e.now
}

// Succeed has the engine know what the one whose state it was given has seen last of alerts: to
// tell of those that stand before it judges them, and of those whose rules are gone.
func (e *Engine) Succeed(before *Engine) {
	known, now := before.lastSeen()
	e.mu.Lock()
	defer e.mu.Unlock()
	for a := range e.all() {
		b := known[a.id()]
		switch {
		case b == nil || b.firedAt != a.firedAt:
		case a.rule != nil && a.rule.condition() == b.rule.condition():
			a.sample, a.seen = b.sample, true
		case a.rule == nil && a.state == Firing && b.annotations != nil:
			n := before.notification(b, b.firedAt, b.annotations["link"])
			n.identify()
			a.annotations = before.standing(n, b, now).Annotations
		}
	}
}

// lastSeen are copies of the alerts that were judged, by their ids, with the event time of the
// last evaluation.
func (e *Engine) lastSeen() (map[string]*alert, int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := map[string]*alert{}
	for a := range e.all() {
		if a.rule != nil && a.seen {
			out[a.id()] = new(*a)
		}
	}
	return out, e.now
}

// Recall has alerts that were not judged since a start show what the live windows that Resume saw
// say of them, or what their expressions came to by then. They are to be those of the last
// evaluation. What rules, edited perhaps, would decide otherwise is left to the next one.
func (e *Engine) Recall() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, g := range e.groups {
		for _, r := range g.rules {
			for key, a := range r.active {
				if a.seen {
					continue
				}
				if r.queried() {
					a.seen = a.number != nil && a.annotations["expr"] == r.Expr
					continue
				}
				s := r.roster.of(key)
				if s == nil && r.kpi.Top == 0 {
					s = r.nothing(a)
				}
				if s == nil || a.stale != 0 || a.inOther(s.Currency) {
					continue
				}
				if value, ok := r.compares(s); r.decides(s, ok) && r.holds(value, ok) == a.met {
					a.sample, a.seen = *s, true
					a.sample.Labels = a.series
				}
			}
		}
	}
}
