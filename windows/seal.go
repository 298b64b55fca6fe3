package windows

import (
	"math"
	"slices"
)

// seal makes everything before the second final and notes the values of the
// kept windows that end on the way.
func (m *Merger) seal(to int64) {
	if m.sealed == math.MinInt64 {
		return
	}
	for m.sealed < to {
		from := m.sealed
		m.sealed = m.nextSeal(to)
		day := m.plan.calendar.Day((m.sealed - 1) * 1000)
		for _, s := range m.sums {
			s.seal(m.sealed, day)
		}
		for _, a := range m.actives {
			a.seal(m.sealed-1, day)
		}
		m.record()
		m.endDays(from)
		for _, s := range m.sums {
			s.sweep()
		}
	}
}

// nextSeal is the next second at which sealing has something to do.
func (m *Merger) nextSeal(to int64) int64 {
	next := m.agenda.next(m.sealed, to)
	dayEnd := func(day int32) int64 { return max(m.plan.calendar.Start(day+1)/1000, m.sealed+1) }
	for _, s := range m.sums {
		for _, w := range s.windows {
			if len(w.panes) > 0 {
				next = min(next, max(w.exit(w.panes[0].at*w.step), m.sealed+1), w.nextBlock(m.sealed))
			}
			if len(w.changed.ids) > 0 {
				next = min(next, ceilTo(m.sealed+1, w.step))
			}
		}
		for day := range s.days {
			next = min(next, dayEnd(day))
		}
	}
	for _, a := range m.actives {
		for j, l := range a.plan.lenses {
			if a.sealed[j] != 0 {
				next = min(next, l.nextBlock(m.sealed))
			}
		}
		for day := range a.days {
			next = min(next, dayEnd(day))
		}
	}
	return next
}

// seal makes the fresh users of a slice final.
func (a *actives) seal(slice int64, day int32) {
	if f, ok := a.fresh[slice]; ok {
		for _, f := range f {
			a.day(day).add(f.Code, int64(f.N), true)
		}
		delete(a.fresh, slice)
	}
}

// record notes the values of the kept windows that end at the sealed second,
// where they changed.
func (m *Merger) record() {
	end := m.sealed
	for i, s := range m.sums {
		for j, w := range s.windows {
			if end%w.step != 0 {
				continue
			}
			m.turn(&w.block, s.plan.name, w.lens, s.columns, end)
			m.recordSums(i, j)
		}
	}
	for _, a := range m.actives {
		for j, l := range a.plan.lenses {
			if end%l.step != 0 {
				continue
			}
			m.turn(&a.blocks[j], a.name, l, a.columns, end)
			a.record(j, end)
		}
	}
}

// record notes the values of one window length. Every block begins with all
// that are not zero.
func (a *actives) record(j int, end int64) {
	block, number := a.blocks[j], end/a.plan.lenses[j].step
	all := block.begins || a.resumed[j]
	block.begins, a.resumed[j] = false, false
	a.sealed[j] = 0
	for code, c := range a.codes {
		changed := c.values[j].seal(number)
		revision := int32(0)
		if c.revisions != nil {
			changed = c.revisions[j].seal(number) || changed
			revision = c.revisions[j].base
		}
		v := c.values[j].base
		a.sealed[j] += int64(v)
		if changed || all {
			block.add(a.keyOf(code), a.texts[code], end, []int64{int64(v), int64(revision)}, v == 0)
		}
	}
}

// revisionColumn is how often a window was restated, beside its columns.
const revisionColumn = "revision"

func (a *actives) keyOf(code int) uint64 {
	if a.plan.slot < 0 {
		return 0
	}
	return a.keys[code]
}

// blockColumns are the columns of the set's blocks: its measures, then by KPI
// the revisions.
func (s *sumPlan) blockColumns() []string {
	var out []string
	for _, c := range s.columns {
		out = append(out, c.key)
	}
	for _, k := range s.kpis {
		out = append(out, revisionColumn+":"+k.Name)
	}
	return out
}

