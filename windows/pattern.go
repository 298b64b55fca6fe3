package windows

import "slices"

// A pattern is the filters that a row passes, with what follows from them. There
// are about as many as kinds of events.
type pattern struct {
	mask   []uint64
	adders [][]adder // by sum set: what the row adds to it
	tracks uint32    // by user set: the row counts in it
}

// An adder adds a number of the batch, or one if it is negative, to a column.
type adder struct{ column, number int }

// patterns are those met so far, found by an open hash table. When there are too
// many they are met anew.
type patterns struct {
	slots [1024]*pattern
	n     int
}

// of is the pattern of a row's mask.
func (ps *patterns) of(p *Plan, mask []uint64) *pattern {
	var h uint64
	for _, w := range mask {
		h = (h ^ w) * 0x9E3779B97F4A7C15
	}
	i := int(h>>32) % len(ps.slots)
	for ; ps.slots[i] != nil; i = (i + 1) % len(ps.slots) {
		if slices.Equal(ps.slots[i].mask, mask) {
			return ps.slots[i]
		}
	}
	if 2*ps.n >= len(ps.slots) {
		*ps = patterns{}
		return ps.of(p, mask)
	}
	ps.n++
	ps.slots[i] = p.pattern(slices.Clone(mask))
	return ps.slots[i]
}

func (p *Plan) pattern(mask []uint64) *pattern {
	passes := func(filter int) bool { return mask[filter/64]>>(filter%64)&1 != 0 }
	out := &pattern{mask: mask, adders: make([][]adder, len(p.sums))}
	for i, s := range p.sums {
		for j, c := range s.columns {
			if passes(c.filter) {
				out.adders[i] = append(out.adders[i], adder{j, c.number})
			}
		}
	}
	for i, u := range p.users {
		if passes(u.filter) {
			out.tracks |= 1 << i
		}
	}
	return out
}
