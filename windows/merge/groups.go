package merge

import (
	"encoding/binary"
	"slices"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/internal/hashmap"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// groups numbers the label combinations of a sum set. Numbers of groups that
// are nowhere any more are used again.
//
// The groups that share all labels but the hidden one are a family. Families
// share a place in the budget and go together.
type groups struct {
	plan     *plan.Sums
	index    hashmap.Map // of keys
	keys     []uint64
	labels   table[[]string] // nil for a number that is free
	kept     []bool          // in the index; others were folded into kpi.Other
	refs     []int32         // vectors and days that hold the group
	families []*family       // by group
	byLabels map[string]*family
	held     int // families with a group that is kept and held: those that the budget counts
	loose    []uint32
	free     []uint32
	dirty    map[uint32]bool // parts changed since the last checkpoint
}

type family struct {
	ids   []uint32
	held  int
	other bool // of kpi.Other, which the budget does not count
	place int  // behind its place in the ranking, 0 if it has none
	moved bool // since that was brought up to date
}

func newGroups(p *plan.Sums) groups {
	return groups{plan: p, labels: newTable[[]string](1), byLabels: map[string]*family{}, dirty: map[uint32]bool{}}
}

// groupPart is how many groups share a page of an epoch.
const groupPart = 1024

func (g *groups) soil(id uint32) { g.dirty[id/groupPart] = true }

// textsOf is the labels of a group, nil if there is none.
func (g *groups) textsOf(id uint32) []string { return textsOf(&g.labels, id) }

func textsOf(labels *table[[]string], id uint32) []string {
	if row := labels.row(id); row != nil {
		return row[0]
	}
	return nil
}

// labelKey tells label combinations apart.
func labelKey(labels []string) string {
	if len(labels) == 1 {
		return labels[0]
	}
	return string(appendLabelKey(nil, labels))
}

// appendLabelKey appends a labelKey.
func appendLabelKey(b []byte, labels []string) []byte {
	if len(labels) == 1 {
		return append(b, labels[0]...)
	}
	return codec.AppendTexts(b, labels)
}

// keyRoom is for most labelKeys.
const keyRoom = 128

// find is the group of the key, if something holds it.
func (g *groups) find(key uint64) (uint32, bool) {
	id, ok := g.index.Get(key)
	return id, ok && g.refs[id] > 0
}

// familyOf is the family of the labels, nil if it has no group.
func (g *groups) familyOf(labels []string) *family {
	var room [keyRoom]byte
	return g.byLabels[string(appendLabelKey(room[:0], g.plan.Visible(labels)))]
}

// admit gives the key a group. Nothing holds it yet.
func (g *groups) admit(key uint64, labels []string) uint32 {
	id, ok := g.index.Get(key)
	if ok {
		return id
	}
	if n := len(g.free); n > 0 {
		id, g.free = g.free[n-1], g.free[:n-1]
	} else {
		id = uint32(len(g.keys))
		g.grow()
	}
	g.put(id, key, labels, true)
	g.soil(id)
	return id
}

func (g *groups) put(id uint32, key uint64, labels []string, kept bool) {
	g.keys[id], g.labels.edit(id)[0], g.kept[id] = key, labels, kept
	if !kept {
		return
	}
	g.index.Set(key, id)
	f := g.familyOf(labels)
	if f == nil {
		f = &family{other: g.plan.IsOther(labels)}
		g.byLabels[labelKey(g.plan.Visible(labels))] = f
	}
	f.ids = append(f.ids, id)
	g.families[id] = f
}

func (g *groups) grow() {
	g.keys, g.kept = append(g.keys, 0), append(g.kept, false)
	g.refs, g.families = append(g.refs, 0), append(g.families, nil)
}

func (g *groups) hold(id uint32) {
	if g.refs[id]++; g.refs[id] == 1 && g.kept[id] {
		g.count(g.families[id], 1)
	}
}

func (g *groups) release(id uint32) {
	if g.refs[id]--; g.refs[id] > 0 {
		return
	}
	if g.kept[id] {
		g.count(g.families[id], -1)
	}
	g.loose = append(g.loose, id)
}

func (g *groups) count(f *family, n int) {
	before := f.held
	if f.held += n; !f.other && (before == 0) != (f.held == 0) {
		g.held += n
	}
}

// expel takes the group out of the index: its key is one of kpi.Other's.
func (g *groups) expel(id uint32) {
	if g.refs[id] > 0 {
		g.count(g.families[id], -1)
	}
	g.leave(id)
	g.soil(id)
}

// leave takes a kept group out of the index and its family.
func (g *groups) leave(id uint32) {
	g.kept[id] = false
	g.index.Delete(g.keys[id])
	f := g.families[id]
	f.ids = slices.DeleteFunc(f.ids, func(i uint32) bool { return i == id })
	if len(f.ids) == 0 {
		delete(g.byLabels, labelKey(g.plan.Visible(g.textsOf(id))))
	}
	g.families[id] = nil
}

// sweep lets go of the groups that nothing holds, unless they wait.
func (g *groups) sweep(waits func(id uint32) bool) {
	g.loose = slices.DeleteFunc(g.loose, func(id uint32) bool {
		if g.refs[id] > 0 || g.textsOf(id) == nil {
			return true
		}
		if waits(id) {
			return false
		}
		if g.kept[id] {
			g.leave(id)
		}
		g.labels.edit(id)[0] = nil
		g.free = append(g.free, id)
		g.soil(id)
		return true
	})
}

// encode: by group of the part its key, whether it is in use and kept, its labels.
func (g *groups) encode(part uint32) []byte {
	lo, hi := int(part*groupPart), min(int((part+1)*groupPart), len(g.keys))
	b := binary.AppendUvarint(nil, uint64(hi-lo))
	for id := lo; id < hi; id++ {
		b = binary.LittleEndian.AppendUint64(b, g.keys[id])
		labels := g.textsOf(uint32(id))
		switch {
		case labels == nil:
			b = append(b, 0)
			continue
		case g.kept[id]:
			b = append(b, 1)
		default:
			b = append(b, 2) // folded into kpi.Other, its end not yet noted
		}
		b = codec.AppendTexts(b, labels)
	}
	return b
}

func (g *groups) load(part uint32, r *codec.Reader) {
	for i := range r.Count(9) {
		id := int(part)*groupPart + i
		for len(g.keys) <= id {
			g.grow()
		}
		key := r.Uint64()
		g.keys[id] = key
		use := r.Byte()
		if use == 0 {
			continue
		}
		labels := r.Texts()
		if len(labels) != g.plan.Fields() {
			r.Fail()
		}
		if r.Err() != nil {
			return
		}
		g.put(uint32(id), key, labels, use == 1)
	}
}
