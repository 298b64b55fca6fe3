// Package app wires the service: it is the one place that knows all parts.
//
//	HTTP, NATS ─► jetstream EVENTS ─► lane: decode ─► sequence ─► partitions ─► merge
//	                  ▲                        │                               │  │  │
//	                ticks                      └─► LATE, DEADLETTERS           │  │  ├─► rules ─► outbox ─► webhooks
//	                                                                           │  │  └─► SIGNALS ─► webhooks
//	                                                                           │  └─► checkpoints ─► state
//	                              HTTP API, live page, /metrics ◄──────────────┘
package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/internal/api"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/remote"
	"github.com/tidewatch/tidewatch/internal/signals"
	"github.com/tidewatch/tidewatch/stream/jetstream"
)

// theLane is the name of the one lane that a service has.
const theLane = "0"

// Options are what a Service needs beside its configuration.
type Options struct {
	Log zerolog.Logger
	// AnyHost lets the HTTP side answer to any Host header: never on loopback, which
	// a rebound name reaches.
	AnyHost bool
	// Configured reads the configuration anew: a reload reads the rule files and that of the
	// receivers which it names by then. Without it they are those of the start.
	Configured func() (*config.Config, error)
	// Listener takes HTTP connections. By default config.Listen is opened.
	Listener net.Listener
}

// A Service is the whole product in one process.
type Service struct {
	*engine
	options  Options
	broker   *jetstream.Broker
	listener net.Listener
	server   *api.Server
	webhooks *signals.Webhooks

	checkpointing atomic.Bool // one is under way
	going         atomic.Bool // the lane goes on
	commitTrouble atomic.Pointer[error]
	committedAt   atomic.Int64                   // when the last epoch was, in Unix ms of the wall clock, 0 before it
	held          atomic.Pointer[jetstream.Info] // what the stream held at the last look
	recovery      *recovery
	parcels       chan *parcel // decoded or about to be, in order
	asks          chan *ask
	unsettled     chan struct{} // somebody waits for an epoch
	barriers      chan *barrier // merged, to be committed
	gate          gate
	background    background
	flight        *flight
	collecting    collecting // of whoever consumes
	sight         *sight
	batches       sync.Pool
	underWay      atomic.Int32 // parcels between sequence and the end of their merge
	untold        error        // why notifications are not durable; of whoever merges

	changed  broadcast
	clock    clock
	ticking  sync.Mutex            // held to set ticks by what is due
	ticks    *time.Timer           // when to look for a tick again
	gap      atomic.Bool           // the stream is not the one that was read
	stalled  atomic.Pointer[error] // why nothing is consumed
	stopping chan struct{}
	cancel   context.CancelFunc
	// stopReading has nothing more be taken from the stream.
	stopReading context.CancelFunc
	stop        sync.Once
	cleanups    []func() error
	goroutine   sync.WaitGroup
	failed      chan error
}

// New opens the state and the stream. What it has opened is closed again when it
// fails.
func New(ctx context.Context, c *config.Config, o Options) (_ *Service, err error) {
	s := &Service{options: o, stopping: make(chan struct{}), failed: make(chan error, 8),
		parcels: make(chan *parcel, 4), asks: make(chan *ask, 16), unsettled: make(chan struct{}, 1), barriers: make(chan *barrier, 1), gate: newGate(), flight: newFlight(), sight: newSight(), ticks: time.NewTimer(time.Hour)}
	s.changed.reset()
	s.clock.read = realClock()
	defer func() {
		if err != nil {
			err = errors.Join(err, s.cleanup())
		}
	}()
	if c, err = s.listen(c); err != nil {
		return nil, err
	}
	if s.engine, err = openEngine(c, engineOptions{Lane: theLane, Log: o.Log, Configured: o.Configured}); err != nil {
		return nil, err
	}
	s.onCleanup(s.engine.close)
	if s.broker, err = jetstream.Open(ctx, jetstream.Options{
		Dir: filepath.Join(c.Data, "stream"), URL: c.NATS.URL, Listen: c.NATS.Listen, MaxBytes: c.Retention.Size, MaxAge: c.Retention.Events,
		MaxClients: min(c.Limits.Connections, maxFiles()/4), Ahead: c.ClockErrors.Ahead, PassOver: c.Rebuild, Warn: s.warnBroker,
	}); err != nil {
		return nil, fmt.Errorf("open stream: %w", err)
	}
	s.onCleanup(s.broker.Close)
	if url := s.broker.ClientURL(); url != "" {
		s.log.Info().Str("url", url).Msg("NATS clients are let in")
	}
	if s.pseudonymise != nil && (c.NATS.URL != "" || c.NATS.Listen != "") {
		s.log.Warn().Msg("users.pseudonymise is for events over HTTP: what others publish on NATS is stored with the ids that it has")
	}
	if err := s.cutOff(ctx, s.broker); err != nil {
		return nil, fmt.Errorf("open stream: %w", err)
	}
	if s.recovery, err = s.begin(ctx, s.broker); err != nil {
		return nil, err
	}
	s.engine.put, s.engine.settle = s.put, s.settle
	s.await = s.sight.await
	if err := s.openOutputs(ctx); err != nil {
		return nil, err
	}
	if s.webhooks, err = signals.Open(ctx, s.broker, c.Signals.Webhooks, signals.Options{Metrics: s.metrics, Log: s.log}); err != nil {
		return nil, err
	}
	var written map[string]int64
	if last := s.store.Current(); last != nil {
		written = last.Manifest().Remote
	}
	if s.remote, err = remote.New(c.RemoteWrite, written, remote.Options{Series: s.engine, Sealed: s.writable, Metrics: s.metrics, Log: s.log}); err != nil {
		return nil, err
	}
	read, from := s.recovery.after(), uint64(0)
	if s.recovery.epoch != nil {
		from = read.Sequence + 1
	}
	if s.lane.source, err = s.broker.Source(ctx, from, read.Fingerprint); err != nil {
		return nil, fmt.Errorf("read stream: %w", err)
	}
	s.onCleanup(func() error { s.lane.source.Close(); return nil })
	s.lane.progress.position.Store(read.Sequence)
	s.lane.progress.end.Store(s.lane.source.End())
	s.server = s.web()
	return s, nil
}

