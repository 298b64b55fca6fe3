package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/tidewatch/tidewatch/internal/generate"
	"github.com/tidewatch/tidewatch/stream/jetstream"
)

// A load is a stream of events.
type load struct {
	events int64
	rate   float64 // events a second of event time
	// crowd gives each event a user of its own; else there are a million.
	crowd bool
}

const (
	disorder = 2 * time.Second
	lateness = 10 * time.Minute
	// message is how many events a message of a filled stream has.
	message = 200
	// roomy is more than any load takes.
	roomy = 64 << 30
)

// scaled is the load in smaller, over the same span of event time.
func (l load) scaled(by float64) load {
	l.events, l.rate = int64(float64(l.events)*by), l.rate*by
	return l
}

func (l load) String() string {
	return fmt.Sprintf("%.3g M events, %.0f a second", float64(l.events)/1e6, l.rate)
}

// span is the event time of the whole load.
func (l load) span() time.Duration {
	return time.Duration(float64(l.events) / l.rate * float64(time.Second))
}

// unsealed is how many events the lateness has room for.
func (l load) unsealed() float64 { return l.rate * (lateness + disorder).Seconds() }

// generator makes the load's events, from start on.
func (l load) generator(start time.Time) *generate.Generator {
	return generate.New(generate.Options{Seed: 1, Start: start, Events: l.events, Rate: l.rate, Steady: true,
		Users: 1_000_000, Contents: 100_000, Disorder: disorder, Late: 0.01, LateBy: 5 * time.Minute, Duplicates: 0.001})
}

// A lines takes events as NDJSON from a load.
type lines struct {
	load
	*generate.Generator
	given uint32
	// end is the event time in ms from which on nothing is taken, 0 for none: the steps of a
	// load are random, and their sum is off by more the longer it is.
	end int64
}

func (l load) lines(start time.Time) *lines { return &lines{load: l, Generator: l.generator(start)} }

// next appends up to n events and says how many.
func (l *lines) next(dst []byte, n int) ([]byte, int) {
	if !l.crowd && l.end == 0 {
		return l.AppendLines(dst, n)
	}
	var e generate.Event
	for i := range n {
		if !l.Next(&e) || l.end != 0 && e.Time >= l.end {
			return dst, i
		}
		if l.crowd {
			e.User = l.given
			l.given++
		}
		dst = append(l.Append(dst, &e), '\n')
	}
	return dst, n
}

// filled copies a stream that holds the load into a trial's folder, as the HTTP
// side would have written it, and tells when the load begins.
func (b *bench) filled(ctx context.Context, l load, dir string) (time.Time, error) {
	from, ok := b.loads[l]
	if !ok {
		from = filepath.Join(b.dir, fmt.Sprintf("load%d", len(b.loads)))
		fmt.Fprintf(os.Stderr, "filling a stream: %s\n", l)
		if _, err := l.fill(ctx, from); err != nil {
			return time.Time{}, fmt.Errorf("fill stream: %w", err)
		}
		b.loads[l] = from
	}
	begin, err := os.ReadFile(filepath.Join(from, "begin"))
	if err != nil {
		return time.Time{}, err
	}
	start, err := time.Parse(time.RFC3339, string(begin))
	if err != nil {
		return time.Time{}, err
	}
	if err := os.CopyFS(filepath.Join(dataOf(dir), "stream"), os.DirFS(filepath.Join(from, "stream"))); err != nil {
		return time.Time{}, err
	}
	return start, os.Chmod(dataOf(dir), 0o700)
}

// forget removes the filled streams.
func (b *bench) forget() {
	for l, dir := range b.loads {
		os.RemoveAll(dir)
		delete(b.loads, l)
	}
}

// fill makes a stream that holds the load and tells its last sequence.
func (l load) fill(ctx context.Context, dir string) (last uint64, err error) {
	broker, err := jetstream.Open(ctx, jetstream.Options{Dir: filepath.Join(dir, "stream"), MaxBytes: roomy})
	if err != nil {
		return 0, err
	}
	defer broker.Close()
	start := time.Now().Add(-l.span() - time.Minute).Truncate(time.Second)
	events := l.lines(start)
	var buf []byte
	for {
		var n int
		if buf, n = events.next(buf[:0], message); n == 0 {
			break
		}
		if last, err = broker.Append(ctx, buf); err != nil {
			return 0, err
		}
	}
	return last, os.WriteFile(filepath.Join(dir, "begin"), []byte(start.Format(time.RFC3339)), 0o600)
}
