package windows

import (
	"cmp"
	"slices"
)

// A mark notes that a late row fell into a closed slice and which KPIs of the
// set it touches.
type mark struct {
	slice int64
	kpis  uint64
}

// kept is a quantity of each kept window that is not sealed yet, as changes:
// the value of a window is that of the sealed ones plus all changes up to it.
// Windows are numbered by their end in steps.
type kept struct {
	base int32
	ring []int32
}

// keptLen is how many kept windows can be unsealed, with the one after.
func (l lens) keptLen(lateness int64) int { return int(lateness/l.step) + 4 }

func (k *kept) at(number int64) *int32 { return &k.ring[number%int64(len(k.ring))] }

// value is the quantity of a window, when sealed windows end before from.
func (k *kept) value(from, number int64) int32 {
	v := k.base
	for n := from; n <= number; n++ {
		v += *k.at(n)
	}
	return v
}

// seal moves the base on to the window and reports whether that changed it.
func (k *kept) seal(number int64) bool {
	d := k.at(number)
	changed := *d != 0
	k.base += *d
	*d = 0
	return changed
}

// restated counts for one group how often late rows restated each window, by
// lens and KPI.
type restated struct {
	counts [][]kept
	until  int64 // the second after which all counts are zero
}

func newRestated(lenses []lens, kpis int, span int64) *restated {
	r := &restated{}
	for _, l := range lenses {
		counts := make([]kept, kpis)
		for i := range counts {
			counts[i].ring = make([]int32, l.keptLen(span))
		}
		r.counts = append(r.counts, counts)
	}
	return r
}

// fold adds one revision to every closed window that the marks of one crossing
// touch. sealed and head bound the windows that are kept.
func (r *restated) fold(lenses []lens, marks []mark, sealed, head int64, agenda *agenda) {
	slices.SortFunc(marks, func(a, b mark) int { return cmp.Compare(a.slice, b.slice) })
	for j, l := range lenses {
		for q := range r.counts[j] {
			reached := sealed / l.step // windows up to here are done
			for _, m := range marks {
				if m.kpis>>q&1 == 0 {
					continue
				}
				lo := max(ceilTo(m.slice+1, l.step)/l.step, reached+1)
				hi := min((l.exit(m.slice)-1)/l.step, head/l.step)
				if lo > hi {
					continue
				}
				k := &r.counts[j][q]
				*k.at(lo)++
				*k.at(hi + 1)--
				agenda.note(lo * l.step)
				agenda.note((hi + 1) * l.step)
				r.until = max(r.until, (hi+1)*l.step)
				reached = hi
			}
		}
	}
}
