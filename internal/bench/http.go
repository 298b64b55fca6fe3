package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

const (
	// clients is how many connections send at once.
	clients = 4
	// request is how many events a request has.
	request = 500
)

// posted is the load that clients post.
var posted = load{events: 2_000_000, rate: 25_000}

// post feeds a service over HTTP as fast as it takes the events: in requests of
// 500, then by the build's own send command. Senders are not counted.
func post(ctx context.Context, _ *bench, c contender, dir string) (f figures, err error) {
	l := load{events: posted.events + 500_000, rate: posted.rate}
	s, err := c.serve(ctx, dir, nil)
	if err != nil {
		return nil, err
	}
	defer s.kill()
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	events := l.lines(time.Now().Add(-l.span() - time.Minute))
	from, err := s.spent(0)
	if err != nil {
		return nil, err
	}
	if err := s.publish(ctx, events, int(posted.events)); err != nil {
		return nil, err
	}
	to, err := s.reach(ctx, posted.events)
	if err != nil {
		return nil, err
	}
	f.add("requests of 500, core-µs an event", perEvent(from, to))

	file := filepath.Join(dir, "events.ndjson")
	if err := events.write(file); err != nil {
		return nil, err
	}
	if from, err = s.spent(posted.events); err != nil {
		return nil, err
	}
	own, err := s.sendFile(ctx, file)
	if err != nil {
		return nil, err
	}
	if to, err = s.reach(ctx, l.events); err != nil {
		return nil, err
	}
	f.add("fed by send, core-µs an event", perEvent(from, to))
	f.add("send itself, core-µs an event", float64(own.Microseconds())/float64(l.events-posted.events))
	return f, nil
}

// publish posts the next n events from several clients.
func (s *service) publish(ctx context.Context, events *lines, n int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	type body struct {
		text []byte
		n    int
	}
	bodies := make(chan body)
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for b := range bodies {
				if _, err := s.Publish(ctx, b.text, b.n); err != nil {
					cancel(err)
				}
			}
		})
	}
	for n > 0 && ctx.Err() == nil {
		text, k := events.next(nil, min(n, request))
		bodies <- body{text, k}
		n -= k
	}
	close(bodies)
	wg.Wait()
	return context.Cause(ctx)
}

// write puts what is left of the events into a file.
func (l *lines) write(name string) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer file.Close()
	w := bufio.NewWriter(file)
	for {
		text, n := l.next(nil, request)
		if n == 0 {
			break
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
	}
	return w.Flush()
}

// sendFile runs the build's send command and tells what CPU time it took.
func (s *service) sendFile(ctx context.Context, file string) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, s.binary, "send", "--url", s.url, file)
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("send: %w: %s", err, out)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}
