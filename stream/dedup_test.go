package stream

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// TestDedup compares the set with a map, while minutes pass and expire: in few
// tables, with keys that would like the same places or wrap around, more of them
// at times than at others.
func TestDedup(t *testing.T) {
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 1))
		d := NewSequencer(Timing{}, Acceptance{}).dedup
		first := map[Key]int32{}
		for n, now, minutes := 0, int32(0), int32(119); now < minutes; n++ {
			perMinute := 4000
			if now%40 > 10 {
				perMinute = 400
			}
			if jumped := now == 60; jumped || n%perMinute == 0 {
				now++
				d.horizon = now - 3
				if jumped { // the row that lets time go on comes before the horizon
					d.horizon, now, minutes = 58, now+100_000, minutes+100_000
				}
			} else if d.horizon == 58 && now > 60 {
				d.horizon = now - 3
			}
			k := Key{Hi: 1 + r.Uint64N(3), Lo: r.Uint64N(1 << 32)}
			switch seed {
			case 1:
				k.Lo = 5<<24 | k.Lo>>8 // all begin about one place
			case 2:
				k.Lo = 0xff<<24 | k.Lo>>8 // about the last
			case 3:
				k.Lo = k.Lo % 3000 << 20 // often again
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
					if tab.probe(*s) != s {
						t.Fatalf("seed %d: key %x is not found", seed, s.lo)
					}
				}
			}
			if n != int(tab.used) {
				t.Errorf("seed %d: table %d has %d keys, counts %d", seed, i, n, tab.used)
			}
			used, slots = used+n, slots+len(tab.slots)
		}
		if used > 2*live+200 || slots > 4*live+1000 {
			t.Errorf("seed %d: %d keys in %d slots, %d of them live", seed, used, slots, live)
		}
	}
}

// BenchmarkDedup is an id's share when three million are remembered, a quarter of
// a million each minute.
func BenchmarkDedup(b *testing.B) {
	const perMinute, minutes = 250_000, 12
	r := rand.New(rand.NewPCG(1, 1))
	d := NewSequencer(Timing{}, Acceptance{}).dedup
	keys := make([]Key, ahead)
	n := 0
	some := func() {
		now := int32(n / perMinute)
		d.horizon = now - minutes
		for i := range keys {
			keys[i] = Key{r.Uint64(), r.Uint64()}
		}
		d.touch(keys)
		for _, k := range keys {
			d.see(k, now)
		}
		n += len(keys)
	}
	for n < minutes*perMinute {
		some()
	}
	grown := d.bytes()
	for n < 3*minutes*perMinute {
		some()
	}
	b.ResetTimer()
	for range b.N {
		some()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(keys)), "ns/id")
	b.ReportMetric(float64(grown)/(minutes*perMinute), "bytes/id-when-full")
	b.ReportMetric(float64(d.bytes())/(minutes*perMinute), "bytes/id")
}

// bytes is what the tables take.
func (d *dedup) bytes() (n int) {
	for i := range d.tables {
		n += int(unsafe.Sizeof(keySlot{})) * cap(d.tables[i].slots)
	}
	return n + int(unsafe.Sizeof(d.tables))
}
