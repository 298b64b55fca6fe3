package windows

import (
	"cmp"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

// A vector is the columns of some groups: of one slice, or of one pane. Groups
// ascend.
type vector struct {
	at   int64 // slice, or pane number
	ids  []uint32
	vals []int64 // width columns a group
	// stale says that it is among those to be written, saved that it was.
	stale, saved bool
	number       uint64 // of the checkpoint that an epoch's slice is from
}

// compare is the order of vectors.
func (v *vector) compare(at int64) int { return cmp.Compare(v.at, at) }

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

// add adds columns to the group and reports whether it was not there before.
func (v *vector) add(id uint32, vals []int64) bool {
	w := len(vals)
	i, ok := slices.BinarySearch(v.ids, id)
	if !ok {
		v.ids = slices.Insert(v.ids, i, id)
		v.vals = slices.Insert(v.vals, i*w, vals...)
		return true
	}
	for j, n := range vals {
		v.vals[i*w+j] += n
	}
	return false
}

// merge adds another vector; joined is called for groups that were not there.
func (v *vector) merge(o *vector, width int, joined func(id uint32)) {
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
			ids = append(ids, v.ids[i])
			for c := range width {
				vals = append(vals, v.vals[i*width+c]+o.vals[j*width+c])
			}
			i, j = i+1, j+1
		}
	}
	v.ids, v.vals = ids, vals
}

// groups numbers the label combinations of a sum set. Numbers of groups that
// are nowhere any more are used again.
type groups struct {
	index  hashMap // of keys
	keys   []uint64
	labels [][]string
	since  []int64 // by group, the head at which it was admitted
	kept   []bool  // in the index; others were folded into kpi.Other
	refs   []int32 // vectors and days that hold the group
	held   int     // groups kept with refs: those that the budget counts
	loose  []uint32
	free   []uint32
	dirty  map[uint32]bool // parts changed since the last checkpoint
}

// groupPart is how many groups share a page of an epoch.
const groupPart = 1024

func (g *groups) soil(id uint32) { g.dirty[id/groupPart] = true }

// find is the group of the key, if something holds it.
func (g *groups) find(key uint64) (uint32, bool) {
	id, ok := g.index.get(key)
	return id, ok && g.refs[id] > 0
}

// otherID is the group of the key of kpi.Other, negative if there is none.
func (g *groups) otherID(key uint64) int {
	if id, ok := g.index.get(key); ok {
		return int(id)
	}
	return -1
}

// admit gives the key a group. Nothing holds it yet.
func (g *groups) admit(key uint64, labels []string, head int64) uint32 {
	id, ok := g.index.get(key)
	switch n := len(g.free); {
	case ok:
	case n > 0:
		id, g.free = g.free[n-1], g.free[:n-1]
	default:
		id = uint32(len(g.keys))
		g.grow()
	}
	g.keys[id], g.labels[id], g.since[id], g.kept[id] = key, labels, head, true
	g.index.set(key, id)
	g.soil(id)
	return id
}

func (g *groups) grow() {
	g.keys, g.labels, g.since = append(g.keys, 0), append(g.labels, nil), append(g.since, 0)
	g.kept, g.refs = append(g.kept, false), append(g.refs, 0)
}

func (g *groups) hold(id uint32) {
	if g.refs[id]++; g.refs[id] == 1 && g.kept[id] {
		g.held++
	}
}

func (g *groups) release(id uint32) {
	if g.refs[id]--; g.refs[id] > 0 {
		return
	}
	if g.kept[id] {
		g.held--
	}
	g.loose = append(g.loose, id)
}

// expel takes the group out of the index: its key is one of kpi.Other's.
func (g *groups) expel(id uint32) {
	if g.refs[id] > 0 {
		g.held--
	}
	g.kept[id] = false
	g.index.delete(g.keys[id])
	g.soil(id)
}

// sweep lets go of the groups that nothing holds, unless they wait.
func (g *groups) sweep(waits func(id uint32) bool, gone func(id uint32)) {
	g.loose = slices.DeleteFunc(g.loose, func(id uint32) bool {
		if g.refs[id] > 0 || g.labels[id] == nil {
			return true
		}
		if waits(id) {
			return false
		}
		if g.kept[id] {
			g.index.delete(g.keys[id])
		}
		g.labels[id], g.kept[id] = nil, false
		g.free = append(g.free, id)
		g.soil(id)
		gone(id)
		return true
	})
}

// decodeLabels reads the label texts of a group of an accumulator.
func (t *groupTable) decodeLabels(g int, n int) []string {
	out := make([]string, n)
	if n == 0 {
		return out
	}
	b := t.labels[t.at[g]:]
	for i := range out {
		size := int(b[0]) | int(b[1])<<8
		b = b[2:]
		if size == noLabel {
			out[i] = kpi.None
			continue
		}
		out[i], b = string(b[:size]), b[size:]
	}
	return out
}

// topAndOther are the n groups with the largest positive weight, and that of
// kpi.Other (negative: none) if it has any.
func topAndOther(labels [][]string, other, n int, weight func(id uint32) int64) []uint32 {
	out := top(labels, n, weight)
	if other >= 0 && weight(uint32(other)) != 0 && !slices.Contains(out, uint32(other)) {
		out = append(out, uint32(other))
	}
	return out
}

// top are the n groups with the largest positive weight, ties by key bytes
// ascending: by label texts.
func top(labels [][]string, n int, weight func(id uint32) int64) []uint32 {
	type entry struct {
		id uint32
		w  int64
	}
	var best []entry
	less := func(a, b entry) int {
		return cmp.Or(cmp.Compare(b.w, a.w), slices.Compare(labels[a.id], labels[b.id]))
	}
	floor := int64(0)
	for id, l := range labels {
		w := int64(0)
		if l != nil {
			w = weight(uint32(id))
		}
		if w <= 0 || w < floor {
			continue
		}
		best = append(best, entry{uint32(id), w})
		if len(best) >= 4*n+64 {
			slices.SortFunc(best, less)
			best = best[:n]
			floor = best[n-1].w
		}
	}
	slices.SortFunc(best, less)
	out := make([]uint32, 0, n)
	for _, e := range best[:min(n, len(best))] {
		out = append(out, e.id)
	}
	return out
}
