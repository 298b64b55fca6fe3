package signals

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/rs/zerolog"
	"github.com/zeebo/xxh3"

	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/courier"
	"github.com/tidewatch/tidewatch/internal/exposition"
	"github.com/tidewatch/tidewatch/internal/retry"
	"github.com/tidewatch/tidewatch/stream/jetstream"
)

// A webhook is told of signals, one batch at a time.
type webhook struct {
	config.Webhook
	name   string
	reader *jetstream.Reader
	client *http.Client
	log    zerolog.Logger
	counts map[outcome]*metrics.Counter
}

// An outcome is what became of signals.
type outcome string

const (
	delivered  outcome = "delivered"
	retrying   outcome = "retrying"   // at every attempt
	heldOut    outcome = "held_out"   // not to be told
	unreadable outcome = "unreadable" // no signal: somebody else has published it
)

const (
	// gatherFor is how long a signal waits for others.
	gatherFor = time.Second
	// waitingFor bounds the question how many signals wait.
	waitingFor = time.Second
)

func newWebhook(name string, c config.Webhook, reader *jetstream.Reader, o Options) *webhook {
	w := &webhook{Webhook: c, name: name, reader: reader, client: courier.NewClient(), log: o.Log.With().Str("receiver", name).Logger(), counts: map[outcome]*metrics.Counter{}}
	for _, k := range []outcome{delivered, retrying, heldOut, unreadable} {
		w.counts[k] = o.Metrics.NewCounter("tidewatch_signals_total" + exposition.Labels("receiver", name, "outcome", string(k)))
	}
	var last atomic.Uint64
	o.Metrics.NewGauge("tidewatch_signals_waiting"+exposition.Labels("receiver", name), func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), waitingFor)
		defer cancel()
		if n, err := reader.Waiting(ctx); err == nil {
			last.Store(n)
		}
		return float64(last.Load())
	})
	return w
}

// run delivers until ctx ends; posting ends attempts that are under way.
func (w *webhook) run(ctx, posting context.Context) {
	defer w.client.CloseIdleConnections()
	for failures := 0; ctx.Err() == nil; {
		ms, err := w.reader.Next(ctx, gatherFor)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			failures++
			w.log.Warn().Err(err).Msg("signals wait")
			sleep(ctx, retry.Pause(failures, false))
		default:
			failures = 0
			w.deliver(ctx, posting, ms)
		}
	}
}

// deliver has messages taken by the webhook and notes that they are. Those that ctx
// leaves come again.
func (w *webhook) deliver(ctx, posting context.Context, ms []jetstream.Stored) {
	b := pack(ms)
	if b.signals > 0 {
		attempts := w.send(ctx, posting, b)
		if attempts == 0 {
			return
		}
		if attempts > 1 {
			w.complain(ctx, b.last)
		}
	}
	if b.unreadable > 0 {
		w.log.Error().Int("messages", b.unreadable).Msg("messages among the signals are none, and not sent: only the service is to publish there")
	}
	w.counts[delivered].Add(b.signals)
	w.counts[heldOut].Add(b.heldOut)
	w.counts[unreadable].Add(b.unreadable)
	if err := w.reader.Ack(context.WithoutCancel(ctx), ms); err != nil {
		w.log.Warn().Err(err).Int("signals", b.signals).Msg("signals are delivered, and that is not noted: they can be sent again")
	}
}

// complain says what the stream no longer keeps of what it had behind a message.
func (w *webhook) complain(ctx context.Context, last uint64) {
	first, err := w.reader.First(ctx)
	if err == nil && first > last+1 {
		w.log.Error().Uint64("from", last+1).Uint64("to", first-1).Msg("the stream no longer keeps these messages: signals among them that the webhook was to get are lost to it")
	}
}

// A batch is one body for a webhook.
type batch struct {
	id   string // made of the body
	body []byte
	// signals are in it, the others are not.
	signals, heldOut, unreadable int
	last                         uint64 // the highest sequence
}

func pack(ms []jetstream.Stored) *batch {
	b := &batch{body: []byte{'['}}
	for _, m := range ms {
		b.last = max(b.last, m.Sequence)
		var s struct{ Holdout bool }
		switch err := json.Unmarshal(m.Data, &s); {
		case err != nil:
			b.unreadable++
		case s.Holdout:
			b.heldOut++
		default:
			if b.signals++; b.signals > 1 {
				b.body = append(b.body, ',')
			}
			b.body = append(b.body, m.Data...)
		}
	}
	b.body = append(b.body, ']')
	id := xxh3.Hash128(b.body).Bytes()
	b.id = fmt.Sprintf("%x", id[:])
	return b
}

// send posts a batch until it is taken, and answers how often: 0 when ctx or posting
// ended before.
func (w *webhook) send(ctx, posting context.Context, b *batch) int {
	began, failures, refused := time.Now(), 0, false
	for attempts := 1; ; attempts++ {
		a := w.post(posting, b)
		if a.Err == nil {
			if attempts > 1 {
				w.log.Info().Int("signals", b.signals).Int("attempts", attempts).Str("after", time.Since(began).Round(time.Second).String()).Msg("signals delivered")
			}
			return attempts
		}
		if posting.Err() != nil {
			return 0
		}
		w.counts[retrying].Add(b.signals)
		if attempts&(attempts-1) == 0 {
			w.log.Warn().Str("error", a.Err.Error()).Int("signals", b.signals).Int("attempts", attempts).Msg("signals retrying")
		}
		if a.Refused != refused {
			refused, failures = a.Refused, 0
		}
		failures++
		if !sleep(ctx, max(retry.Pause(failures, refused), a.After)) {
			return 0
		}
	}
}

// sleep reports whether d has passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
