package jetstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidewatch/tidewatch/internal/redact"
)

// Options say where the streams live. The zero value embeds a server that
// keeps them in "jetstream" under the working directory.
type Options struct {
	// Dir is where the embedded server stores the streams.
	// By default "jetstream".
	Dir string
	// URL is a NATS server or cluster to use in place of the embedded server.
	URL string
	// Listen is the host:port on which the embedded server takes TCP clients.
	// By default it opens no port.
	Listen string
	// MaxClients bounds the TCP clients of the embedded server. By default 64 Ki.
	MaxClients int
	// MaxBytes bounds EVENTS; beyond it appends fail with ErrFull.
	// By default 10 GiB.
	MaxBytes int64
	// MaxAge is how long late events and dead letters are kept. It does not
	// touch EVENTS, see Purge. By default 7 days.
	MaxAge time.Duration
	// MinFree is the room on the disk below which appends fail with ErrNoRoom:
	// JetStream does not recover from a full disk by itself.
	// By default 256 MiB; negative turns the check off.
	MinFree int64
	// NoSync turns off the sync of every write. For benchmarks only.
	NoSync bool
	// Ahead is by how many milliseconds the server's clock was ahead when it
	// stored a message of EVENTS. By default it never was.
	Ahead func(sequence uint64) int64
	// PassOver has sources go on behind messages that the stream has lost. By
	// default they end with a *GapError.
	PassOver bool
	// Warn takes the server's warnings and errors. By default they are lost.
	Warn func(msg string)
}

func (o Options) withDefaults() Options {
	if o.Dir == "" {
		o.Dir = "jetstream"
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 10 << 30
	}
	if o.MaxAge == 0 {
		o.MaxAge = 7 * 24 * time.Hour
	}
	if o.MinFree == 0 {
		o.MinFree = 256 << 20
	}
	if o.Ahead == nil {
		o.Ahead = func(uint64) int64 { return 0 }
	}
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	return o
}

// ErrFull says that a stream has no room. It passes once Purge has made some.
var ErrFull = errors.New("event stream is full: wait until older events are purged, or raise its size")

// ErrClosed is returned by a Broker after Close.
var ErrClosed = errors.New("broker is closed")

// A Broker is a connection to the streams. Its methods may be called from
// several goroutines.
type Broker struct {
	o      Options
	server *embedded // nil with a URL
	// Reads and writes have a connection each, so that acknowledgements do
	// not queue behind megabytes of events.
	read, write *nats.Conn
	readJS      jetstream.JetStream
	writeJS     jetstream.JetStream
	room        room
	group       committer
	ackTimeout  time.Duration
	reviveTime  time.Duration

	done    chan struct{} // closed by Close
	mu      sync.Mutex
	sources map[*Source]struct{}
	closed  bool
}

// Open starts the embedded server, or joins the one at o.URL, and makes the
// streams that are missing.
func Open(ctx context.Context, o Options) (*Broker, error) {
	b := newBroker(o.withDefaults())
	if err := b.open(ctx); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// Join connects to the server at o.URL to read its streams: it makes and changes none.
func Join(o Options) (*Broker, error) {
	b := newBroker(o.withDefaults())
	if err := b.openReader(); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

func newBroker(o Options) *Broker {
	return &Broker{
		o: o, ackTimeout: ackTimeout, reviveTime: reviveTime,
		done: make(chan struct{}), sources: map[*Source]struct{}{},
	}
}

func (b *Broker) open(ctx context.Context) (err error) {
	if b.o.URL == "" {
		b.room.dir, b.room.min = b.o.Dir, b.o.MinFree
		if b.server, err = embed(b.o); err != nil {
			return err
		}
	}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	if err := b.openReader(); err != nil {
		return err
	}
	if b.write, err = b.connect("tidewatch writer", nil); err != nil {
		return err
	}
	b.writeJS, err = jetstream.New(b.write,
		jetstream.WithPublishAsyncMaxPending(maxFlying),
		jetstream.WithPublishAsyncTimeout(b.ackTimeout))
	if err != nil {
		return fmt.Errorf("open JetStream: %w", err)
	}
	b.group.send = b.send
	return nil
}

// openReader opens the connection for reads.
func (b *Broker) openReader() (err error) {
	if b.read, err = b.connect("tidewatch reader", b.wake); err != nil {
		return err
	}
	if b.readJS, err = jetstream.New(b.read); err != nil {
		return fmt.Errorf("open JetStream: %w", err)
	}
	return nil
}

// prepare makes the streams on a connection of its own.
func (b *Broker) prepare(ctx context.Context) error {
	nc, err := b.connect("tidewatch set-up", nil)
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return fmt.Errorf("open JetStream: %w", err)
	}
	made, err := ensureStreams(ctx, js, b.o)
	if err != nil {
		return err
	}
	if made && b.server != nil {
		// A crash soon after the creation of a stream has lost it; a clean
		// restart writes down all of it.
		return b.server.restart()
	}
	return nil
}

func (b *Broker) connect(name string, reconnected func()) (*nats.Conn, error) {
	opts := []nats.Option{
		nats.Name(name),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(50 * time.Millisecond),
		// A write during an outage fails at once; the client repeats it.
		nats.ReconnectBufSize(-1),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			b.o.Warn(name + ": " + redact.Error(err, b.o.URL).Error())
		}),
	}
	if reconnected != nil {
		opts = append(opts, nats.ReconnectHandler(func(*nats.Conn) { reconnected() }))
	}
	if b.server != nil {
		opts = append(opts, nats.InProcessServer(b.server))
	}
	nc, err := nats.Connect(b.o.URL, opts...)
	if err != nil && b.o.URL != "" {
		return nil, fmt.Errorf("connect to NATS at %s: %w", redact.URL(b.o.URL), redact.Error(err, b.o.URL))
	}
	if err != nil {
		return nil, fmt.Errorf("connect to the embedded NATS server: %w", err)
	}
	return nc, nil
}

// Room is ErrNoRoom while the disk below the streams takes no more.
func (b *Broker) Room() error { return b.room.check() }

// wake makes every source check its place in the stream anew.
func (b *Broker) wake() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := range b.sources {
		s.wakeUp()
	}
}

func (b *Broker) add(s *Source) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return ErrClosed
	}
	b.sources[s] = struct{}{}
	return nil
}

func (b *Broker) remove(s *Source) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.sources, s)
}

// ClientURL is where TCP clients reach the embedded server, "" when it
// listens on no port.
func (b *Broker) ClientURL() string {
	if b.server == nil || b.o.Listen == "" {
		return ""
	}
	return b.server.url()
}

const closeTimeout = 10 * time.Second

// Close ends what is in flight, within 10 s, and stops the embedded server.
func (b *Broker) Close() error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil
	}
	b.closed = true
	close(b.done)
	b.mu.Unlock()

	late := !b.group.stop(closeTimeout)
	for _, nc := range []*nats.Conn{b.write, b.read} {
		if nc != nil {
			nc.Close()
		}
	}
	if b.server != nil {
		late = !b.server.stop(closeTimeout) || late
	}
	if late {
		return fmt.Errorf("close broker: not done after %s", closeTimeout)
	}
	return nil
}
