package delivery

import (
	"maps"
	"slices"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
)

// A fallback is the receiver that is told of alerts that another one has not taken after
// some time, too.
type fallback struct {
	receiver string // "" for none
	after    time.Duration
}

// defaultFallback is after how long, unless the file says otherwise.
const defaultFallback = 5 * time.Minute

// expect has a notification of alerts that fire be looked at when its receiver should have
// taken it.
func (d *Deliverer) expect(s *sender, e *entry) {
	if s.to.fallback.receiver != "" && e.Settled == "" && e.Notification.Status == alerts.Firing {
		d.overdue.put(e, e.since().Add(s.to.fallback.after))
	}
}

// since is from when on the receiver has not taken it, nor what it stands in the place of.
func (e *entry) since() time.Time {
	if !e.Since.IsZero() {
		return e.Since
	}
	return e.Queued
}

// follow has a notification stand in the place of an older one that was not taken. It reports
// whether that changes it.
func (e *entry) follow(older *entry) bool {
	if e.Notification.Status != alerts.Firing || older.Notification.Status != alerts.Firing || !older.since().Before(e.since()) {
		return false
	}
	e.Since = older.since()
	return true
}

// fallBack has the fallback of a receiver told, too, what is not taken by now.
func (d *Deliverer) fallBack(now time.Time) {
	for e, at, ok := d.overdue.first(); ok && !at.After(now); e, at, ok = d.overdue.first() {
		d.overdue.remove(e)
		if s := d.sender(e.Integration); s != nil && d.entries[e.key()] == e && e.Settled == "" {
			d.passOn(e, s.to, now)
		}
	}
}

// passOn makes the fallback's integrations parties of the alerts that fire: from then on they
// are told what becomes of them, as others are. Those that know of an alert are left alone.
func (d *Deliverer) passOn(e *entry, from *Integration, now time.Time) {
	for _, n := range e.alerts() {
		a := d.accounts[n.Alert]
		if a == nil || a.Notification.Status != alerts.Firing {
			continue
		}
		for _, s := range d.senders {
			if s.to.Receiver == from.fallback.receiver && a.party(s.name) == nil {
				p := &party{Integration: s.name, Since: now, For: from.Receiver}
				a.Parties = append(a.Parties, p)
				d.join(a, p)
				d.unwritten[a.key()] = a
			}
		}
	}
}

// leads reports whether what one receiver does not take comes to another.
func (d *Deliverer) leads(from, to string) bool {
	next := map[string]string{}
	for _, s := range d.senders {
		next[s.to.Receiver] = s.to.fallback.receiver
	}
	for range next { // no circles, or they end
		if from = next[from]; from == to {
			return true
		}
	}
	return false
}

// notTakenBy is the annotation of what a fallback is told.
const notTakenBy = "not_taken_by"

// tells is what the group's integration is told of an alert: as a fallback also that the
// receiver has not taken it, while that is so.
func (g *group) tells(a *account) alerts.Notification {
	p, n := a.party(g.sender.name), a.Notification
	if by := p.For; n.Status == alerts.Firing && by != "" && g.sender.d.misses(a, by) {
		n.Annotations = maps.Clone(n.Annotations)
		n.Annotations[notTakenBy] = by
	}
	return n
}

// misses reports whether a receiver has not taken that an alert fires.
func (d *Deliverer) misses(a *account, receiver string) bool {
	return slices.ContainsFunc(a.Parties, func(p *party) bool {
		s := d.sender(p.Integration)
		return !p.Taken && s != nil && s.to.Receiver == receiver
	})
}
