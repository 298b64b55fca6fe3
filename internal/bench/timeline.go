package main

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/tidewatch/tidewatch/internal/generate"
)

// A timeline is which event arrives when.
type timeline struct {
	generator *generate.Generator
	rate      int
	events    []moment
}

// A moment is an event and when it arrives after the begin.
type moment struct {
	generate.Event
	at time.Duration
}

// origin is the begin of every timeline; it is moved to now when it is played.
var origin = time.Unix(1_700_000_000, 0)

// A pace is how many events come a second, and for how long.
type pace struct {
	rate int
	span time.Duration
}

// timeline makes the events of a pace, once.
func (b *bench) timeline(of pace) *timeline {
	if t := b.timelines[of]; t != nil {
		return t
	}
	t := &timeline{rate: of.rate, generator: generate.New(generate.Options{Seed: 1, Start: origin, Rate: float64(of.rate), Steady: true,
		Users: 1_000_000, Contents: 100_000, Disorder: disorder, Late: 0.01, LateBy: 30 * time.Second, Duplicates: 0.001})}
	for e := range t.generator.Events() {
		at := time.UnixMilli(e.Arrival()).Sub(origin)
		if at > of.span {
			break
		}
		t.events = append(t.events, moment{*e, at})
	}
	b.timelines[of] = t
	return t
}

// A player sends the events of a timeline as their time comes.
type player struct {
	sent   atomic.Int64
	cancel context.CancelFunc
	done   chan error
}

func (t *timeline) play(ctx context.Context, s *service) *player {
	ctx, cancel := context.WithCancel(ctx)
	p := &player{cancel: cancel, done: make(chan error, 1)}
	go func() { p.done <- t.send(ctx, s, &p.sent) }()
	return p
}

// end stops sending.
func (p *player) end() error {
	p.cancel()
	return <-p.done
}

// after is a reading some time from now.
func (p *player) after(ctx context.Context, s *service, d time.Duration) (reading, error) {
	if err := pause(ctx, d); err != nil {
		return reading{}, err
	}
	return s.spent(p.sent.Load())
}

// send posts what is due, in requests as send --rate makes them: ten a second,
// more when they would hold more than 2,000 events.
func (t *timeline) send(ctx context.Context, s *service, sent *atomic.Int64) error {
	batch := min(2000, max(1, t.rate/10))
	ticker := time.NewTicker(time.Second * time.Duration(batch) / time.Duration(t.rate))
	defer ticker.Stop()
	began := time.Now()
	shift := began.Sub(origin).Milliseconds()
	var body []byte
	for todo := t.events; len(todo) > 0; {
		n := 0
		body = body[:0]
		for due := time.Since(began); n < min(batch, len(todo)) && todo[n].at <= due; n++ {
			e := todo[n].Event
			e.Time += shift
			body = append(t.generator.Append(body, &e), '\n')
		}
		if n > 0 {
			if _, err := s.Publish(ctx, body, n); err != nil {
				return stopped(ctx, err)
			}
			sent.Add(int64(n))
			todo = todo[n:]
		}
		if n == batch {
			continue // more may be due
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
	return nil
}

// stopped is nil for an error that the end of ctx has caused.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
