// Package signals brings churn signals from their stream to webhooks.
//
//	SIGNALS ─► Reader, one a webhook ─► arrays of up to 500 ─► HTTP
//
// What holds:
//
//  1. A signal waits in the stream until its webhook has taken it. It is tried
//     without end, and ends with the stream's retention only.
//  2. A webhook's place is the broker's to keep: a restart goes on there. A crash
//     between a webhook's answer and its note has it see signals again.
//  3. A new webhook is told of what is published from then on; of one that is no
//     longer configured the place is forgotten.
//  4. Webhooks wait for nobody and nobody waits for them.
//  5. Of an address no more than its host is told, and nothing of what a receiver
//     answers but the status.
package signals

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/stream/jetstream"
)

// Options are what Webhooks need beside their configuration.
type Options struct {
	Metrics *metrics.Set
	Log     zerolog.Logger
}

// Webhooks are told of signals, each at its own pace.
type Webhooks struct{ hooks []*webhook }

// Open finds the place of every webhook in the stream.
func Open(ctx context.Context, b *jetstream.Broker, hooks []config.Webhook, o Options) (*Webhooks, error) {
	all, kept := &Webhooks{}, map[string]bool{}
	for i, c := range hooks {
		reader, err := b.Reader(ctx, jetstream.Signals, place(c), subjects(c)...)
		if err != nil {
			return nil, fmt.Errorf("open webhook %s: %w", name(hooks, i), err)
		}
		all.hooks = append(all.hooks, newWebhook(name(hooks, i), c, reader, o))
		kept[place(c)] = true
	}
	if err := forget(ctx, b, kept, o.Log); err != nil {
		return nil, fmt.Errorf("forget webhooks that are gone: %w", err)
	}
	return all, nil
}

// name tells webhooks apart: "crm.example", "crm.example[1]".
func name(hooks []config.Webhook, i int) string {
	hosts := map[string]int{}
	for _, c := range hooks[:i] {
		hosts[host(c)]++
	}
	if n := hosts[host(hooks[i])]; n > 0 {
		return fmt.Sprintf("%s[%d]", host(hooks[i]), n)
	}
	return host(hooks[i])
}

func host(c config.Webhook) string {
	u, err := url.Parse(c.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

const prefix = "webhook-"

// place is the name of a webhook's reader.
func place(c config.Webhook) string {
	sum := sha256.Sum256([]byte(c.URL + "\x00" + strings.Join(c.States, "\x00")))
	return fmt.Sprintf("%s%x", prefix, sum[:8])
}

func subjects(c config.Webhook) (out []string) {
	for _, state := range c.States {
		out = append(out, "signals.churn."+state)
	}
	return out
}

// forget drops the places of webhooks that are not kept.
func forget(ctx context.Context, b *jetstream.Broker, kept map[string]bool, log zerolog.Logger) error {
	readers, err := b.Readers(ctx, jetstream.Signals)
	if err != nil {
		return err
	}
	for name, waiting := range readers {
		if kept[name] || !strings.HasPrefix(name, prefix) {
			continue
		}
		if err := b.DropReader(ctx, jetstream.Signals, name); err != nil {
			return err
		}
		log.Warn().Uint64("waiting", waiting).Msg("a webhook is no longer configured as it was: signals that it had not taken are not sent to it")
	}
	return nil
}

// drainFor is how long attempts that are under way may take at the end.
const drainFor = time.Second

// Run sends until ctx ends. Attempts that are under way then get a second more.
func (w *Webhooks) Run(ctx context.Context) {
	posting, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(drainFor, abort) })()
	var running sync.WaitGroup
	for _, h := range w.hooks {
		running.Go(func() { h.run(ctx, posting) })
	}
	running.Wait()
}
