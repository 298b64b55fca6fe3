package merge

import (
	"cmp"
	"slices"
)

// gathering is a slice that is being put together.
type gathering struct {
	vals    table[int64] // by group
	touched changes
}

// A candidate is the keys of one family that have no group.
type candidate struct {
	labels []string // visible
	groups []newGroup
}

type newGroup struct {
	key    uint64
	labels []string
	vals   []int64
}

// An admitting decides on the groups of the keys that have none, largest counts
// first, and gives the slice what they bring.
type admitting func(candidates []*candidate)

// gather puts the partitions' tables for one slice together, as a vector.
func (s *sums) gather(second int64, as arrivals, admit admitting) *vector {
	var fresh []newGroup // of keys without a group
	var places map[uint64]int
	var room []int64 // for what they bring
	for _, a := range as {
		t := a.table
		for g, key := range t.Keys {
			vals := t.Vals[g*s.width:][:s.width]
			if id, ok := s.groups.find(key); ok {
				s.accumulate(id, vals)
				continue
			}
			if place, met := places[key]; met {
				s.plan.Combine(fresh[place].vals, vals)
				continue
			}
			if places == nil {
				places = map[uint64]int{}
			}
			places[key] = len(fresh)
			room = append(room, vals...)
			fresh = append(fresh, newGroup{key, t.Labels(g, s.plan.Fields()), room[len(room)-s.width:]})
		}
	}
	if fresh != nil {
		s.admit(fresh, admit)
	}
	slices.Sort(s.slice.touched.ids)
	ids := s.slice.touched.ids
	v := &vector{at: second, ids: slices.Clone(ids), vals: make([]int64, 0, len(ids)*s.width)}
	for _, id := range ids {
		row := s.slice.vals.edit(id)
		v.vals = append(v.vals, row...)
		v.columns.add(row)
		clear(row)
	}
	s.slice.touched.clear()
	return v
}

// admit has the keys decided on that have no group, those with the largest counts
// first.
func (s *sums) admit(fresh []newGroup, decide admitting) {
	candidates := s.candidates(fresh)
	slices.SortFunc(candidates, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(s.weigh(b), s.weigh(a)), slices.Compare(a.labels, b.labels))
	})
	decide(candidates)
}

// candidates are the families of groups.
func (s *sums) candidates(fresh []newGroup) []*candidate {
	all := make([]candidate, 0, len(fresh))
	out := make([]*candidate, 0, len(fresh))
	alone := len(s.plan.Set) == s.plan.Fields() // in its family
	waiting := map[string]*candidate{}
	for i, n := range fresh {
		labels := s.plan.Visible(n.labels)
		if !alone {
			var room [keyRoom]byte
			if c := waiting[string(appendLabelKey(room[:0], labels))]; c != nil {
				c.groups = append(c.groups, n)
				continue
			}
		}
		all = append(all, candidate{labels, fresh[i : i+1 : i+1]})
		c := &all[len(all)-1]
		out = append(out, c)
		if !alone {
			waiting[labelKey(labels)] = c
		}
	}
	for _, c := range out {
		slices.SortFunc(c.groups, func(a, b newGroup) int { return slices.Compare(a.labels, b.labels) })
	}
	return out
}

// weigh is what a candidate brings to the decision.
func (s *sums) weigh(c *candidate) (n int64) {
	for _, g := range c.groups {
		n += s.plan.Weight(g.vals)
	}
	return n
}

// compete admits families to the budget. When it is spent, one whose count exceeds
// the smallest running count takes that one's place.
func (s *sums) compete(candidates []*candidate) {
	// Who is in already needs no decision, and counts in that of the others.
	candidates = slices.DeleteFunc(candidates, func(c *candidate) bool {
		f := s.groups.familyOf(c.labels)
		in := f != nil && f.held > 0 || s.plan.IsOther(c.labels) || len(c.labels) == 0
		if in {
			s.enter(c)
		}
		return in
	})
	folds := s.folds()
	candidates = slices.DeleteFunc(candidates, func(c *candidate) bool {
		stays := folds && s.staysFolded(c)
		if stays {
			s.foldCandidate(c)
		}
		return stays
	})
	admitted := min(max(s.plan.Budget-s.groups.held, 0), len(candidates))
	for _, c := range candidates[:admitted] {
		s.enter(c)
	}
	if admitted == len(candidates) {
		return
	}
	s.rank()
	for _, c := range candidates[admitted:] {
		if last, weight := s.first(); last != nil && s.weigh(c) > weight {
			s.displace()
			s.enter(c)
			continue
		}
		s.foldCandidate(c)
	}
}

// folds reports whether anything is folded that may be taken back.
func (s *sums) folds() bool {
	if !s.plan.Retracts {
		return false
	}
	f := s.groups.familyOf(s.plan.OtherLabels(make([]string, s.plan.Fields())))
	return f != nil && f.held > 0
}

// staysFolded reports whether a family that has no place gets none although there may
// be room, while anything is folded: what it takes back may be, or changes, and what is
// in a level has to leave where it entered.
func (s *sums) staysFolded(c *candidate) bool { return s.plan.Level || s.weigh(c) <= 0 }

func (s *sums) foldCandidate(c *candidate) {
	for _, g := range c.groups {
		for _, p := range s.others(g.labels, g.vals) {
			s.accumulate(p.id, p.vals)
		}
	}
}

func (s *sums) enter(c *candidate) {
	for _, g := range c.groups {
		id := s.groups.admit(g.key, g.labels)
		s.accumulate(id, g.vals)
		s.moves(id)
	}
}

