package demo

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidewatch/tidewatch/internal/generate"
	"github.com/tidewatch/tidewatch/internal/send"
)

const (
	// history is how far back the shop's story begins: far enough for users to
	// have churned.
	history = 35 * 24 * time.Hour
	// rush is the part of what is fed at once that has the live rate, so that
	// the page's last quarter of an hour is full.
	rush = 16 * time.Minute
	// overlap is fed again after a restart; what is in already is known by id.
	overlap = 5 * time.Second
	// beat is the pause between two batches once the feeder keeps up, and
	// between two looks at what is counted.
	beat = 200 * time.Millisecond

	seed       = 20
	quietRate  = 0.06 // events a second, as a mean over a day
	liveRate   = 80
	users      = 8000
	contents   = 600
	batchLimit = 2000
)

// feeder brings the shop's events to a service: those that happened while it
// was away as fast as it takes them, then each as it happens. The events are a
// function of time alone (see package generate), so it needs no memory of its
// own: the service's watermark says what is in.
type feeder struct {
	client *send.Client
	// history is how far back it begins with an empty service.
	history  time.Duration
	progress func(share float64)
	sent     atomic.Int64 // events
	past     atomic.Int64 // sent of the past, 0 until all of it is
}

func (f *feeder) run(ctx context.Context) error {
	status, err := f.client.Ledger(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	from := now.Add(-f.history)
	if status.Watermark != nil && status.Watermark.After(from) {
		from = status.Watermark.Add(-overlap)
	}
	from = from.Truncate(time.Second)
	var watching sync.WaitGroup
	defer watching.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if f.progress != nil {
		watching.Go(func() { f.watch(ctx, status.Total.Received, now.Sub(from)) })
	}
	return f.feed(ctx, shop(from, now))
}

// shop is what happens from a time on.
func shop(from, now time.Time) *stream {
	o := generate.Options{Seed: seed, Users: users, Contents: contents}
	quiet, live := o, o
	quiet.Start, quiet.Rate = from, quietRate
	live.Start, live.Rate, live.Stream, live.Steady = now.Add(-rush).Truncate(time.Second), liveRate, 1, true
	live.Incidents = now // the past pages nobody
	if live.Start.Before(from) {
		live.Start = from
	}
	return merge(generate.New(quiet), generate.New(live))
}

// feed publishes events up to the present, and goes on with it.
func (f *feeder) feed(ctx context.Context, s *stream) error {
	var body []byte
	n := 0
	for ctx.Err() == nil {
		wait := time.Until(time.UnixMilli(s.peek()))
		if wait <= 0 {
			body = append(s.append(body), '\n')
			n++
		}
		if n > 0 && (n == batchLimit || wait > 0) {
			if _, err := f.client.Publish(ctx, body, n); err != nil {
				return err
			}
			f.sent.Add(int64(n))
			body, n = body[:0], 0
		}
		if wait > 0 {
			f.past.CompareAndSwap(0, f.sent.Load())
			select {
			case <-ctx.Done():
			case <-time.After(max(wait, beat)):
			}
		}
	}
	return ctx.Err()
}

// watch tells how much of the past the service has counted, until it has all:
// what is sent within seconds is counted within a minute. How many events that
// is, is known once they are sent, and until then guessed by their rates.
func (f *feeder) watch(ctx context.Context, before int64, past time.Duration) {
	busy := min(past, rush)
	guess := int64(quietRate*(past-busy).Seconds() + liveRate*busy.Seconds())
	for ctx.Err() == nil {
		status, err := f.client.Ledger(ctx)
		if err != nil {
			return // feed meets the same
		}
		counted, total := status.Total.Received-before, f.past.Load()
		if total > 0 && counted >= total {
			f.progress(1)
			return
		}
		if total == 0 {
			total = max(guess, f.sent.Load()+1)
		}
		f.progress(min(float64(counted)/float64(total), 0.999))
		select {
		case <-ctx.Done():
		case <-time.After(beat):
		}
	}
}

// A stream merges two endless generators by time.
type stream struct {
	g    [2]*generate.Generator
	head [2]generate.Event
}

func merge(a, b *generate.Generator) *stream {
	s := &stream{g: [2]*generate.Generator{a, b}}
	for i := range s.g {
		s.g[i].Next(&s.head[i])
	}
	return s
}

func (s *stream) first() int {
	if s.head[1].Time < s.head[0].Time {
		return 1
	}
	return 0
}

// peek is the time of the next event in Unix milliseconds.
func (s *stream) peek() int64 { return s.head[s.first()].Time }

// append takes the next event and appends it as JSON.
func (s *stream) append(dst []byte) []byte {
	i := s.first()
	dst = s.g[i].Append(dst, &s.head[i])
	s.g[i].Next(&s.head[i])
	return dst
}
