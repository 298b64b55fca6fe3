// Package app wires the service: it is the one place that knows all parts.
//
//	HTTP, NATS ─► jetstream EVENTS ─► lane: decode ─► sequence ─► partitions ─► merge
//	                  ▲                        │                               │  │  │
//	                ticks                      └─► LATE, DEADLETTERS           │  │  └─► rules ─► outbox ─► webhooks
//	                                                                           │  └─► checkpoints ─► state
//	                              HTTP API, live page, /metrics ◄──────────────┘
package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/dashboards"
	"github.com/tidewatch/tidewatch/internal/api"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/state"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/stream/jetstream"
	"github.com/tidewatch/tidewatch/windows"
)

// laneName is the one lane.
const laneName = "0"

// Options are what a Service needs beside its configuration.
type Options struct {
	Log zerolog.Logger
	// AnyHost lets the HTTP side answer to any Host header on an address that
	// is not loopback.
	AnyHost bool
	// Listener takes HTTP connections. By default config.Listen is opened.
	Listener net.Listener
}

// A Service is the whole product in one process.
type Service struct {
	config    *config.Config
	options   Options
	log       zerolog.Logger
	timing    stream.Timing
	catalogue *kpi.Catalogue

	store    *state.Store
	broker   *jetstream.Broker
	plan     *windows.Plan
	key      stream.HashKey
	lane     *lane
	rules    *alerts.Engine
	deliver  *alerts.Deliverer
	outputs  *outputs
	metrics  *metrics.Set
	listener net.Listener
	server   *http.Server

	created       time.Time // of the stream
	number        uint64    // of the last checkpoint that was marked
	marked        position  // where that was
	marking       atomic.Bool
	commits       commits
	commitTrouble atomic.Pointer[string]
	alerted       int64 // event time of the last evaluation
	notifications []alerts.Notification
	source        *jetstream.Source
	parcels       chan *parcel // decoded or about to be, in order
	asks          chan *ask
	marks         chan *mark // merged, to be committed
	batches       sync.Pool

	changed   broadcast
	progress  progress
	stalled   atomic.Pointer[string] // why nothing is consumed
	stopping  chan struct{}
	cancel    context.CancelFunc
	stop      sync.Once
	cleanups  []func()
	goroutine sync.WaitGroup
	failed    chan error
}

// progress is what the goroutines tell each other, all in Unix milliseconds of
// the wall clock unless said otherwise.
type progress struct {
	ready       atomic.Bool
	position    atomic.Uint64 // of the stream, merged
	lastEvent   atomic.Int64  // when the last message that is no tick was read
	lastMessage atomic.Int64
	checkpoint  atomic.Int64  // when the last one was committed
	replayFrom  atomic.Uint64 // what the older kept epoch needs
	timed       atomic.Bool   // there is a watermark
}

// New opens the state and the stream and recovers. What it has opened is
// closed again when it fails.
func New(ctx context.Context, c *config.Config, o Options) (_ *Service, err error) {
	s := &Service{config: c, options: o, log: o.Log, metrics: metrics.NewSet(), stopping: make(chan struct{}), failed: make(chan error, 8),
		timing:  stream.Timing{Disorder: c.Disorder, Lateness: c.Lateness, DedupWindow: c.DedupWindow},
		parcels: make(chan *parcel, 4), asks: make(chan *ask, 16), marks: make(chan *mark, 1)}
	s.changed.reset()
	defer func() {
		if err != nil {
			s.cleanup()
		}
	}()
	if s.catalogue, err = loadCatalogue(c); err != nil {
		return nil, err
	}
	if s.rules, err = loadRules(c, s.catalogue); err != nil {
		return nil, err
	}
	receivers, err := loadReceivers(c)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fmt.Errorf("create data folder: %w", err)
	}
	kept, err := keptFor(c, s.catalogue)
	if err != nil {
		return nil, err
	}
	if s.store, err = state.Open(filepath.Join(c.Data, "state"), state.Options{Kept: kept, Log: s.logState}); err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	s.onCleanup(func() { s.store.Close() })
	if s.broker, err = jetstream.Open(ctx, jetstream.Options{
		Dir: filepath.Join(c.Data, "stream"), URL: c.NATS.URL, Listen: c.NATS.Listen, MaxBytes: c.Retention.Size, MaxAge: c.Retention.Events,
		Warn: func(msg string) { s.log.Warn().Str("from", "nats").Msg(msg) },
	}); err != nil {
		return nil, fmt.Errorf("open stream: %w", err)
	}
	s.onCleanup(func() { s.broker.Close() })
	info, err := s.broker.Info(ctx)
	if err != nil {
		return nil, fmt.Errorf("open stream: %w", err)
	}
	s.created = info.Created
	if s.deliver, err = alerts.NewDeliverer(receivers, outbox{s.store}, alerts.DeliverOptions{Metrics: s.metrics, Log: s.logDelivery}); err != nil {
		return nil, fmt.Errorf("open outbox: %w", err)
	}
	from, err := s.recover(ctx)
	if err != nil {
		return nil, err
	}
	s.lane.merger.OnClose, s.lane.merger.Deadline = s.evaluate, s.deadline
	if s.outputs, err = s.newOutputs(ctx); err != nil {
		return nil, err
	}
	if s.source, err = s.broker.Source(ctx, from); err != nil {
		return nil, fmt.Errorf("read stream: %w", err)
	}
	s.progress.ready.Store(s.lane.quietTo < max(from, 1))
	s.progress.timed.Store(s.lane.sequencer.Watermark() != stream.NoTime)
	if s.listener = o.Listener; s.listener == nil {
		if s.listener, err = net.Listen("tcp", c.Listen); err != nil {
			return nil, fmt.Errorf("listen on %s: %w: choose another with --listen", c.Listen, err)
		}
		s.onCleanup(func() { s.listener.Close() })
	}
	s.server = api.NewServer(s.handler())
	return s, nil
}

