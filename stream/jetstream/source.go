package jetstream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidewatch/tidewatch/stream"
)

const (
	// Pulls are bounded by bytes: bounded by messages alone, they overflow the
	// server's queue, which loses some. One or two are under way at a time.
	pullBytes = 4 << 20
	// largestPull has room for the largest message.
	largestPull = maxPayload + 64<<10
	// pullMessages is more messages than a pull's bytes can hold.
	pullMessages = 1_000_000
	pullExpires  = 10 * time.Second
	// A server that is silent for so long has lost the pulls.
	silence = pullExpires + 5*time.Second
	// queued is more messages than the pulls' bytes can hold.
	queued = 1 << 18
	// pause is the time between attempts to go on after a fault.
	pause = 100 * time.Millisecond
	// idle is how long the server keeps the place of a reader that pauses.
	idle = 5 * time.Minute
)

// A Source reads EVENTS in order, each message once. Next, End and Close belong
// to one goroutine; CaughtUp and Pending may be called from any.
type Source struct {
	b       *Broker
	created time.Time
	// next is the sequence to come, print the fingerprint of the message before it,
	// 0 if that is not known.
	next  uint64
	print uint64
	// broken is the gap that ended the source.
	broken error

	sub         *nats.Subscription
	consumer    string
	messages    chan *nats.Msg
	pullSize    int // bytes to ask for
	asked       int // bytes asked for and not yet received
	timer       *time.Timer
	reconnected chan struct{}
	pending     atomic.Uint64
}

