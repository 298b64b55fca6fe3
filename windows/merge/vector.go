package merge

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// A vector is the columns of some groups: of one slice, or of one pane. Groups
// ascend.
type vector struct {
	at   int64 // slice, or the first one of a pane
	ids  []uint32
	vals []int64 // width columns a group
	// columns are those that something is, or was, in.
	columns columnSet
	// stale says that it is among those to be written, saved that it was.
	stale, saved bool
	number       uint64 // of the checkpoint that an epoch's slice is from
}

// A columnSet has a bit for each column; those beyond share the bits of the first.
type columnSet uint64

const manyColumns = 64

// add adds the columns of one group that are not zero.
func (s *columnSet) add(vals []int64) {
	for c, n := range vals {
		if n != 0 {
			*s |= 1 << (c % manyColumns)
		}
	}
}

// compare is the order of vectors.
func (v *vector) compare(at int64) int { return cmp.Compare(v.at, at) }

// search is the place of the first vector from a second on. No two are of one
// second, so that it is looked for from its distance to the first downwards.
func search(vs []*vector, from int64) int {
	n := len(vs)
	switch {
	case n == 0 || vs[0].at >= from:
		return 0
	case vs[n-1].at < from:
		return n
	}
	hi := int(min(int64(n), from-vs[0].at))
	lo := hi - 1
	for stride := 1; lo > 0 && vs[lo].at >= from; stride *= 2 {
		lo, hi = max(lo-stride, 0), lo
	}
	i, _ := slices.BinarySearchFunc(vs[lo:hi], from, (*vector).compare)
	return lo + i
}

// between are the vectors from lo to before hi.
func between(vs []*vector, lo, hi int64) []*vector {
	i := search(vs, lo)
	return vs[i:max(i, search(vs, hi))]
}

// row is the columns of the group, nil if it is not there.
func (v *vector) row(id uint32, width int) []int64 {
	if i, ok := slices.BinarySearch(v.ids, id); ok {
		return v.vals[i*width:][:width]
	}
	return nil
}

// take removes the group and returns its columns.
func (v *vector) take(id uint32, width int) []int64 {
	i, ok := slices.BinarySearch(v.ids, id)
	if !ok {
		return nil
	}
	out := slices.Clone(v.vals[i*width:][:width])
	v.ids = slices.Delete(v.ids, i, i+1)
	v.vals = slices.Delete(v.vals, i*width, (i+1)*width)
	return out
}

// add puts columns into the group and reports whether it was not there before.
func (v *vector) add(s *plan.Sums, id uint32, vals []int64) bool {
	v.columns.add(vals)
	w := len(vals)
	i, ok := slices.BinarySearch(v.ids, id)
	if !ok {
		v.ids = slices.Insert(v.ids, i, id)
		v.vals = slices.Insert(v.vals, i*w, vals...)
		return true
	}
	s.Combine(v.vals[i*w:][:w], vals)
	return false
}

// fewGroups is how many groups are put into a vector one by one.
const fewGroups = 8

// merge puts another vector into this one; joined is called for groups that were
// not there.
func (v *vector) merge(s *plan.Sums, o *vector, joined func(id uint32)) {
	width := len(s.Columns)
	if len(o.ids) <= fewGroups && len(v.ids) > 0 {
		for j, id := range o.ids {
			if v.add(s, id, o.vals[j*width:][:width]) {
				joined(id)
			}
		}
		return
	}
	v.columns |= o.columns
	ids := make([]uint32, 0, len(v.ids)+len(o.ids))
	vals := make([]int64, 0, len(v.vals)+len(o.vals))
	i, j := 0, 0
	for i < len(v.ids) || j < len(o.ids) {
		switch {
		case j == len(o.ids) || i < len(v.ids) && v.ids[i] < o.ids[j]:
			ids, vals = append(ids, v.ids[i]), append(vals, v.vals[i*width:(i+1)*width]...)
			i++
		case i == len(v.ids) || o.ids[j] < v.ids[i]:
			ids, vals = append(ids, o.ids[j]), append(vals, o.vals[j*width:(j+1)*width]...)
			joined(o.ids[j])
			j++
		default:
			ids, vals = append(ids, v.ids[i]), append(vals, v.vals[i*width:(i+1)*width]...)
			s.Combine(vals[len(vals)-width:], o.vals[j*width:][:width])
			i, j = i+1, j+1
		}
	}
	v.ids, v.vals = ids, vals
}

// encode: groups as differences, then their columns.
func (v *vector) encode(width int) []byte {
	b := binary.AppendUvarint(make([]byte, 0, 8+3*len(v.ids)), uint64(len(v.ids)))
	last := uint32(0)
	for i, id := range v.ids {
		b = binary.AppendUvarint(b, uint64(id-last))
		last = id
		for _, n := range v.vals[i*width:][:width] {
			b = binary.AppendVarint(b, n)
		}
	}
	return b
}

func (v *vector) load(width int, r *codec.Reader) {
	n, last := r.Count(1+width), uint32(0)
	v.ids, v.vals = slices.Grow(v.ids, n), slices.Grow(v.vals, n*width)
	for range n {
		last += uint32(r.Uvarint())
		v.ids = append(v.ids, last)
		for range width {
			v.vals = append(v.vals, r.Varint())
		}
		v.columns.add(v.vals[len(v.vals)-width:])
	}
}

// apply puts a vector into totals.
func apply(t *table[int64], s *plan.Sums, v *vector) {
	width := t.width
	for i, id := range v.ids {
		s.Combine(t.edit(id), v.vals[i*width:][:width])
	}
}

// withdraw takes a vector out of totals. What cannot be taken out is left to the
// caller: it is told of the groups in which a column was not a plain addition and
// has what the vector had.
func withdraw(t *table[int64], s *plan.Sums, v *vector, again func(id uint32)) {
	width := t.width
	for i, id := range v.ids {
		row, vals := t.edit(id), v.vals[i*width:][:width]
		if s.Invertible {
			for c, n := range vals {
				row[c] -= n
			}
			continue
		}
		anew := false
		for c, n := range vals {
			if s.Columns[c].Combine == nil {
				row[c] -= n
			} else if n != 0 && row[c] == n {
				anew = true
			}
		}
		if anew {
			again(id)
		}
	}
}
