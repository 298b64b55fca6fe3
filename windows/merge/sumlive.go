package merge

import (
	"iter"
	"math"
	"math/bits"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// sumLive is what the live windows of a sum set hold.
type sumLive struct {
	sums    *sums // whose panes and slices leave the windows; not looked at by readers
	plan    *plan.Sums
	windows []liveWindow
	days    map[int32]*table[int64] // that are not sealed
	labels  table[[]string]         // to be read: by group
}

type liveWindow struct {
	plan.Length
	totals table[int64]
	tail   int64    // no slice before it is in the window
	exit   int64    // the head at which a slice leaves it, MaxInt64 if it has none
	number []uint64 // counts the changes, by column as columnSet has them
}

// changes notes that a vector came or went.
func (w *liveWindow) changes(v *vector) {
	for rest := v.columns; rest != 0; rest &= rest - 1 {
		w.number[bits.TrailingZeros64(uint64(rest))]++
	}
}

func (s *sums) present() live {
	s.live.labels = s.groups.labels
	return s.live
}

func (s *sums) share() live {
	if s.shared != nil {
		return s.shared
	}
	out := &sumLive{sums: s, plan: s.plan, labels: s.groups.labels.share(), windows: make([]liveWindow, len(s.live.windows)), days: map[int32]*table[int64]{}}
	for j := range s.live.windows {
		w := &s.live.windows[j]
		out.windows[j] = liveWindow{Length: w.Length, totals: w.totals.share(), tail: w.tail, exit: w.exit, number: slices.Clone(w.number)}
	}
	for day, t := range s.live.days {
		shared := t.share()
		out.days[day] = &shared
	}
	if s.plan.Dated && s.plan.Closed {
		s.shared = out
	}
	return out
}

// advance lets leave the windows what is before their tails at head.
func (l *sumLive) advance(head int64) {
	s := l.sums
	for j := range l.windows {
		w := &l.windows[j]
		if w.exit > head {
			continue
		}
		to, runs := w.Tail(head), [...][]*vector{s.windows[j].panes, s.slices}
		s.takeOut(&w.totals, w.tail, to, runs[:]...)
		exit := int64(math.MaxInt64)
		for _, vs := range runs {
			for _, v := range between(vs, w.tail, to) {
				w.changes(v)
			}
			if i := search(vs, to); i < len(vs) {
				exit = min(exit, w.Exit(vs[i].at))
			}
		}
		w.tail, w.exit = to, exit
	}
}

// takeOut lets totals go on from one tail to another: what lies between leaves
// them. runs are all that the window has.
func (s *sums) takeOut(totals *table[int64], tail, to int64, runs ...[]*vector) {
	n, stay := 0, false
	for _, vs := range runs {
		n += len(between(vs, tail, to))
		stay = stay || len(between(vs, to, math.MaxInt64)) > 0
	}
	if n > 0 && !stay { // as when a day ends: not pane by pane
		*totals = newTable[int64](s.width)
		return
	}
	var anew map[uint32]bool
	again := func(id uint32) {
		if anew == nil {
			anew = map[uint32]bool{}
		}
		anew[id] = true
	}
	for _, vs := range runs {
		for _, v := range between(vs, tail, to) {
			withdraw(totals, s.plan, v, again)
		}
	}
	for id := range anew {
		s.anew(totals.edit(id), id, to, runs)
	}
}

// anew puts the columns of a group together that cannot be taken out of totals.
func (s *sums) anew(row []int64, id uint32, tail int64, runs [][]*vector) {
	for c := range row {
		if s.plan.Columns[c].Combine != nil {
			row[c] = 0
		}
	}
	for _, vs := range runs {
		for _, v := range between(vs, tail, math.MaxInt64) {
			vals := v.row(id, s.width)
			for c, n := range vals {
				if combine := s.plan.Columns[c].Combine; combine != nil {
					row[c] = combine(row[c], n)
				}
			}
		}
	}
}

// add takes a slice into the windows that hold it at a head, and into its day.
// Nothing has to leave them at it.
func (l *sumLive) add(v *vector, head int64) {
	for j := range l.windows {
		w := &l.windows[j]
		w.tail = w.Tail(head)
		if v.at >= w.tail && w.Reaches(v.at, head) {
			apply(&w.totals, l.plan, v)
			w.exit = min(w.exit, w.Exit(v.at))
			w.changes(v)
		}
	}
	if l.plan.Day {
		apply(l.day(l.sums.dayOf(v.at)), l.plan, v)
	}
}

// day is the account of a day, an empty one at first.
func (l *sumLive) day(day int32) *table[int64] {
	t := l.days[day]
	if t == nil {
		empty := newTable[int64](len(l.plan.Columns))
		t = &empty
		l.days[day] = t
	}
	return t
}

// preview is time going on to head. Keys that have no group yet are numbered
// behind all groups; those that the budget has no room for go to kpi.Other.
func (l *sumLive) preview(head int64, late, as arrivals) {
	l.advance(head)
	if l.plan.Closed {
		return
	}
	admit := l.sums.provisional(&l.labels)
	for _, as := range [...]arrivals{late, as} {
		for len(as) > 0 {
			var now arrivals
			now, as = as.until(as[0].head)
			l.add(l.sums.gather(now[0].head-1, now, admit), head)
		}
	}
}

func (l *sumLive) version(w kpi.Window, src *plan.Source) (v uint64) {
	number := l.windows[l.plan.Length(w)].number
	if l.plan.Top == 0 && src.Column+src.Width() <= manyColumns { // else all decide on the order
		number = number[src.Column:][:src.Width()]
	}
	for _, n := range number {
		v += n
	}
	return v
}

func (l *sumLive) known() iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		for id := range uint32(l.labels.len()) {
			if labels := textsOf(&l.labels, id); labels != nil && !l.plan.IsOther(labels) && !yield(labels) {
				return
			}
		}
	}
}

// totals are those of a window, nil if it has none.
func (l *sumLive) totals(w window) *table[int64] {
	if j := l.plan.Length(w.Window); j >= 0 {
		return &l.windows[j].totals
	}
	if l.plan.Dated {
		return l.days[anyDay]
	}
	return l.days[w.day]
}

func (l *sumLive) each(q *query, visit visit) {
	if t := l.totals(q.window); t != nil {
		(&sumReading{plan: l.plan, labels: l.labels, totals: *t}).each(q, visit)
	}
}
