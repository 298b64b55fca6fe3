package endtoend

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/generate"
)

// A service that is killed again and again under load, and goes on with another
// number of partitions each time, counts every event that it took exactly once.
func TestCrashLoop(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	// Two hours around a midnight.
	begin := time.Date(2025, 3, 10, 15, 0, 0, 0, time.UTC)
	lines := generated(generate.Options{
		Seed: seed, Start: begin, End: begin.Add(2 * time.Hour), Rate: 5, Steady: true, Users: 3000, Contents: 300,
		Disorder: 2 * time.Second, Late: 0.01, LateBy: time.Minute, Duplicates: 0.01,
	})
	all := facts(t, lines)
	last := begin
	for _, f := range all {
		if f.At.After(last) {
			last = f.At
		}
	}

	configure := func() string {
		return fmt.Sprintf("checkpoint_interval: 100ms\npartitions: %d\n", []int{1, 2, 3, 8}[dice.IntN(4)])
	}
	nats := freeAddr(t)
	s := serving(t, configure(), "--nats-listen", nats)
	_, js := dial(t, nats)
	f := feed(t, s, lines)
	kills, stops := 0, 0
	for f.progress(1 + dice.IntN(150)) {
		s.alive(t)
		if dice.IntN(4) == 0 {
			stops++
			s.stop(t)
		} else {
			kills++
			s.kill(t)
		}
		s.config = configure()
		for stops > 0 && dice.IntN(3) == 0 { // killed before it has recovered: a stop left an epoch
			s.launch(t)
			if !s.says("recovering") {
				t.Fatalf("no word of the recovery:\n%s", s.text())
			}
			kills++
			s.kill(t)
		}
		s.start(t)
	}
	f.finish(t)
	end := last.Truncate(10 * time.Minute).Add(10 * time.Minute)
	s.close(t, end)
	l := s.settled(t, js).Total
	t.Logf("%d kills, %d stops, %d repeated requests, ledger %+v", kills, stops, f.repeats.Load(), l)
	if l.Counted+l.Filtered != int64(len(all)) {
		t.Errorf("counted or filtered %d, %d different events were taken", l.Counted+l.Filtered, len(all))
	}
	if l.Duplicate != l.Received-int64(len(all)) || l.Received < int64(len(lines)) {
		t.Errorf("received %d, duplicate %d: %d were sent and taken, %d of them different", l.Received, l.Duplicate, len(lines), len(all))
	}
	ends := []time.Time{end}
	known := begin.Add(10 * time.Minute) // from there on the newest window of each length has events
	for range 3 {
		ends = append(ends, known.Add(time.Duration(dice.Int64N(int64(end.Sub(known))))).Truncate(time.Second))
	}
	agreesAll(t, s, all, ends...)
	agreesDay(t, s, all, "2025-03-10")

	// What is answered does not depend on this process.
	s.stop(t)
	s.config = configure()
	s.start(t)
	if again := s.settled(t, js); again.Total != l {
		t.Errorf("ledger %+v after a restart, %+v before", again.Total, l)
	}
	agreesAll(t, s, all, ends[0])
}
