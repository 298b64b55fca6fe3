package app

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/prometheus/prometheus/promql"
	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/alertmanager"
	"github.com/tidewatch/tidewatch/alerts/delivery"
	"github.com/tidewatch/tidewatch/internal/api"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/internal/queryable"
	"github.com/tidewatch/tidewatch/internal/remote"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/state"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/merge"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// An engine is what the service computes with: definitions, the lane, rules,
// and the state that they survive in. It knows no broker, no HTTP and no clock;
// whoever has it (Service with a pipeline of goroutines, Replica in line) gives
// it messages and says when to make an epoch.
type engine struct {
	config    *config.Config
	log       zerolog.Logger
	timing    stream.Timing
	catalogue *kpi.Catalogue
	plan      *plan.Plan
	key       stream.HashKey
	laneName  string
	// pseudonymise makes what replaces the ids of users; nil: they are kept as they come.
	pseudonymise func() *stream.Pseudonymiser
	lane         *lane
	// remote are the stores that are written to; a replica has none.
	remote    remote.Writers
	ripenings atomic.Pointer[ripenings]

	given         *alerts.Engine // the rules to begin with
	rules         atomic.Pointer[ruleset]
	coming        atomic.Pointer[turnover] // rules and receivers that wait to be at work
	configured    func() (*config.Config, error)
	reloading     sync.Mutex
	reloads       reloads
	promql        *promql.Engine // of rules and what they record
	frames        *queryable.Cache
	deliver       *delivery.Deliverer
	receivers     *delivery.Receivers // those that are told; of whoever merges
	alertmanager  *alertmanager.API
	alerted       int64 // event time of the last evaluation
	notifications []alerts.Notification
	judged        bool // as of about the time by the clock, since the start

	store        *state.Store
	created      time.Time // of the stream
	whole        bool      // the stream has its first message
	empty        bool      // the stream has none
	damage       []string  // of the stream, as it was found
	former       int64     // event time in ms of the earliest event before a rebuild, 0 for none
	fresh        bool      // all is computed anew, and has not come to an event yet
	number       uint64    // of the last checkpoint that was begun
	checkpointed position  // where that was
	commits      commits

	metrics *metrics.Set
	// put has the lane answer what is beyond closed windows.
	put func(ctx context.Context, a *ask) (*merge.Live, error)
	// settle returns once an epoch has what is in. nil: epochs are made by who reads.
	settle func(ctx context.Context)
	// await returns once what is in is shown. nil: it always is.
	await func()
}

// engineOptions are what an engine needs beside its configuration.
type engineOptions struct {
	Lane string // the name of the lane
	Log  zerolog.Logger
	// Catalogue is that of the configuration, nil to read it.
	Catalogue *kpi.Catalogue
	// Configured is that of Options.
	Configured func() (*config.Config, error)
	// Deliver and State are completed by openEngine.
	Deliver delivery.Options
	State   state.Options
}

// Sealed windows are kept for who reads them again: in so many bytes at the most, and in so
// small a share of the memory budget.
const (
	maxFrameRoom = 64 << 20
	frameShare   = 32
)

