package delivery

import (
	"fmt"
	"slices"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/history"
	"github.com/tidewatch/tidewatch/alerts/reason"
	"github.com/tidewatch/tidewatch/internal/exposition"
	"github.com/tidewatch/tidewatch/internal/retry"
)

// A sender posts to one integration, one message at a time: of one notification, or of
// all that wait where there are more of them than it may send. A group has at most one
// notification waiting: its newest. Fields are under the Deliverer's lock.
type sender struct {
	d    *Deliverer
	name string // the integration's
	to   *Integration
	// queue is the groups of which a notification is waiting, by its time.
	queue   timetable[string]
	waiting map[string]*entry // by group
	// coming is, by group, what is written and then queued.
	coming map[string]*entry
	// flying are the notifications that are on their way.
	flying []*entry
	pace   pace
	// most is how many notifications may go out in one message.
	most int
	// notBefore holds back all that waits, failures is how often in a row the
	// receiver could not be reached, or took nothing. Else an answer holds back its own
	// notification alone: one that its receiver cannot stomach must not hold up the
	// others.
	notBefore time.Time
	failures  int
	// shut is set while the receiver takes nothing, whatever it is: its last attempt stands for
	// all that waits.
	shut    bool
	breaker breaker
	wake    chan struct{}
	gone    chan struct{} // closed when the integration is no longer configured
	latency *metrics.Summary
	health  *health
}

func newSender(d *Deliverer, to *Integration) *sender {
	s := &sender{d: d, name: to.Name, to: to, waiting: map[string]*entry{}, coming: map[string]*entry{}, pace: pace{limits: to.protocol.limits()}, most: mostTogether, wake: make(chan struct{}, 1), gone: make(chan struct{}), health: &health{Integration: to.Name}}
	s.latency = d.o.Metrics.GetOrCreateSummaryExt("tidewatch_notification_latency_seconds"+exposition.Labels("receiver", to.Name), 5*time.Minute, []float64{0.5, 0.9, 0.99})
	for _, o := range []Outcome{Delivered, Retrying, Failed, Superseded} {
		d.counter(to.Name, o) // so that each is there from the start
	}
	return s
}

// mostTogether bounds how many notifications are looked at for one message.
const mostTogether = 1024

func (s *sender) count(o Outcome) { s.d.counter(s.name, o).Inc() }

// push queues a notification and returns the one that it supersedes, if that
// was still to be sent. One that is settled itself does nothing but supersede.
func (s *sender) push(e *entry) (older *entry) {
	group := e.group()
	older = s.waiting[group]
	s.waiting[group] = e
	if s.coming[group] == e {
		delete(s.coming, group)
	}
	s.schedule(group)
	if older != nil && older.Settled != "" {
		return nil
	}
	return older
}

// schedule has what waits of a group be due at its time.
func (s *sender) schedule(group string) {
	e := s.waiting[group]
	if e == nil {
		return
	}
	at := e.notBefore
	if s.yields(group) {
		at = never
	}
	s.queue.put(group, at)
	s.rouse()
}

// never is later than anything is due.
var never = time.Unix(1<<40, 0)

// yields reports whether what waits of a group stays there, since what takes its place is
// written: that would follow it at once, whatever the group's interval.
func (s *sender) yields(group string) bool { return s.coming[group] != nil && !s.d.stuck }

// last is the newest notification of a group that is still to be sent, if there is any.
func (s *sender) last(group string) *entry {
	e := s.coming[group]
	if e == nil {
		e = s.waiting[group]
	}
	if e == nil || e.Settled != "" {
		return nil
	}
	return e
}

// rouse has the sender see what is due.
func (s *sender) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// owes reports whether a notification of a group is still to be sent, or on its way.
func (s *sender) owes(group string) bool {
	return s.last(group) != nil || slices.ContainsFunc(s.flying, func(e *entry) bool { return e.group() == group })
}

// ends reports whether a group is still to tell that an alert is over that receivers know by that.
func (s *sender) ends(group, known string) bool {
	return slices.ContainsFunc(append(slices.Clone(s.flying), s.coming[group], s.waiting[group]), func(e *entry) bool {
		return e != nil && e.group() == group && slices.ContainsFunc(e.alerts(), func(n alerts.Notification) bool {
			return n.Status == alerts.Resolved && knownBy(&n) == known
		})
	})
}

