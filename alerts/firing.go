package alerts

import (
	"cmp"
	"slices"
	"strconv"
)

// Firing are the alerts that fire, each as its notification told it.
func (e *Engine) Firing() []Notification {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []Notification
	for a := range e.all() {
		if a.state == Firing && a.annotations != nil { // else it is about to be told
			n := e.notification(a, a.firedAt, a.annotations["link"])
			n.identify()
			out = append(out, n)
		}
	}
	slices.SortFunc(out, func(a, b Notification) int { return cmp.Compare(a.Alert, b.Alert) })
	return out
}

// ResolvedAt is the notification that an alert is resolved at an event time (Unix
// milliseconds) because of something that no rule has decided.
func (n Notification) ResolvedAt(at int64, because string) Notification {
	n.SeenAt = n.AsOf()
	n.Status, n.WindowEnd, n.EndsAt = Resolved, at, instant(at)
	n.ID = digest(n.Alert, strconv.FormatInt(at, 10), string(Resolved))
	n.Annotations = merge(n.Annotations, map[string]string{"resolved_because": because, "notification_id": n.ID})
	n.Change.leave(n.Annotations)
	n.Change = nil
	return n
}

// A Hold is why nobody is told of an alert that fires. When nothing holds it any more, and
// it still fires, people are.
type Hold struct {
	// SilencedBy are the ids of silences.
	SilencedBy []string `json:"silenced_by"`
	// InhibitedBy are the fingerprints of other alerts.
	InhibitedBy []string `json:"inhibited_by"`
	// MutedBy are the names of time intervals, of any of the routes that the alert takes.
	MutedBy []string `json:"muted_by"`
}

// Any reports whether anything holds the alert back.
func (h *Hold) Any() bool { return len(h.SilencedBy)+len(h.InhibitedBy)+len(h.MutedBy) > 0 }
