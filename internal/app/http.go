package app

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/tidewatch/tidewatch/dashboards"
	"github.com/tidewatch/tidewatch/internal/api"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/stream/jetstream"
	"github.com/tidewatch/tidewatch/windows/merge"
)

// broadcast wakes everybody who waits for a change.
type broadcast struct {
	mu sync.Mutex
	ch chan struct{}
}

func (b *broadcast) reset() { b.ch = make(chan struct{}) }

func (b *broadcast) notify() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.ch)
	b.reset()
}

func (b *broadcast) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ch
}

// Changes is closed at the next change of what queries see.
func (s *Service) Changes() <-chan struct{} { return s.changed.wait() }

// Ready says why queries cannot be answered yet.
func (s *Service) Ready() error {
	switch at := s.lane.progress.position.Load(); {
	case s.lane.progress.ready.Load():
		return nil
	case at < s.lane.quietTo:
		return fmt.Errorf("rebuilding: message %d of %d", at, s.lane.quietTo)
	}
	return errors.New("recovering")
}

// Paused says why nothing is taken in.
func (s *Service) Paused() error {
	if why := s.stalled.Load(); why != nil {
		return *why
	}
	return s.broker.Room()
}

// put has the pipeline answer.
func (s *Service) put(ctx context.Context, a *ask) (*merge.Live, error) {
	a.reply = make(chan *merge.Live, 1)
	select {
	case s.asks <- a:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.stopping:
		return nil, api.Unavailable("the service is stopping")
	}
	select {
	case v := <-a.reply:
		return v, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.stopping:
		return nil, api.Unavailable("the service is stopping")
	}
}

// ingester publishes for the HTTP side.
type ingester struct{ s *Service }

func (i ingester) Append(ctx context.Context, text []byte) (uint64, error) {
	if why := i.s.Paused(); why != nil {
		return 0, api.RateLimited("not taking events: %v", why)
	}
	seq, err := i.s.broker.Append(ctx, text)
	if errors.Is(err, jetstream.ErrFull) || errors.Is(err, jetstream.ErrNoRoom) {
		return 0, api.RateLimited("%v", err)
	}
	return seq, err
}

func (i ingester) Close(ctx context.Context, to int64) error {
	_, err := i.s.broker.Tick(ctx, stream.Tick{To: to})
	return err
}

// manyFiles are as good as any number.
const manyFiles = 1 << 20

// web is the HTTP side. Of the files that the process may open, the store and
// the stream need their part: connections get half, NATS clients a quarter.
func (s *Service) web() *api.Server {
	d := s.deps()
	d.Alerts, d.Engine, d.Signals, d.Ingest, d.KPIs = s, s, s, ingester{s}, s
	d.Eraser = eraser{s}
	d.Page, d.AnyHost, d.Stopping = dashboards.Page(), s.options.AnyHost, s.stopping
	l := s.config.Limits
	d.Limits = api.Limits{Connections: min(l.Connections, maxFiles()/2), Bodies: l.Bodies, BodyRate: l.BodyRate, Reads: l.Reads}
	return api.NewServer(d)
}
