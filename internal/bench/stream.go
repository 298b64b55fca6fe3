package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// catchUp is the load of a service that has a stream to catch up with. All of
// its events are unsealed at the end.
var catchUp = load{events: 6_000_000, rate: 25_000}

// consume lets a service catch up while it is asked for live values.
func consume(ctx context.Context, b *bench, c contender, dir string) (f figures, err error) {
	s, _, err := b.full(ctx, catchUp, c, dir)
	if err != nil {
		return nil, err
	}
	defer s.kill()
	from, err := s.spent(0)
	if err != nil {
		return nil, err
	}
	q, err := s.ask(ctx, 10*time.Millisecond, liveQuestions)
	if err != nil {
		return nil, err
	}
	to, err := s.reach(ctx, catchUp.events)
	if err != nil {
		return nil, err
	}
	answers, err := q.stop()
	if err != nil {
		return nil, err
	}
	f.add("core-µs an event", perEvent(from, to))
	f.times("live value", answers["live"])
	return f, nil
}

const (
	// fullAt is the event time at which the lateness is full: from here on a second seals
	// for each that closes.
	fullAt = lateness + 10*time.Second
	// askedFrom is from which on somebody asks then.
	askedFrom = fullAt + 2*time.Minute
)

// fill25 measures a service whose lateness is full: first alone, then asked all
// the time, then killed.
func fill25(ctx context.Context, b *bench, c contender, dir string) (f figures, err error) {
	const span = 960
	l := load{events: span * 25_000, rate: 25_000}.scaled(b.scale)
	s, began, err := b.full(ctx, l, c, dir)
	if err != nil {
		return nil, err
	}
	defer func() { s.kill() }()
	from, err := s.reach(ctx, l.until(fullAt))
	if err != nil {
		return nil, err
	}
	to, err := s.reach(ctx, l.until(askedFrom))
	if err != nil {
		return nil, err
	}
	f.add("core-µs an event", perEvent(from, to))
	q, err := s.ask(ctx, 5*time.Millisecond, allQuestions(began))
	if err != nil {
		return nil, err
	}
	if _, err := s.reach(ctx, l.events); err != nil {
		return nil, err
	}
	answers, err := q.stop()
	if err != nil {
		return nil, err
	}
	for _, kind := range []string{"live", "at", "range", "metrics"} {
		f.times("query "+kind, answers[kind])
	}
	if err := f.memory(s, "an unsealed event", l.unsealed()); err != nil {
		return nil, err
	}
	s, err = f.recovery(ctx, s, dir)
	return f, err
}

// fill50 is the memory at twice that rate.
func fill50(ctx context.Context, b *bench, c contender, dir string) (f figures, err error) {
	l := load{events: 900 * 50_000, rate: 50_000}.scaled(b.scale)
	s, _, err := b.full(ctx, l, c, dir)
	if err != nil {
		return nil, err
	}
	defer s.kill()
	from, err := s.reach(ctx, l.until(fullAt))
	if err != nil {
		return nil, err
	}
	to, err := s.reach(ctx, l.events)
	if err != nil {
		return nil, err
	}
	f.add("core-µs an event", perEvent(from, to))
	if err := pause(ctx, 30*time.Second); err != nil { // garbage of the backlog goes
		return nil, err
	}
	return f, f.memory(s, "an unsealed event", l.unsealed())
}

// crowd is a service that knows ten million users, killed.
func crowd(ctx context.Context, b *bench, c contender, dir string) (f figures, err error) {
	l := load{events: 10_000_000, rate: 5_000, crowd: true}.scaled(b.scale)
	s, _, err := b.full(ctx, l, c, dir)
	if err != nil {
		return nil, err
	}
	defer func() { s.kill() }()
	from, err := s.spent(0)
	if err != nil {
		return nil, err
	}
	to, err := s.reach(ctx, l.events)
	if err != nil {
		return nil, err
	}
	f.add("core-µs an event", perEvent(from, to))
	if err := f.memory(s, "a user", float64(l.events)); err != nil {
		return nil, err
	}
	s, err = f.recovery(ctx, s, dir)
	return f, err
}

// full starts a service on a load and tells when that begins.
func (b *bench) full(ctx context.Context, l load, c contender, dir string) (*service, time.Time, error) {
	if err := c.begin(ctx, dir, nil); err != nil {
		return nil, time.Time{}, err
	}
	began, err := b.filled(ctx, l, dir)
	if err != nil {
		return nil, began, err
	}
	s, err := c.serve(ctx, dir, nil)
	return s, began, err
}

// begin has the service begin in a folder that a stream comes into: where there is one
// and no state, it would take that for lost, and answer nobody until all is counted anew.
func (c contender) begin(ctx context.Context, dir string, settings map[string]any) error {
	s, err := c.serve(ctx, dir, settings)
	if err != nil {
		return err
	}
	err = s.ready(ctx)
	s.kill()
	if err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(dataOf(dir), "stream"))
}

// until is how many events the load has up to an event time after its begin.
func (l load) until(t time.Duration) int64 { return int64(l.rate * t.Seconds()) }

// memory adds what is resident.
func (f *figures) memory(s *service, each string, n float64) error {
	rss, err := s.rss()
	f.add("resident, GB", rss/1e9)
	f.add("bytes "+each, rss/n)
	return err
}

// recovery kills the service when it has had time for its checkpoints.
func (f *figures) recovery(ctx context.Context, s *service, dir string) (*service, error) {
	if err := pause(ctx, 3*time.Second); err != nil {
		return s, err
	}
	again, took, err := s.restart(ctx, dir)
	if err != nil {
		return s, fmt.Errorf("restart after kill: %w", err)
	}
	f.add("recovery after kill -9, s", took.Seconds())
	return again, nil
}