// openEngine reads the definitions and opens the state.
func openEngine(c *config.Config, o engineOptions) (_ *engine, err error) {
	e := &engine{config: c, configured: o.Configured, laneName: o.Lane, log: o.Log, metrics: metrics.NewSet(),
		timing: timingOf(c)}
	d, err := loadDefinitions(c, o.Catalogue)
	if err != nil {
		return nil, err
	}
	for _, w := range d.Warnings {
		e.log.Warn().Msg(w.Error())
	}
	for _, why := range d.Inapplicable {
		e.log.Info().Msgf("default %v", why)
	}
	e.catalogue, e.given, e.receivers, o.State.Kept = d.Catalogue, d.Rules, d.Receivers, d.Kept
	e.reloads.took(time.Now())
	tightened, err := state.Private(c.Data)
	if err != nil {
		return nil, fmt.Errorf("create data folder: %w", err)
	}
	if tightened {
		e.log.Warn().Str("data", c.Data).Msg("the data folder was open to others: its mode is 0700 now")
	}
	o.State.Log = e.logState
	if e.store, err = state.Open(filepath.Join(c.Data, "state"), o.State); err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	o.Deliver.Metrics, o.Deliver.Location = e.metrics, c.Location
	for _, a := range c.Alertmanagers {
		o.Deliver.Alertmanagers = append(o.Deliver.Alertmanagers, delivery.Alertmanager{URL: a.URL, BearerTokenFile: a.BearerTokenFile})
	}
	o.Deliver.Firing = func() []alerts.Notification { return e.rules.Load().Firing() }
	o.Deliver.Unjudged = true
	o.Deliver.Standing = func(n alerts.Notification) alerts.Notification {
		if rules := e.rules.Load(); rules != nil { // what is owed at the start is told before they are at work
			return rules.Standing(n)
		}
		return n
	}
	told := o.Deliver.Log
	o.Deliver.Log = func(d delivery.Delivery) {
		e.logDelivery(d)
		if told != nil {
			told(d)
		}
	}
	if e.deliver, err = delivery.New(d.Receivers, e.store.Outbox(), o.Deliver); err != nil {
		e.store.Close()
		return nil, fmt.Errorf("open outbox: %w", err)
	}
	if e.alertmanager, err = alertmanager.New(e.deliver, d.Receivers, c.URL(), func() []alerts.Notification { return e.rules.Load().Firing() }); err != nil {
		e.store.Close()
		return nil, err
	}
	if e.pseudonymise, err = pseudonymisers(c); err != nil {
		e.store.Close()
		return nil, err
	}
	return e, nil
}

// timingOf is how a configuration has time read.
func timingOf(c *config.Config) stream.Timing {
	return stream.Timing{Disorder: c.Disorder, Lateness: c.Lateness, DedupWindow: c.DedupWindow}
}

func (e *engine) close() error { return e.store.Close() }

// prepare makes the parts that depend on the key by which users are hashed.
func (e *engine) prepare(key stream.HashKey) (err error) {
	e.key = key
	if e.plan, err = plan.New(e.catalogue, key); err != nil {
		return err
	}
	partitions := e.config.Partitions
	if partitions == 0 {
		partitions = runtime.NumCPU()
	}
	e.lane = newLane(e.laneName, e.plan, e.timing, partitions)
	e.ripenings.Store(&ripenings{})
	e.promql, e.frames = expression.NewEngine(alerts.MaxSamples), queryable.NewCache(int(min(e.config.MemoryBudget/frameShare, maxFrameRoom)))
	rules, err := e.newRuleset(e.given)
	if err == nil {
		e.adopt(rules)
	}
	return err
}

// deps is what the HTTP side needs of an engine.
func (e *engine) deps() api.Deps {
	return api.Deps{
		Alerts: e, Alertmanager: e.alertmanager, Backtester: e, Reload: e.reloadAsked, Users: e, NewChecker: func() api.Checker { return stream.NewChecker(e.plan.Events.Schema, e.key) }, HashKey: e.key,
		NewPseudonymiser: e.pseudonymise, Series: e.recorded(queryable.WithAlerts(queryable.New(e, e.frames), e.alertsBetween)), Metrics: e.metrics, Log: e.log, Listen: e.config.Listen, ExternalURL: e.config.ExternalURL,
	}
}

func (e *engine) logState(level, message string) {
	l, err := zerolog.ParseLevel(level)
	if err != nil {
		l = zerolog.InfoLevel
	}
	e.log.WithLevel(l).Str("from", "state").Msg(message)
}

func (e *engine) logDelivery(d delivery.Delivery) {
	entry := e.log.Info()
	if d.Outcome != delivery.Delivered {
		entry = e.log.Warn().Str("error", d.Error)
	}
	entry.Str("rule", d.Rule).Any("labels", d.Labels).Str("status", string(d.Status)).Str("receiver", d.Receiver).Int("attempts", d.Attempts).Msg("notification " + string(d.Outcome))
}
