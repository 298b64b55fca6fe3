package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"

	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/internal/app"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/send"
)

// consumed are the loads of the rows that are profiled while a service catches up, and from
// which event time on.
var consumed = map[string]struct {
	load
	from time.Duration
}{
	"stream": {catchUp, 0},
	"full":   {load{events: catchUp.until(askedFrom), rate: catchUp.rate}, fullAt},
}

// writeProfile puts a service of this process into a row, stream, full or http, and
// profiles it there: in full as long as nobody asks. In http the clients are in the profile
// too.
func writeProfile(ctx context.Context, name, row string) (err error) {
	what, consumes := consumed[row]
	if !consumes && row != "http" {
		return fmt.Errorf("-rows %q has no profile: give stream, full or http", row)
	}
	dir, err := os.MkdirTemp("", "tidewatch-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cfg := config.Default()
	cfg.Data, cfg.Listen, cfg.MemoryBudget = dir, "127.0.0.1:0", roomy
	last := uint64(0)
	if consumes {
		if err := beginWithin(ctx, cfg); err != nil {
			return err
		}
		if last, err = what.fill(ctx, cfg.Data); err != nil {
			return err
		}
	}
	s, err := app.New(ctx, cfg, app.Options{Log: zerolog.Nop()})
	if err != nil {
		return err
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	s.Start()
	defer func() { err = errors.Join(err, s.Stop(ctx)) }()
	if consumes {
		if err := s.WaitFor(ctx, uint64(what.until(what.from)/message)); err != nil {
			return err
		}
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	switch row {
	case "full":
		return s.WaitFor(ctx, last)
	case "stream":
		q, err := (&service{url: s.URL()}).ask(ctx, 10*time.Millisecond, liveQuestions)
		if err != nil {
			return err
		}
		err = s.WaitFor(ctx, last)
		_, stopped := q.stop()
		return errors.Join(err, stopped)
	}
	client := &service{url: s.URL(), Client: send.Client{URL: s.URL(), HTTP: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}}}
	if err := client.ready(ctx); err != nil {
		return err
	}
	return client.publish(ctx, posted.lines(time.Now().Add(-posted.span()-time.Minute)), int(posted.events))
}

// beginWithin is begin of a contender, in this process.
func beginWithin(ctx context.Context, cfg *config.Config) error {
	s, err := app.New(ctx, cfg, app.Options{Log: zerolog.Nop()})
	if err != nil {
		return err
	}
	s.Start()
	if err := s.Stop(ctx); err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(cfg.Data, "stream"))
}
