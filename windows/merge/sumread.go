package merge

import (
	"cmp"
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/windows/history"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// sumReading is the totals of one window or day, or of all days that are dated.
type sumReading struct {
	plan   *plan.Sums
	labels table[[]string]
	totals table[int64]
	end    int64   // of the window
	dated  []ofDay // dated groups; nil before they are asked for
}

// ofDay are the dated groups of a day.
type ofDay struct {
	day int32
	ids []uint32
}

func (s *sums) reading(totals *table[int64]) *sumReading {
	return &sumReading{plan: s.plan, labels: s.groups.labels, totals: *totals}
}

func (r *sumReading) each(q *query, visit visit) {
	say := func(id uint32) {
		row := r.totals.row(id)
		if row == nil {
			return
		}
		state := row[q.source.Column:][:q.source.Width()]
		if !slices.ContainsFunc(state, func(n int64) bool { return n != 0 }) {
			return
		}
		if labels := textsOf(&r.labels, id); labels != nil {
			visit(labels, q.source.Algebra.Number(state))
		}
	}
	if q.list > 0 {
		for _, id := range r.listed(q.list) {
			if !r.plan.Dated || r.plan.Holds(q.day, plan.DayOf(textsOf(&r.labels, id))) {
				say(id)
			}
		}
		return
	}
	if r.plan.Dated {
		for _, of := range r.days() {
			if r.plan.Holds(q.day, of.day) {
				for _, id := range of.ids {
					say(id)
				}
			}
		}
		return
	}
	for id := range uint32(r.totals.len()) {
		say(id)
	}
}

// days are the dated groups by the day that they are of.
func (r *sumReading) days() []ofDay {
	if r.dated != nil {
		return r.dated
	}
	r.dated = []ofDay{}
	text, at := "", -1 // of the group before
	for id := range uint32(r.totals.len()) {
		if r.totals.row(id) == nil {
			continue
		}
		labels := textsOf(&r.labels, id)
		if labels == nil {
			continue
		}
		if now := labels[len(labels)-1]; now != text {
			text = now
			day := plan.DayOf(labels)
			if at = slices.IndexFunc(r.dated, func(of ofDay) bool { return of.day == day }); at < 0 {
				at, r.dated = len(r.dated), append(r.dated, ofDay{day: day})
			}
		}
		r.dated[at].ids = append(r.dated[at].ids, id)
	}
	return r.dated
}

// listed are the groups of a list: those of the n families with the largest
// weights that are not zero, ties by key bytes ascending, and those of kpi.Other,
// which bound what the others may lack.
func (r *sumReading) listed(n int) []uint32 {
	type entry struct {
		labels []string
		ids    []uint32
		weight int64
	}
	var best []entry
	var other []uint32
	hidden := map[string]int{} // families of several groups, by their place
	// What is kept apart by a hidden label has no sum: it stands last, by labels.
	mixed := func(e entry) int { return min(len(e.ids), 2) }
	byWeight := func(a, b entry) int {
		if c := cmp.Compare(mixed(a), mixed(b)); c != 0 || mixed(a) > 1 {
			return cmp.Or(c, slices.Compare(a.labels, b.labels))
		}
		return cmp.Or(cmp.Compare(b.weight, a.weight), slices.Compare(a.labels, b.labels))
	}
	full, floor := false, int64(0)
	for id := range uint32(r.totals.len()) {
		weight := r.plan.Weight(r.totals.row(id))
		if weight == 0 {
			continue
		}
		labels := textsOf(&r.labels, id)
		if labels == nil {
			continue
		}
		if r.plan.IsOther(labels) {
			other = append(other, id)
			continue
		}
		if full && weight < floor {
			continue
		}
		visible := r.plan.Visible(labels)
		if r.plan.Hidden != "" {
			k := labelKey(visible)
			if i, ok := hidden[k]; ok {
				best[i].ids, best[i].weight = append(best[i].ids, id), best[i].weight+weight
				continue
			}
			hidden[k] = len(best)
			best = append(best, entry{visible, []uint32{id}, weight})
			continue
		}
		best = append(best, entry{visible, []uint32{id}, weight})
		if len(best) >= 4*n+64 {
			slices.SortFunc(best, byWeight)
			best = best[:n]
			full, floor = true, best[n-1].weight
		}
	}
	slices.SortFunc(best, byWeight)
	var out []uint32
	for _, e := range best[:min(n, len(best))] {
		out = append(out, e.ids...)
	}
	return append(out, other...)
}

// kept reads a window that is closed but not sealed.
func (s *sums) kept(q *query, before reading) reading {
	last, _ := before.(*sumReading)
	if last != nil && s.plan.Dated { // all days stand in one account
		return last
	}
	r := &sumReading{plan: s.plan, labels: s.groups.labels.share(), end: q.end}
	if q.IsDay() {
		if t := s.live.totals(q.window); t != nil {
			r.totals = t.share()
		}
		return r
	}
	j := s.plan.Length(q.Window)
	if asked := s.asked[j]; last == nil && asked != nil && asked.end == q.end && !s.plan.Dated { // for another KPI of the set
		return asked
	}
	r.totals = s.keptTotals(s.windows[j], q.end, last)
	s.asked[j] = r
	return r
}

// keptTotals are the totals of a kept window that is closed but not sealed: those
// of the one before it, if there is one, or of what is sealed, moved on.
func (s *sums) keptTotals(w *finalWindow, end int64, before *sumReading) table[int64] {
	begin := w.Tail(end)
	from, since, tail := &w.totals, s.sealed, int64(math.MinInt64)
	if before != nil {
		from, since, tail = &before.totals, before.end, w.Tail(before.end)
	}
	if !s.plan.Invertible || begin >= since { // put together anew
		totals := newTable[int64](s.width)
		for _, vs := range [...][]*vector{between(w.panes, begin, end), between(s.slices, max(begin, s.sealed), end)} {
			for _, v := range vs {
				apply(&totals, s.plan, v)
			}
		}
		return totals
	}
	totals := from.share()
	for _, v := range between(s.slices, since, end) {
		apply(&totals, s.plan, v)
	}
	for _, vs := range [...][]*vector{between(w.panes, tail, begin), between(s.slices, tail, begin)} {
		for _, v := range vs {
			withdraw(&totals, s.plan, v, nil)
		}
	}
	return totals
}

func (s *sums) stored(w window) (history.BlockID, *history.Open) {
	return storedIn(s.plan.Name, w, s.openBlock(w))
}

func (s *sums) openBlock(w window) *history.Open {
	if j := s.plan.Length(w.Window); j >= 0 {
		return s.windows[j].block
	}
	return nil
}

// storedIn names the block of a window, and the open one if it is that.
func storedIn(set string, w window, open *history.Open) (history.BlockID, *history.Open) {
	id := history.BlockID{Set: set, Window: w.Window, Index: int64(w.day)}
	if !w.IsDay() {
		id.Index = history.Index(w.Window, w.end)
	}
	if open == nil || open.Index != id.Index {
		return id, nil
	}
	return id, open
}

func (s *sums) column(q *query) (columns []string) {
	for c := range q.source.Width() {
		columns = append(columns, s.plan.Columns[q.source.Column+c].Key)
	}
	return columns
}
