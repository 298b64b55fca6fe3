package delivery

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/reason"
)

// Why a notification is not sent again.
var (
	ErrNotOwed   = errors.New("is not owed to anybody")
	ErrGone      = errors.New("is for a receiver that is no longer configured")
	ErrOutOfDate = errors.New("is out of date: its alerts have changed since it was given up")
)

// keptFor is how long a notification that was given up can be sent again.
const keptFor = 7 * 24 * time.Hour

// kept reports whether a notification that was given up can still be sent again.
func (e *entry) kept(now time.Time) bool {
	return !e.GivenUp.IsZero() && now.Sub(e.GivenUp) < keptFor
}

// ended is the entry when its attempts have come to an end: whole if it was given up.
func (e *entry) ended(as Outcome) *entry {
	if e.GivenUp.IsZero() {
		return e.settle(as)
	}
	out := *e
	out.Settled = as
	return &out
}

// Resend has the notification with an id tried at once by the integration of that name, of ""
// by all to which it is owed, or was given up within 7 days. The answer is how far it is with
// each, by their names. An error is ErrNotOwed, ErrGone or ErrOutOfDate, or of the outbox.
func (d *Deliverer) Resend(id, integration string) ([]Delivery, error) {
	d.deciding.take()
	defer d.deciding.leave()
	out, err := d.resend(id, integration, time.Now())
	if err != nil {
		return nil, err
	}
	return out, d.writeOut()
}

func (d *Deliverer) resend(id, integration string, now time.Time) (out []Delivery, _ error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	because := ErrNotOwed
	for _, s := range d.senders {
		e := d.entries[id+"/"+s.name]
		if e == nil || integration != "" && integration != s.name {
			continue
		}
		switch {
		case e.Settled == "":
			s.hasten(e)
		case !e.kept(now):
			continue
		case d.outOfDate(s, e):
			because = ErrOutOfDate
			continue
		default:
			e = e.anew(now)
			d.enter(e)
			d.rejoin(s, e, now)
		}
		out = append(out, d.owed(e))
	}
	if len(out) == 0 {
		if errors.Is(because, ErrNotOwed) && len(d.givenUp(id, integration, now)) > 0 {
			because = ErrGone
		}
		return nil, because
	}
	slices.SortFunc(out, byReceiver)
	return out, nil
}

func byReceiver(a, b Delivery) int { return cmp.Compare(a.Receiver, b.Receiver) }

// givenUp are the entries of a notification that can still be sent again, by the integration of
// that name, of "" by any.
func (d *Deliverer) givenUp(id, integration string, now time.Time) (out []*entry) {
	for _, e := range d.entries {
		if e.Notification.ID == id && (integration == "" || integration == e.Integration) && e.kept(now) {
			out = append(out, e)
		}
	}
	return out
}

// rejoin has an integration that is configured again hear of the end of alerts that fire.
func (d *Deliverer) rejoin(s *sender, e *entry, now time.Time) {
	for _, n := range e.alerts() {
		a := d.accounts[n.Alert]
		if a == nil || n.Status != alerts.Firing || a.party(s.name) != nil {
			continue
		}
		p := &party{Integration: s.name, Since: now}
		p.tell(e, n.Status, now)
		a.Parties = append(a.Parties, p)
		d.join(a, p)
		d.unwritten[a.key()] = a
	}
}

// Drop has a notification that was given up not be sent again, by the integration of that name,
// of "" by none. The answer is with whom it ends. An error is ErrNotOwed, or of the outbox.
func (d *Deliverer) Drop(id, integration string) ([]Delivery, error) {
	d.deciding.take()
	defer d.deciding.leave()
	out := d.drop(id, integration, time.Now())
	if len(out) == 0 {
		return nil, ErrNotOwed
	}
	for _, v := range out {
		d.o.Log(v)
	}
	return out, d.writeOut()
}

func (d *Deliverer) drop(id, integration string, now time.Time) (out []Delivery) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.givenUp(id, integration, now) {
		v := d.delivery(e, Failed).because(reason.Dropped.Alone())
		out = append(out, v)
		d.unlist(e)
		d.note(v)
		over := e.settle(Failed)
		over.Withdrawn = false
		d.change(over)
		for _, n := range e.alerts() {
			d.spare(n, e.Integration)
		}
	}
	slices.SortFunc(out, byReceiver)
	return out
}

// spare has an integration not be told after all that an alert fires.
func (d *Deliverer) spare(n alerts.Notification, integration string) {
	a := d.accounts[n.Alert]
	if a == nil || n.Status != alerts.Firing || a.Notification.Status != alerts.Firing || !a.Notification.StartsAt.Equal(n.StartsAt) || slices.Contains(a.Spared, integration) {
		return
	}
	a.Spared = append(a.Spared, integration)
	d.unwritten[a.key()] = a
}

// hasten has a notification be due, whatever its receiver has answered. One that is on its
// way is left alone.
func (s *sender) hasten(e *entry) {
	group := e.group()
	if s.waiting[group] != e {
		return
	}
	e.notBefore, s.notBefore = time.Time{}, time.Time{}
	s.queue.put(group, e.notBefore)
	s.rouse()
}

// anew is the notification as it was queued, to be queued now.
func (e *entry) anew(now time.Time) *entry {
	return &entry{Integration: e.Integration, Queued: now, Notification: e.Notification, Group: e.Group}
}

// outOfDate reports whether something newer than a notification that was given up is told, or
// was.
func (d *Deliverer) outOfDate(s *sender, e *entry) bool {
	return s.owes(e.group()) || s.moved(e) || slices.ContainsFunc(e.alerts(), func(n alerts.Notification) bool {
		a := d.accounts[n.Alert]
		if a == nil {
			return n.Status == alerts.Firing || d.fires(&n)
		}
		return a.Notification.ID != n.ID || n.Status == alerts.Resolved && d.fires(&n)
	})
}

// fires reports whether an alert of these labels does.
func (d *Deliverer) fires(n *alerts.Notification) bool {
	for _, a := range d.accounts {
		if a.Notification.Status == alerts.Firing && knownBy(&a.Notification) == knownBy(n) {
			return true
		}
	}
	return false
}
