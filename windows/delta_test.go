package windows

import (
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
)

// A shard that no delta is about holds no delta back: otherwise one sleeping
// partition would keep those of all others for ever.
func TestIdleShardsHoldNoDeltas(t *testing.T) {
	catalogue, err := kpi.Default(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := NewPlan(catalogue, stream.HashKey{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	p := NewPartition(plan, stream.Timing{}, 0, 2)
	for epoch := uint64(1); epoch <= 3; epoch++ {
		for shard, base := range p.Checkpoint(epoch, 0).Base {
			if base != epoch {
				t.Fatalf("shard %d of an idle partition stands at %d in epoch %d", shard, base, epoch)
			}
		}
	}
	user := uint64(5)<<56 | 7
	for shard := range p.shards {
		if p.shards[shard] != nil {
			user = uint64(shard)<<56 | 7
			break
		}
	}
	at, _ := p.shards[ShardOf(user)].find(user, p.rowWidth)
	p.freshRows = append(p.freshRows, freshRow{uint32(ShardOf(user))<<24 | at, user})
	p.nextBase = ShardOf(user) + 1 // its base is written last
	before := p.Checkpoint(4, 0)
	for shard, base := range before.Base {
		if want := uint64(4); base != want {
			t.Errorf("shard %d stands at %d, want %d: all bases fit one checkpoint", shard, base, want)
		}
	}
}
