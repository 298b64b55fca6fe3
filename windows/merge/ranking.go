package merge

import (
	"container/heap"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

// A ranking is of the families that something holds, without kpi.Other: who is
// displaced first, when the budget is spent. It is made when that is first asked, and
// goes on from there by what moved.
type ranking struct {
	heap  lowest
	made  bool
	moved []*family // that came, or whose count may have fallen
}

// ranked is a family with its running count: the longest window's, or the days'. A
// count that grew is only looked at again when the family is the first.
type ranked struct {
	family *family
	labels []string
	weight int64
}

// lowest is a heap with the family on top that is displaced first: the smallest
// count, of equals the largest key.
type lowest []ranked

func (l lowest) Len() int { return len(l) }
func (l lowest) Swap(i, j int) {
	l[i], l[j] = l[j], l[i]
	l[i].family.place, l[j].family.place = i+1, j+1
}
func (l lowest) Less(i, j int) bool {
	return l[i].weight < l[j].weight || l[i].weight == l[j].weight && slices.Compare(l[i].labels, l[j].labels) > 0
}
func (l *lowest) Push(x any) {
	*l = append(*l, x.(ranked))
	last := &(*l)[len(*l)-1]
	last.family.place = len(*l)
}
func (l *lowest) Pop() any {
	last := len(*l) - 1
	x := (*l)[last]
	x.family.place = 0
	(*l)[last] = ranked{}
	*l = (*l)[:last]
	return x
}

// first is the family that is displaced first, and its count; nil if there is none.
func (s *sums) first() (*family, int64) {
	l := &s.ranking.heap
	for len(*l) > 0 {
		top := &(*l)[0]
		if top.family.held == 0 {
			heap.Pop(l)
			continue
		}
		weight := s.familyWeight(top.family)
		if weight == top.weight {
			return top.family, weight
		}
		top.weight = weight
		heap.Fix(l, 0)
	}
	return nil, 0
}

// displace folds the family that is displaced first.
func (s *sums) displace() {
	s.foldFamily(heap.Pop(&s.ranking.heap).(ranked).family)
}

// rank brings the ranking up to date.
func (s *sums) rank() {
	r := &s.ranking
	if !r.made {
		s.rankAnew()
		return
	}
	few := len(r.moved) <= len(r.heap)/16 // else all counts are looked at
	moved := r.moved
	r.moved = nil
	for _, f := range moved {
		f.moved = false
		switch {
		case f.other:
		case f.held == 0 && f.place > 0:
			heap.Remove(&r.heap, f.place-1)
			fallthrough
		case f.held == 0:
			s.moves(f.ids...) // it may come with the slice that is being put together
		case f.place == 0:
			heap.Push(&r.heap, s.ranked(f))
		case few:
			r.heap[f.place-1].weight = s.familyWeight(f)
			heap.Fix(&r.heap, f.place-1)
		}
	}
	if !few {
		for i := range r.heap {
			r.heap[i].weight = s.familyWeight(r.heap[i].family)
		}
		heap.Init(&r.heap)
	}
}

func (s *sums) rankAnew() {
	s.unrank()
	r := &s.ranking
	r.heap, r.made = make(lowest, 0, s.groups.held), s.follows()
	for _, f := range s.groups.byLabels {
		f.place = 0
		switch {
		case f.other:
		case f.held == 0:
			s.moves(f.ids...)
		default:
			r.heap = append(r.heap, s.ranked(f))
			f.place = len(r.heap)
		}
	}
	heap.Init(&r.heap)
}

// unrank has the ranking made anew when it is asked for.
func (s *sums) unrank() {
	for _, f := range s.ranking.moved {
		f.moved = false
	}
	s.ranking = ranking{}
}

func (s *sums) ranked(f *family) ranked {
	return ranked{f, s.plan.Visible(s.groups.textsOf(f.ids[0])), s.familyWeight(f)}
}

// follows reports whether counts fall only as slices leave the longest window, or are
// late for it.
func (s *sums) follows() bool { return s.judging() >= 0 && s.plan.CountsOnly() }

// leaving notes the groups that leave the window that judges at head. When more have moved
// than there are, while nobody asked who is first, it is less work to make the ranking anew.
func (s *sums) leaving(head int64) {
	j := s.judging()
	if !s.ranking.made || j < 0 || s.live.windows[j].exit > head {
		return
	}
	w := &s.live.windows[j]
	to := w.Tail(head)
	for _, vs := range [...][]*vector{s.windows[j].panes, s.slices} {
		for _, v := range between(vs, w.tail, to) {
			s.moves(v.ids...)
		}
	}
	if len(s.ranking.moved) > 2*len(s.ranking.heap) {
		s.unrank()
	}
}

// moves notes that groups came, or that their counts may have fallen.
func (s *sums) moves(ids ...uint32) {
	r := &s.ranking
	if !r.made {
		return
	}
	for _, id := range ids {
		if f := s.groups.families[id]; f != nil && !f.moved {
			f.moved = true
			r.moved = append(r.moved, f)
		}
	}
}

// judging is the place of the longest sliding window; -1 if there is none.
func (s *sums) judging() int {
	longest := len(s.live.windows) - 1
	for longest >= 0 && s.live.windows[longest].Window == kpi.Today { // which begins at nothing
		longest--
	}
	return longest
}

// familyWeight is the running count of a family.
func (s *sums) familyWeight(f *family) (n int64) {
	for _, id := range f.ids {
		if s.groups.refs[id] > 0 {
			n += s.runningWeight(id)
		}
	}
	return n
}

// runningWeight is a group's count in the longest sliding window, or in the days,
// and in the slice that is being put together.
func (s *sums) runningWeight(id uint32) (n int64) {
	switch longest := s.judging(); {
	case longest >= 0:
		n = s.plan.Weight(s.live.windows[longest].totals.row(id))
	case len(s.live.days) > 0:
		for _, t := range s.live.days {
			n += s.plan.Weight(t.row(id))
		}
	case len(s.live.windows) > 0:
		n = s.plan.Weight(s.live.windows[0].totals.row(id))
	}
	if s.slice.touched.has(id) {
		n += s.plan.Weight(s.slice.vals.row(id))
	}
	return n
}