// writable is up to where stores can be written to: not before queries are answered.
func (s *Service) writable() int64 {
	if s.Ready() != nil {
		return 0
	}
	return s.sealedTo()
}

// listen opens the HTTP address; the configuration it returns names its port,
// for links.
func (s *Service) listen(c *config.Config) (_ *config.Config, err error) {
	if s.listener = s.options.Listener; s.listener != nil {
		return c, nil
	}
	if s.listener, err = net.Listen("tcp", c.Listen); err != nil {
		return nil, fmt.Errorf("listen on %s: %w: stop what listens there, or choose another with --listen", c.Listen, err)
	}
	s.onCleanup(func() error { // the server may have closed it
		if err := s.listener.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	host, _, _ := net.SplitHostPort(c.Listen)
	_, port, _ := net.SplitHostPort(s.listener.Addr().String())
	open := *c
	open.Listen = net.JoinHostPort(host, port)
	return &open, nil
}

func (s *Service) onCleanup(f func() error) { s.cleanups = append(s.cleanups, f) }

// cleanup closes what New opened, the last first.
func (s *Service) cleanup() error {
	var errs []error
	for _, f := range slices.Backward(s.cleanups) {
		errs = append(errs, f())
	}
	s.cleanups = nil
	return errors.Join(errs...)
}

// Addr is the address of the HTTP side.
func (s *Service) Addr() net.Addr { return s.listener.Addr() }

// URL is where the HTTP side is reached.
func (s *Service) URL() string { return config.Reach(s.config.Listen) }

// Start begins to answer, restores the state, then consumes.
func (s *Service) Start() {
	s.lane.progress.lastEvent.Store(time.Now().UnixMilli())
	ctx, cancel := context.WithCancel(context.Background())
	reading, stopReading := context.WithCancel(ctx)
	s.cancel, s.stopReading = cancel, stopReading
	s.deliver.Start()
	s.run(func() error { return s.consume(reading) })
	s.run(func() error { return s.tick(reading) })
	s.run(func() error { return s.purge(ctx) })
	s.run(func() error { return s.lane.outputs.run(ctx) })
	s.run(func() error { return s.lane.signals.run(ctx) })
	s.goroutine.Go(func() { s.webhooks.Run(ctx) })
	s.goroutine.Go(func() { s.remote.Run(ctx) })
	s.run(func() error {
		if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve HTTP: %w", err)
		}
		return nil
	})
}

// run starts a goroutine whose error ends the service.
func (s *Service) run(f func() error) {
	s.goroutine.Go(func() {
		if err := f(); err != nil && !errors.Is(err, context.Canceled) {
			select {
			case s.failed <- err:
			default:
			}
		}
	})
}

// Failed delivers the error that made the service unable to go on.
func (s *Service) Failed() <-chan error { return s.failed }

// drainFor is how long a stop waits for requests that are being answered.
const drainFor = 2 * time.Second

// Stop ends the service, started or not: HTTP is drained, what is under way is
// committed. It is bounded by ctx and may be called again.
func (s *Service) Stop(ctx context.Context) (err error) {
	s.stop.Do(func() {
		began := time.Now()
		close(s.stopping)
		s.background.end()
		s.lane.hurry.Store(true)
		if s.stopReading != nil {
			s.stopReading()
		}
		draining, drained := context.WithTimeout(ctx, drainFor)
		if s.server.Shutdown(draining) != nil {
			s.server.Close()
			s.log.Warn().Msg("slow connections were cut")
		}
		drained()
		if s.cancel != nil {
			s.cancel()
		}
		done := make(chan error, 1)
		go func() {
			s.goroutine.Wait()
			s.deliver.Stop(ctx)
			done <- s.cleanup()
		}()
		select {
		case err = <-done:
			s.logStop(time.Since(began))
		case <-ctx.Done(): // as after a crash, which loses nothing
			s.logStop(time.Since(began))
		}
	})
	return err
}

// logStop says what an orderly stop left behind.
func (s *Service) logStop(took time.Duration) {
	read, kept := s.lane.progress.position.Load(), s.lane.progress.committed.Load()
	if read > kept {
		s.log.Warn().Int64("ms", took.Milliseconds()).Uint64("from", kept+1).Uint64("to", read).Msg("stopped: messages that no checkpoint has are read again at the next start")
		return
	}
	s.log.Info().Int64("ms", took.Milliseconds()).Uint64("position", kept).Msg("stopped: all that was read is committed")
}

// warnBroker passes on what the broker's server says. That it rebuilds an index
// after an unclean stop is no reason to worry.
func (s *Service) warnBroker(msg string) {
	level := zerolog.WarnLevel
	if strings.Contains(msg, "Stream state outdated") || strings.Contains(msg, "prior state file") {
		level = zerolog.InfoLevel
	}
	s.log.WithLevel(level).Str("from", "nats").Msg(msg)
}
