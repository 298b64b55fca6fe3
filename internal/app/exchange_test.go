package app

import (
	"sync"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/users"
)

// Each partition gets what all have to say in a round, whoever waits, and nothing of it
// stays.
func TestShare(t *testing.T) {
	e := newExchange()
	var waited sync.Map
	e.aside = func(wait func()) {
		wait()
		waited.Store(true, true)
	}
	const rounds, partitions = 50, 3
	var all sync.WaitGroup
	for p := range int64(partitions) {
		all.Go(func() {
			for round := range uint64(rounds) {
				sum := map[int64]int64{}
				for _, r := range e.Share(round, partitions, users.Ranks{{p: int64(round)}}) {
					for value, n := range r[0] {
						sum[value] += n
					}
				}
				for q := range int64(partitions) {
					if sum[q] != int64(round) {
						t.Errorf("partition %d has %d of %d in round %d", p, sum[q], q, round)
					}
				}
			}
		})
	}
	all.Wait()
	if len(e.rounds) > 0 {
		t.Errorf("%d rounds stay", len(e.rounds))
	}
	if _, some := waited.Load(true); !some {
		t.Error("nobody waited")
	}
}

// All partitions are at work where one waits for others: where users move, and where a day
// begins. One goroutine that does them in turn would wait for itself.
func TestMeet(t *testing.T) {
	catalogue, err := kpi.Default(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.New(catalogue, stream.HashKey{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	l := newLane("0", p, stream.Timing{}, 3)
	at := func(day, second int64) stream.Crossing {
		return stream.Crossing{Watermark: (day*86_400 + second) * 1000}
	}
	moving := at(20_001, 3)
	moving.Moves = []stream.Move{{}}
	for i, tt := range []struct {
		crossings []stream.Crossing
		want      bool
	}{
		{[]stream.Crossing{at(20_000, 1)}, true}, // the day of a start is unknown
		{[]stream.Crossing{at(20_000, 2), at(20_000, 3)}, false},
		{nil, false},
		{[]stream.Crossing{at(20_000, 86_399), at(20_001, 0), at(20_001, 1)}, true},
		{[]stream.Crossing{at(20_001, 2)}, false},
		{[]stream.Crossing{moving}, true},
	} {
		if got := l.meet(tt.crossings); got != tt.want {
			t.Errorf("parcel %d: %t, want %t", i, got, tt.want)
		}
	}
}