// prepare makes the engine's parts for the key by which users are hashed.
func (s *Service) prepare(key stream.HashKey) (err error) {
	s.key = key
	if s.plan, err = windows.NewPlan(s.catalogue, key); err != nil {
		return err
	}
	partitions := s.config.Partitions
	if partitions == 0 {
		partitions = runtime.NumCPU()
	}
	s.lane = newLane(s.plan, s.timing, partitions)
	return nil
}

func (s *Service) onCleanup(f func()) { s.cleanups = append(s.cleanups, f) }

// cleanup closes what New opened, the last first.
func (s *Service) cleanup() {
	for i := len(s.cleanups) - 1; i >= 0; i-- {
		s.cleanups[i]()
	}
	s.cleanups = nil
}

// Addr is the address of the HTTP side.
func (s *Service) Addr() net.Addr { return s.listener.Addr() }

// Start begins to consume, to deliver and to answer.
func (s *Service) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.deliver.Start()
	s.startPipeline(ctx)
	s.run(func() error { return s.tick(ctx) })
	s.run(func() error { return s.purge(ctx) })
	s.run(func() error { return s.outputs.run(ctx) })
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

// Stop ends the service: HTTP is drained, what was read is committed. It is
// bounded by ctx and may be called again.
func (s *Service) Stop(ctx context.Context) (err error) {
	s.stop.Do(func() {
		close(s.stopping)
		err = s.server.Shutdown(ctx)
		if err != nil {
			s.server.Close()
		}
		s.cancel()
		s.goroutine.Wait()
		s.deliver.Stop(ctx)
		s.cleanup()
	})
	return err
}

func loadCatalogue(c *config.Config) (*kpi.Catalogue, error) {
	var files []kpi.File
	for _, name := range c.KPIs {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read KPIs: %w", err)
		}
		files = append(files, kpi.File{Name: name, Data: data})
	}
	return kpi.Load(c.Location, files...)
}

// loadRules reads the rule files, or the default ones without any. Default
// rules over KPIs that were dropped do not apply.
func loadRules(c *config.Config, catalogue *kpi.Catalogue) (*alerts.Engine, error) {
	var files []*alerts.RuleFile
	var errs []error
	for _, name := range c.Rules {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read rules: %w", err)
		}
		f, err := alerts.LoadRules(name, data)
		if err == nil {
			err = f.Check(catalogue)
		}
		errs = append(errs, err)
		files = append(files, f)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if len(c.Rules) == 0 {
		f, err := alerts.LoadRules("default rules", alerts.DefaultRules)
		if err != nil {
			return nil, err
		}
		if f.Check(catalogue) == nil {
			files = append(files, f)
		}
	}
	return alerts.NewEngine(files, catalogue, alerts.EngineOptions{ExternalURL: "http://" + c.Listen})
}

func loadReceivers(c *config.Config) (*alerts.Receivers, error) {
	if c.Alertmanager == "" {
		return nil, nil
	}
	data, err := os.ReadFile(c.Alertmanager)
	if err != nil {
		return nil, fmt.Errorf("read receivers: %w", err)
	}
	return alerts.LoadReceivers(c.Alertmanager, data)
}

// keptFor is the retention of history by window.
func keptFor(c *config.Config, catalogue *kpi.Catalogue) (map[kpi.Window]time.Duration, error) {
	out := map[kpi.Window]time.Duration{}
	for _, k := range catalogue.KPIs {
		for _, w := range k.Windows {
			if d, ok := c.Retention.History["other"]; ok {
				out[w] = d
			}
		}
	}
	for name, d := range c.Retention.History {
		if name == "other" {
			continue
		}
		w, err := kpi.ParseWindow(name)
		if err != nil {
			return nil, fmt.Errorf("retention.history: %w", err)
		}
		out[w] = d
	}
	return out, nil
}

func (s *Service) logState(level, message string) {
	l, err := zerolog.ParseLevel(level)
	if err != nil {
		l = zerolog.InfoLevel
	}
	s.log.WithLevel(l).Str("from", "state").Msg(message)
}

func (s *Service) logDelivery(d alerts.Delivery) {
	e := s.log.Info()
	if d.Outcome != alerts.Delivered {
		e = s.log.Warn().Str("error", d.Error)
	}
	e.Str("rule", d.Rule).Str("status", string(d.Status)).Str("receiver", d.Receiver).Int("attempts", d.Attempts).Msg("notification " + string(d.Outcome))
}

// outbox is the store as the deliverer wants it.
type outbox struct{ store *state.Store }

func (o outbox) Put(entries map[string][]byte) error {
	for id, data := range entries {
		if err := o.store.PutOutbox(id, data); err != nil {
			return err
		}
	}
	return nil
}

func (o outbox) Delete(ids ...string) error {
	for _, id := range ids {
		if err := o.store.DeleteOutbox(id); err != nil {
			return err
		}
	}
	return nil
}

func (o outbox) All() (map[string][]byte, error) { return o.store.Outbox(), nil }

func (s *Service) handler() http.Handler {
	return api.New(api.Deps{
		Engine: s, Ingest: ingester{s}, Alerts: s, NewChecker: func() api.Checker { return stream.NewDecoder(s.plan.Schema, s.key) },
		HashKey: s.key, Page: dashboards.Page(), KPIs: s, Metrics: s.metrics, Log: s.log,
		Listen: s.config.Listen, AnyHost: s.options.AnyHost, Stopping: s.stopping,
	})
}
