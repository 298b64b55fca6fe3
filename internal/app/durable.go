package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/tidewatch/tidewatch/state"
)

// commit makes epochs of checkpoints. While one cannot be written, consumption
// pauses; it is tried until it can.
func (s *Service) commit() error {
	for b := range s.barriers {
		began := time.Now()
		outputs := map[string]uint64{}
		for _, out := range []<-chan map[string]uint64{b.flushed, b.signalled} {
			ends, ok := <-out
			if !ok {
				why := errors.New("late events, dead letters or signals are not out")
				s.commitTrouble.Store(&why)
				return fmt.Errorf("checkpoint: %w", why)
			}
			maps.Copy(outputs, ends)
		}
		c, err := s.epoch(b, outputs)
		if err != nil {
			return err
		}
		for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
			if err = s.write(b.Blocks, c); err == nil {
				break
			}
			why := fmt.Errorf("checkpoint: %w", err)
			if s.commitTrouble.Swap(&why) == nil {
				s.log.Error().Err(err).Msg("no checkpoint: trying again until there is one")
			}
			if errors.Is(err, state.ErrClosed) || s.isStopping(wait) {
				return why
			}
		}
		s.commitTrouble.Store(nil)
		if err := s.committed(b); err != nil {
			s.log.Warn().Err(err).Msg("outbox is not tidied")
		}
		s.committedAt.Store(time.Now().UnixMilli())
		s.lane.progress.kept.Store(s.commits.before.position)
		s.lane.progress.committed.Store(s.commits.last.position)
		s.metrics.GetOrCreateSummary("tidewatch_checkpoint_duration_seconds").UpdateDuration(began)
		s.metrics.GetOrCreateCounter("tidewatch_checkpoint_bytes_total").Add(written(c))
		s.checkpointing.Store(false)
	}
	return nil
}

// written is how many bytes of state the epoch writes.
func written(c state.Commit) (n int) {
	for _, p := range c.Write {
		n += len(p.Data)
	}
	return n
}

// settle returns once an epoch has what is in. It does not wait for long: while what was done
// is done again there is none.
func (s *Service) settle(ctx context.Context) {
	p := &s.lane.progress
	in := p.position.Load()
	if in < s.lane.quietTo {
		return
	}
	for end := time.Now().Add(settling); p.committed.Load() < in; {
		if ctx.Err() != nil || s.commitTrouble.Load() != nil || time.Now().After(end) {
			s.log.Warn().Msg("no checkpoint has the rules that were read: a start after a crash judges by them from the last checkpoint on")
			return
		}
		select {
		case s.unsettled <- struct{}{}:
		default:
		}
		if s.isStopping(2 * time.Millisecond) {
			return
		}
	}
}

// settling is for how long an epoch is waited for.
const settling = 3 * time.Second

// isStopping waits, and reports whether the service is about to stop.
func (s *Service) isStopping(wait time.Duration) bool {
	select {
	case <-s.stopping:
		return true
	case <-time.After(wait):
		return false
	}
}

// notify puts what the rules decided into the outbox. It is tried until it is
// durable.
func (s *Service) notify() error {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := s.engine.notify()
		if err == nil {
			return nil
		}
		s.log.Error().Err(err).Msg("notifications wait: the outbox takes none")
		if s.isStopping(wait) {
			return err
		}
	}
}
