package endtoend

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// restore puts a copy of a folder in its place.
func restore(t *testing.T, folder, from string) {
	t.Helper()
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(folder, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// batch posts n events with plays, numbered from first.
func (s *service) batch(t *testing.T, at time.Time, first, n int) {
	t.Helper()
	for i := range n {
		s.post(t, event(fmt.Sprint("e", first+i), at.Add(time.Duration(first+i)*time.Second), "play", "watch_ms", 1))
	}
	s.awaitReceived(t, int64(first+n))
}

// plays is how many plays the last 24 hours have.
func (s *service) plays(t *testing.T) int64 {
	t.Helper()
	a := s.kpi(t, "plays", "window", "24h")
	if len(a.Samples) != 1 {
		t.Fatalf("plays: %+v", a)
	}
	return a.Samples[0].Numerator
}

// The stream comes back without its tail, while the state was computed from all
// of it: that is said, and either nothing is answered or what fits the stream.
func TestLostTail(t *testing.T) {
	t.Parallel()
	begin := time.Now().Add(-time.Hour).Truncate(time.Second)
	for _, c := range []struct {
		name string
		// more goes into the stream behind the copy, and later into the
		// restored one.
		more int
		grow bool // the restored stream reuses the lost sequences
	}{
		{name: "tail of many epochs", more: 20},
		{name: "tail that was written anew", more: 20, grow: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := serving(t, "")
			streams, old := filepath.Join(s.data, "stream"), filepath.Join(s.files, "old")
			s.batch(t, begin, 0, 20)
			s.stop(t)
			if err := os.CopyFS(old, os.DirFS(streams)); err != nil {
				t.Fatal(err)
			}
			for half := range 2 { // every stop makes an epoch: both kept ones know the tail
				s.start(t)
				s.batch(t, begin, 20+half*c.more/2, c.more/2)
				s.stop(t)
			}
			whole := filepath.Join(s.files, "whole")
			if err := os.CopyFS(whole, os.DirFS(streams)); err != nil {
				t.Fatal(err)
			}
			restore(t, streams, old)
			if c.grow {
				grown := newService(t, "")
				if err := os.CopyFS(filepath.Join(grown.data, "stream"), os.DirFS(old)); err != nil {
					t.Fatal(err)
				}
				grown.start(t)
				for i := range 3 * c.more {
					grown.post(t, event(fmt.Sprint("other", i), begin.Add(time.Duration(i)*time.Second), "play", "watch_ms", 1))
				}
				grown.stop(t)
				restore(t, streams, filepath.Join(grown.data, "stream"))
			}
			said := s.refuses(t)
			match(t, said, "does not fit the stream", "lost", s.data, "put the stream back")

			// Put back, it goes on as if nothing had been.
			restore(t, streams, whole)
			s.start(t)
			s.awaitReceived(t, int64(20+c.more))
			if got := s.plays(t); got != int64(20+c.more) {
				t.Errorf("plays %d, want %d", got, 20+c.more)
			}
		})
	}
}

// Only the newest epoch knows of the lost tail: the one before fits.
func TestLostTailOfOneEpoch(t *testing.T) {
	t.Parallel()
	// No epoch but the ones at a stop.
	s := serving(t, "checkpoint_interval: 10m\n")
	begin := time.Now().Add(-time.Hour).Truncate(time.Second)
	streams, old := filepath.Join(s.data, "stream"), filepath.Join(s.files, "old")
	s.batch(t, begin, 0, 20)
	s.stop(t)
	if err := os.CopyFS(old, os.DirFS(streams)); err != nil {
		t.Fatal(err)
	}
	s.start(t)
	s.batch(t, begin, 20, 20)
	s.stop(t)
	restore(t, streams, old)
	s.start(t)
	match(t, s.text(), "does not fit the stream", "lost")
	if l := s.ledger(t).Total; l.Received != 20 || l.Counted != 20 {
		t.Errorf("ledger %+v; the stream has 20 events", l)
	}
	if got := s.plays(t); got != 20 {
		t.Errorf("plays %d; the stream has 20", got)
	}
	s.batch(t, begin, 20, 10) // sequences of lost messages, other messages
	if got := s.plays(t); got != 30 {
		t.Errorf("plays %d, want 30", got)
	}
	s.kill(t)
	s.start(t)
	s.awaitReceived(t, 30)
	if got := s.plays(t); got != 30 {
		t.Errorf("plays %d after a crash, want 30", got)
	}
}

// What was written behind the newest epoch cannot be read: that is said, what is
// left is counted, and what follows.
func TestDroppedTail(t *testing.T) {
	t.Parallel()
	s := serving(t, "checkpoint_interval: 10m\n") // no epoch but the ones at a stop
	begin := time.Now().Add(-time.Hour).Truncate(time.Second)
	s.batch(t, begin, 0, 20)
	s.stop(t)
	s.start(t)
	s.batch(t, begin, 20, 20)
	s.kill(t)
	if !flip(t, filepath.Join(s.data, "stream/jetstream/$G/streams/EVENTS/msgs/1.blk"), 1, 1) {
		t.Fatal("nothing to flip")
	}
	s.start(t)
	s.ledger(t) // answered once the epoch is restored
	said := s.ready(t)
	match(t, said, s.data, "cannot be read and were dropped, and ends at message ")
	var left int64
	if _, err := fmt.Sscan(regexp.MustCompile(`ends at message (\d+)`).FindStringSubmatch(said)[1], &left); err != nil || left < 20 || left >= 40 {
		t.Fatalf("%d events are left of 40, 20 of them in an epoch: %s", left, said)
	}
	s.awaitReceived(t, left)
	s.batch(t, begin, int(left), 10)
	s.kill(t)
	s.start(t)
	s.awaitReceived(t, left+10)
	if got := s.plays(t); got != left+10 {
		t.Errorf("plays %d, want %d", got, left+10)
	}
}

// A stream that is gone as a whole is not taken for an empty one.
func TestLostStream(t *testing.T) {
	t.Parallel()
	s := serving(t, "checkpoint_interval: 20ms\n")
	s.batch(t, time.Now(), 0, 5)
	s.stop(t)
	restore(t, filepath.Join(s.data, "stream"), t.TempDir())
	match(t, s.refuses(t), "does not fit the stream", s.data)
}