// next takes out of the queue what goes into the next message: the notification whose
// time came first, of those that were not tried yet the first in their order, and what
// is put together with it. Before its time it answers when that is, a zero time if
// nothing waits. At the end all are due, as far as the receiver's limits go.
func (s *sender) next(now time.Time, end bool) (_ []*entry, due time.Time) {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	group, due, ok := s.queue.first()
	if !ok || s.yields(group) { // then all that waits does
		return nil, time.Time{}
	}
	first, ready := s.waiting[group], s.pace.ready()
	if s.notBefore.After(due) {
		due = s.notBefore
	}
	if end {
		due = time.Time{}
	}
	if ready.After(due) {
		due = ready
	}
	if due.After(now) {
		return nil, due
	}
	batch := s.together(first, now, end)
	for _, e := range batch {
		delete(s.waiting, e.group())
		s.queue.remove(e.group())
	}
	if first.Settled == "" {
		s.flying = batch
		for _, e := range batch {
			s.d.tried(e, false)
		}
	}
	return batch, time.Time{}
}

// together is what goes out with a notification: of those that wait as many as one
// message names, if there are more than may be sent one by one.
func (s *sender) together(first *entry, now time.Time, end bool) []*entry {
	if s.pace.burst == 0 || first.alone || first.Settled != "" {
		return []*entry{first}
	}
	batch := []*entry{first}
	for _, group := range s.queue.byTurn() {
		e := s.waiting[group]
		if e != first && e.Settled == "" && !e.alone && !s.yields(group) && (end || !e.notBefore.After(now)) {
			batch = append(batch, e)
		}
	}
	if len(batch) <= s.pace.left(now) {
		return batch[:1]
	}
	return batch[:s.to.protocol.together(batch[:min(len(batch), s.most)])]
}

func (s *sender) run() {
	for !s.d.ends() && !s.isGone() {
		batch, due := s.next(time.Now(), false)
		if batch != nil {
			s.try(batch)
			continue
		}
		var at <-chan time.Time
		if !due.IsZero() {
			at = time.After(time.Until(due))
		}
		select {
		case <-at:
		case <-s.wake:
		case <-s.gone:
		case <-s.d.stopping:
		}
	}
	for s.d.ctx.Err() == nil {
		batch, _ := s.next(time.Now(), true)
		if batch == nil {
			return
		}
		if s.try(batch); s.tripped() {
			return
		}
	}
}

// tripped reports whether the receiver takes nothing.
func (s *sender) tripped() bool {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	return s.breaker.open()
}

// isGone reports whether the integration is no longer configured.
func (s *sender) isGone() bool {
	select {
	case <-s.gone:
		return true
	default:
		return false
	}
}

func (s *sender) try(batch []*entry) {
	if batch[0].Settled == "" {
		now := time.Now()
		s.finish(batch, s.integration().post(s.d.ctx, s.d.standingNow(batch, now), now.In(s.d.o.Location)))
	}
}

func (s *sender) integration() *Integration {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	return s.to
}

// finish notes how an attempt ended. That notifications are settled is told when
// the outbox has it: a crash after that does not send them again.
func (s *sender) finish(batch []*entry, a attempt) {
	told := s.record(batch, a)
	err := s.d.flush()
	s.conclude(batch, told)
	for i, v := range told {
		if err != nil && v.Outcome != Retrying {
			v.Error = fmt.Sprintf("%s, but not noted: %v", v.Outcome, err)
		}
		s.count(v.Outcome)
		if v.Outcome == Delivered {
			s.latency.Update(time.Since(batch[i].Queued).Seconds())
		}
		s.d.o.Log(v)
	}
}

// pause says when the next attempt of a notification may be.
func (e *entry) pause(a attempt, now time.Time) {
	if e.refused != a.refused {
		e.refused, e.failures = a.refused, 0
	}
	if a.err != nil {
		e.failures++
		e.notBefore = now.Add(max(retry.Pause(e.failures, a.refused), a.after))
	}
}

