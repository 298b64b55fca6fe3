package merge

import (
	"cmp"
	"slices"

	"github.com/tidewatch/tidewatch/windows/plan"
)

// A topList follows which groups of a window have the largest weights, by those
// that changed. It keeps more of them than are listed, and the floor: whoever is
// not kept ranks below it. Only when too few are left above the floor all groups
// are looked at.
type topList struct {
	plan  *plan.Sums
	kept  []rankedGroup
	has   []bool       // by group: it is kept
	floor *rankedGroup // nil: all with a weight are kept
	known bool
	noted []uint64 // keys of the list that history has
	told  bool     // noted is known
}

// A rankedGroup is a group that a list may show.
type rankedGroup struct {
	id     uint32
	weight int64
	labels []string
}

// compare ranks groups: the largest weight first, ties by key bytes.
func (a rankedGroup) compare(b rankedGroup) int {
	return cmp.Or(cmp.Compare(b.weight, a.weight), slices.Compare(a.labels, b.labels))
}

// fewMoves is how many groups are moved one by one.
const fewMoves = 16

// spareRanks is how many times the length of a list is kept of it.
const spareRanks = 8

// listed are the groups of the list at the window's totals, as sumReading.listed
// has them, when those of changed are all that changed since the last time.
func (t *topList) listed(totals *table[int64], g *groups, changed []uint32) []uint32 {
	if t.known {
		t.update(totals, g, changed)
	}
	if !t.known || t.floor != nil && len(t.kept) < t.plan.Top {
		t.scan(totals, g)
	}
	out := make([]uint32, 0, t.plan.Top+1)
	for _, e := range t.kept[:min(t.plan.Top, len(t.kept))] {
		out = append(out, e.id)
	}
	if other := g.familyOf(t.plan.OtherLabels(make([]string, t.plan.Fields()))); other != nil {
		for _, id := range other.ids {
			if t.plan.Weight(totals.row(id)) != 0 {
				out = append(out, id)
			}
		}
	}
	return out
}

func (t *topList) update(totals *table[int64], g *groups, changed []uint32) {
	if len(changed) <= fewMoves {
		for _, id := range changed {
			t.move(totals, g, id)
		}
		t.shorten()
		return
	}
	moved := false
	for _, id := range changed {
		if t.holds(id) || t.add(totals, g, id) {
			moved = true
		}
	}
	if !moved {
		return
	}
	for i := range t.kept {
		t.kept[i].weight = t.plan.Weight(totals.row(t.kept[i].id))
	}
	t.kept = slices.DeleteFunc(t.kept, func(e rankedGroup) bool {
		sunk := e.weight == 0 || t.floor != nil && e.compare(*t.floor) > 0
		if sunk {
			t.has[e.id] = false
		}
		return sunk
	})
	t.sort()
}

// move has one group where it ranks.
func (t *topList) move(totals *table[int64], g *groups, id uint32) {
	if t.holds(id) {
		i := slices.IndexFunc(t.kept, func(e rankedGroup) bool { return e.id == id })
		t.kept, t.has[id] = slices.Delete(t.kept, i, i+1), false
	}
	if last := len(t.kept); t.add(totals, g, id) {
		e := t.kept[last]
		i, _ := slices.BinarySearchFunc(t.kept[:last], e, rankedGroup.compare)
		copy(t.kept[i+1:], t.kept[i:last])
		t.kept[i] = e
	}
}

// add keeps a group, behind the others, if it does not rank below the floor.
func (t *topList) add(totals *table[int64], g *groups, id uint32) bool {
	e := rankedGroup{id: id, weight: t.plan.Weight(totals.row(id))}
	if e.weight == 0 || t.floor != nil && e.weight < t.floor.weight {
		return false
	}
	e.labels = g.textsOf(id)
	if e.labels == nil || t.plan.IsOther(e.labels) || t.floor != nil && e.compare(*t.floor) > 0 {
		return false
	}
	t.kept = append(t.kept, e)
	if n := int(id) + 1; n > len(t.has) {
		t.has = append(t.has, make([]bool, n-len(t.has)+n/4)...)
	}
	t.has[id] = true
	return true
}

func (t *topList) holds(id uint32) bool { return int(id) < len(t.has) && t.has[id] }

// sort ranks what is kept.
func (t *topList) sort() {
	slices.SortFunc(t.kept, rankedGroup.compare)
	t.shorten()
}

// shorten lets the last go where too many are kept, and the floor rises.
func (t *topList) shorten() {
	n := spareRanks * t.plan.Top
	if len(t.kept) < 2*n {
		return
	}
	for _, e := range t.kept[n:] {
		t.has[e.id] = false
	}
	clear(t.kept[n:])
	t.kept = t.kept[:n]
	floor := t.kept[n-1]
	t.floor = &floor
}

// scan begins anew with all groups.
func (t *topList) scan(totals *table[int64], g *groups) {
	*t = topList{plan: t.plan, kept: t.kept[:0], has: t.has, noted: t.noted, told: t.told, known: true}
	clear(t.has)
	for id := range uint32(totals.len()) {
		if t.add(totals, g, id) && len(t.kept) >= 2*spareRanks*t.plan.Top {
			t.sort()
		}
	}
	t.sort()
}
