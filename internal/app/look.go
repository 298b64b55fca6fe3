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
	began    time.Time     // looks are timed from then on, as the wall clock may be set
	looked   atomic.Int64  // when the last one was, ns
	unshown  atomic.Bool   // nothing was shown since somebody began to look
	passed   atomic.Uint64 // parcels of messages that were sequenced
	shown    atomic.Uint64 // those of them that are shown
	behind   atomic.Bool
	cost     atomic.Int64 // of the last show, ns
	wanted   chan struct{}
	revealed broadcast
}

func newSight() *sight {
	s := &sight{began: time.Now(), wanted: make(chan struct{}, 1)}
	s.looked.Store(int64(-lookingBehind))
	s.revealed.reset()
	return s
}

// expected reports whether somebody is likely to look again.
func (s *sight) expected() bool {
	ago := time.Since(s.began) - time.Duration(s.looked.Load())
	return ago < looking || s.behind.Load() && ago < lookingBehind
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
	if !s.expected() {
		s.unshown.Store(true) // before others see that somebody has looked
	}
	s.look()
	if !s.unshown.Load() {
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
		case <-timeout.C: // whoever looks many times waits once
			s.look()
			s.unshown.Store(false)
			return
		}
	}
}

func (s *sight) look() { s.looked.Store(int64(time.Since(s.began))) }

// reveals notes that a show is merged.
func (s *sight) reveals(p *parcel) {
	s.shown.Store(p.passed)
	s.unshown.Store(false)
	s.cost.Store(int64(p.cost))
	s.revealed.notify()
}
