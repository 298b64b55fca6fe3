package app

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

const (
	// clockStep is the least by which a wall clock that was set differs from the
	// time that passed.
	clockStep = time.Second
	// clockTrust is how long a wall clock that was set ahead is not believed: a
	// wrong one may be put right meanwhile; one that was right, as behind a
	// machine that slept, stays.
	clockTrust = 10 * time.Minute
	// aheadTold is how far ahead of the clock the watermark may be unsaid, and stillTold how
	// long it stands then, beyond a tick: by the clock of another machine, which is ahead, it
	// goes on.
	aheadTold = time.Minute
	stillTold = 5 * time.Second
	// clockSearch bounds the messages that are read to find those that a wrong
	// clock stamped.
	clockSearch = 200_000
)

// A wallWatch tells whether the wall clock was set, by the time that passed.
type wallWatch struct {
	wall   time.Time
	passed time.Duration
	ahead  time.Duration // by how much it was set ahead and is not believed
	since  time.Duration // when it was set last, in passed
}

// look reports by how much the wall clock was set ahead, as long as that is not
// believed. passed is the time since some moment, by a clock that nobody sets.
func (w *wallWatch) look(wall time.Time, passed time.Duration) time.Duration {
	if !w.wall.IsZero() {
		if step := wall.Sub(w.wall) - (passed - w.passed); step.Abs() >= clockStep {
			w.ahead, w.since = max(0, w.ahead+step), passed
		}
	}
	w.wall, w.passed = wall, passed
	if passed-w.since >= clockTrust {
		w.ahead = 0
	}
	return w.ahead
}

// clock is what is known of the wall clock.
type clock struct {
	// read is the wall clock, and the time that passed since some moment; a test
	// sets another.
	read  func() (wall time.Time, passed time.Duration)
	ahead atomic.Int64           // a time.Duration: it was set ahead so far, and is not believed
	still atomic.Bool            // the watermark is ahead of the clock, and stands
	late  atomic.Bool            // events of now are late
	run   atomic.Pointer[string] // the messages that a wrong clock stamped
}

// minds reports whether time must not go on by a clock that was set ahead by so
// much: it would make late what comes once the clock is right.
func (s *Service) minds(ahead time.Duration) bool {
	return ahead > 0 && ahead > s.config.Lateness/2
}

// realClock reads the machine's clocks.
func realClock() func() (time.Time, time.Duration) {
	began := time.Now()
	return func() (time.Time, time.Duration) {
		now := time.Now()
		return now.Round(0), now.Sub(began)
	}
}

// watchClock notes what the wall clock is good for, and says so when that
// changes. It reports whether time may go on by it.
func (s *Service) watchClock(ctx context.Context, ahead time.Duration) bool {
	if !s.minds(ahead) {
		ahead = 0
	}
	if was := time.Duration(s.clock.ahead.Swap(int64(ahead))); (was == 0) != (ahead == 0) {
		if ahead > 0 {
			s.log.Error().Msg(s.clockHeld(ahead))
		} else {
			s.log.Info().Msg("the clock is believed again: time goes on")
		}
	}
	late := s.watermarkAhead() > s.config.Lateness
	still := !late && s.stands()
	if was := s.clock.still.Swap(still); still && !was {
		s.log.Warn().Msg(s.standsStill())
	}
	if was := s.clock.late.Swap(late); late && !was {
		run := s.findStamps(ctx)
		s.clock.run.Store(&run)
		s.log.Error().Msg(s.eventsLate())
	}
	return ahead == 0
}

// watermarkAhead is by how much the watermark is ahead of the clock.
func (s *Service) watermarkAhead() time.Duration {
	if !s.lane.progress.timed.Load() {
		return 0
	}
	return max(0, time.Until(time.UnixMilli(s.lane.progress.watermark.Load())))
}

// stands reports whether time stands still for as long as the clock is not there.
func (s *Service) stands() bool {
	p := &s.lane.progress
	every := TickEvery(s.config, time.Since(time.UnixMilli(p.lastEvent.Load())))
	return s.watermarkAhead() > aheadTold && time.Since(*p.moved.Load()) > stillTold+every
}

func (s *Service) clockHeld(ahead time.Duration) string {
	return fmt.Sprintf("the clock was set %s ahead: while no events come, time stands still for %s, or until it is set back; events count as ever", ahead.Round(time.Second), clockTrust)
}

func (s *Service) standsStill() string {
	return fmt.Sprintf("the watermark is %s ahead of the clock: until the clock is there no second closes, no rule is judged, and the ledger and what is over stand as they are, whatever comes. See docs/operations.md, A clock that is wrong",
		s.watermarkAhead().Round(time.Second))
}

func (s *Service) eventsLate() string {
	run := ""
	if found := s.clock.run.Load(); found != nil {
		run = *found
	}
	return fmt.Sprintf("the watermark is %s ahead of the clock: events of now are late for %s; a clock was wrong%s, or an end was stated too early. See docs/operations.md, A clock that is wrong",
		s.watermarkAhead().Round(time.Second), (s.watermarkAhead() - s.config.Lateness).Round(time.Second), run)
}

// Warnings say what is lost, and what is wrong with the clock.
func (s *Service) Warnings() []string {
	told := s.engine.Warnings()
	if ahead := time.Duration(s.clock.ahead.Load()); ahead > 0 {
		told = append(told, s.clockHeld(ahead))
	}
	switch ahead := s.watermarkAhead(); {
	case !s.lane.progress.ready.Load():
	case ahead > s.config.Lateness:
		told = append(told, s.eventsLate())
	case s.stands():
		told = append(told, s.standsStill())
	}
	return told
}

// findStamps names the messages that a wrong clock stamped, as clock_errors
// wants them; "" when there are none.
func (s *Service) findStamps(ctx context.Context) string {
	info, err := s.broker.Info(ctx)
	if err != nil {
		return ""
	}
	from, to, ahead := wrongStamps(info.First, info.Last, time.Now().UnixMilli(), func(sequence uint64) (int64, error) {
		m, err := s.broker.Message(ctx, sequence)
		return m.Stamp - s.config.ClockErrors.Ahead(sequence), err
	})
	if to == 0 {
		return ""
	}
	return fmt.Sprintf(" while messages %d to %d were stored (clock_errors: {%[1]d-%[2]d: %ds})", from, to, (ahead+500)/1000)
}

// wrongStamps are the last messages, up to where time went back, whose stamps
// are ahead of those around them. to is 0 when there are none.
func wrongStamps(first, last uint64, now int64, stamp func(sequence uint64) (int64, error)) (from, to uint64, ahead int64) {
	for at := last; at >= first && last-at < clockSearch; at-- {
		is, err := stamp(at)
		switch {
		case err != nil:
			return 0, 0, 0
		case to == 0 && is-now >= clockStep.Milliseconds():
			to, ahead = at, is-now
		case to != 0 && now-is > ahead/2:
			return at + 1, to, ahead
		}
		now = is
	}
	return 0, 0, 0
}
