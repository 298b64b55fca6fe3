package merge

import (
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/windows/history"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// nextSeal is the next second at which a slice is final, something leaves a final
// window, changed groups are noted, a block ends or a day does.
func (s *sums) nextSeal() int64 {
	next := s.dayEnd
	if len(s.slices) > 0 {
		next = min(next, s.slices[0].at+1)
	}
	for _, w := range s.windows {
		next = min(next, w.exit)
		if w.block != nil && (len(w.panes) > 0 || !w.block.Empty()) {
			next = min(next, w.block.Until())
		}
		if len(w.changed.ids) > 0 {
			next = min(next, plan.Ceil(s.sealed+1, w.Step))
		}
	}
	return max(next, s.sealed+1)
}

// seal makes everything before the sealed second final, when the slice before it
// and what leaves at it is all that is between.
func (s *sums) seal() (finished []*history.Block) {
	clear(s.asked)
	for _, w := range s.windows {
		if w.exit <= s.sealed {
			s.leave(w)
		}
	}
	if len(s.slices) > 0 && s.slices[0].at < s.sealed { // no more than one
		v := s.slices[0]
		s.slices = s.slices[1:]
		if v.saved {
			s.gone = append(s.gone, v.at)
		}
		for _, w := range s.windows {
			if w.Exit(v.at) <= s.sealed {
				continue
			}
			apply(&w.totals, s.plan, v)
			for _, id := range v.ids {
				w.changed.add(id)
			}
			s.addPane(w, v)
		}
		if s.plan.Day {
			s.finalDay(s.dayOf(v.at)).add(s, v)
		}
		for _, id := range v.ids {
			s.groups.release(id)
		}
	}
	for j, w := range s.windows {
		if s.sealed%w.Step == 0 {
			finished = s.turn(finished, &w.block, w.Length)
			s.record(j)
		}
	}
	if s.dayEnd <= s.sealed {
		finished = s.endDays(finished)
	}
	s.groups.sweep(s.pending)
	return finished
}

// leave takes what is before the tail out of a final window.
func (s *sums) leave(w *finalWindow) {
	to := w.Tail(s.sealed)
	gone := between(w.panes, math.MinInt64, to)
	s.takeOut(&w.totals, math.MinInt64, to, w.panes)
	for _, v := range gone {
		for _, id := range v.ids {
			w.changed.add(id)
			s.groups.release(id)
		}
		w.drop(v)
	}
	w.panes = w.panes[len(gone):]
	w.expect()
}

// expect notes when the first pane leaves.
func (w *finalWindow) expect() {
	w.exit = math.MaxInt64
	if len(w.panes) > 0 {
		w.exit = w.Exit(w.panes[0].at)
	}
}

// addPane adds a sealed slice to the pane that it falls into.
func (s *sums) addPane(w *finalWindow, v *vector) {
	at := w.Pane(v.at)
	if n := len(w.panes); n == 0 || w.panes[n-1].at != at {
		w.panes = append(w.panes, &vector{at: at})
		w.expect()
	}
	p := w.panes[len(w.panes)-1]
	p.merge(s.plan, v, s.groups.hold)
	w.touch(p)
}

func (w *finalWindow) touch(v *vector) {
	if v.stale {
		return
	}
	if len(w.stale) == cap(w.stale) { // without checkpoints, those that left pile up
		w.stale = slices.DeleteFunc(w.stale, func(v *vector) bool { return !v.stale })
	}
	v.stale = true
	w.stale = append(w.stale, v)
}

// drop has the pane's page dropped, if there is one.
func (w *finalWindow) drop(v *vector) {
	v.ids, v.vals = nil, nil
	if v.saved {
		w.touch(v)
	} else {
		v.stale = false
	}
}

// pending reports whether the group's end is still to be noted in a history.
func (s *sums) pending(id uint32) bool {
	return slices.ContainsFunc(s.windows, func(w *finalWindow) bool { return w.changed.has(id) })
}

// turn makes sure that the open block is the one of the window that ends at the
// sealed second, and hands out the one before.
func (s *sums) turn(finished []*history.Block, open **history.Open, l plan.Length) []*history.Block {
	return turn(finished, open, s.plan.Name, l, s.columns, s.sealed)
}

func turn(finished []*history.Block, open **history.Open, set string, l plan.Length, columns []string, end int64) []*history.Block {
	index := history.Index(l.Window, end)
	if b := *open; b != nil {
		if b.Index == index {
			return finished
		}
		if block := b.Finish(); block != nil {
			finished = append(finished, block)
		}
	}
	*open = history.NewOpen(set, l.Window, columns, index)
	return finished
}

// record notes the final totals of one window length, where they changed.
func (s *sums) record(j int) {
	w := s.windows[j]
	if len(w.changed.ids) == 0 && !w.block.Begins {
		return
	}
	ids := w.changed.ids
	if s.plan.Top > 0 {
		ids = s.topChanged(w)
	} else {
		ids = slices.Concat(ids, s.unwritten(w))
	}
	w.block.Begins = false
	for _, id := range ids {
		if again, ok := s.groups.index.Get(s.groups.keys[id]); ok {
			id = again // a key that was folded and came back
		}
		vals, empty := s.sealedRow(&w.totals, id)
		w.block.Note(s.groups.keys[id], s.groups.textsOf(id), s.sealed, vals, empty)
	}
	w.changed.clear()
}

// unwritten are the groups with a value that the open block does not have yet:
// every block begins with all of them.
func (s *sums) unwritten(w *finalWindow) []uint32 {
	if !w.block.Begins {
		return nil
	}
	var out []uint32
	for _, id := range s.groups.index.All() {
		if w.changed.has(id) {
			continue
		}
		if _, empty := s.sealedRow(&w.totals, id); !empty {
			out = append(out, id)
		}
	}
	return out
}

// topChanged are the groups of the top list that changed or joined it. Those that
// left it end.
func (s *sums) topChanged(w *finalWindow) []uint32 {
	t := &w.top
	if w.block.Begins {
		t.noted, t.told = t.noted[:0], true
	}
	if !t.told {
		t.told = true
		w.block.Each(func(key uint64, b *history.Series) {
			if !b.Ended() {
				t.noted = append(t.noted, key)
			}
		})
	}
	listed := s.topGroups(w)
	keys := make([]uint64, len(listed))
	var out []uint32
	for i, id := range listed {
		keys[i] = s.groups.keys[id]
		if w.changed.has(id) || !slices.Contains(t.noted, keys[i]) {
			out = append(out, id)
		}
	}
	for _, key := range t.noted {
		if !slices.Contains(keys, key) {
			w.block.Note(key, nil, s.sealed, nil, true)
		}
	}
	t.noted = keys
	return out
}

// topGroups are the groups of the top list. Where a family has several groups,
// all are looked at.
func (s *sums) topGroups(w *finalWindow) []uint32 {
	if s.plan.Hidden != "" {
		return s.reading(&w.totals).listed(s.plan.Top)
	}
	return w.top.listed(&w.totals, &s.groups, w.changed.ids)
}

// endDays hands out the business days that are sealed.
func (s *sums) endDays(finished []*history.Block) []*history.Block {
	if s.plan.Dated {
		return s.endDated(finished)
	}
	for _, day := range sealedDays(s.clock, s.days, 0) {
		d := s.days[day]
		finished = append(finished, s.dayBlock(day, d))
		for id := range uint32(d.members.len()) {
			if row := d.members.row(id); row != nil && row[0] {
				s.groups.release(id)
			}
		}
		delete(s.days, day)
		delete(s.live.days, day)
		for _, part := range d.saved.ids {
			s.dropped = append(s.dropped, dayPage(day, part))
		}
	}
	s.dayEnd = math.MaxInt64
	for day := range s.days {
		s.dayEnd = min(s.dayEnd, s.ends(day))
	}
	return finished
}

// dayBlock is a business day as history keeps it.
func (s *sums) dayBlock(day int32, d *finalDay) *history.Block {
	out := history.Day(s.plan.Name, s.columns, day, s.ends(day))
	var ids []uint32
	if s.plan.Top > 0 {
		ids = s.reading(&d.totals).listed(s.plan.Top)
	} else {
		for id := range uint32(d.members.len()) {
			if row := d.members.row(id); row != nil && row[0] {
				ids = append(ids, id)
			}
		}
	}
	for _, id := range ids {
		vals, empty := s.sealedRow(&d.totals, id)
		if !empty {
			out.Add(s.groups.textsOf(id), vals)
		}
	}
	return out
}
