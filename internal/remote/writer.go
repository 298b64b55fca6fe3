package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/courier"
	"github.com/tidewatch/tidewatch/internal/exposition"
	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/internal/queryable"
	"github.com/tidewatch/tidewatch/internal/redact"
	"github.com/tidewatch/tidewatch/internal/retry"
)

// every is how often it is looked for what is sealed since.
const every = 5 * time.Second

// piece is how much event time is read at once.
const piece = 10 * time.Minute

// Options are what writers stand on.
type Options struct {
	Series queryable.Source
	// Sealed is the event time up to which nothing changes any more, in ms; 0 while that
	// is not known.
	Sealed func() int64
	// Metrics takes the tidewatch_remote_write_* metrics.
	Metrics *metrics.Set
	Log     zerolog.Logger
}

// Writers write into all stores of a configuration.
type Writers []*writer

// A writer writes into a store.
type writer struct {
	Options
	store   config.RemoteWrite
	name    string // or its address without secrets
	matches [][]*labels.Matcher
	client  *http.Client
	// written is up to where the store has everything, in ms; 0 before it begins.
	written atomic.Int64

	samples, refused *metrics.Counter
}

// New writes into the stores from where they were; those that are not among the
// positions begin with what is sealed from now on.
func New(stores []config.RemoteWrite, positions map[string]int64, o Options) (Writers, error) {
	var out Writers
	for _, c := range stores {
		w := &writer{Options: o, store: c, name: cmp.Or(c.Name, redact.URL(c.URL)), client: courier.NewClient()}
		w.Log = o.Log.With().Str("remote_write", w.name).Logger()
		for _, text := range c.Match {
			m, err := expression.Language.ParseMetricSelector(text)
			if err != nil {
				return nil, fmt.Errorf("remote_write: match %s: %w", text, err)
			}
			w.matches = append(w.matches, m)
		}
		at := positions[c.ID()]
		if at == 0 && !slices.ContainsFunc(stores, func(other config.RemoteWrite) bool { return other.ID() == c.URL }) {
			at = positions[c.URL] // it had no name before
		}
		w.written.Store(at)
		name := func(metric, outcome string) string {
			return metric + exposition.Labels("store", w.name, "outcome", outcome)
		}
		w.samples = o.Metrics.GetOrCreateCounter(name("tidewatch_remote_write_samples_total", "written"))
		w.refused = o.Metrics.GetOrCreateCounter(name("tidewatch_remote_write_samples_total", "refused"))
		o.Metrics.GetOrCreateGauge("tidewatch_remote_write_behind_seconds"+exposition.Labels("store", w.name), func() float64 {
			sealed, written := o.Sealed(), w.written.Load()
			if sealed == 0 || written == 0 {
				return 0
			}
			return float64(max(sealed-written, 0)) / 1000
		})
		out = append(out, w)
	}
	return out, nil
}

// Positions are up to where the stores have everything, in ms, by their IDs.
func (ws Writers) Positions() map[string]int64 {
	out := map[string]int64{}
	for _, w := range ws {
		if at := w.written.Load(); at != 0 {
			out[w.store.ID()] = at
		}
	}
	return out
}

// Run writes until ctx ends.
func (ws Writers) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, w := range ws {
		all.Go(func() { w.run(ctx) })
	}
	all.Wait()
}

func (w *writer) run(ctx context.Context) {
	defer w.client.CloseIdleConnections()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		w.catchUp(ctx)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// catchUp writes what is sealed and not written yet.
func (w *writer) catchUp(ctx context.Context) {
	sealed := w.Sealed()
	if sealed == 0 {
		return
	}
	if w.written.Load() == 0 {
		w.written.Store(sealed)
	}
	for from := w.written.Load(); from < sealed; from = w.written.Load() {
		to := min(sealed, from+piece.Milliseconds())
		err := w.write(ctx, from, to)
		if lost, ok := errors.AsType[*queryable.LostError](err); ok {
			w.Log.Error().Err(lost).Msg("some of what was to be written is lost, and left out")
			err = nil
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			w.Log.Error().Err(err).Msg("read what is to be written")
			return
		}
		w.written.Store(to)
	}
}

// write writes what is sealed in (from, to].
func (w *writer) write(ctx context.Context, from, to int64) error {
	var lost error
	r := &request{}
	for _, m := range w.matches {
		err := queryable.Export(ctx, w.Series, from, to, m, func(s queryable.Series) error {
			for len(s.Points) > 0 {
				if s = r.add(s); !r.full() {
					continue
				}
				if err := w.send(ctx, r); err != nil {
					return err
				}
				r = &request{}
			}
			return nil
		})
		if _, ok := errors.AsType[*queryable.LostError](err); ok {
			lost = err
		} else if err != nil {
			return err
		}
	}
	if r.samples > 0 {
		if err := w.send(ctx, r); err != nil {
			return err
		}
	}
	return lost
}

// maxRefusals is how many parts of a request are refused before it is no longer split:
// enough to find a few series among thousands.
const maxRefusals = 100

// A refusal is what a store will never take of a request.
type refusal struct {
	parts, samples int
	why            error
}

// send has the store take a request, but for what it will never take.
func (w *writer) send(ctx context.Context, r *request) error {
	var refused refusal
	err := w.offer(ctx, r, &refused)
	if refused.samples > 0 {
		w.refused.Add(refused.samples)
		w.Log.Error().Str("error", refused.why.Error()).Int("samples", refused.samples).Msg("the store refuses samples, and does not get them: those older than it takes, or out of its order, it takes with out_of_order_time_window")
	}
	return err
}

// offer posts a request until the store takes it. What it will never take is looked for by
// halves: some stores refuse a request for one sample, or for its size.
func (w *writer) offer(ctx context.Context, r *request, refused *refusal) error {
	why, err := w.try(ctx, r)
	switch {
	case err != nil:
		return err
	case why == nil:
		w.samples.Add(r.samples)
		return nil
	}
	refused.parts++
	first, last, ok := r.halves()
	if !ok || refused.parts >= maxRefusals {
		refused.samples, refused.why = refused.samples+r.samples, why
		return nil
	}
	if err := w.offer(ctx, first, refused); err != nil {
		return err
	}
	return w.offer(ctx, last, refused)
}

// try posts a request until the store takes it, or says why it never will.
func (w *writer) try(ctx context.Context, r *request) (refused, err error) {
	body, err := r.body()
	if err != nil {
		return nil, err
	}
	for failures := 1; ; failures++ {
		a := w.post(ctx, body)
		if a.Err == nil {
			return nil, nil
		}
		switch a.Code {
		case http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity: // again it would be refused again
			return a.Err, nil
		}
		w.Log.Warn().Str("error", a.Err.Error()).Int("attempts", failures).Msg("remote write is tried again")
		pause := time.NewTimer(max(retry.Pause(failures, a.Refused), a.After))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return nil, ctx.Err()
		}
	}
}

func (w *writer) post(ctx context.Context, body []byte) courier.Attempt {
	header, err := headerFor(&w.store)
	if err != nil {
		return courier.Attempt{Err: err, Refused: true}
	}
	return courier.Post(ctx, w.client, w.store.URL, header, body)
}
