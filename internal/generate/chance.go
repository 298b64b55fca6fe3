package generate

import "math"

// dice is splitmix64 (Steele, Lea, Flood 2014): eight bytes of state, so that
// every session carries its own.
type dice uint64

func (d *dice) roll() uint64 {
	*d += 0x9e3779b97f4a7c15
	return mix(uint64(*d))
}

// mix is splitmix64's finalizer, a bijection.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// below is uniform in [0, n).
func (d *dice) below(n uint32) uint32 { return uint32(d.roll() >> 32 * uint64(n) >> 32) }

// upTo is uniform in [0, n), 0 for n <= 0.
func (d *dice) upTo(n int64) int64 {
	if n <= 0 {
		return 0
	}
	return int64(d.roll() % uint64(n))
}

// chance is true with the probability p.
func (d *dice) chance(p float64) bool {
	return d.roll()>>32 < uint64(p*(1<<32))
}

// zipf draws ranks 0, 1, ... n-1 in proportion to 1/(rank+1)^s. The arithmetic
// is such that every machine draws the same.
//
// A rank is drawn by its octave [2^i, 2^(i+1)), which a table weighs, and
// inside of it by rejection: two tries in three succeed.
type zipf struct {
	n      uint32
	law    law
	until  []uint64   // sums of the octaves' weights
	octave [256]uint8 // the first octave to look at, by the draw's high byte
}

// A law is the exponent s.
type law uint8

const (
	steep law = iota // s = 1: contents
	flat             // s = 1/2: users
)

func newZipf(n int, l law) zipf {
	z := zipf{n: uint32(n), law: l}
	var sums []float64
	total := 0.0
	for k := 1; k <= n; k++ {
		w := 1 / float64(k)
		if l == flat {
			w = math.Sqrt(w)
		}
		total += w
		if k == n || (k+1)&k == 0 {
			sums = append(sums, total)
		}
	}
	for _, s := range sums {
		z.until = append(z.until, uint64(s/total*(1<<63))<<1)
	}
	z.until[len(z.until)-1] = math.MaxUint64
	o := 0
	for b := range z.octave {
		for z.until[o] <= uint64(b)<<56 {
			o++
		}
		z.octave[b] = uint8(o)
	}
	return z
}

func (z *zipf) draw(d *dice) uint32 {
	u := d.roll()
	o := z.octave[u>>56]
	for z.until[o] <= u && int(o) < len(z.until)-1 {
		o++
	}
	first := uint64(1) << o
	size := min(first, uint64(z.n)+1-first)
	for {
		r := d.roll()
		k := first + r>>32*size>>32
		try := r & (1<<32 - 1)
		if z.law == flat { // try < sqrt(first/k)
			try = try * try >> 32
		}
		if try*k < first<<32 {
			return uint32(k - 1)
		}
	}
}
