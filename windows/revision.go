package windows

import (
	"cmp"
	"encoding/binary"
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

// encode: head; by group the marks; corrections.
func (p *revisionPage) encode() []byte {
	b := binary.AppendVarint(nil, p.head)
	b = binary.AppendUvarint(b, uint64(len(p.sums)))
	for _, s := range p.sums {
		b = binary.AppendUvarint(b, uint64(s.set))
		b = binary.LittleEndian.AppendUint64(b, s.key)
		b = binary.AppendUvarint(b, uint64(len(s.marks)))
		for _, k := range s.marks {
			b = binary.AppendVarint(b, p.head-k.slice)
			b = binary.AppendUvarint(b, k.kpis)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(p.corrections)))
	for _, c := range p.corrections {
		for _, n := range [...]int64{int64(c.Users), int64(c.Lens), int64(c.Code), c.Lo, c.Hi} {
			b = binary.AppendVarint(b, n)
		}
	}
	return b
}

func loadRevisions(r *reader) revisionPage {
	p := revisionPage{head: r.varint()}
	for range r.uvarint() {
		if r.err != nil {
			return p
		}
		s := sumRevision{set: int(r.uvarint()), key: r.u64()}
		for range r.uvarint() {
			if r.err != nil {
				return p
			}
			s.marks = append(s.marks, mark{p.head - r.varint(), r.uvarint()})
		}
		p.sums = append(p.sums, s)
	}
	for range r.uvarint() {
		if r.err != nil {
			return p
		}
		p.corrections = append(p.corrections, Correction{Users: int32(r.varint()), Lens: int32(r.varint()), Code: uint32(r.varint()), Lo: r.varint(), Hi: r.varint()})
	}
	return p
}
