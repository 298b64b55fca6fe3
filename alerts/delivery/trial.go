package delivery

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/reason"
	"github.com/tidewatch/tidewatch/internal/document"
)

// A Trial is what came of a test of an integration.
type Trial struct {
	Integration string  `json:"integration"`
	Outcome     Outcome `json:"outcome"` // Delivered or Failed
	Error       string  `json:"error"`
	// Reasons are what Error says by codes.
	Reasons []reason.Reason `json:"reasons,omitempty"`
}

// Try sends a firing alert, marked as a test, to all integrations of a receiver, once, and
// says what came of it. That there is nobody to send to is a *document.Problem.
func (d *Deliverer) Try(ctx context.Context, receiver, externalURL string) ([]Trial, error) {
	d.mu.Lock()
	senders := d.sendersOf(receiver)
	d.mu.Unlock()
	if len(senders) == 0 {
		return nil, d.nobody(receiver)
	}
	out := make([]Trial, len(senders))
	var tried sync.WaitGroup
	for i, s := range senders {
		tried.Go(func() { out[i] = s.test(ctx, externalURL) })
	}
	tried.Wait()
	return out, nil
}

// nobody says that a receiver has no integration.
func (d *Deliverer) nobody(receiver string) error {
	p := &document.Problem{Path: "receiver", Value: fmt.Sprintf("%q", receiver), Rule: "has no integration", Remedy: "give it " + anyConfigs}
	names := d.receivers.listed()
	if slices.Contains(names, receiver) {
		return p
	}
	if p.Rule, p.Remedy = "does not exist", "use one of "+strings.Join(names, ", "); len(names) == 0 {
		p.Remedy = Unheard.Remedy
	}
	return p
}

// test sends a test alert. For the receiver's limits it counts twice: when it is sent, and
// when it has surely arrived.
func (s *sender) test(ctx context.Context, externalURL string) Trial {
	now := time.Now()
	v := Trial{Integration: s.name}
	if at := s.reserve(now); at.After(now) {
		wait := (at.Sub(now) + time.Second - 1).Truncate(time.Second) // not less than it takes
		v.failed(reason.Limited.Of(reason.Args{"length": wait.String()}))
		return v
	}
	n := testNotification(externalURL)
	e := &entry{Integration: s.name, Notification: n, Group: alone(&n), Attempts: 1}
	a := s.integration().post(ctx, []*entry{e}, now.In(s.d.o.Location))
	if v.Outcome = Delivered; a.err != nil {
		v.failed(a.err)
	}
	e.Error, e.Reasons = v.Error, v.Reasons
	s.tested(e, v, a.err)
	return v
}

func (v *Trial) failed(err error) {
	v.Outcome, v.Error, v.Reasons = Failed, err.Error(), reason.Of(err)
}

// reserve counts a message, if one may be sent now. It answers from when on that is so.
func (s *sender) reserve(now time.Time) time.Time {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	at := s.pace.ready()
	if s.pace.burst > 0 && !at.After(now) {
		s.pace.spend(now)
	}
	return at
}

func (s *sender) tested(e *entry, v Trial, err error) {
	d := s.d
	d.mu.Lock()
	now := time.Now()
	if s.pace.burst > 0 {
		s.pace.spend(now)
	}
	s.fares(err, now)
	told := d.delivery(e, v.Outcome)
	told.At = alerts.Time{Time: now}
	d.note(told)
	d.mu.Unlock()
	_ = d.flush() // else it is written with the next change
	d.o.Log(told)
}
