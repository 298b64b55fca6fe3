package delivery

import (
	"time"

	"github.com/tidewatch/tidewatch/alerts"
)

// watch looks at groups when their time comes.
func (d *Deliverer) watch() {
	for !d.ends() {
		var at <-chan time.Time
		if due := d.nextDue(); !due.IsZero() {
			at = time.After(time.Until(due))
		}
		select {
		case <-at:
		case <-d.wake:
		case <-d.stopping:
			return
		}
		_ = d.catchUp() // what is not durable is tried again
	}
}

// nextDue is when the next group is to be looked at, zero for never.
func (d *Deliverer) nextDue() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := d.review
	if d.stuck {
		next = time.Now().Add(time.Second)
	}
	if _, at, ok := d.timetable.first(); ok && (next.IsZero() || at.Before(next)) {
		next = at
	}
	if _, at, ok := d.overdue.first(); ok && (next.IsZero() || at.Before(next)) {
		next = at
	}
	return next
}

// catchUp queues what has become due.
func (d *Deliverer) catchUp() error {
	d.deciding.take()
	defer d.deciding.leave()
	d.mu.Lock()
	d.dispatch(time.Now())
	d.mu.Unlock()
	return d.writeOut()
}

// reconsider has all groups looked at, and says when that is to be next.
func (d *Deliverer) reconsider(now time.Time) {
	for _, g := range d.groups {
		d.timetable.put(g, now)
	}
	d.review = d.silences.Next(now)
	// Time intervals begin and end with a minute.
	if next := now.Truncate(time.Minute).Add(time.Minute); d.routes.Timed() && (d.review.IsZero() || next.Before(d.review)) {
		d.review = next
	}
}

// touch has a group looked at anew.
func (d *Deliverer) touch(g *group) {
	if g == nil {
		return
	}
	d.timetable.put(g, time.Now())
	d.rouse()
}

// rouse has watch see what is due next.
func (d *Deliverer) rouse() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// groupOf is the group that an entry is of, nil for one that is gone.
func (d *Deliverer) groupOf(e *entry) *group {
	return d.groups[e.Integration+"\xff"+e.group()]
}

// untell notes that an integration has not been told that an alert fires after all, unless it
// has taken that before.
func (d *Deliverer) untell(a *account, integration string) {
	if p := a.party(integration); p != nil && p.Told == alerts.Firing && !p.Taken {
		p.Told = ""
		d.unwritten[a.key()] = a
		d.touch(p.group)
	}
}

// carry has a notification tell what an older one of its group would have: which
// alerts are resolved. That one will not arrive.
func (d *Deliverer) carry(older, newer *entry) {
	var missing []alerts.Notification
	told := map[string]bool{}
	for _, n := range newer.alerts() {
		told[knownBy(&n)] = true
	}
	for _, n := range older.alerts() {
		if told[knownBy(&n)] {
			continue
		}
		if n.Status == alerts.Resolved {
			missing = append(missing, n)
		} else if a := d.accounts[n.Alert]; a != nil && a.Notification.ID == n.ID { // else it fires anew, or no more
			d.untell(a, older.Integration)
			older.Withdrawn = true
		}
	}
	switch {
	case len(missing) == 0:
		return
	case newer.Settled == Superseded: // what it stands for was to tell more than what is held back
		newer.revive(older, missing)
	case newer.Settled != "":
		return
	default:
		newer.Group.Alerts = append(newer.Group.Alerts, missing...)
		newer.Group.sort()
	}
	d.change(newer)
}