// provisional is what compete does for a slice that does not close yet: groups
// get numbers behind all that there are, and only the labels learn of them. It
// displaces none.
func (s *sums) provisional(labels *table[[]string]) admitting {
	numbers := map[uint64]uint32{} // by key
	next := uint32(len(s.groups.keys))
	room := s.plan.Budget - s.groups.held
	number := func(key uint64, texts []string) uint32 {
		id, ok := numbers[key]
		if !ok {
			id = next
			next++
			numbers[key] = id
			labels.edit(id)[0] = texts
		}
		return id
	}
	in, folds := map[string]bool{}, s.folds()
	return func(candidates []*candidate) {
		for _, c := range candidates {
			k := labelKey(c.labels)
			if f := s.groups.familyOf(c.labels); !in[k] && (f != nil && f.held > 0 || s.plan.IsOther(c.labels) || len(c.labels) == 0) {
				in[k] = true
			} else if !in[k] && room > 0 && !(folds && s.staysFolded(c)) {
				in[k] = true
				room--
			}
			for _, g := range c.groups {
				if in[k] {
					s.accumulate(number(g.key, g.labels), g.vals)
					continue
				}
				for _, p := range s.folded(g.labels, g.vals) {
					if id, ok := s.groups.index.Get(p.key); ok {
						s.accumulate(id, p.vals)
					} else {
						s.accumulate(number(p.key, p.labels), p.vals)
					}
				}
			}
		}
	}
}

func (s *sums) accumulate(id uint32, vals []int64) {
	s.slice.touched.add(id)
	s.plan.Combine(s.slice.vals.edit(id), vals)
}

// folded is what a group's columns are in kpi.Other: sums that are less than 0 are
// a group of their own, with the same labels. So both have a bound, whatever they
// net to. Of a level, which nets to how many there are, they are not told apart.
func (s *sums) folded(labels []string, vals []int64) []newGroup {
	other := s.plan.OtherLabels(labels)
	rest, negative := vals, []int64(nil)
	if !s.plan.Level {
		rest, negative = s.plan.Split(vals)
	}
	out := []newGroup{{s.whole.OtherKey(other, false), other, rest}}
	if negative != nil {
		out = append(out, newGroup{s.whole.OtherKey(other, true), other, negative})
	}
	return out
}

// A portion is columns of a group.
type portion struct {
	id   uint32
	vals []int64
}

// others are the groups of kpi.Other that a group's columns go to.
func (s *sums) others(labels []string, vals []int64) (out []portion) {
	for _, g := range s.folded(labels, vals) {
		out = append(out, portion{s.groups.admit(g.key, g.labels), g.vals})
	}
	return out
}

// otherFamily are the groups that a group was folded into.
func (s *sums) otherFamily(labels []string) (out []uint32) {
	if f := s.groups.familyOf(s.plan.OtherLabels(labels)); f != nil {
		out = f.ids
	}
	return out
}

// foldFamily moves all that a family has into kpi.Other.
func (s *sums) foldFamily(f *family) {
	for _, id := range slices.Clone(f.ids) {
		s.fold(id)
	}
}

// fold moves all that a group has into kpi.Other.
func (s *sums) fold(id uint32) {
	s.changed(s.clock, s.sealed)
	labels := s.groups.textsOf(id)
	move := func(vals []int64, totals ...*table[int64]) {
		for _, p := range s.others(labels, vals) {
			for _, t := range totals {
				s.plan.Combine(t.edit(p.id), p.vals)
			}
		}
	}
	// shift moves a vector's part, and what totals have of it.
	shift := func(v *vector, totals ...*table[int64]) {
		vals := v.take(id, s.width)
		s.groups.release(id)
		for _, p := range s.others(labels, vals) {
			if v.add(s.plan, p.id, p.vals) {
				s.groups.hold(p.id)
			}
		}
		move(vals, totals...)
	}
	drop := func(t *table[int64]) {
		if t.row(id) != nil {
			clear(t.edit(id))
		}
	}
	for _, v := range s.slices {
		if v.row(id, s.width) == nil {
			continue
		}
		var totals []*table[int64]
		for j := range s.live.windows {
			if w := &s.live.windows[j]; w.Pane(v.at) >= w.tail {
				totals = append(totals, &w.totals)
			}
		}
		if s.plan.Day {
			totals = append(totals, s.live.day(s.dayOf(v.at)))
		}
		shift(v, totals...)
		v.stale = true // corrections on record may name the group
	}
	for j, w := range s.windows {
		live := &s.live.windows[j]
		for _, v := range w.panes {
			if v.row(id, s.width) == nil {
				continue
			}
			totals := []*table[int64]{&w.totals}
			if v.at >= live.tail {
				totals = append(totals, &live.totals)
			}
			shift(v, totals...)
			w.touch(v)
		}
		drop(&live.totals)
		for c := range live.number {
			live.number[c]++
		}
		drop(&w.totals)
		w.changed.add(id)
		for _, other := range s.otherFamily(labels) {
			w.changed.add(other)
		}
	}
	for _, t := range s.live.days {
		drop(t)
	}
	for day, d := range s.days {
		if row := d.totals.row(id); row != nil {
			move(row, &d.totals, s.live.day(day))
			drop(&d.totals)
		}
		d.soil(id)
		for _, other := range s.otherFamily(labels) {
			d.join(s, other)
			d.soil(other)
		}
	}
	if s.slice.touched.has(id) {
		for _, p := range s.others(labels, s.slice.vals.row(id)) {
			s.accumulate(p.id, p.vals)
		}
		clear(s.slice.vals.edit(id))
	}
	s.groups.expel(id)
}
