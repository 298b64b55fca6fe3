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
	// then. All that begin within firstLooks wait, unless something is shown: who asks
	// for many things looks many times.
	patience   = 250 * time.Millisecond
	firstLooks = time.Second
)

// sight is what readers and the pipeline tell each other about looking.
type sight struct {
	began    time.Time     // looks are timed from then on, as the wall clock may be set
	looked   atomic.Int64  // when the last one was, ns
	waits    atomic.Int64  // until when looks wait, ns: somebody began to look and was shown nothing
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
	ago := s.now() - time.Duration(s.looked.Load())
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
		s.waits.Store(int64(s.now() + firstLooks)) // before others see that somebody has looked
	}
	s.look()
	if s.now() >= time.Duration(s.waits.Load()) {
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
			s.look() // still
			return
		}
	}
}

func (s *sight) now() time.Duration { return time.Since(s.began) }

func (s *sight) look() { s.looked.Store(int64(s.now())) }

// reveals notes that a show is merged.
func (s *sight) reveals(p *parcel) {
	s.shown.Store(p.passed)
	s.waits.Store(0)
	s.cost.Store(int64(p.cost))
	s.revealed.notify()
}
