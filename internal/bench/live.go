package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const (
	settle = 3 * time.Second // not counted
	quiet  = 10 * time.Second
	looked = 8 * time.Second
)

// paced feeds a service events of now at several rates, as send --rate does:
// first nobody looks, then somebody does.
func paced(ctx context.Context, b *bench, c contender, dir string) (f figures, err error) {
	for _, rate := range []int{50_000, 5_000, 500} {
		own := filepath.Join(dir, fmt.Sprint(rate))
		if err := os.Mkdir(own, 0o700); err != nil {
			return nil, err
		}
		if err := b.pacedAt(ctx, c, rate, own, &f); err != nil {
			return nil, fmt.Errorf("at %d/s: %w", rate, err)
		}
	}
	return f, nil
}

func (b *bench) pacedAt(ctx context.Context, c contender, rate int, dir string, f *figures) error {
	t := b.timeline(pace{rate, settle + quiet + looked + time.Second})
	s, err := c.serve(ctx, dir, nil)
	if err != nil {
		return err
	}
	defer s.kill()
	if err := s.ready(ctx); err != nil {
		return err
	}
	p := t.play(ctx, s)
	defer p.cancel()
	from, err := p.after(ctx, s, settle)
	if err != nil {
		return err
	}
	to, err := p.after(ctx, s, quiet)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%d/s", rate)
	f.add(name+", core-µs an event", perEvent(from, to))
	f.add(name+", cores", cores(from, to))
	q, err := s.ask(ctx, 100*time.Millisecond, liveQuestions)
	if err != nil {
		return err
	}
	last, err := p.after(ctx, s, looked)
	if err != nil {
		return err
	}
	if _, err := q.stop(); err != nil {
		return err
	}
	f.add(name+" and 10 queries/s, core-µs an event", perEvent(to, last))
	return p.end()
}
