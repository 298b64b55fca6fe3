package app

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/tidewatch/tidewatch/internal/api"
	"github.com/tidewatch/tidewatch/stream"
)

// progress is how far a lane is, as the goroutines tell each other, in Unix
// milliseconds of the wall clock unless said otherwise.
type progress struct {
	ready     atomic.Bool
	position  atomic.Uint64 // of the stream, merged
	end       atomic.Uint64 // of the stream, as last told
	lastEvent atomic.Int64  // when the last event was read that lets time go on
	lastMove  atomic.Int64  // the same of such an event or a tick
	kept      atomic.Uint64 // the position of the older kept epoch
	committed atomic.Uint64 // that of the newer one
	timed     atomic.Bool   // there is a watermark
	watermark atomic.Int64  // the event time that it is
	closes    atomic.Int64  // from when on a tick closes a second
	// moved is when the watermark became that, by a clock that nobody sets.
	moved atomic.Pointer[time.Time]
	// reassigned is how many anonymous ids became another user's.
	reassigned atomic.Uint64

	stamp  int64 // of the last message that let time go on, for follow alone
	ahead  int64 // by how much its clock was ahead of ours, for follow alone
	wanted int64 // events that did, for follow alone
}

// follow notes how far the sequencer is. One goroutine calls it.
func (p *progress) follow(s *stream.Progress, disorder time.Duration) {
	at := time.Now()
	now := at.UnixMilli()
	if wanted := s.Ledger.Verdicts[stream.Counted] + s.Ledger.Verdicts[stream.Filtered]; wanted != p.wanted {
		p.wanted = wanted
		p.lastEvent.Store(now)
	}
	if s.LastStamp != p.stamp {
		p.stamp, p.ahead = s.LastStamp, max(0, s.LastStamp-now)
		p.lastMove.Store(now)
	}
	p.reassigned.Store(s.Reassigned)
	if p.watermark.Swap(s.Watermark) != s.Watermark {
		p.moved.Store(&at)
	}
	if p.timed.Store(s.Watermark != stream.NoTime); s.Watermark != stream.NoTime {
		p.closes.Store(s.TickCloses(disorder) - p.ahead)
	}
}

// Ledger is the engine's, with what the stream has beyond it.
func (s *Service) Ledger() api.Ledger {
	l := s.engine.Ledger()
	if end := s.lane.progress.end.Load(); end > l.Position {
		l.Backlog = end - l.Position
	}
	return l
}

// WaitFor returns when the stream is in up to the sequence.
func (s *Service) WaitFor(ctx context.Context, sequence uint64) error {
	for {
		changed := s.changed.wait()
		if s.lane.progress.position.Load() >= sequence {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
