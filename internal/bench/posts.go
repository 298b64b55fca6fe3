package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// singles lets 64 clients post one event at a time.
func singles(ctx context.Context, _ *bench, c contender, dir string) (f figures, err error) {
	const posters, each = 64, 500
	s, err := c.serve(ctx, dir, nil)
	if err != nil {
		return nil, err
	}
	defer s.kill()
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	from, err := s.spent(0)
	if err != nil {
		return nil, err
	}
	took := make([][]time.Duration, posters)
	failed := make(chan error, posters)
	var wg sync.WaitGroup
	for p := range posters {
		wg.Go(func() {
			for i := range each {
				event := fmt.Appendf(nil, `{"id":"%d-%d","time":%d,"type":"play","user_id":%d,"channel":"douyin","watch_ms":9000,"duration_ms":15000}`, p, i, time.Now().UnixMilli(), p*1000+i)
				at := time.Now()
				if _, err := s.Publish(ctx, event, 1); err != nil {
					failed <- err
					return
				}
				took[p] = append(took[p], time.Since(at))
			}
		})
	}
	wg.Wait()
	select {
	case err := <-failed:
		return nil, err
	default:
	}
	to, err := s.reach(ctx, posters*each)
	if err != nil {
		return nil, err
	}
	var all []time.Duration
	for _, t := range took {
		all = append(all, t...)
	}
	f.add("core-µs an event", perEvent(from, to))
	f.times("answer", all)
	return f, nil
}
