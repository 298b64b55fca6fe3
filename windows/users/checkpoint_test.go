package users

import (
	"math"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/page"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// A shard that no section is about holds none back: otherwise one sleeping
// partition would keep those of all others for ever.
func TestIdleShardsHoldNothingBack(t *testing.T) {
	catalogue, err := kpi.Default(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	pl, err := plan.New(catalogue, stream.HashKey{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	p := NewPartition(pl, stream.Timing{}, 0, 2)
	none := page.Floor{Number: math.MaxUint64, Until: math.MaxInt64}
	for number := uint64(1); number <= 3; number++ {
		if floor := p.Checkpoint(number).Floor; floor != none {
			t.Fatalf("an idle partition needs sections from %+v on at checkpoint %d", floor, number)
		}
	}
	user := uint64(5)<<56 | 7
	for shard := range p.shards {
		if p.shards[shard] != nil {
			user = uint64(shard)<<56 | 7
			break
		}
	}
	at, _ := p.shards[ShardOf(user)].find(user)
	p.freshRows = append(p.freshRows, freshRow{uint32(ShardOf(user))<<24 | at, user})
	p.nextBase = ShardOf(user) + 1 // its base is written last
	if floor := p.Checkpoint(4).Floor; floor != none {
		t.Errorf("floor %+v although all bases fit one checkpoint", floor)
	}
	// What is unsealed is in no base.
	p.sealed = 100
	p.audiences[0].sealed, p.head = 100, 150
	p.observe(0, uint32(ShardOf(user))<<24|at, p.shards[ShardOf(user)].member(0, at), 200, p.audiences[0].labels.number([]uint32{1, 1, 1}))
	if floor, want := p.Checkpoint(5).Floor, (page.Floor{Number: math.MaxUint64, Until: 100}); floor != want {
		t.Errorf("floor %+v with a user in slice 200 and all before 100 sealed, want %+v", floor, want)
	}
}