// recordSums notes the final totals of one window length.
func (m *Merger) recordSums(set, lens int) {
	s := m.sums[set]
	w := s.windows[lens]
	number := m.sealed / w.step
	for id, r := range s.revised {
		for q := range r.counts[lens] {
			if r.counts[lens][q].seal(number) {
				w.changed.add(id)
			}
		}
		if m.sealed > r.until {
			delete(s.revised, id)
		}
	}
	if len(w.changed.ids) == 0 && !w.block.begins {
		return
	}
	ids := w.changed.ids
	if s.plan.top > 0 {
		ids = s.topChanged(w, m.sealed)
	} else {
		ids = slices.Concat(ids, s.unwritten(w))
	}
	w.block.begins = false
	for _, id := range ids {
		if again, ok := s.groups.index.get(s.groups.keys[id]); ok {
			id = again // a key that was folded and came back
		}
		vals, empty := s.finalRow(w, id)
		for q := range s.plan.kpis {
			n := int64(0)
			if r := s.revised[id]; r != nil {
				n = int64(r.counts[lens][q].base)
			}
			vals = append(vals, n)
		}
		w.block.add(s.groups.keys[id], s.groups.labels[id], m.sealed, vals, empty)
	}
	w.changed.clear()
}

func (s *sums) finalRow(w *sumWindow, id uint32) (vals []int64, empty bool) {
	vals = make([]int64, s.width, s.width+len(s.plan.kpis))
	empty = true
	for c := range vals {
		vals[c] = at(w.final, int(id)*s.width+c)
		empty = empty && vals[c] == 0
	}
	return vals, empty
}

// unwritten are the groups with a value that the open block does not have yet:
// every block begins with all of them.
func (s *sums) unwritten(w *sumWindow) []uint32 {
	if !w.block.begins {
		return nil
	}
	var out []uint32
	for _, id := range s.groups.index.all() {
		if id < uint32(len(w.changed.in)) && w.changed.in[id] {
			continue
		}
		if _, empty := s.finalRow(w, id); !empty {
			out = append(out, id)
		}
	}
	return out
}

// listed are the groups that history keeps of a list: the top, and kpi.Other,
// which bounds what they may lack.
func (s *sums) listed(totals []int64) []uint32 {
	return topAndOther(s.groups.labels, s.groups.otherID(s.plan.other), s.plan.top, func(id uint32) int64 { return s.weigh(totals, id) })
}

// topChanged are the groups of the top list, and those that left it.
func (s *sums) topChanged(w *sumWindow, end int64) []uint32 {
	top := s.listed(w.final)
	for key, b := range w.block.series {
		if id, ok := s.groups.index.get(key); !b.ended() && !(ok && slices.Contains(top, id)) {
			w.block.add(key, b.Labels, end, nil, true)
		}
	}
	return top
}

// turn makes sure that the open block is the one of the window that ends at
// end, and hands out the one before.
func (m *Merger) turn(open **openBlock, set string, l lens, columns []string, end int64) {
	index := l.blockIndex(end)
	if b := *open; b != nil {
		if b.Index == index {
			return
		}
		if len(b.series) > 0 {
			m.blocks = append(m.blocks, b.block())
		}
	}
	*open = newOpenBlock(set, l, columns, index)
}

// endDays hands out the business days that are sealed.
func (m *Merger) endDays(from int64) {
	for i, s := range m.sums {
		for day, d := range s.days {
			if m.plan.calendar.Start(day+1)/1000 <= m.sealed {
				m.blocks = append(m.blocks, s.dayBlock(m.plan, day, d))
				for id, in := range d.member {
					if in {
						s.groups.release(uint32(id))
					}
				}
				delete(s.days, day)
				m.dropped = append(m.dropped, Page{Kind: PageDay, A: uint32(i), B: uint64(day)})
			}
		}
	}
	for i, a := range m.actives {
		for day, d := range a.days {
			if m.plan.calendar.Start(day+1)/1000 <= m.sealed {
				m.blocks = append(m.blocks, a.dayBlock(m.plan, day, d))
				delete(a.days, day)
				m.dropped = append(m.dropped, Page{Kind: PageDay, A: uint32(len(m.sums) + i), B: uint64(day)})
			}
		}
	}
	if len(m.plan.churn) > 0 {
		first, last := m.plan.calendar.Day(from*1000-1), m.plan.calendar.Day(m.sealed*1000-1)
		for day := first; day <= last; day++ {
			if end := m.plan.calendar.Start(day+1) / 1000; end > from && end <= m.sealed {
				m.blocks = append(m.blocks, m.churnBlock(day))
			}
		}
		m.settleRisk(last)
	}
}

// settleRisk adds up the days before the day, which cannot change any more.
func (m *Merger) settleRisk(day int32) {
	for _, r := range m.risk {
		var sum int64
		for d, n := range r {
			if d < day {
				sum += n
				delete(r, d)
			}
		}
		if sum != 0 {
			r[settled] = sum
		}
	}
}

// settled stands for all days that are over in a churn measure.
const settled = math.MinInt32
