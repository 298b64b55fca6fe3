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
	// overlap is fed again after a restart; what is in already is known by id.
	overlap = 5 * time.Second
	// beat is the pause between two batches once the feeder keeps up, and
	// between two looks at what is counted.
	beat = 200 * time.Millisecond

	seed = 20
	// rate is the events a second, as a mean over a day, in the past as in the
	// present. More would take longer than a minute to count.
	rate       = 2
	users      = 20_000
	contents   = 600
	batchLimit = 2000
	// belated is how late some costs are told: within the service's accept_late, so that the
	// spend of days that are over is restated.
	belated = 24 * time.Hour
)

// squeezed is what is told in less detail, for a service works on every second in
// which something happens: all of a span happens in its first second. Windows
// that reach over whole spans do not see it; those of a minute are kept for six
// hours, those of five minutes for three days.
var squeezed = []struct{ age, span time.Duration }{
	{4 * 24 * time.Hour, 5 * time.Minute},
	{7 * time.Hour, time.Minute},
}

// feeder brings the shop's events to a service: those that happened while it
// was away as fast as it takes them, then each as it happens. The events are a
// function of time alone (see package generate), so it needs no memory of its
// own: the service's watermark says what is in.
type feeder struct {
	client *send.Client
	// history is how far back it begins with an empty service.
	history time.Duration
	// progress, if set, is told the share of the history that is counted, unless
	// all but a thousandth is there from the start.
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
	resume := status.Watermark != nil && status.Watermark.After(from)
	if resume {
		from = status.Watermark.Add(-overlap)
	}
	from = from.Truncate(time.Second)
	var watching sync.WaitGroup
	defer watching.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if missing := now.Sub(from); f.progress != nil && missing >= f.history/1000 {
		there := max(0, 1-missing.Seconds()/f.history.Seconds())
		f.progress(there)
		watching.Go(func() { f.watch(ctx, status.Total.Received, missing, there) })
	}
	return f.feed(ctx, shop(from, now, !resume))
}

// shop is what happens from a time on; fresh leaves out the visits that are under
// way then.
func shop(from, now time.Time, fresh bool) *stream {
	s := &stream{
		g: generate.New(generate.Options{
			Guests: true, Counter: true, Belated: belated,
			Seed: seed, Users: users, Contents: contents, Start: from, Fresh: fresh, Rate: rate, Mild: true,
			Incidents: now, // the past pages nobody
		}),
		now: now.UnixMilli(),
	}
	// Spans that have begun are told as they were: some of it may be in.
	s.from = start(from.UnixMilli()-1, squeezed[0].span) + squeezed[0].span.Milliseconds()
	s.advance()
	return s
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

// watch tells how much of the history, of which a share was there, the service has
// counted, until it has all. How many events are missing is known once they are sent, and until then guessed.
func (f *feeder) watch(ctx context.Context, before int64, missing time.Duration, there float64) {
	guess := int64(rate * missing.Seconds())
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
		f.progress(min(there+(1-there)*float64(counted)/float64(total), 0.999))
		select {
		case <-ctx.Done():
		case <-time.After(beat):
		}
	}
}

// A stream is the shop's events in the order in which they are told, the older ones
// squeezed.
type stream struct {
	g         *generate.Generator
	from, now int64 // Unix milliseconds
	head      generate.Event
	told      int64 // when the head is
}

func (s *stream) advance() {
	s.g.Next(&s.head) // of which there is no end
	s.told, s.head.Time = s.squeeze(s.head.Arrival()), s.squeeze(s.head.Time)
}

// squeeze is the time that stands for one, in Unix milliseconds.
func (s *stream) squeeze(t int64) int64 {
	if t < s.from {
		return t
	}
	for _, q := range squeezed {
		if at := start(t, q.span); at < start(s.now-q.age.Milliseconds(), q.span) {
			return at + (t-at)/int64(q.span/time.Second)
		}
	}
	return t
}

// start is where the span that holds a time begins.
func start(ms int64, span time.Duration) int64 { return ms - ms%span.Milliseconds() }

// peek is when the next event is told, in Unix milliseconds.
func (s *stream) peek() int64 { return s.told }

// append takes the next event and appends it as JSON.
func (s *stream) append(dst []byte) []byte {
	dst = s.g.Append(dst, &s.head)
	s.advance()
	return dst
}
