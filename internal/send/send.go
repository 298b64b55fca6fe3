package send

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/tidewatch/tidewatch/stream"
)

// Options say what is sent, where to and how.
type Options struct {
	// Files are read as events; "-" is standard input.
	Files []string
	// Map reads CSV as events. By default the files hold NDJSON.
	Map *Map
	// Service is where events go unless NATS or Print is set, and where the
	// ledger is read; nil with NATS alone: then no ledger is shown.
	Service *Client
	// NATS is the URL of a NATS server to publish to.
	NATS string
	// Rate is the most events sent in a second; 0 is no limit.
	Rate int
	// Sort sends all events in the order of their times.
	Sort bool
	// ShiftToNow moves all times by the same span, so that the last is now.
	ShiftToNow bool
	// Close states at the end that every event up to the last one is in.
	Close bool
	// Pseudonyms replaces the ids of users before anything leaves. By default they
	// leave as they are.
	Pseudonyms *stream.Pseudonymiser
	// Print writes the events to Out instead of sending them.
	Print bool
	// Wait is how long the ledger may stand still before Run stops waiting
	// for what was sent to appear in it. By default 30 s.
	Wait time.Duration

	// Out takes the result (or the events), Log what goes wrong on the way.
	Out, Log io.Writer
	// Read, if set, is told the bytes read of the files as sending goes on.
	Read func(n int)
}

const (
	batchBytes  = 1 << 20
	batchEvents = 2000
	// linger is how long an event waits for company when the input pauses.
	linger = 100 * time.Millisecond
	// shown is the number of rejected events and rows that are shown.
	shown = 10
)

// ErrRejected says that events or rows were not taken, or that most were taken
// for nothing: they were late or of the future.
var ErrRejected = errors.New("not everything was taken")

// publisher takes batches, in their order.
type publisher interface {
	Publish(ctx context.Context, batch []byte, n int) (Answer, error)
	Close(ctx context.Context, to int64) error
}

// Run sends. It returns ErrRejected, wrapped, when it did all it could and
// some of the input was not taken.
func Run(ctx context.Context, o Options) error {
	s := &sending{Options: o, last: math.MinInt64}
	if o.Service != nil {
		if err := o.Service.check(); err != nil {
			return err
		}
	}
	if o.Service != nil && o.Service.Retrying == nil {
		service := *o.Service
		service.Retrying = s.complain
		s.Service = &service
	}
	events, closeFiles, err := s.open()
	if err != nil {
		return err
	}
	defer closeFiles()
	if o.Print {
		if err := s.print(ctx, events); err != nil {
			return interrupted(ctx, err)
		}
		return s.report(o.Log)
	}
	to, done, err := s.connect()
	if err != nil {
		return err
	}
	defer done()
	var before Status
	if s.Service != nil {
		if before, err = s.Service.Ledger(ctx); err != nil {
			return err
		}
	}
	if err := s.deliver(ctx, to, events, before.Total); err != nil {
		return fmt.Errorf("%w (%d events were sent; sending again counts none of them twice)", interrupted(ctx, err), s.sent)
	}
	return s.report(o.Out)
}

// deliver sends all events, and waits until the ledger shows them.
func (s *sending) deliver(ctx context.Context, to publisher, events Reader, before Ledger) error {
	if err := s.send(ctx, to, events); err != nil {
		return err
	}
	if s.Close && s.last > math.MinInt64 {
		if err := to.Close(ctx, closeTime(s.last)); err != nil {
			return err
		}
	}
	if s.Service != nil {
		return s.await(ctx, before)
	}
	return nil
}

// interrupted is what ended the context, if something did: every error follows
// from that.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// closeTime is the end of the second in which the last event lies.
func closeTime(last int64) int64 {
	second := last / 1000
	if last%1000 < 0 {
		second--
	}
	return (second + 1) * 1000
}

// sending is one run.
type sending struct {
	Options
	sent        int64
	last        int64 // the latest event time sent that may be closed
	duplicates  int64
	quarantined int64
	late        int64 // by the ledger, like future
	future      int64
	rejected    []string // the first few
	rows        int64    // lines of rows that the map could not read
	rowErrors   int64
	badRows     []string // the first few
	trouble     string   // what was last complained of
}

func (s *sending) print(ctx context.Context, events Reader) error {
	w := bufio.NewWriterSize(s.Out, 256<<10)
	for {
		e, err := s.next(events)
		if errors.Is(err, io.EOF) {
			return w.Flush()
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return errors.Join(err, w.Flush())
		}
		if _, err := fmt.Fprintf(w, "%s\n", e.Line); err != nil {
			return fmt.Errorf("print event: %w", err)
		}
		s.last = max(s.last, e.Time)
	}
}

// complain says why nothing gets through, once as long as the reason stays.
func (s *sending) complain(err error, _ time.Duration) {
	if text := err.Error(); text != s.trouble {
		s.trouble = text
		fmt.Fprintf(s.Log, "%s: trying again for up to %s\n", text, s.Service.patience())
	}
}

func (s *sending) connect() (publisher, func(), error) {
	if s.NATS == "" {
		return s.Service, func() {}, nil
	}
	stream, err := Connect(s.NATS)
	if err != nil {
		return nil, nil, err
	}
	return stream, stream.Disconnect, nil
}
