package delivery

import (
	"time"

	"github.com/tidewatch/tidewatch/internal/retry"
)

// A breaker tells a receiver that takes nothing from one that cannot stomach a notification.
// Once different ones have failed in a row it is open: then the receiver is tried as a whole,
// with one of them at a time, until one is taken.
type breaker struct {
	// failed are the groups whose notifications failed since one was taken.
	failed map[string]bool
}

// opensAfter is how many different notifications have to fail.
const opensAfter = 5

func (b *breaker) open() bool { return len(b.failed) >= opensAfter }

// fail notes that a notification has failed.
func (b *breaker) fail(group string) {
	if b.failed == nil {
		b.failed = map[string]bool{}
	}
	if !b.open() {
		b.failed[group] = true
	}
}

// take notes that one was taken, and reports whether the breaker was open.
func (b *breaker) take() (was bool) {
	was = b.open()
	b.failed = nil
	return was
}

// pause says when the next attempt of any notification may be, after that of a batch. While
// several may be to blame for its failure, nothing is known of the receiver.
func (s *sender) pause(batch []*entry, a attempt, several bool, now time.Time) {
	s.pace.spend(now)
	if a.err != nil && !several {
		s.breaker.fail(batch[0].group())
	}
	switch {
	case a.unreachable || a.err != nil && s.breaker.open():
		s.failures++
		s.notBefore = now.Add(max(retry.Pause(s.failures, false), a.after))
	case a.err == nil && s.breaker.take():
		s.hurry(now)
		fallthrough
	default:
		s.failures = 0
	}
	if a.limited {
		s.notBefore = now.Add(a.after)
	}
	s.shut = s.failures > 0 || a.limited
}

// hurry has all that waits be due: its receiver is well again.
func (s *sender) hurry(now time.Time) {
	for group, e := range s.waiting {
		if e.notBefore.After(now) {
			e.notBefore = now
			s.schedule(group)
		}
	}
}
