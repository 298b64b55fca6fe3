package hashmap

import (
	"maps"
	"math/rand/v2"
	"testing"
)

// TestHashMap compares the map with Go's, over keys that meet and are deleted.
func TestHashMap(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		var m Map
		want := map[uint64]uint32{}
		for n := range 20_000 {
			k := r.Uint64N(1+uint64(n)/10) << (seed % 60)
			switch v := r.Uint32(); r.IntN(5) {
			case 0, 1:
				m.Set(k, v)
				want[k] = v
			case 2, 3:
				m.Delete(k)
				delete(want, k)
			default:
				if n%1000 == 0 {
					m.Clear()
					clear(want)
				}
			}
			got, ok := m.Get(k)
			if w, in := want[k]; got != w || ok != in {
				t.Fatalf("seed %d, step %d: get(%d) = %d, %v, want %d, %v", seed, n, k, got, ok, w, in)
			}
		}
		if got := maps.Collect(m.All()); !maps.Equal(got, want) || m.n != len(want) {
			t.Errorf("seed %d: %d entries, count %d, want %d", seed, len(got), m.n, len(want))
		}
	}
}
