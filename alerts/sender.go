package alerts

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

// Back-off doubles from first to most, and half of it is chance, so that
// services do not come back all at once.
const (
	firstPause = 500 * time.Millisecond
	mostPause  = 15 * time.Second
)

func newSender(d *Deliverer, w *Webhook) *sender {
	s := &sender{d: d, hook: w, waiting: map[string]*entry{}, wake: make(chan struct{}, 1)}
	s.latency = d.o.Metrics.GetOrCreateSummaryExt("tidewatch_notification_latency_seconds"+exposition.Labels("receiver", w.Name), 5*time.Minute, []float64{0.5, 0.9, 0.99})
	for _, o := range []Outcome{Delivered, Retrying, Failed, Superseded} {
		s.counter(o) // so that each is there from the start
	}
	return s
}

func (s *sender) counter(o Outcome) *metrics.Counter {
	return s.d.o.Metrics.GetOrCreateCounter("tidewatch_notifications_total" + exposition.Labels("receiver", s.hook.Name, "outcome", string(o)))
}

func (s *sender) count(o Outcome) { s.counter(o).Inc() }

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

// finish notes how an attempt ended.
func (s *sender) finish(e *entry, a attempt) {
	v := s.record(e, a)
	s.count(v.Outcome)
	if v.Outcome == Delivered {
		s.latency.Update(time.Since(e.Queued).Seconds())
	}
	s.d.o.Log(v)
}

// pause says when the next attempt may be: of this notification, and of any.
func (s *sender) pause(e *entry, a attempt) {
	now := time.Now()
	if a.err != nil {
		e.notBefore = now.Add(max(retry.BackOff(e.attempts, firstPause, mostPause), a.after))
	}
	if !a.unreachable {
		s.failures = 0
	} else {
		s.failures++
		s.notBefore = now.Add(retry.BackOff(s.failures, firstPause, mostPause))
	}
	if a.limited {
		s.notBefore = now.Add(a.after)
	}
}

func (s *sender) record(e *entry, a attempt) Delivery {
	d := s.d
	d.mu.Lock()
	defer d.mu.Unlock()
	e.attempts++
	s.pause(e, a)
	outcome, because := Delivered, ""
	switch {
	case a.err == nil:
	case a.final:
		outcome, because = Failed, a.err.Error()
	case s.waiting[e.Notification.Alert] != nil:
		outcome, because = Superseded, a.err.Error()
	default:
		outcome, because = Retrying, a.err.Error()
		if !d.ends() { // else that was its last try
			s.push(e)
		}
	}
	if outcome != Retrying {
		settled := e.settle(outcome)
		d.entries[e.key()] = settled
		if err := d.box.Put(map[string][]byte{e.key(): encode(settled)}); err != nil {
			because = fmt.Sprintf("%s, but not noted: %v", outcome, err)
		}
	}
	v := d.delivery(e, outcome, because)
	shown := v
	if outcome == Superseded {
		shown.Outcome, shown.Error = Failed, superseded+": "+because
	}
	d.note(shown)
	return v
}
