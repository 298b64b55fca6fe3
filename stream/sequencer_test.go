package stream

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

// TestRestore: a sequencer that comes back from what checkpoints noted goes on
// as the one that noted it, and nothing that it does not need is kept.
func TestRestore(t *testing.T) {
	timing := Timing{Disorder: time.Second, Lateness: 3 * time.Minute, DedupWindow: 4 * time.Minute}
	r := rand.New(rand.NewPCG(3, 3))
	accept := Acceptance{Types: []AcceptedType{{Hash: 7, Within: 20 * 60_000}}, Wanted: []uint64{1}}
	whole, restored := NewSequencer(timing, accept), NewSequencer(timing, accept)
	type noted struct {
		data  []byte
		until int64
	}
	var memories [2][]noted // of all ids, and of those of accepted types
	belated := map[Verdict]int{}
	now := int64(1_700_000_000_000)
	for n := range 20_000 {
		now += r.Int64N(600)
		row := func() *Batch {
			return &Batch{Rows: 1, MaskWords: 1, Mask: []uint64{1}, Verdict: make([]Verdict, 1), Reason: make([]Reason, 1),
				Text:     []TextColumn{{Hash: make([]uint64, 1)}},
				Messages: []Message{{Sequence: uint64(n + 1), Stamp: now, Rows: 1}}}
		}
		a, b := row(), row()
		a.Time = []int64{now - r.Int64N(200_000)}
		a.ID = []Key{{uint64(n - r.IntN(min(n, 800)+1)), 1 << 40}}
		if r.IntN(10) == 0 { // of the accepted type, up to 25 min late
			a.Text[0].Hash[0] = 7
			a.Time[0] = now - r.Int64N(1_500_000)
			a.ID[0] = Key{uint64(n - r.IntN(min(n, 6000)+1)), 2 << 40}
		}
		b.Time, b.ID, b.Text = a.Time, a.ID, a.Text
		before := whole.Progress
		crossings, again := whole.Pass(a, nil), restored.Pass(b, nil)
		if a.Verdict[0] != b.Verdict[0] || !slices.Equal(a.Belated, b.Belated) || !reflect.DeepEqual(crossings, again) || !reflect.DeepEqual(whole.Progress, restored.Progress) {
			t.Fatalf("row %d: verdict %v and crossings %v, want %v and %v", n, b.Verdict[0], again, a.Verdict[0], crossings)
		}
		if behind := before.Watermark - a.Time[0]; n > 0 && a.Text[0].Hash[0] == 7 && behind > timing.Lateness.Milliseconds() {
			belated[a.Verdict[0]]++
			if late := behind > 20*60_000 || a.Time[0] < before.First; late != (a.Verdict[0] == Late) || a.IsBelated(0) != (a.Verdict[0] == Counted) {
				t.Fatalf("row %d, %d ms behind the watermark: verdict %v, belated %v", n, behind, a.Verdict[0], a.IsBelated(0))
			}
		}
		if n < 3000 || r.IntN(50) > 0 {
			continue
		}
		all, accepted := restored.Memorize()
		untilAll, untilAccepted := restored.Horizons()
		for i, horizon := range [...]int64{untilAll, untilAccepted} {
			if data, until := [...]Memory{all, accepted}[i].Encode(); data != nil {
				memories[i] = append(memories[i], noted{data, until})
			}
			memories[i] = slices.DeleteFunc(memories[i], func(m noted) bool { return m.until <= horizon })
			if len(memories[i]) > 100 {
				t.Fatalf("row %d: %d memories are kept", n, len(memories[i]))
			}
		}
		if r.IntN(4) > 0 {
			continue
		}
		var kept [2][][]byte
		for i, noted := range memories {
			r.Shuffle(len(noted), func(i, j int) { noted[i], noted[j] = noted[j], noted[i] })
			for _, m := range noted {
				kept[i] = append(kept[i], m.data)
			}
		}
		restored = Restore(timing, accept, restored.Progress)
		if err := restored.Recall(kept[0], kept[1]); err != nil {
			t.Fatal(err)
		}
	}
	if belated[Counted] == 0 || belated[Duplicate] == 0 || belated[Late] == 0 {
		t.Errorf("beyond the lateness %v: not every verdict", belated)
	}
	if d := whole.Ledger.Verdicts[Duplicate]; d == 0 || whole.Ledger.Verdicts[Late] == 0 {
		t.Errorf("ledger %+v: nothing was late or a duplicate", whole.Ledger)
	}
	short := [][]byte{{2, 3, 1, 2}}
	for _, memories := range [][2][][]byte{{short, nil}, {nil, short}} {
		if err := Restore(timing, accept, whole.Progress).Recall(memories[0], memories[1]); err == nil {
			t.Error("a memory that is cut short is taken")
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
		s := NewSequencer(Timing{Disorder: time.Second, Lateness: time.Minute, DedupWindow: 2 * time.Minute}, Acceptance{})
		s.Pass(&Batch{Messages: []Message{{Sequence: 1, Stamp: now, Tick: &Tick{To: tt.to}}}}, nil)
		if got := s.Watermark; got != tt.want {
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

// TestTickCloses: a tick crosses the boundary of a second from the stamp on that
// is told, and not before.
func TestTickCloses(t *testing.T) {
	const base = int64(1_800_000_000_000)
	for _, c := range []struct {
		name              string
		watermark, behind int64 // ms: behind its message
		disorder          time.Duration
		want              int64 // ms behind the last message
	}{
		{"in the middle of a second", base + 400, 2000, 2 * time.Second, 600},
		{"at its begin", base, 2000, 2 * time.Second, 1000},
		{"events of long ago", base + 999, 90_000, 2 * time.Second, 1},
		{"held back by the disorder", base + 900, 1000, 2 * time.Second, 1100},
		{"without disorder", base + 250, 0, 0, 750},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := NewSequencer(Timing{Disorder: c.disorder, Lateness: time.Minute, DedupWindow: time.Hour}, Acceptance{})
			s.Watermark, s.LastStamp = c.watermark, c.watermark+c.behind
			got := s.TickCloses(c.disorder) - s.LastStamp
			if got != c.want {
				t.Fatalf("a tick closes a second %d ms behind the last message, want %d", got, c.want)
			}
			for _, at := range []struct {
				after int64
				want  bool
			}{{got - 1, false}, {got, true}} {
				before := s.Progress
				b := &Batch{Messages: []Message{{Stamp: s.LastStamp + at.after, Tick: &Tick{}}}}
				if crossed := len(s.Pass(b, nil)) > 0; crossed != at.want {
					t.Errorf("a tick %d ms behind it crosses: %v, want %v", at.after, crossed, at.want)
				}
				s.Progress = before
			}
		})
	}
}

// TestMovesOfTheNextSecond: who turned out to be a user is that one's at the end of the next
// second, however far time goes on.
func TestMovesOfTheNextSecond(t *testing.T) {
	const base = int64(1_800_000_000_000)
	for _, c := range []struct {
		name       string
		identified bool
		to         int64   // the next watermark
		want       []int64 // crossings
	}{
		{"nobody", false, base + 90_000, []int64{base + 90_000}},
		{"within the second", true, base + 900, nil},
		{"the end of the second", true, base + 1000, []int64{base + 1000}},
		{"a day later", true, base + 86_400_000, []int64{base + 1000, base + 86_400_000}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := NewSequencer(Timing{Lateness: time.Minute, DedupWindow: time.Hour}, Acceptance{})
			s.Watermark = base + 250
			if c.identified {
				s.identify(1, 2, nil, base+250)
			}
			got := s.Pass(&Batch{Messages: []Message{{Stamp: c.to, Tick: &Tick{To: c.to}}}}, nil)
			var at []int64
			for i, crossing := range got {
				at = append(at, crossing.Watermark)
				if moves := len(crossing.Moves) > 0; moves != (c.identified && i == 0) {
					t.Errorf("crossing %d makes %d moves", i, len(crossing.Moves))
				}
			}
			if !slices.Equal(at, c.want) {
				t.Errorf("crossings at %v, want %v", at, c.want)
			}
		})
	}
}
