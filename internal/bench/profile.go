package main

import (
	"context"
	"errors"
	"os"
	"runtime/pprof"
	"time"

	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/internal/app"
	"github.com/tidewatch/tidewatch/internal/config"
)

// writeProfile consumes the load of the stream row in this process, asked as
// there, and profiles that.
func writeProfile(ctx context.Context, name string) (err error) {
	dir, err := os.MkdirTemp("", "tidewatch-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cfg := config.Default()
	cfg.Data, cfg.Listen, cfg.MemoryBudget = dir, "127.0.0.1:0", roomy
	last, err := catchUp.fill(ctx, cfg.Data)
	if err != nil {
		return err
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
	if err := pprof.StartCPUProfile(file); err != nil {
		return err
	}
	s.Start()
	defer func() { err = errors.Join(err, s.Stop(ctx)) }()
	q, err := (&service{url: s.URL()}).ask(ctx, 10*time.Millisecond, liveQuestions)
	if err != nil {
		return err
	}
	err = s.WaitFor(ctx, last)
	pprof.StopCPUProfile()
	_, stopped := q.stop()
	return errors.Join(err, stopped)
}
