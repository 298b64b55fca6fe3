package app

import (
	"context"
	"fmt"
	"time"

	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/stream"
)

// How often ticks are published while the stream is silent: as long as a slice
// may be open behind idle_tick, whenever one can close; then as windows go on.
const (
	tickClosely = 30 * time.Second // after an event that closes slices
	tickWindows = time.Second      // windows move on
	tickDays    = time.Minute      // only days do
	windowsMove = 25 * time.Hour
	soonestTick = time.Millisecond // the least time until the clock is looked at again
	// tickGrace is how long the first tick waits after the service was away for
	// so long that the tick would make late what producers held back meanwhile.
	tickGrace = 15 * time.Second
)

// tick lets time go on while the stream is silent and its end has been read.
func (s *Service) tick(ctx context.Context) error {
	if away, err := s.silence(ctx); err != nil {
		s.log.Warn().Err(err).Msg("not known how long the service was away")
	} else if away > s.config.Lateness/2 {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(tickGrace):
		}
	}
	defer s.ticks.Stop()
	s.ticks.Reset(s.config.IdleTick)
	var watch wallWatch
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.ticks.C:
		}
		believed := s.watchClock(ctx, watch.look(s.clock.read()))
		now := time.Now()
		switch {
		case !s.lane.progress.timed.Load():
			s.awaitTick()
		case !believed || !s.going.Load() || !s.lane.progress.ready.Load() || !s.lane.source.CaughtUp() || s.commitTrouble.Load() != nil:
			s.ticks.Reset(s.config.IdleTick)
		case now.Before(s.nextTick(now)):
			s.awaitTick()
		default:
			ticking, cancel := context.WithTimeout(ctx, 5*time.Second)
			_, err := s.broker.Tick(ticking, stream.Tick{})
			cancel()
			if err != nil && ctx.Err() == nil {
				s.log.Warn().Err(err).Msg("time stands still: no tick")
			}
			s.ticks.Reset(s.config.IdleTick)
		}
	}
}

// awaitTick sets when to look for a tick again: when the next is due. Whoever moves
// the lane on calls it, as that may be sooner then.
func (s *Service) awaitTick() {
	s.ticking.Lock() // who is last knows best
	defer s.ticking.Unlock()
	wait := tickWindows
	if s.lane.progress.timed.Load() {
		now := time.Now()
		wait = min(max(s.nextTick(now).Sub(now), soonestTick), wait)
	}
	s.ticks.Reset(wait)
}

// nextTick is when the next tick is due if nothing comes before it. One that
// would close no second waits, but not for long: the stream's clock may be
// another than ours.
func (s *Service) nextTick(now time.Time) time.Time {
	moved := time.UnixMilli(s.lane.progress.lastMove.Load())
	if moved.After(now) { // the clock was set back
		return now
	}
	every := TickEvery(s.config, now.Sub(time.UnixMilli(s.lane.progress.lastEvent.Load())))
	due := moved.Add(every)
	if closes := time.UnixMilli(s.lane.progress.closes.Load()); closes.After(due) {
		due = closes
	}
	if latest := moved.Add(max(every, tickWindows)); latest.Before(due) {
		return latest
	}
	return due
}

// silence is how long ago the stream's last message came.
func (s *Service) silence(ctx context.Context) (time.Duration, error) {
	info, err := s.broker.Info(ctx)
	if err != nil || info.Messages == 0 {
		return 0, err
	}
	last, err := s.broker.Message(ctx, info.Last)
	if err != nil {
		return 0, fmt.Errorf("read message %d: %w", info.Last, err)
	}
	return time.Since(time.UnixMilli(last.Stamp)), nil
}

// TickEvery is the time between ticks when no event has come for so long.
func TickEvery(c *config.Config, idle time.Duration) time.Duration {
	switch {
	case idle < c.Disorder+tickClosely:
		return c.IdleTick
	case idle > windowsMove:
		return tickDays
	}
	return tickWindows
}

// purge drops events that are read, older than both kept epochs need, and
// beyond the retention.
func (s *Service) purge(ctx context.Context) error {
	timer := time.NewTicker(10 * time.Second)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		if err := s.purgeOnce(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn().Err(err).Msg("events are not purged")
		}
	}
}

func (s *Service) purgeOnce(ctx context.Context) error {
	info, err := s.broker.Info(ctx)
	if err != nil {
		return err
	}
	s.held.Store(&info)
	if s.clock.ahead.Load() > 0 {
		return nil // events are younger than it says
	}
	limit := s.lane.progress.kept.Load()
	if limit <= info.First || info.Last < info.First {
		return nil
	}
	before, err := olderThan(ctx, s.broker, info.First, limit, time.Now().Add(-s.config.Retention.Events).UnixMilli())
	if err != nil {
		return err
	}
	// A stream that is nearly full makes room for a tenth.
	if info.MaxBytes > 0 && info.Bytes > uint64(info.MaxBytes)/10*9 {
		before = max(before, info.First+(info.Last-info.First)/10+1)
	}
	if before = min(before, limit); before <= info.First {
		return nil
	}
	return s.broker.Purge(ctx, before)
}

// olderThan is the first sequence from lo on, at most hi, whose message is not older
// than the time, in Unix milliseconds.
func olderThan(ctx context.Context, events eventLog, lo, hi uint64, ms int64) (uint64, error) {
	for lo < hi {
		mid := lo + (hi-lo)/2
		raw, err := events.Message(ctx, mid)
		if err != nil {
			return 0, fmt.Errorf("read message %d: %w", mid, err)
		}
		if raw.Stamp < ms {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, nil
}
