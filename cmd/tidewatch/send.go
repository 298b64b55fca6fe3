package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"

	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/send"
	"github.com/tidewatch/tidewatch/stream"
)

// SendCmd is `tidewatch send`.
type SendCmd struct {
	URL        string   `name:"url" placeholder:"URL" help:"The service to send to (default ${default_url}, unless --nats-url is given). With --nats-url: where to read the ledger."`
	NATSURL    string   `name:"nats-url" placeholder:"URL" help:"Publish straight into the stream of this NATS server."`
	Map        string   `placeholder:"FILE" help:"Read the files as CSV, by this map (YAML)."`
	Rate       int      `placeholder:"N" help:"Send at most N events a second."`
	Sort       bool     `help:"Send all events in the order of their times (in memory)."`
	ShiftToNow bool     `help:"Move all times by the same span, so that the last event is now."`
	Pseudonyms string   `placeholder:"FILE" help:"Replace the ids of users by pseudonyms, made by the secret in this file, before anything leaves."`
	Close      bool     `help:"State at the end that every event up to the last one is in."`
	Print      bool     `help:"Print the events as NDJSON instead of sending them."`
	Files      []string `arg:"" name:"file" help:"NDJSON, or CSV with --map; gzip is read; - is standard input. Several files are merged by time."`
}

// DefaultURL is where a service listens by default.
const DefaultURL = "http://127.0.0.1:8080"

// Validate checks what kong cannot.
func (c *SendCmd) Validate() error {
	if c.Rate < 0 {
		return fmt.Errorf("--rate=%d must be positive: leave it out to send as fast as it goes", c.Rate)
	}
	return nil
}

// Run sends the files.
func (c *SendCmd) Run(ctx context.Context) error {
	o := send.Options{
		Files: c.Files, NATS: c.NATSURL, Rate: c.Rate,
		Sort: c.Sort, ShiftToNow: c.ShiftToNow, Close: c.Close, Print: c.Print,
		Out: os.Stdout, Log: os.Stderr,
	}
	if c.Map != "" {
		data, err := document.ReadFile(c.Map)
		if err != nil {
			return err
		}
		if o.Map, err = send.ParseMap(c.Map, data); err != nil {
			return err
		}
	}
	if c.Pseudonyms != "" {
		key, err := config.ReadPseudonymKey(c.Pseudonyms)
		if err != nil {
			return err
		}
		if o.Pseudonyms, err = stream.NewPseudonymiser(key); err != nil {
			return err
		}
	}
	if c.URL == "" && c.NATSURL == "" {
		c.URL = DefaultURL
	}
	if c.URL != "" {
		o.Service = &send.Client{URL: c.URL}
	}
	if isatty.IsTerminal(os.Stderr.Fd()) && !c.Print {
		bar := c.progress()
		o.Read = func(n int) { bar.Add(n) }
		defer bar.Exit()
	}
	return send.Run(ctx, o)
}

// progress is a bar over the bytes of the files; a spinner with standard input
// among them.
func (c *SendCmd) progress() *progressbar.ProgressBar {
	size := int64(0)
	for _, path := range c.Files {
		info, err := os.Stat(path)
		if path == "-" || errors.Is(err, os.ErrNotExist) {
			size = -1
			break
		}
		if err == nil {
			size += info.Size()
		}
	}
	return progressbar.NewOptions64(size, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionShowBytes(true),
		progressbar.OptionSetDescription("sending"), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100e6))
}
