package endtoend

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// ready is what the one who runs the service is told.
func (s *service) ready(t *testing.T) string {
	t.Helper()
	r, err := s.do("GET", "/-/ready", "")
	if err != nil {
		t.Fatal(err)
	}
	return r.body
}

// A watermark that is ahead of the clock, though by less than what makes events late, is
// told: until the clock is there, nothing closes.
func TestStandsStill(t *testing.T) {
	t.Parallel()
	s := serving(t, "clock_errors: {1: -5m}\n")
	s.post(t, event("ahead", time.Now().Add(5*time.Minute), "play", "watch_ms", 1))
	if l := s.awaitReceived(t, 1).Total; l.Counted != 1 {
		t.Fatalf("ledger %+v", l)
	}
	for deadline := time.Now().Add(patience); !strings.Contains(s.ready(t), "the watermark is 4m"); {
		if time.Now().After(deadline) {
			t.Fatalf("not told: %s", s.ready(t))
		}
	}
	match(t, s.ready(t), `"ready"`, "ahead of the clock: until the clock is there no second closes")
}

// A watermark ahead of the clock is told, and clock_errors has the messages read
// as if the clock had been right: the events that were late by it count.
func TestClockErrors(t *testing.T) {
	t.Parallel()
	const plain = "lateness: 1m\ncheckpoint_interval: 20ms\n"
	s := serving(t, plain)
	now := time.Now()
	s.post(t, event("ahead", now.Add(time.Hour), "play", "watch_ms", 1)) // as of an hour later
	l := s.awaitReceived(t, 1)
	if l.Total.Future != 1 {
		t.Fatalf("ledger %+v", l)
	}
	wrong := fmt.Sprintf("clock_errors: {%d: -1h}\n", l.Position)
	s.post(t, event("before", now, "play", "watch_ms", 1))
	s.awaitReceived(t, 2)
	s.stop(t)

	// As if the clock had been an hour ahead: an event was not future, and what
	// comes behind it is late.
	s.config = plain + wrong
	s.start(t)
	match(t, s.text(), "clock_errors changed: rebuilding")
	if l := s.awaitReceived(t, 2).Total; l.Counted != 1 || l.Late != 1 {
		t.Errorf("ledger %+v", l)
	}
	s.post(t, event("during", time.Now(), "play", "watch_ms", 1))
	if l := s.awaitReceived(t, 3).Total; l.Late != 2 {
		t.Errorf("ledger %+v", l)
	}
	match(t, s.ready(t), `"ready"`, "ahead of the clock: events of now are late for 5", "A clock that is wrong")
	r, err := s.do("GET", "/metrics", "")
	if err != nil || !strings.Contains(r.body, "\ntidewatch_watermark_ahead_seconds 35") {
		t.Errorf("no watermark ahead by an hour on /metrics: %v", err)
	}
	s.stop(t)

	// What was right is right again, with every event.
	s.config = plain
	s.start(t)
	match(t, s.text(), "clock_errors changed: ")
	if l := s.awaitReceived(t, 3).Total; l.Future != 1 || l.Counted != 2 {
		t.Errorf("ledger %+v", l)
	}
	if told := s.ready(t); !strings.Contains(told, `"warnings":[]`) {
		t.Errorf("ready says %s", told)
	}
	s.post(t, event("after", time.Now(), "play", "watch_ms", 1))
	if l := s.awaitReceived(t, 4).Total; l.Counted != 3 {
		t.Errorf("ledger %+v", l)
	}
	if got := s.plays(t); got != 3 {
		t.Errorf("plays %d, want 3", got)
	}
	// The same errors, the same state: nothing is rebuilt.
	s.stop(t)
	s.start(t)
	if strings.Contains(s.text(), "clock_errors") {
		t.Errorf("computed anew without a reason:\n%s", s.text())
	}
}
