package delivery

import (
	"context"
	"slices"
	"time"

	"github.com/prometheus/alertmanager/marker"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/common/model"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/routing"
	"github.com/tidewatch/tidewatch/alerts/silences"
)

// Holds is what holds back an alert with these labels.
func (d *Deliverer) Holds(labels map[string]string) alerts.Hold {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.hold(labels, time.Now())
}

func (d *Deliverer) hold(labels map[string]string, now time.Time) alerts.Hold {
	h := alerts.Hold{SilencedBy: []string{}, InhibitedBy: []string{}, MutedBy: []string{}} // lists in JSON, even if empty
	h.SilencedBy = append(h.SilencedBy, d.silences.By(labels)...)
	for _, source := range d.inhibition.By(labels) {
		h.InhibitedBy = append(h.InhibitedBy, source.Fingerprint)
		if !slices.Contains(h.InhibitedByRules, source.Rule) {
			h.InhibitedByRules = append(h.InhibitedByRules, source.Rule)
		}
	}
	for _, r := range d.routes.Match(labels) {
		for _, name := range r.MutedBy(now) {
			if !slices.Contains(h.MutedBy, name) {
				h.MutedBy = append(h.MutedBy, name)
			}
		}
	}
	return h
}

// tree is the routes.
func (d *Deliverer) tree() *routing.Tree {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.routes
}

// holds reports whether a group is not to tell of an alert that fires.
func (d *Deliverer) holds(g *group, a *account, now time.Time) bool {
	labels := a.Notification.Labels
	return len(g.route.MutedBy(now)) > 0 || len(d.inhibition.By(labels)) > 0 || len(d.silences.By(labels)) > 0
}

// Mark tells the marker in the context what holds back an alert, as Alertmanager's API asks
// for it.
func (d *Deliverer) Mark(ctx context.Context, labels model.LabelSet) {
	d.silences.Mark(ctx, labels)
	if m, ok := marker.FromContext(ctx); ok {
		text := make(map[string]string, len(labels))
		for name, value := range labels {
			text[string(name)] = string(value)
		}
		m.SetInhibited(labels.Fingerprint(), d.Holds(text).InhibitedBy)
	}
}

// GroupMuted are the names of the time intervals that mute a route's groups, as
// Alertmanager's API asks for them.
func (d *Deliverer) GroupMuted(routeID, _ string) ([]string, bool) {
	r := d.tree().Route(routeID)
	if r == nil {
		return nil, false
	}
	by := r.MutedBy(time.Now())
	return by, len(by) > 0
}

// Silences are those of people. Call Silenced after a change.
func (d *Deliverer) Silences() *silences.Store { return d.silences }

// Silenced makes changes of silences durable, and acts on them: what they hold back is
// not sent, and what they held back is.
func (d *Deliverer) Silenced() error {
	if err := d.lapse(); err != nil {
		return err
	}
	d.mu.Lock()
	d.review = time.Now()
	d.mu.Unlock()
	defer d.rouse()
	return d.catchUp()
}

// withdraw takes what is not to be told out of a notification that waits for its receiver.
func (d *Deliverer) withdraw(g *group, held []*account) {
	older := g.sender.last(g.id)
	if len(held) == 0 || older == nil {
		return
	}
	told := older.told()
	held = slices.DeleteFunc(slices.Clone(held), func(a *account) bool { return !told[a.Notification.Alert] })
	holds := make(map[string]bool, len(held))
	for _, a := range held {
		holds[a.Notification.Alert] = true
	}
	withdrawn := func(n alerts.Notification) bool { return n.Status == alerts.Firing && holds[n.Alert] }
	rest := slices.DeleteFunc(slices.Clone(older.alerts()), withdrawn)
	if len(rest) == len(older.alerts()) {
		return
	}
	older.Withdrawn = true
	var e *entry
	if len(rest) == 0 || d.needless(older, rest) {
		e = older.settle(Superseded)
		e.Notification.ID = digest(older.Notification.ID, "held")
		e.Withdrawn = len(rest) == 0 // else what is left of it has been told
	} else {
		left := *older.Group
		left.Alerts = rest
		e = &entry{Integration: older.Integration, Queued: older.Queued, Group: &left}
		e.head(g.id)
	}
	d.enter(e)
	for _, n := range rest {
		a := d.accounts[n.Alert]
		if a == nil {
			continue // it is over, and an epoch covers it
		}
		if p := a.party(older.Integration); p != nil && p.In == older.Notification.ID {
			p.In, p.WindowEnd = e.Notification.ID, e.Notification.WindowEnd
			d.unwritten[a.key()] = a
		}
	}
	for _, a := range held {
		d.untell(a, older.Integration)
	}
}

// needless reports whether what is left of a notification would only say again what its
// integration has taken: that these alerts fire.
func (d *Deliverer) needless(e *entry, left []alerts.Notification) bool {
	return e.Group.Reason != notify.ReasonRepeatIntervalElapsed.String() && !slices.ContainsFunc(left, func(n alerts.Notification) bool {
		a := d.accounts[n.Alert]
		if a == nil || n.Status != alerts.Firing {
			return true
		}
		p := a.party(e.Integration)
		return p == nil || !p.Taken
	})
}
