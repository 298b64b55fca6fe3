package delivery

import (
	"slices"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/inhibition"
	"github.com/tidewatch/tidewatch/alerts/reason"
)

// Reload has other receivers be told from then on, as a restart would. What is owed to an
// integration that is not among them is given up, and can be sent by one of its name for a
// week; who was told that an alert fires hears of its resolve, or others in the place of one
// that is gone; as long as nobody was told, or could be, the routes decide anew. An error is
// of the outbox: the receivers are at work all the same, and it is tried again.
func (d *Deliverer) Reload(receivers *Receivers) error {
	d.deciding.take()
	defer d.deciding.leave()
	defer d.rouse()
	now := time.Now()
	d.mu.Lock()
	lost := d.exchange(receivers)
	d.regroup(now)
	d.dispatch(now)
	d.mu.Unlock()
	for _, v := range lost {
		d.o.Log(v)
	}
	return d.writeOut()
}

// exchange puts receivers in the place of those that there are, and answers what is given up.
// An integration that has a name of before goes on with what is owed to it.
func (d *Deliverer) exchange(receivers *Receivers) (lost []Delivery) {
	d.receivers, d.routes, d.inhibition = receivers, receivers.routes(), inhibition.New(receivers.Shown().InhibitRules)
	before := d.senders
	d.senders, d.told = nil, nil
	for _, g := range receivers.all() {
		if d.o.Transport != nil {
			g.carry(d.o.Transport)
		}
		i := slices.IndexFunc(before, func(s *sender) bool { return s.name == g.Name })
		if i >= 0 {
			before[i].to, before[i].pace.limits = g, g.protocol.limits()
			d.senders = append(d.senders, before[i])
			before = slices.Delete(slices.Clone(before), i, i+1)
			continue
		}
		s := newSender(d, g)
		d.senders = append(d.senders, s)
		if d.started {
			d.running.Go(s.run)
		}
	}
	for _, g := range receivers.Told() {
		d.told = append(d.told, g.Name)
	}
	if len(d.told)+len(d.peers) == 0 {
		d.counter("", Unsent) // so that it is there from the start
	}
	for _, s := range before {
		lost = append(lost, s.end()...)
	}
	return lost
}

// end has the sender end: what waits is given up, and as what is on its way may not arrive,
// others are told of it.
func (s *sender) end() (lost []Delivery) {
	close(s.gone)
	for _, e := range s.flying {
		s.d.takeBack(e)
		e.Withdrawn = true // one of its name may send it, if it does not arrive
	}
	for _, group := range s.queue.byTurn() {
		if e := s.waiting[group]; e.Settled == "" {
			s.d.takeBack(e)
			lost = append(lost, s.d.orphan(e))
		}
		delete(s.waiting, group)
		s.queue.remove(group)
	}
	return lost
}

// orphan gives up what is owed to an integration that is gone.
func (d *Deliverer) orphan(e *entry) Delivery {
	left := e.orphaned(time.Now())
	v := d.delivery(left, Failed)
	d.note(v)
	d.counter(e.Integration, Failed).Inc()
	d.chronicle(left, v)
	d.change(left)
	return v
}

// orphaned is a notification whose integration is gone: one of its name may send it after all.
func (e *entry) orphaned(now time.Time) *entry {
	out := *e
	out.Settled, out.Withdrawn, out.GivenUp = Failed, true, now
	why := reason.Gone.Of(reason.Args{"receiver": e.Integration})
	out.Error, out.Reasons = why.Text, []reason.Reason{why}
	return &out
}

// regroup has the alerts be in groups by the routes that there are.
func (d *Deliverer) regroup(now time.Time) {
	d.groups, d.timetable = map[string]*group{}, timetable[*group]{}
	for _, a := range d.accounts {
		for _, p := range a.Parties {
			p.group = nil
		}
		d.inhibit(a, now)
	}
	d.transfer()
	for _, a := range d.accounts {
		d.reroute(a)
	}
	d.overdue = timetable[*entry]{}
	for _, e := range d.entries {
		if s := d.sender(e.Integration); s != nil {
			d.expect(s, e)
		}
	}
	d.review = now
}

// transfer takes back what waits in groups that its alerts are no longer in: those in which
// they are tell it, in its place.
func (d *Deliverer) transfer() {
	for _, s := range d.senders {
		for _, id := range s.queue.byTurn() {
			e := s.waiting[id]
			if e.Settled != "" || !s.moved(e) {
				continue
			}
			delete(s.waiting, id)
			s.queue.remove(id)
			d.takeBack(e)
			e.Withdrawn = true // it may come again
			d.change(e.settle(Superseded))
			s.count(Superseded)
		}
	}
}

// moved reports whether alerts of a notification are in another group by now.
func (s *sender) moved(e *entry) bool {
	return slices.ContainsFunc(e.alerts(), func(n alerts.Notification) bool {
		a := s.d.accounts[n.Alert]
		if a == nil || a.party(s.name) == nil {
			return false
		}
		now, _ := groupOf(s.d.way(n.Labels, s), &n) // by the labels of then: those of now are another's
		return now != e.group()
	})
}

// transferred has the groups in which its alerts are tell what a notification would have,
// that was on its way when they came there, if nothing newer does. It reports whether there
// are any.
func (s *sender) transferred(e *entry) bool {
	if !s.moved(e) {
		return false
	}
	s.d.takeBack(e)
	e.Withdrawn = true // it may come again
	for _, n := range e.alerts() {
		if a := s.d.accounts[n.Alert]; a != nil {
			if p := a.party(s.name); p != nil && p.In == e.Notification.ID {
				s.d.join(a, p)
			}
		}
	}
	s.d.rouse()
	return true
}

// takeBack notes that nobody was told what stands in a notification.
func (d *Deliverer) takeBack(e *entry) {
	for _, n := range e.alerts() {
		a := d.accounts[n.Alert]
		if a == nil {
			continue
		}
		if p := a.party(e.Integration); p != nil && p.In == e.Notification.ID {
			if p.Told = ""; n.Status == alerts.Resolved {
				p.Told = alerts.Firing
			}
			d.unwritten[a.key()] = a
		}
	}
}
