package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tidewatch/tidewatch/internal/api"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/stream/jetstream"
	"github.com/tidewatch/tidewatch/windows"
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

// Catalogue is what is kept.
func (s *Service) Catalogue() *kpi.Catalogue { return s.catalogue }

// Changes is closed at the next change of what queries see.
func (s *Service) Changes() <-chan struct{} { return s.changed.wait() }

// Ready says why queries cannot be answered yet.
func (s *Service) Ready() error {
	if !s.progress.ready.Load() {
		return fmt.Errorf("recovering: message %d of %d", s.progress.position.Load(), s.lane.quietTo)
	}
	if why := s.stalled.Load(); why != nil {
		return errors.New(*why)
	}
	return nil
}

// Ledger is the account that belongs to what queries see.
func (s *Service) Ledger() api.Ledger {
	s.lane.mu.RLock()
	defer s.lane.mu.RUnlock()
	l := s.lane.shown
	out := api.Ledger{Total: l.ledger, Lanes: map[string]stream.Ledger{laneName: l.ledger}, Position: l.position}
	if wm := s.lane.merger.Watermark(); wm != stream.NoTime {
		out.Watermark = time.UnixMilli(wm)
	}
	return out
}

// Query answers for one window.
func (s *Service) Query(ctx context.Context, q api.Query) (*windows.Answer, error) {
	question := windows.Question{KPI: q.KPI.Name, By: q.By, Window: q.Window, Match: q.Match, Moment: windows.Moment{Live: true}}
	if !q.At.IsZero() {
		if err := s.keeps(q.Window, q.At); err != nil {
			return nil, err
		}
		question.Moment = s.lane.merger.At(q.Window, q.At.UnixMilli())
	}
	return s.ask(ctx, question, history{s.store})
}

func (s *Service) ask(ctx context.Context, q windows.Question, h windows.History) (*windows.Answer, error) {
	answer, err := s.look(q, h, nil)
	var ahead windows.AheadError
	if !errors.As(err, &ahead) {
		return answer, err
	}
	// What the partitions hold beyond the closed slices has to be asked for. In
	// the meantime those may have closed.
	a := &ask{head: ahead.Head, reply: make(chan *windows.Preview, 1)}
	select {
	case s.asks <- a:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.stopping:
		return nil, api.Unavailable("the service is stopping")
	}
	select {
	case v := <-a.reply:
		answer, err = s.look(q, h, v)
		if errors.As(err, &ahead) {
			return nil, api.Unavailable("the stream moves on too fast for a window ahead of it: ask again")
		}
		return answer, err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.stopping:
		return nil, api.Unavailable("the service is stopping")
	}
}

func (s *Service) look(q windows.Question, h windows.History, ahead *windows.Preview) (*windows.Answer, error) {
	s.lane.mu.RLock()
	defer s.lane.mu.RUnlock()
	return s.lane.merger.Ask(q, h, ahead)
}

// keeps refuses a time that history no longer has.
func (s *Service) keeps(w kpi.Window, at time.Time) error {
	s.lane.mu.RLock()
	wm := s.lane.merger.Watermark()
	s.lane.mu.RUnlock()
	if wm == stream.NoTime {
		return nil
	}
	newest := time.UnixMilli(wm)
	if oldest := newest.Add(-s.store.Kept(w)); at.Before(oldest) {
		return api.NotFound("%s windows are kept from %s to %s: %s is before", w, oldest.UTC().Format(time.RFC3339), newest.UTC().Format(time.RFC3339), at.UTC().Format(time.RFC3339))
	}
	return nil
}

// Range answers for consecutive windows.
func (s *Service) Range(ctx context.Context, q api.RangeQuery) (*api.RangeAnswer, error) {
	out := &api.RangeAnswer{KPI: q.KPI, Window: q.Window, By: q.By}
	moments := s.moments(q)
	h := &cachedHistory{history: history{s.store}, blocks: map[windows.BlockID]*windows.Block{}}
	series := map[string]int{}
	for _, m := range moments {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		a, err := s.ask(ctx, windows.Question{KPI: q.KPI.Name, By: q.By, Window: q.Window, Match: q.Match, Moment: m}, h)
		if err != nil {
			return nil, err
		}
		for _, sample := range a.Samples {
			key := fmt.Sprintf("%q", sample.Labels)
			i, ok := series[key]
			if !ok {
				i = len(out.Series)
				series[key] = i
				out.Series = append(out.Series, windows.Series{Labels: sample.Labels})
			}
			out.Series[i].Points = append(out.Series[i].Points, windows.Point{End: a.End, Complete: a.Complete, Sample: sample})
		}
	}
	return out, nil
}

// moments are the windows that end in (From, To], oldest first.
func (s *Service) moments(q api.RangeQuery) []windows.Moment {
	s.lane.mu.RLock()
	defer s.lane.mu.RUnlock()
	m := s.lane.merger
	wm := m.Watermark()
	if wm == stream.NoTime {
		return nil
	}
	from := q.From
	if oldest := time.UnixMilli(wm).Add(-s.store.Kept(q.Window)); from.Before(oldest) {
		from = oldest
	}
	to := q.To
	if q.Window.IsDay() {
		last := m.Today()
		if !to.IsZero() {
			last = min(last, m.At(q.Window, to.UnixMilli()).Day)
		}
		var out []windows.Moment
		for day := m.At(q.Window, from.UnixMilli()).Day + 1; day <= last; day++ {
			out = append(out, windows.Moment{Day: day})
		}
		return out
	}
	if reach := time.UnixMilli(wm); to.IsZero() || to.After(reach) {
		to = reach
	}
	step := int64(q.Step / time.Second)
	if step == 0 {
		step = int64(q.Window.Step() / time.Second)
	}
	end := m.At(q.Window, to.UnixMilli()).End
	end -= end % step
	var out []windows.Moment
	for first := from.Unix(); end > first; end -= step {
		out = append(out, windows.Moment{End: end})
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// cachedHistory reads each block once.
type cachedHistory struct {
	history
	blocks map[windows.BlockID]*windows.Block
}

func (h *cachedHistory) Block(id windows.BlockID) (*windows.Block, error) {
	if b, ok := h.blocks[id]; ok {
		return b, nil
	}
	b, err := h.history.Block(id)
	if err == nil {
		h.blocks[id] = b
	}
	return b, err
}

// ingester publishes for the HTTP side.
type ingester struct{ s *Service }

func (i ingester) Append(ctx context.Context, lines [][]byte) (uint64, error) {
	if why := i.s.stalled.Load(); why != nil {
		return 0, api.RateLimited("not taking events: %s", *why)
	}
	seq, err := i.s.broker.Append(ctx, lines)
	if errors.Is(err, jetstream.ErrFull) {
		return 0, api.RateLimited("%v", err)
	}
	return seq, err
}

func (i ingester) Close(ctx context.Context, to int64) error {
	_, err := i.s.broker.Tick(ctx, stream.Tick{To: to})
	return err
}
