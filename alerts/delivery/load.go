package delivery

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/history"
	"github.com/tidewatch/tidewatch/alerts/reason"
	"github.com/tidewatch/tidewatch/alerts/silences"
)

// A loading takes up what an earlier run left in the outbox.
type loading struct {
	d       *Deliverer
	entries []*entry
	gone    []*entry // of integrations that there are no more
	dropped []string // keys
}

// take reads a record.
func (l *loading) take(key string, data []byte) {
	switch {
	case strings.HasPrefix(key, accountPrefix):
		l.account(key, data)
		return
	case strings.HasPrefix(key, resolutionPrefix):
		r := &resolution{}
		if err := json.Unmarshal(data, r); err != nil || r.key() != key {
			l.damaged(key)
			return
		}
		l.d.resolved[r.Notification.Alert] = r
		return
	case strings.HasPrefix(key, silences.Prefix):
		if err := l.d.silences.Restore(key, data); err != nil {
			l.damaged(key)
		}
		return
	case strings.HasPrefix(key, history.Prefix):
		if err := l.d.history.Restore(key, data); err != nil {
			l.damaged(key)
		}
		return
	case strings.HasPrefix(key, healthPrefix):
		l.health(key, data)
		return
	}
	d, e := l.d, &entry{}
	if err := json.Unmarshal(data, e); err != nil || e.key() != key {
		l.damaged(key)
		return
	}
	if e.Group == nil && e.Settled == "" { // of a release without groups
		e.Group = alone(&e.Notification)
	}
	if e.Settled != "" || d.sender(e.Integration) != nil {
		l.entries = append(l.entries, e)
		return
	}
	left := e.orphaned(time.Now())
	l.gone, l.entries = append(l.gone, e), append(l.entries, left)
	d.unwritten[key] = left
	d.giveUp(d.delivery(left, Failed))
}

func (l *loading) damaged(key string) {
	l.dropped = append(l.dropped, key)
	v := Delivery{ID: key, Labels: map[string]string{}, At: alerts.Time{Time: time.Now()}, Outcome: Failed}
	l.d.giveUp(v.because(reason.Damaged.Alone()))
}

func (l *loading) account(key string, data []byte) {
	a := &account{}
	if err := json.Unmarshal(data, a); err != nil || a.key() != key {
		l.damaged(key)
		return
	}
	l.d.accounts[a.Notification.Alert] = a
}

// queue hands the entries to their senders, and the alerts to their groups.
func (l *loading) queue() {
	d := l.d
	slices.SortFunc(l.entries, func(a, b *entry) int { return cmp.Compare(a.Order, b.Order) })
	for _, e := range l.entries {
		d.entries[e.key()] = e
		d.order = max(d.order, e.Order)
		if e.Settled == "" {
			d.account(e)
		}
	}
	for _, e := range l.gone {
		d.takeBack(e)
	}
	for _, a := range d.accounts {
		d.inhibit(a, time.Now())
		for _, p := range a.Parties {
			// It may have been sent when the earlier run died.
			p.Tried = p.Tried || p.Told == alerts.Firing
			if e := d.entries[p.In+"/"+p.Integration]; e != nil && e.Settled == Superseded && e.Withdrawn {
				d.untell(a, p.Integration)
			}
		}
	}
	for _, e := range l.entries {
		if d.sender(e.Integration) != nil {
			d.queue(e)
		}
	}
	for _, s := range d.senders {
		for _, e := range s.waiting {
			d.retell(e)
		}
	}
	d.transfer()
	for id, a := range d.accounts {
		d.reroute(a)
		if a.Notification.Status == alerts.Firing {
			d.doubtful[id] = true
		}
	}
	for _, e := range d.history.Firing() {
		d.doubtful[e.Alert] = true
	}
}

// retell has an integration be told that alerts are over of which a notification says that they
// fire: a crash left it there, and may have come while it was sent.
func (d *Deliverer) retell(e *entry) {
	for _, n := range e.alerts() {
		a := d.accounts[n.Alert]
		if a == nil || e.Settled != "" || n.Status != alerts.Firing || a.Notification.Status == alerts.Firing {
			continue
		}
		if p := a.party(e.Integration); p != nil && p.Told == "" {
			p.Told, p.Tried = alerts.Firing, true
			d.unwritten[a.key()] = a
		}
	}
}

// account notes what an entry tells and no account has: a crash may have come between the
// two, and earlier releases kept no accounts.
func (d *Deliverer) account(e *entry) {
	for _, n := range e.alerts() {
		a := d.accounts[n.Alert]
		if a == nil {
			a = &account{partial: true}
			d.accounts[n.Alert] = a
		}
		if n.WindowEnd > a.Notification.WindowEnd {
			a.Notification = n
			if !a.partial { // else it is taken anew
				a.Decided = append(a.Decided, decision{n.ID, n.WindowEnd})
			}
		}
		if a.Notification.ID != n.ID {
			continue
		}
		p := a.party(e.Integration)
		if p == nil {
			p = &party{Integration: e.Integration, Since: e.Queued}
			a.Parties = append(a.Parties, p)
		}
		if p.Told != n.Status {
			p.tell(e, n.Status, e.Queued)
			d.unwritten[a.key()] = a
		}
	}
}

// reroute has an alert join its groups by the routes that there are. Who was told
// stays a party, and is one again after an absence; as long as nobody was, the routes decide
// anew. In the place of those who were told and are gone, others hear that it is resolved.
func (d *Deliverer) reroute(a *account) {
	now := time.Now()
	d.comeBack(a, now)
	fires, told := a.Notification.Status == alerts.Firing, a.outstanding()
	since := now
	for _, p := range a.Parties {
		if p.Since.Before(since) {
			since = p.Since
		}
	}
	if d.depart(a, now); fires && !told || len(a.Parties) == 0 && told {
		d.routeAnew(a)
		for _, p := range a.Parties {
			if p.Since = since; told {
				p.Told, p.Tried = alerts.Firing, true
			}
		}
	}
	for _, p := range a.Parties {
		if fires || a.stale(p) {
			d.join(a, p)
		}
	}
}
