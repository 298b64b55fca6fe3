package delivery

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/alertmanager/notify"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/routing"
)

// A group is the alerts that an integration is told of together: those that share a
// route and the labels it groups by, or one alert by itself, with others that have all
// its labels. Fields are under the Deliverer's lock.
type group struct {
	// id tells the groups of an integration apart, and its queue knows them by it.
	id     string
	sender *sender
	route  *routing.Route
	labels map[string]string
	// members are the alerts, by their ids, that fire or whose resolve is still
	// to be told.
	members map[string]*account
	// queued is when the last notification was, zero before the first.
	queued time.Time
	// turn orders those that are due.
	turn int64
}

// digest is a hash of the parts, each told apart from the next by its length.
func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// groupOf is the id and the labels of the group that an alert is in by a route.
func groupOf(r *routing.Route, n *alerts.Notification) (id string, labels map[string]string) {
	labels = r.Group(n.Labels)
	if r.Alone {
		return knownBy(n), labels
	}
	return digest(r.ID, routing.Text(labels)), labels
}

// join has an integration's group look at an alert.
func (d *Deliverer) join(a *account, p *party) {
	if p.group == nil {
		s := d.sender(p.Integration)
		r := d.way(a.Notification.Labels, s)
		id, labels := groupOf(r, &a.Notification)
		key := s.name + "\xff" + id
		g := d.groups[key]
		if g == nil {
			g = &group{id: id, sender: s, route: r, labels: labels, members: map[string]*account{}}
			d.groups[key] = g
		}
		p.group = g
	}
	p.group.members[a.Notification.Alert] = a
	d.timetable.put(p.group, p.Since)
	d.turn++
	p.group.turn = d.turn
	if p.Queued.After(p.group.queued) {
		p.group.queued = p.Queued
	}
}

// leave takes an alert out of a group that has nothing more to tell of it.
func (d *Deliverer) leave(a *account, p *party) {
	g := p.group
	p.group = nil
	d.unwritten[a.key()] = a
	delete(g.members, a.Notification.Alert)
	if len(g.members) == 0 {
		delete(d.groups, g.sender.name+"\xff"+g.id)
		d.timetable.remove(g)
	}
}

// dispatch looks at all groups that are due, and queues what is to be told.
func (d *Deliverer) dispatch(now time.Time) {
	if !d.review.IsZero() && !d.review.After(now) {
		d.reconsider(now)
	}
	d.fallBack(now)
	var due []*group
	for g, at, ok := d.timetable.first(); ok && !at.After(now); g, at, ok = d.timetable.first() {
		due = append(due, g)
		d.timetable.remove(g)
	}
	slices.SortFunc(due, func(a, b *group) int {
		return cmp.Or(cmp.Compare(a.turn, b.turn), cmp.Compare(a.id, b.id))
	})
	for _, g := range due {
		d.check(g, now, false)
	}
}

// A notice is what a group has to tell.
type notice struct {
	firing, resolved []*account
	// fresh is set if one that fires was not told, known if any was.
	fresh, known bool
	// since is when the first of what is not told came.
	since time.Time
	// again is set where nothing is to be told but what was told before.
	again bool
	// held are those that are not to be told of: they fire, or were over before anybody heard
	// of them.
	held []*account
}

// look sorts out the members of a group. Those that were resolved before anybody was
// told of them leave it.
func (d *Deliverer) look(g *group, now time.Time) notice {
	var n notice
	for _, a := range slices.SortedFunc(maps.Values(g.members), byLabels) {
		p := a.party(g.sender.name)
		switch {
		case a.Notification.Status == alerts.Firing && d.holds(g, a, now):
			n.held = append(n.held, a)
		case a.Notification.Status == alerts.Firing:
			n.firing = append(n.firing, a)
			n.see(p, a.spares(p))
		case a.stale(p) && !g.heard(a, p):
			n.held = append(n.held, a)
			d.leave(a, p)
		case a.stale(p):
			n.resolved = append(n.resolved, a)
		default:
			d.leave(a, p)
		}
	}
	d.supersede(g, &n)
	n.known = n.known || len(n.resolved) > 0
	return n
}

// supersede has a group not tell of the end of alerts whose labels fire on in it: receivers know
// alerts by their labels. What is held back and was taken before fires on, too: it is not told anew.
func (d *Deliverer) supersede(g *group, n *notice) {
	fires := map[string]*account{}
	for _, a := range n.held {
		if p := a.party(g.sender.name); a.Notification.Status == alerts.Firing && p.Told == alerts.Firing && p.Taken {
			fires[knownBy(&a.Notification)] = a
		}
	}
	for _, a := range n.firing {
		fires[knownBy(&a.Notification)] = a
	}
	n.resolved = slices.DeleteFunc(n.resolved, func(a *account) bool {
		other := fires[knownBy(&a.Notification)]
		if other == nil {
			return false
		}
		p := a.party(g.sender.name)
		p.Told, p.Retract = alerts.Resolved, false
		d.leave(a, p)
		n.held = append(n.held, a)              // what waits may say that it fires
		other.party(g.sender.name).Tried = true // it knows that these labels fire
		d.unwritten[other.key()] = other
		g.sender.count(Superseded)
		return true
	})
}

// see notes what a party knows of an alert that fires.
func (n *notice) see(p *party, spared bool) {
	switch {
	case p.Told == alerts.Firing:
		n.known = true
	case spared:
	case !n.fresh || p.Since.Before(n.since):
		n.fresh, n.since = true, p.Since
	}
}

