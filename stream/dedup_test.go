package stream

import (
	"math/rand/v2"
	"testing"
)

// TestDedup compares the set with a map, while minutes pass and expire.
func TestDedup(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var d dedup
	first := map[Key]int32{}
	for n := range 300_000 {
		now := int32(n / 10_000)
		d.horizon = now - 3
		// Few tables, so that they grow and are rebuilt; keys that meet in a slot.
		k := Key{Hi: r.Uint64N(3), Lo: r.Uint64N(8000)<<16 | 5}
		minute := now - r.Int32N(5)
		old, ok := first[k]
		want := ok && old >= d.horizon
		if !want {
			first[k] = minute
		}
		if got := d.see(k, minute); got != want {
			t.Fatalf("row %d: see(%v, %d) = %v, want %v (known since %d, horizon %d)", n, k, minute, got, want, old, d.horizon)
		}
	}
	for i := range d.tables {
		if n := len(d.tables[i].slots); n > 32768 {
			t.Errorf("table %d has %d slots for at most 8000 keys", i, n)
		}
	}
}
