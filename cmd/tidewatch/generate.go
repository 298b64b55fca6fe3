package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/tidewatch/tidewatch/internal/generate"
	"github.com/tidewatch/tidewatch/stream"
)

// GenerateCmd is `tidewatch generate`.
type GenerateCmd struct {
	Events     int64         `placeholder:"N" help:"How many events (default: five a user and day)."`
	Users      int           `default:"10000" placeholder:"N" help:"How many users there are (default ${default})."`
	Contents   int           `default:"2000" placeholder:"N" help:"How many contents there are (default ${default})."`
	Days       float64       `default:"1" placeholder:"D" help:"The time that the events are spread over (default ${default})."`
	Start      string        `default:"2026-01-05T00:00:00+08:00" placeholder:"T" help:"The time of the first event: RFC 3339, or now (default ${default})."`
	Seed       uint64        `default:"1" placeholder:"S" help:"The same seed gives the same events (default ${default})."`
	Disorder   time.Duration `placeholder:"D" help:"How much later than it happened an event comes, at most."`
	Duplicates float64       `placeholder:"SHARE" help:"The share of events that come twice, such as 0.01."`
}

// Validate checks what kong cannot.
func (c *GenerateCmd) Validate() error {
	switch {
	case c.Events < 0:
		return fmt.Errorf("--events=%d must not be negative", c.Events)
	case c.Users < 1 || c.Users > 1e9:
		return fmt.Errorf("--users=%d must be between 1 and 1000000000", c.Users)
	case c.Contents < 1 || c.Contents > 1e9:
		return fmt.Errorf("--contents=%d must be between 1 and 1000000000", c.Contents)
	case !(c.Days > 0 && c.Days <= 36500):
		return fmt.Errorf("--days=%g must be above 0 and at most 36500", c.Days)
	case c.Disorder < 0 || c.Disorder > time.Hour:
		return fmt.Errorf("--disorder=%s must be between 0s and 1h", c.Disorder)
	case !(c.Duplicates >= 0 && c.Duplicates <= 1):
		return fmt.Errorf("--duplicates=%g is a share: give it between 0 and 1", c.Duplicates)
	}
	return nil
}

// Run writes the events to standard output.
func (c *GenerateCmd) Run(ctx context.Context) error {
	start, err := c.start()
	if err != nil {
		return err
	}
	if c.Events == 0 {
		c.Events = int64(5 * float64(c.Users) * c.Days)
	}
	o, err := generate.Fit(generate.Options{
		Guests: true, Counter: true,
		Seed: c.Seed, Start: start, End: start.Add(time.Duration(c.Days * 24 * float64(time.Hour))), Events: c.Events,
		Users: c.Users, Contents: c.Contents, Disorder: c.Disorder, Duplicates: c.Duplicates, Fresh: true, Stop: ctx.Done(),
	})
	if err != nil {
		return err
	}
	g := generate.New(o)
	var buf []byte
	for ctx.Err() == nil {
		var n int
		if buf, n = g.AppendLines(buf[:0], 1000); n == 0 {
			return context.Cause(ctx)
		}
		if _, err := os.Stdout.Write(buf); err != nil {
			return fmt.Errorf("write events: %w", err)
		}
	}
	return context.Cause(ctx)
}

func (c *GenerateCmd) start() (time.Time, error) {
	if c.Start == "now" {
		return time.Now().Truncate(time.Second), nil
	}
	t, ok := stream.ParseTime(c.Start)
	if !ok {
		return t, fmt.Errorf("--start=%q must be a time such as 2026-01-05T00:00:00+08:00, or now", c.Start)
	}
	return t, nil
}
