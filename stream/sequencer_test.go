package stream

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestReplayStart: no row that a recovery needs stands before the place where
// it begins, and the place moves on with the stream.
func TestReplayStart(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	s := NewSequencer(Timing{Disorder: time.Second, Lateness: 3 * time.Minute, DedupWindow: 4 * time.Minute})
	now := int64(1_700_000_000_000)
	var minutes []int32 // of the counted rows
	for n := range 3000 {
		now += r.Int64N(4000)
		b := &Batch{Rows: 1, MaskWords: 1, Mask: []uint64{1}, Verdict: make([]Verdict, 1), Reason: make([]Reason, 1),
			Time: []int64{now - r.Int64N(200_000)}, ID: []Key{{1, uint64(n + 1)}}, Messages: []Message{{Sequence: uint64(n + 1), Stamp: now, Rows: 1}}}
		s.Pass(b, int64(n), nil)
		minutes = append(minutes, 0)
		if b.Verdict[0] == Counted {
			minutes[n] = minute(b.Time[0])
		}
		start, ok := s.ReplayStart()
		if !ok {
			continue
		}
		needed := min(minute(s.Sealed()), s.horizon())
		if i := slices.IndexFunc(minutes, func(m int32) bool { return m >= needed }); i >= 0 && int64(i) < start.Row {
			t.Fatalf("row %d of minute %d is needed, replay begins at row %d", i, minutes[i], start.Row)
		}
		if n > 1000 && start.Row < int64(n)-600 {
			t.Fatalf("after row %d replay begins at row %d", n, start.Row)
		}
	}
}

// TestTickIsNoFurtherAheadThanEvents: what a tick states cannot make the events
// of today late.
func TestTickIsNoFurtherAheadThanEvents(t *testing.T) {
	const now = int64(1_700_000_000_000)
	for _, tt := range []struct{ to, want int64 }{
		{now, now},
		{now + 5*60_000, now + 5*60_000},
		{now + 11*60_000, now + 10*60_000},
		{4_000_000_000_000, now + 10*60_000},
		{-5, minTime},
	} {
		s := NewSequencer(Timing{Disorder: time.Second, Lateness: time.Minute, DedupWindow: 2 * time.Minute})
		s.Pass(&Batch{Messages: []Message{{Sequence: 1, Stamp: now, Tick: &Tick{To: tt.to}}}}, 0, nil)
		if got := s.Watermark(); got != tt.want {
			t.Errorf("tick to %d at %d: watermark %d, want %d", tt.to, now, got, tt.want)
		}
	}
}

// TestFingerprint: messages that differ in data or time can be told apart.
func TestFingerprint(t *testing.T) {
	seen := map[uint64]bool{}
	for _, m := range []Raw{{Data: []byte("{}"), Stamp: 1}, {Data: []byte("{}"), Stamp: 2}, {Data: []byte("{ }"), Stamp: 1}} {
		seen[Fingerprint(m)] = true
	}
	if len(seen) != 3 {
		t.Errorf("%d fingerprints of 3 messages", len(seen))
	}
}
