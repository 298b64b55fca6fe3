package delivery

import (
	"fmt"
	"slices"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/tidewatch/tidewatch/internal/exposition"
	"github.com/tidewatch/tidewatch/internal/retry"
)

// A sender posts to one webhook, one notification at a time. An alert has at
// most one notification waiting: its newest. Fields are under the Deliverer's
// lock.
type sender struct {
	d    *Deliverer
	hook *Webhook
	// queue is the alerts in the order in which they wait.
	queue   []string
	waiting map[string]*entry // by alert
	// notBefore holds back all that waits, failures is how often in a row the
	// receiver could not be reached. An answer holds back its own notification
	// alone: one that its receiver cannot stomach must not hold up the others.
	notBefore time.Time
	failures  int
	wake      chan struct{}
	latency   *metrics.Summary
}

func newSender(d *Deliverer, w *Webhook) *sender {
	s := &sender{d: d, hook: w, waiting: map[string]*entry{}, wake: make(chan struct{}, 1)}
	s.latency = d.o.Metrics.GetOrCreateSummaryExt("tidewatch_notification_latency_seconds"+exposition.Labels("receiver", w.Name), 5*time.Minute, []float64{0.5, 0.9, 0.99})
	for _, o := range []Outcome{Delivered, Retrying, Failed, Superseded} {
		d.counter(w.Name, o) // so that each is there from the start
	}
	return s
}

func (s *sender) count(o Outcome) { s.d.counter(s.hook.Name, o).Inc() }

// push queues a notification and returns the one that it supersedes, if that
// was still to be sent. One that is settled itself does nothing but supersede.
func (s *sender) push(e *entry) (older *entry) {
	alert := e.Notification.Alert
	older = s.waiting[alert]
	s.waiting[alert] = e
	if older == nil {
		s.queue = append(s.queue, alert)
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
	if older != nil && older.Settled != "" {
		return nil
	}
	return older
}

// next takes the notification out of the queue whose time came first: those
// that were not tried yet, in their order, then the others. Before its time it
// answers when that is, a zero time if nothing waits. At the end all are due.
func (s *sender) next(now time.Time, end bool) (_ *entry, due time.Time) {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	var first *entry
	var place int
	for i, alert := range s.queue {
		if e := s.waiting[alert]; first == nil || e.notBefore.Before(first.notBefore) {
			first, place = e, i
		}
		if first.notBefore.IsZero() {
			break
		}
	}
	if first == nil {
		return nil, time.Time{}
	}
	due = first.notBefore
	if s.notBefore.After(due) {
		due = s.notBefore
	}
	if due.After(now) && !end {
		return nil, due
	}
	s.queue = slices.Delete(s.queue, place, place+1)
	delete(s.waiting, first.Notification.Alert)
	return first, time.Time{}
}

func (s *sender) run() {
	for !s.d.ends() {
		e, due := s.next(time.Now(), false)
		if e != nil {
			s.try(e)
			continue
		}
		var at <-chan time.Time
		if !due.IsZero() {
			at = time.After(time.Until(due))
		}
		select {
		case <-at:
		case <-s.wake:
		case <-s.d.stopping:
		}
	}
	for s.d.ctx.Err() == nil {
		e, _ := s.next(time.Now(), true)
		if e == nil {
			return
		}
		s.try(e)
	}
}

func (s *sender) try(e *entry) {
	if e.Settled == "" {
		s.finish(e, s.hook.post(s.d.ctx, &e.Notification))
	}
}

// finish notes how an attempt ended. That a notification is settled is told when
// the outbox has it: a crash after that does not send it again.
func (s *sender) finish(e *entry, a attempt) {
	v := s.record(e, a)
	err := s.d.flush()
	s.settle(e, v)
	if err != nil && v.Outcome != Retrying {
		v.Error = fmt.Sprintf("%s, but not noted: %v", v.Outcome, err)
	}
	s.count(v.Outcome)
	if v.Outcome == Delivered {
		s.latency.Update(time.Since(e.Queued).Seconds())
	}
	s.d.o.Log(v)
}

// pause says when the next attempt may be: of this notification, and of any.
func (s *sender) pause(e *entry, a attempt) {
	if e.refused != a.refused {
		e.refused, e.failures = a.refused, 0
	}
	now := time.Now()
	if a.err != nil {
		e.failures++
		e.notBefore = now.Add(max(retry.Pause(e.failures, a.refused), a.after))
	}
	if !a.unreachable {
		s.failures = 0
	} else {
		s.failures++
		s.notBefore = now.Add(retry.Pause(s.failures, false))
	}
	if a.limited {
		s.notBefore = now.Add(a.after)
	}
}

// record decides what becomes of a notification after an attempt.
func (s *sender) record(e *entry, a attempt) Delivery {
	d := s.d
	d.mu.Lock()
	defer d.mu.Unlock()
	e.Attempts++
	e.Tried, e.Error = time.Now(), ""
	if a.err != nil {
		e.Error = a.err.Error()
	}
	s.pause(e, a)
	v := d.delivery(e, Delivered, e.Error)
	switch {
	case a.err == nil:
	case s.waiting[e.Notification.Alert] != nil:
		v.Outcome = Superseded
	case time.Since(e.Queued) >= giveUpAfter:
		v.Outcome, v.Error = Failed, fmt.Sprintf("given up after %d days: %s", giveUpAfter/(24*time.Hour), e.Error)
	default:
		v.Outcome = Retrying
		if !d.ends() { // else that was its last try
			s.push(e)
		}
		if e.Attempts&(e.Attempts-1) == 0 {
			d.change(e)
		}
		return v
	}
	d.unwritten[e.key()] = e.settle(v.Outcome)
	return v
}

// settle tells of a notification that came to its end.
func (s *sender) settle(e *entry, v Delivery) {
	if v.Outcome == Retrying {
		return
	}
	d := s.d
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries[e.key()] = e.settle(v.Outcome)
	if v.Outcome == Superseded {
		v.Outcome, v.Error = Failed, superseded+": "+v.Error
	}
	d.note(v)
}
