package send

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"golang.org/x/time/rate"

	"github.com/tidewatch/tidewatch/stream"
)

// send reads ahead in a goroutine of its own and publishes batch after batch.
func (s *sending) send(ctx context.Context, to publisher, events Reader) error {
	ctx, cancel := context.WithCancel(ctx)
	queue := make(chan Event, 2*batchEvents)
	failed := make(chan error, 1)
	go func() {
		defer close(queue)
		for {
			e, err := s.next(events)
			if err != nil {
				failed <- err
				return
			}
			select {
			case queue <- e:
			case <-ctx.Done():
				failed <- ctx.Err()
				return
			}
		}
	}()
	err := s.batches(ctx, to, queue)
	cancel()
	if err != nil {
		return err // a read that blocks is left behind
	}
	if err := <-failed; !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func (s *sending) batches(ctx context.Context, to publisher, queue <-chan Event) error {
	b := newBatch(s.Rate, to)
	alone := time.NewTimer(linger) // from the first event of a batch on
	defer alone.Stop()
	flush := func() error {
		if b.n == 0 {
			return nil
		}
		if err := b.limit.WaitN(ctx, b.n); err != nil {
			return fmt.Errorf("keep to the rate: %w", err)
		}
		if err := s.publish(ctx, to, b); err != nil {
			return err
		}
		s.last = max(s.last, b.last)
		b.reset()
		return nil
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-alone.C:
			if err := flush(); err != nil {
				return err
			}
		case e, more := <-queue:
			if !more {
				return flush()
			}
			if !b.fits(e) {
				if err := flush(); err != nil {
					return err
				}
			}
			if b.n == 0 {
				alone.Reset(linger)
			}
			b.add(e)
		}
	}
}

func (s *sending) publish(ctx context.Context, to publisher, b *batch) error {
	a, err := to.Publish(ctx, b.body, b.n)
	if err != nil {
		return err
	}
	for _, r := range a.Results {
		if r.Status == "quarantined" && len(s.rejected) < shown {
			if r.Index < 0 || r.Index >= len(b.places) {
				return fmt.Errorf("post events: the answer is about event %d of %d: is it a Tidewatch service?", r.Index, b.n)
			}
			s.rejected = append(s.rejected, fmt.Sprintf("%s: %s: %s", b.places[r.Index], r.Reason, r.Error))
		}
	}
	s.sent += int64(b.n)
	s.duplicates += a.Duplicate
	s.quarantined += a.Quarantined
	return nil
}

// batch is what leaves next.
type batch struct {
	body                []byte
	places              []Place // by event
	n                   int
	last                int64
	maxBytes, maxEvents int
	limit               *rate.Limiter
}

func newBatch(perSecond int, to publisher) *batch {
	b := &batch{last: math.MinInt64, maxBytes: batchBytes, maxEvents: batchEvents, limit: rate.NewLimiter(rate.Inf, 0)}
	if s, ok := to.(*Stream); ok {
		b.maxBytes = min(b.maxBytes, s.MaxBatch())
	}
	if perSecond > 0 {
		// Ten batches a second, so that a slow rate flows and does not burst.
		b.maxEvents = min(batchEvents, max(1, perSecond/10))
		b.limit = rate.NewLimiter(rate.Limit(perSecond), b.maxEvents)
	}
	return b
}

func (b *batch) fits(e Event) bool {
	return b.n < b.maxEvents && (b.n == 0 || len(b.body)+len(e.Line) < b.maxBytes)
}

func (b *batch) add(e Event) {
	b.body = append(append(b.body, e.Line...), '\n')
	b.places = append(b.places, e.Place)
	b.n++
	// An event of the far future closes nothing: it is not counted either.
	if closeTime(e.Time) <= time.Now().Add(stream.MaxAhead).UnixMilli() {
		b.last = max(b.last, e.Time)
	}
}

func (b *batch) reset() { b.body, b.places, b.n, b.last = b.body[:0], b.places[:0], 0, math.MinInt64 }