// Source opens EVENTS at the sequence from, 0 being wherever it begins. before is
// the fingerprint of the message before from, 0 if that is not known. It fails
// with a *GapError when from is purged or lies beyond the next sequence, or the
// message before it is another.
func (b *Broker) Source(ctx context.Context, from, before uint64) (*Source, error) {
	info, err := b.Info(ctx)
	if err != nil {
		return nil, err
	}
	if from == 0 {
		from = info.First
	}
	s := &Source{
		b: b, created: info.Created, next: from, print: before, pullSize: pullBytes,
		timer: time.NewTimer(silence), reconnected: make(chan struct{}, 1),
	}
	if err := b.add(s); err != nil {
		return nil, err
	}
	if err := s.open(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close gives up the source's place.
func (s *Source) Close() {
	s.b.remove(s)
	s.drop()
	s.timer.Stop()
}

// Pending is how many messages the stream held behind the last one returned,
// when the server sent that.
func (s *Source) Pending() uint64 { return s.pending.Load() }

// End is the sequence of the stream's last message, as the server last told.
func (s *Source) End() uint64 { return s.next - 1 + s.Pending() }

// CaughtUp reports whether the stream's end, as the server last told it, has
// been returned.
func (s *Source) CaughtUp() bool { return s.pending.Load() == 0 }

// Next waits for a message, appends it to buf, then those at hand until they
// hold maxBytes unpacked. The data stays valid. A *GapError is final; when ctx ended,
// Next may be called again.
func (s *Source) Next(ctx context.Context, buf []stream.Raw, maxBytes int) ([]stream.Raw, error) {
	start, size := len(buf), 0
	for size < maxBytes || len(buf) == start {
		m, err := s.receive(ctx, len(buf) == start)
		if err != nil {
			return buf, err
		}
		if m == nil {
			break
		}
		raw, pending := decode(m)
		if raw.Sequence != s.next && !s.passOver(ctx, raw.Sequence) {
			if s.broken = s.gap(ctx, raw.Sequence); s.broken == nil {
				s.wakeUp() // it was lost on its way: ask for it again
			}
			if len(buf) == start {
				continue
			}
			break // what came before goes first
		}
		raw.Ahead = s.b.o.Ahead(raw.Sequence)
		s.next = raw.Sequence + 1
		buf = append(buf, raw)
		size += raw.Size()
		s.pending.Store(pending)
	}
	s.print = stream.Fingerprint(buf[len(buf)-1])
	return buf, nil
}

// receive returns the next message; nil when none is at hand and it must not
// wait.
func (s *Source) receive(ctx context.Context, wait bool) (*nats.Msg, error) {
	if s.broken != nil {
		return nil, s.broken
	}
	for {
		m, err := s.arrival(ctx, wait)
		if err != nil {
			return nil, err
		}
		switch {
		case m == nil && !wait:
			return nil, nil
		case m != nil && m.Reply != "":
			s.asked -= m.Size()
			s.pullSize = pullBytes
			if s.pull() != nil {
				s.wakeUp()
			}
			return m, nil
		case m != nil && s.status(m):
			continue
		case !wait:
			s.wakeUp() // reopening may take its time: not now
			return nil, nil
		}
		if err := s.reopen(ctx); err != nil {
			return nil, err
		}
	}
}

// arrival takes what the server sent; nil when that is nothing, or when the
// connection was lost and the server is to be asked anew.
func (s *Source) arrival(ctx context.Context, wait bool) (*nats.Msg, error) {
	select {
	case <-s.reconnected:
		if !wait {
			s.wakeUp()
		}
		return nil, nil
	default:
	}
	select {
	case m := <-s.messages:
		return m, nil
	default:
		if !wait {
			return nil, nil
		}
	}
	s.timer.Reset(silence)
	select {
	case m := <-s.messages:
		return m, nil
	case <-s.reconnected:
		return nil, nil
	case <-s.timer.C:
		return nil, nil
	case <-s.b.done:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// status takes word about a pull and reports whether reading goes on.
func (s *Source) status(m *nats.Msg) bool {
	what := m.Header.Get("Description")
	switch code := m.Header.Get("Status"); {
	case code == "100":
		return true
	case code == "408":
	case code == "409" && strings.Contains(what, "Exceeds MaxBytes"):
		// Grows until the message fits; a message sets it back.
		s.pullSize = min(2*s.pullSize, largestPull)
	case code == "409" && strings.Contains(what, "Batch Completed"):
	default: // the consumer is gone
		return false
	}
	s.asked -= int(number(m.Header.Get("Nats-Pending-Bytes")))
	return s.pull() == nil
}

// pull asks for more when less than a pull is on its way.
func (s *Source) pull() error {
	for s.asked <= s.pullSize {
		err := s.b.read.PublishRequest("$JS.API.CONSUMER.MSG.NEXT."+Events+"."+s.consumer, s.sub.Subject,
			fmt.Appendf(nil, `{"batch":%d,"max_bytes":%d,"expires":%d}`, pullMessages, s.pullSize, pullExpires))
		if err != nil {
			return fmt.Errorf("pull from %s: %w", Events, err)
		}
		s.asked += s.pullSize
	}
	return nil
}

// reopen opens the source again until that succeeds or there is a gap.
func (s *Source) reopen(ctx context.Context) error {
	for {
		err := s.open(ctx)
		if gap := (*GapError)(nil); errors.As(err, &gap) {
			s.broken = err
		}
		if err == nil || s.broken != nil {
			return err
		}
		s.b.o.Warn("reopen source: " + err.Error())
		s.timer.Reset(pause)
		select {
		case <-s.timer.C:
		case <-s.b.done:
			return ErrClosed
		case <-ctx.Done():
			s.wakeUp()
			return ctx.Err()
		}
	}
}

// open checks that the stream still is the one read so far and asks for the
// messages from next on.
func (s *Source) open(ctx context.Context) error {
	s.drop()
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	info, err := s.check(ctx)
	if err != nil {
		return err
	}
	s.pending.Store(info.Last + 1 - s.next)
	c, err := s.b.readJS.CreateConsumer(ctx, Events, jetstream.ConsumerConfig{
		AckPolicy:         jetstream.AckNonePolicy,
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       s.next,
		MemoryStorage:     true,
		Replicas:          1,
		InactiveThreshold: idle,
	})
	if err != nil {
		return fmt.Errorf("open consumer at %d of %s: %w", s.next, Events, err)
	}
	s.consumer = c.CachedInfo().Name
	s.messages = make(chan *nats.Msg, queued)
	if s.sub, err = s.b.read.ChanSubscribe(s.b.read.NewInbox(), s.messages); err != nil {
		return fmt.Errorf("subscribe to %s: %w", Events, err)
	}
	s.asked = 0
	return s.pull()
}

// check compares the stream with what was read of it.
func (s *Source) check(ctx context.Context) (Info, error) {
	info, err := s.b.Info(ctx)
	if err != nil {
		return info, err
	}
	gap := &GapError{Stream: Events, Cause: Recreated, Want: s.next, First: info.First, Last: info.Last}
	if !info.Created.Equal(s.created) {
		return info, gap
	}
	if err := info.gap(Events, s.next); err != nil {
		return info, err
	}
	if last := s.next - 1; s.print != 0 && last >= info.First {
		switch m, err := s.b.Message(ctx, last); {
		case errors.Is(err, ErrNoMessage):
			// Deleted behind the reader: nothing to compare.
		case err != nil:
			return info, err
		case stream.Fingerprint(m) != s.print:
			gap.Cause, gap.Want = Rewritten, last
			return info, gap
		}
	}
	return info, nil
}

// gap says why the sequence got came in the place of next; nil when next is
// there all the same.
func (s *Source) gap(ctx context.Context, got uint64) error {
	if _, err := s.b.Message(ctx, s.next); !errors.Is(err, ErrNoMessage) {
		return nil
	}
	e := &GapError{Stream: Events, Cause: Deleted, Want: s.next, Got: got}
	if info, err := s.b.Info(ctx); err == nil {
		e.First, e.Last = info.First, info.Last
		if s.next < info.First {
			e.Cause = Purged
		}
	}
	return e
}

// passOver reports whether the messages before got are lost, and wanted is what
// is left.
func (s *Source) passOver(ctx context.Context, got uint64) bool {
	if !s.b.o.PassOver || got < s.next {
		return false
	}
	gap, ok := errors.AsType[*GapError](s.gap(ctx, got))
	if !ok || gap.Cause != Deleted {
		return false
	}
	s.b.o.Warn("passed over: " + gap.Error())
	return true
}

// drop ends the current consumer; its messages still on the way are lost, and
// read again by the next.
func (s *Source) drop() {
	if s.sub != nil {
		_ = s.sub.Unsubscribe()
		s.sub = nil
	}
	if s.consumer != "" {
		// Nobody waits: an idle consumer ends by itself.
		_ = s.b.read.Publish("$JS.API.CONSUMER.DELETE."+Events+"."+s.consumer, nil)
		s.consumer = ""
	}
	s.messages = nil
}

// wakeUp has the source check its place at the next call of Next.
func (s *Source) wakeUp() {
	select {
	case s.reconnected <- struct{}{}:
	default:
	}
}
