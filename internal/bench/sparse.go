package main

import (
	"context"
	"time"
)

// sparse is event time in which little happens: a stream of an event a second to
// catch up with, then an event a second of now, then none.
func sparse(ctx context.Context, b *bench, c contender, dir string) (f figures, err error) {
	l := load{events: 60_000, rate: 1}
	s, _, err := b.full(ctx, l, c, dir)
	if err != nil {
		return nil, err
	}
	defer s.kill()
	from, err := s.spent(0)
	if err != nil {
		return nil, err
	}
	to, err := s.reach(ctx, l.events)
	if err != nil {
		return nil, err
	}
	f.add("core-µs an event", perEvent(from, to))
	p := b.timeline(pace{1, settle + quiet + time.Second}).play(ctx, s)
	defer p.cancel()
	if from, err = p.after(ctx, s, settle); err != nil {
		return nil, err
	}
	if to, err = p.after(ctx, s, quiet); err != nil {
		return nil, err
	}
	f.add("an event a second of now, cores", cores(from, to))
	if err := p.end(); err != nil {
		return nil, err
	}
	if from, err = s.spent(0); err != nil {
		return nil, err
	}
	if err := pause(ctx, 2*quiet); err != nil {
		return nil, err
	}
	if to, err = s.spent(0); err != nil {
		return nil, err
	}
	f.add("no event, cores", cores(from, to))
	return f, nil
}
