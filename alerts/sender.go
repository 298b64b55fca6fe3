package alerts

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/VictoriaMetrics/metrics"
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
	wake    chan struct{}
	latency *metrics.Summary
}

// Back-off doubles from first to most, and half of it is chance, so that
// services do not come back all at once.
const (
	firstPause = 500 * time.Millisecond
	mostPause  = 15 * time.Second
)

func newSender(d *Deliverer, w *Webhook) *sender {
	s := &sender{d: d, hook: w, waiting: map[string]*entry{}, wake: make(chan struct{}, 1)}
	s.latency = d.o.Metrics.GetOrCreateSummaryExt(fmt.Sprintf("tidewatch_notification_latency_seconds{receiver=%q}", w.Name), 5*time.Minute, []float64{0.5, 0.9, 0.99})
	for _, o := range []Outcome{Delivered, Retrying, Failed, Superseded} {
		s.counter(o) // so that each is there from the start
	}
	return s
}

func (s *sender) counter(o Outcome) *metrics.Counter {
	return s.d.o.Metrics.GetOrCreateCounter(fmt.Sprintf("tidewatch_notifications_total{receiver=%q,outcome=%q}", s.hook.Name, o))
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

// next takes the notification that has waited longest out of the queue.
func (s *sender) next() *entry {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	for len(s.queue) > 0 {
		alert := s.queue[0]
		s.queue = s.queue[1:]
		e := s.waiting[alert]
		delete(s.waiting, alert)
		if e.Settled == "" {
			return e
		}
	}
	return nil
}

func (s *sender) run() {
	failures := 0
	for {
		e := s.next()
		if e == nil {
			select {
			case <-s.wake:
				continue
			case <-s.d.stopping:
				return
			}
		}
		a := s.hook.post(s.d.ctx, &e.Notification)
		s.finish(e, a)
		if a.err == nil || a.final {
			failures = 0
			continue
		}
		failures++
		pause := time.NewTimer(max(backOff(failures), a.after))
		select {
		case <-pause.C:
		case <-s.d.stopping:
			pause.Stop()
			return
		}
	}
}

// backOff is the pause after so many failures in a row.
func backOff(failures int) time.Duration {
	pause := min(firstPause<<min(failures-1, 10), mostPause)
	return pause/2 + rand.N(pause/2)
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

func (s *sender) record(e *entry, a attempt) Delivery {
	d := s.d
	d.mu.Lock()
	defer d.mu.Unlock()
	e.attempts++
	outcome, because := Delivered, ""
	switch {
	case a.err == nil:
	case a.final:
		outcome, because = Failed, a.err.Error()
	case s.waiting[e.Notification.Alert] != nil:
		outcome, because = Superseded, a.err.Error()
	default:
		// Behind the others: one that its receiver cannot stomach must not
		// hold them up.
		outcome, because = Retrying, a.err.Error()
		s.push(e)
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
