package plan

import (
	"slices"

	"github.com/tidewatch/tidewatch/internal/hashmap"
	"github.com/tidewatch/tidewatch/windows/measure"
)

// An Effect is what a row does that passes certain filters. There are about as
// many as kinds of events.
type Effect struct {
	mask []uint64
	// Adds are the sum sets that the row adds to.
	Adds []Add
	// Audiences are the places of those that the row's user belongs to, ascending.
	Audiences []int
	// Legs are what the row is to the operators that follow it.
	Legs []Leg
}

// An Add is the columns of a sum set that a row adds to.
type Add struct {
	Place  int // of the set, among those of the rows
	Adders []Adder
}

// A Leg is a part of a journey: that with the number.
type Leg struct {
	Journey int
	Kind    uint8 // place among its kinds
}

// An Adder adds a lifted number of the batch, or one, to a column.
type Adder struct {
	Column  int
	Number  int                    // column of the batch, -1 for none
	Lift    func(n int64) int64    // nil: one
	Combine func(a, b int64) int64 // nil: addition
}

// Effects are those met so far. When there are too many they are met anew.
type Effects struct {
	list   []*Effect
	byMask hashmap.Map // by a hash of the mask, or the next number that was free
}

const mostEffects = 512

// Of is the effect of one of the rows with the mask.
func (es *Effects) Of(p *Plan, r *Rows, mask []uint64) *Effect {
	var h uint64
	for _, w := range mask {
		h = (h ^ w) * 0x9E3779B97F4A7C15
	}
	for ; ; h++ {
		at, known := es.byMask.Get(h)
		if !known {
			break
		}
		if e := es.list[at]; slices.Equal(e.mask, mask) {
			return e
		}
	}
	if len(es.list) == mostEffects {
		*es = Effects{}
		return es.Of(p, r, mask)
	}
	e := p.effect(r, slices.Clone(mask))
	es.byMask.Set(h, uint32(len(es.list)))
	es.list = append(es.list, e)
	return e
}

func (p *Plan) effect(r *Rows, mask []uint64) *Effect {
	passes := func(filter int) bool { return mask[filter/64]>>(filter%64)&1 != 0 }
	out := &Effect{mask: mask}
	for place, s := range r.Sums {
		var adders []Adder
		for j, c := range s.Columns {
			if c.Filter >= 0 && passes(c.Filter) {
				adders = append(adders, adder(j, c.Number, c.Column))
			}
		}
		if adders != nil {
			out.Adds = append(out.Adds, Add{place, adders})
		}
	}
	if r != p.Events {
		return out
	}
	for i, a := range p.Audiences {
		if passes(a.Filter) {
			out.Audiences = append(out.Audiences, i)
		}
	}
	for i, j := range p.Journeys {
		if kind := slices.IndexFunc(j.Kinds, func(k Kind) bool { return passes(k.Filter) }); kind >= 0 {
			out.Legs = append(out.Legs, Leg{i, uint8(kind)})
		}
	}
	return out
}

func adder(column, number int, c measure.Column) Adder {
	return Adder{Column: column, Number: number, Lift: c.Lift, Combine: c.Combine}
}
