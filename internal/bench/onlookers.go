package main

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// lively is how many events a second of now come while dashboards are open.
const lively = 25_000

const (
	unseen = 15 * time.Second // nobody looks
	opened = 2 * refresh      // each dashboard has begun, and refreshed, within it
	seen   = 30 * time.Second
	probed = 20 * time.Second // the questions with a bound are asked as well
	slack  = 5 * time.Second  // for the steps between these
)

// several is a KPI that has 10,000 series, its budget, as soon as such events come.
const several = `  - name: several
    title: {en: Contents of an hour, zh: 一小时内容}
    count: {where: 'type == "play"'}
    by: [content_id]
    windows: [1h]
    budget: 10000
`

// live are the questions that have a bound: bounded, but that the instant is over what comes
// then, of the window that is over and of the one that is not.
var live = append([]question{
	{bounded[0].kind, instant(`topk(10, kpi_several{by="content_id",window="1h"})`)},
	{bounded[0].kind + ", live", "/prometheus/api/v1/query?query=" + url.QueryEscape(`topk(10, kpi_several{by="content_id",window="1h"})`)},
}, bounded[1:]...)

// onlooked feeds a service with a month of history events of now: first nobody looks, then
// twenty dashboards are open.
func onlooked(ctx context.Context, b *bench, c contender, dir string) (f figures, err error) {
	own := filepath.Join(dir, "several.yaml")
	if err := os.WriteFile(own, []byte(crossed+several), 0o600); err != nil {
		return nil, err
	}
	settings := map[string]any{"kpis": append(slices.Clip(c.kpis), own)}
	if err := c.begin(ctx, dir, settings); err != nil {
		return nil, err
	}
	total, err := b.pastAndNow(ctx, load{rate: lively}, dir)
	if err != nil {
		return nil, err
	}
	t := b.timeline(pace{lively, settle + unseen + opened + seen + probed + slack})
	s, err := c.serve(ctx, dir, settings)
	if err != nil {
		return nil, err
	}
	defer s.kill()
	if _, err := s.reach(ctx, total); err != nil {
		return nil, err
	}
	p := t.play(ctx, s)
	defer p.cancel()
	if err := pause(ctx, settle); err != nil {
		return nil, err
	}
	if err := f.lasting(ctx, "alone", s, p, unseen); err != nil {
		return nil, err
	}
	watching, err := s.watch(ctx, b.dashboards)
	if err != nil {
		return nil, err
	}
	if err := pause(ctx, opened); err != nil {
		return nil, err
	}
	if err := f.lasting(ctx, "watched", s, p, seen); err != nil {
		return nil, err
	}
	asking, err := s.ask(ctx, 5*time.Millisecond, live)
	if err != nil {
		return nil, err
	}
	if err := f.lasting(ctx, "watched and asked", s, p, probed); err != nil {
		return nil, err
	}
	took, err := asking.stop()
	if err != nil {
		return nil, err
	}
	panels, err := watching.stop()
	if err != nil {
		return nil, err
	}
	f.times("a panel's query at first", panels[firstly])
	f.times("a panel's query", panels["panel"])
	for _, q := range live {
		f.times(q.kind, took[q.kind])
	}
	return f, p.end()
}

// lasting adds what a stretch of time costs a service that is fed, how many events came, and
// how far the watermark is behind the clock beyond the disorder.
func (f *figures) lasting(ctx context.Context, name string, s *service, p *player, d time.Duration) error {
	from, err := p.after(ctx, s, 0)
	if err != nil {
		return err
	}
	var behind []time.Duration
	for end := time.Now().Add(d); time.Now().Before(end); {
		status, err := s.Ledger(ctx)
		if err != nil {
			return err
		}
		if status.Watermark != nil {
			behind = append(behind, time.Since(*status.Watermark)-disorder)
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	to, err := p.after(ctx, s, 0)
	if err != nil {
		return err
	}
	x := stretch{from, to}
	f.add(name+", events/s", x.pace())
	f.stretch(name, x)
	f.times(name+", watermark behind", behind)
	return nil
}
