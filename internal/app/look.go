package app

import (
	"sync/atomic"
	"time"
)

// What is in the open slices is shown when somebody looks. Whoever has not looked
// for a while waits until it is; for as long as somebody goes on looking it is kept
// fresh: every so often, but for no more than a tenth of the time, and less often
// while there is more of the stream to be read.
const (
	showEvery  = 20 * time.Millisecond
	showBehind = time.Second
	showShare  = 10
	// looking is how long after a look another is expected, also behind a backlog.
	looking       = 100 * time.Millisecond
	lookingBehind = 3 * time.Second
	// patience is how long a look waits for what is in; it sees what was shown last
	// then.
	patience = 250 * time.Millisecond
)

// sight is what readers and the pipeline tell each other about looking.
type sight struct {
	looked   atomic.Int64  // Unix nanoseconds of the last look
	began    atomic.Int64  // of the first one since which somebody goes on looking
	showed   atomic.Int64  // of the last show
	passed   atomic.Uint64 // parcels of messages that were sequenced
	shown    atomic.Uint64 // those of them that are shown
	behind   atomic.Bool
	cost     atomic.Int64 // of the last show, ns
	wanted   chan struct{}
	revealed broadcast
}

func newSight() *sight {
	s := &sight{wanted: make(chan struct{}, 1)}
	s.revealed.reset()
	return s
}

// expected reports whether somebody is likely to look again.
func (s *sight) expected(now time.Time) bool {
	since := now.UnixNano() - s.looked.Load()
	return since < int64(looking) || s.behind.Load() && since < int64(lookingBehind)
}

// every is the time between two shows.
func (s *sight) every() time.Duration {
	if s.behind.Load() {
		return showBehind
	}
	return max(showEvery, showShare*time.Duration(s.cost.Load()))
}

// await returns once what is in is shown, if that can be had soon.
func (s *sight) await() {
	now := time.Now().UnixNano()
	since := now - s.looked.Load()
	if since >= int64(lookingBehind) || since >= int64(looking) && !s.behind.Load() {
		s.began.Store(now) // before others see that somebody has looked
	}
	s.looked.Store(now)
	if s.showed.Load() >= s.began.Load() {
		return
	}
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for up := s.passed.Load(); ; {
		revealed := s.revealed.wait()
		if s.shown.Load() >= up {
			return
		}
		select {
		case s.wanted <- struct{}{}:
		default:
		}
		select {
		case <-revealed:
		case <-timeout.C:
			return
		}
	}
}

// reveals notes that a show is merged.
func (s *sight) reveals(p *parcel) {
	s.shown.Store(p.passed)
	s.showed.Store(time.Now().UnixNano())
	s.cost.Store(int64(p.cost))
	s.revealed.notify()
}