// blame looks for the notification because of which a message may have failed, and reports
// whether it is one of several: then fewer go into the next message, at once. One that
// has failed by itself goes alone, until such a one is taken after all.
func (s *sender) blame(batch []*entry, a attempt) (several bool) {
	switch {
	case a.err == nil:
		s.most = min(2*s.most, mostTogether)
		if batch[0].alone {
			for _, e := range s.waiting {
				e.alone = false
			}
		}
	case a.whole || a.limited || a.unreachable:
	case len(batch) > 1:
		s.most = len(batch) / 2
		return true
	default:
		batch[0].alone = true
	}
	return false
}

// record decides what becomes of notifications after an attempt.
func (s *sender) record(batch []*entry, a attempt) (told []Delivery) {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	now := time.Now()
	s.flying = nil
	several := s.blame(batch, a)
	s.pause(batch, a, several, now)
	for _, e := range batch {
		if !several {
			e.pause(a, now)
		}
		v := s.decide(e, a, now)
		told = append(told, v)
		s.d.chronicle(e, v)
	}
	s.fares(a.err, now)
	return told
}

// chronicle puts into the history how it went to tell of alerts.
func (d *Deliverer) chronicle(e *entry, v Delivery) {
	if v.Outcome != Delivered && v.Outcome != Failed {
		return
	}
	for _, n := range e.alerts() {
		d.history.Tell(&n, history.Telling{Receiver: v.Receiver, Outcome: string(v.Outcome), At: v.At, Error: v.Error, Reasons: v.Reasons})
	}
}

// decide decides what becomes of one.
func (s *sender) decide(e *entry, a attempt, now time.Time) Delivery {
	d := s.d
	e.Attempts++
	e.Tried, e.Error, e.Reasons = now, "", nil
	if a.err != nil {
		e.Error, e.Reasons = a.err.Error(), reason.Of(a.err)
	}
	v := d.delivery(e, Delivered)
	switch {
	case a.err == nil:
		e.Withdrawn = false
		d.tried(e, true)
	case s.replaced(e):
		v.Outcome = Superseded
	case s.waiting[e.group()] != nil:
		v.Outcome = Superseded
		d.carry(e, s.waiting[e.group()])
	case time.Since(e.Queued) >= giveUpAfter:
		v.Outcome, e.GivenUp = Failed, now
		v = v.because(reason.GivenUp.Of(reason.Args{"days": int(giveUpAfter / (24 * time.Hour))}), v.Reasons...)
	case s.isGone():
		*e = *e.orphaned(now)
		e.Error, e.Reasons = v.Error+"; "+e.Error, append(v.Reasons, e.Reasons...)
		v.Outcome, v.Error, v.Reasons = Failed, e.Error, e.Reasons
	case s.transferred(e):
		v.Outcome = Superseded
	default:
		v.Outcome = Retrying
		if !d.ends() { // else that was its last try
			s.push(e)
			d.touch(d.groupOf(e))
		}
		if e.Attempts&(e.Attempts-1) == 0 {
			d.change(e)
		}
		return v
	}
	if !s.replaced(e) {
		d.unwritten[e.key()] = e.ended(v.Outcome)
	}
	return v
}

// replaced reports whether there is one in the place of a notification: of an integration of the
// same name that came while it was on its way, or that tells the same again.
func (s *sender) replaced(e *entry) bool { return s.d.entries[e.key()] != e }

// conclude tells of notifications that came to their end.
func (s *sender) conclude(batch []*entry, told []Delivery) {
	d := s.d
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, v := range told {
		if v.Outcome == Retrying {
			continue
		}
		e := batch[i]
		if !s.replaced(e) {
			d.entries[e.key()] = e.ended(v.Outcome)
		}
		if g := d.groupOf(e); g != nil && g.route.Repeat > 0 {
			g.queued = time.Now() // from then on it is quiet
			d.touch(g)
		}
		if v.Outcome == Superseded {
			v.Outcome = Failed
			v = v.because(reason.Superseded.Alone(), v.Reasons...)
		}
		d.note(v)
	}
}