// heard reports whether it was tried to tell a party that an alert fires: what was dropped was,
// too.
func (g *group) heard(a *account, p *party) bool {
	return p.Tried || p.Retract || a.spares(p) || g.sender.shut
}

func byLabels(a, b *account) int {
	return cmp.Or(cmp.Compare(a.Notification.Fingerprint, b.Notification.Fingerprint), cmp.Compare(a.Notification.Alert, b.Notification.Alert))
}

// reason is why the receiver is told, as Alertmanager has it.
func (n *notice) reason() notify.NotifyReason {
	switch {
	case n.fresh && n.known:
		return notify.ReasonNewAlertsInGroup
	case n.fresh:
		return notify.ReasonFirstNotification
	case len(n.resolved) > 0 && len(n.firing) == 0:
		return notify.ReasonAllAlertsResolved
	case len(n.resolved) > 0:
		return notify.ReasonNewResolvedAlerts
	case n.again:
		return notify.ReasonRepeatIntervalElapsed
	}
	return notify.ReasonDoNotNotify
}

// check queues what a group has to tell, or says when it is time for that, unless that is to be
// at once.
func (d *Deliverer) check(g *group, now time.Time, atOnce bool) {
	n := d.look(g, now)
	d.withdraw(g, n.held)
	for _, a := range n.held {
		if a.Notification.Status == alerts.Resolved {
			continue
		}
		d.history.Hold(&a.Notification, d.hold(a.Notification.Labels, now))
	}
	news := n.reason() != notify.ReasonDoNotNotify
	if !news && (g.route.Repeat == 0 || !n.known || g.sender.owes(g.id)) {
		return // what is owed says when it is not any more
	}
	n.again = !news
	at := g.when(&n)
	if d.o.Unjudged && !at.After(now) && now.Before(d.begun.Add(unjudged)) && (n.again || d.former(g, &n, now)) {
		at = now.Add(time.Second)
	}
	if at.After(now) && !atOnce {
		d.timetable.put(g, at)
		return
	}
	d.tell(g, &n, now)
}

// former reports whether a notice says no more than that alerts fire that did when an earlier
// run ended, and waits for their judgement: for no longer if starts follow each other.
func (d *Deliverer) former(g *group, n *notice, now time.Time) (waits bool) {
	if len(n.resolved) > 0 || slices.ContainsFunc(n.firing, func(a *account) bool { return !a.Since.Before(d.begun) }) {
		return false
	}
	for _, a := range n.firing {
		p := a.party(g.sender.name)
		if p.Waits.IsZero() {
			p.Waits = now
			d.unwritten[a.key()] = a
		}
		waits = waits || now.Before(p.Waits.Add(unjudged))
	}
	return waits
}

// when is the time for a notice. What waits for its receiver does not get old.
func (g *group) when(n *notice) time.Time {
	var at time.Time
	switch {
	case n.again:
		at = g.queued.Add(g.route.Repeat)
	case g.sender.last(g.id) != nil:
		return at
	case n.fresh:
		at = n.since.Add(g.route.Wait)
	}
	if next := g.queued.Add(g.route.Interval); !g.queued.IsZero() && next.After(at) {
		at = next
	}
	return at
}

// tell makes an entry of a notice.
func (d *Deliverer) tell(g *group, n *notice, now time.Time) {
	e := g.entry(n, now)
	anew := slices.ContainsFunc(n.firing, func(a *account) bool { return a.party(g.sender.name).untold() })
	for _, a := range slices.Concat(n.firing, n.resolved) {
		p := a.party(g.sender.name)
		p.Tried = p.Tried || g.sender.ends(g.id, knownBy(&a.Notification)) // it knows that these labels fire
		if p.tell(e, a.Notification.Status, now); n.again {
			p.Repeats++
		}
		d.unwritten[a.key()] = a
		if p.Told == alerts.Resolved {
			d.leave(a, p)
		}
	}
	g.queued = now
	if known := d.entries[e.key()]; known != nil && !known.Withdrawn && !(anew && known.Settled == Superseded) {
		d.tried(e, false)
		return
	}
	if len(n.firing) == 0 && !g.sender.to.SendResolved {
		// Nobody is told, and nobody may be told any more that it fires.
		e = e.settle(Superseded)
	}
	d.enter(e)
}

// enter puts an entry behind all others. If it came to an end before, that is not how it is
// any more.
func (d *Deliverer) enter(e *entry) {
	d.unlist(e)
	d.order++
	e.Order = d.order
	d.held = append(d.held, e)
	if s := d.sender(e.Integration); s != nil {
		s.coming[e.group()] = e
		s.schedule(e.group())
	}
	d.change(e)
}

// entry is a notice for the outbox.
func (g *group) entry(n *notice, now time.Time) *entry {
	told := n.firing
	if g.sender.to.SendResolved || len(n.firing) == 0 {
		told = slices.Concat(n.firing, n.resolved)
	}
	e := &entry{Integration: g.sender.name, Queued: now, Group: &bundle{Key: g.route.GroupKey(g.labels), Labels: g.labels, Route: g.route.Labels, Reason: n.reason().String()}}
	if g.route.Alone && len(told) == 1 {
		e.Notification = g.tells(told[0])
	} else {
		for _, a := range told {
			e.Group.Alerts = append(e.Group.Alerts, g.tells(a))
		}
		e.head(g.id)
	}
	if n.again {
		times := 0
		for _, a := range told {
			times += a.party(e.Integration).Repeats
		}
		e.Notification.ID = digest(e.Notification.ID, "again", strconv.Itoa(times))
	}
	return e
}
