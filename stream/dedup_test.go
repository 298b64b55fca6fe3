package stream

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestDedup compares the set with a map, while minutes pass and expire: in few
// tables, with keys that would like the same places or wrap around, more of them
// at times than at others.
func TestDedup(t *testing.T) {
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 1))
		d := NewSequencer(Timing{}).dedup
		first := map[Key]int32{}
		for n, now, minutes := 0, int32(0), int32(119); now < minutes; n++ {
			perMinute := 4000
			if now%40 > 10 {
				perMinute = 400
			}
			if n%perMinute == 0 {
				now++
				d.horizon = now - 3
			}
			k := Key{Hi: 1 + r.Uint64N(3), Lo: r.Uint64N(1 << 32)}
			switch seed {
			case 1:
				k.Lo = k.Lo<<16 | 5 // all begin at one place
			case 2:
				k.Lo = k.Lo<<16 | 0xfff0 | k.Lo>>28 // about the last
			case 3:
				k.Lo %= 3000 // often again
			}
			minute := now - r.Int32N(5)
			old, ok := first[Key{k.Hi, k.Lo & math.MaxUint32}]
			want := ok && old >= d.horizon
			if !want {
				first[Key{k.Hi, k.Lo & math.MaxUint32}] = minute
			}
			if got := d.see(k, minute); got != want {
				t.Fatalf("seed %d, row %d: see(%v, %d) = %v, want %v (known since %d, horizon %d)", seed, n, k, minute, got, want, old, d.horizon)
			}
		}
		live := 0
		for _, minute := range first {
			if minute >= d.horizon {
				live++
			}
		}
		used, slots := 0, 0
		for i := range d.tables {
			tab := &d.tables[i]
			n := 0
			for j := range tab.slots {
				if s := &tab.slots[j]; !s.empty() {
					n++
					if tab.probe(s.hi, s.lo) != s {
						t.Fatalf("seed %d: key %x is not found", seed, s.hi)
					}
				}
			}
			if n != tab.used {
				t.Errorf("seed %d: table %d has %d keys, counts %d", seed, i, n, tab.used)
			}
			used, slots = used+n, slots+len(tab.slots)
		}
		if used > 3*live+200 || slots > 8*live+1000 {
			t.Errorf("seed %d: %d keys in %d slots, %d of them live", seed, used, slots, live)
		}
	}
}
