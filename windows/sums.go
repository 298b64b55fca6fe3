package windows

import (
	"cmp"
	"container/heap"
	"maps"
	"math"
	"slices"
)

// sums is the merged state of one sum set: what each slice that may still
// change holds, and each window's running total twice over: live, of the
// closed slices, and final, of the sealed ones.
type sums struct {
	plan    *sumPlan
	columns []string // of its blocks
	width   int
	groups  groups
	slices  []*vector // unsealed, ascending
	gone    []int64   // slices that are sealed and written
	late    []*vector // what was added since the last checkpoint to slices that are written
	windows []*sumWindow
	days    map[int32]*sumDay
	revised map[uint32]*restated

	cur     []int64 // the slice that is being put together, by group
	touched []uint32
	inCur   []bool
	marks   map[uint32][]mark // late rows since the last crossing, by group
	agenda  *agenda
}

type sumWindow struct {
	lens
	live, final         []int64 // by group and column
	version             uint64  // counts the changes of live
	liveTail, finalTail int64   // pane numbers
	panes               []*vector
	stale               []*vector // panes changed since the last checkpoint
	changed             changes   // groups whose final total changed since the last kept window
	block               *openBlock
}

// A sumDay is a business day that is not over or not sealed.
type sumDay struct {
	live, final []int64
	member      []bool
	revisions   map[revisionKey]int
	dirty       bool
}

type revisionKey struct {
	id  uint32
	kpi uint8
}

// changes is a set of groups that remembers its members in order.
type changes struct {
	ids []uint32
	in  []bool
}

func (c *changes) add(id uint32) {
	c.in = atLeast(c.in, int(id)+1)
	if !c.in[id] {
		c.in[id] = true
		c.ids = append(c.ids, id)
	}
}

func (c *changes) clear() {
	for _, id := range c.ids {
		c.in[id] = false
	}
	c.ids = c.ids[:0]
}

// atLeast returns s with at least n elements, new ones zero.
func atLeast[T any](s []T, n int) []T {
	if n <= len(s) {
		return s
	}
	return append(s, make([]T, n-len(s)+n/4)...)
}

func newSums(p *sumPlan, a *agenda) *sums {
	s := &sums{plan: p, columns: p.blockColumns(), agenda: a, width: len(p.columns), groups: groups{dirty: map[uint32]bool{}}, days: map[int32]*sumDay{},
		revised: map[uint32]*restated{}, marks: map[uint32][]mark{}}
	for _, l := range p.lenses {
		s.windows = append(s.windows, &sumWindow{lens: l, liveTail: math.MinInt64, finalTail: math.MinInt64})
	}
	return s
}

// A candidate is a key that has no group.
type candidate struct {
	key    uint64
	labels []string
	vals   []int64
}

// gather puts the partitions' tables for one slice together, as a vector. Keys
// are admitted as of the head.
func (s *sums) gather(slice, head int64, tables []*groupTable) *vector {
	var waiting map[uint64]*candidate
	for _, t := range tables {
		for g, key := range t.keys {
			vals := t.vals[g*s.width:][:s.width]
			if id, ok := s.groups.find(key); ok {
				s.accumulate(id, vals)
				continue
			}
			if key == s.plan.other {
				s.accumulate(s.otherGroup(), vals)
				continue
			}
			c := waiting[key]
			if c == nil {
				if waiting == nil {
					waiting = map[uint64]*candidate{}
				}
				c = &candidate{key, t.decodeLabels(g, len(s.plan.set)), make([]int64, s.width)}
				waiting[key] = c
			}
			for i, n := range vals {
				c.vals[i] += n
			}
		}
	}
	if waiting != nil {
		s.compete(head, slices.Collect(maps.Values(waiting)))
	}
	slices.Sort(s.touched)
	v := &vector{at: slice, ids: slices.Clone(s.touched), vals: make([]int64, 0, len(s.touched)*s.width)}
	for _, id := range s.touched {
		row := s.cur[int(id)*s.width:][:s.width]
		v.vals = append(v.vals, row...)
		clear(row)
		s.inCur[id] = false
	}
	s.touched = s.touched[:0]
	return v
}

// compete admits keys to the budget, those with the largest counts first. When
// it is spent, a key whose count exceeds the smallest running count takes that
// one's place.
func (s *sums) compete(head int64, candidates []*candidate) {
	slices.SortFunc(candidates, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(s.weigh(b.vals, 0), s.weigh(a.vals, 0)), slices.Compare(a.labels, b.labels))
	})
	room := s.plan.budget - s.groups.held
	if len(s.plan.set) == 0 {
		room = 1
	}
	if other, ok := s.groups.index.get(s.plan.other); ok && s.groups.refs[other] > 0 {
		room++
	}
	admitted := min(max(room, 0), len(candidates))
	for _, c := range candidates[:admitted] {
		s.accumulate(s.groups.admit(c.key, c.labels, head), c.vals)
	}
	if admitted == len(candidates) {
		return
	}
	kept := s.ranking()
	for _, c := range candidates[admitted:] {
		if len(kept) > 0 && s.weigh(c.vals, 0) > kept[0].weight {
			s.fold(heap.Pop(&kept).(ranked).id, s.otherGroup())
			s.accumulate(s.groups.admit(c.key, c.labels, head), c.vals)
			continue
		}
		s.accumulate(s.otherGroup(), c.vals)
	}
}

func (s *sums) accumulate(id uint32, vals []int64) {
	s.cur = atLeast(s.cur, (int(id)+1)*s.width)
	s.inCur = atLeast(s.inCur, int(id)+1)
	if !s.inCur[id] {
		s.inCur[id] = true
		s.touched = append(s.touched, id)
	}
	row := s.cur[int(id)*s.width:][:s.width]
	for c, n := range vals {
		row[c] += n
	}
}

func (s *sums) otherGroup() uint32 {
	if id, ok := s.groups.index.get(s.plan.other); ok {
		return id
	}
	return s.groups.admit(s.plan.other, s.plan.otherLabels(), math.MinInt64)
}

// ranked is a group with its running count: the longest window's, or the
// days'.
type ranked struct {
	id     uint32
	labels []string
	weight int64
}

// ranking is a heap with the group on top that is displaced first: the
// smallest count, of equals the largest key.
type ranking []ranked

func (r ranking) Len() int      { return len(r) }
func (r ranking) Swap(i, j int) { r[i], r[j] = r[j], r[i] }
func (r ranking) Less(i, j int) bool {
	return r[i].weight < r[j].weight || r[i].weight == r[j].weight && slices.Compare(r[i].labels, r[j].labels) > 0
}
func (r *ranking) Push(x any) { *r = append(*r, x.(ranked)) }
func (r *ranking) Pop() any {
	last := len(*r) - 1
	x := (*r)[last]
	*r = (*r)[:last]
	return x
}

// ranking is of the groups that something holds, without kpi.Other.
func (s *sums) ranking() ranking {
	r := make(ranking, 0, s.groups.held)
	for key, id := range s.groups.index.all() {
		if key == s.plan.other || s.groups.refs[id] == 0 {
			continue
		}
		weight := int64(0)
		if n := len(s.windows); n > 0 {
			weight = s.weigh(s.windows[n-1].live, id)
		} else {
			for _, d := range s.days {
				weight += s.weigh(d.live, id)
			}
		}
		if id < uint32(len(s.inCur)) && s.inCur[id] {
			weight += s.weigh(s.cur, id)
		}
		r = append(r, ranked{id, s.groups.labels[id], weight})
	}
	heap.Init(&r)
	return r
}

// weigh is what decides on a group's place in the budget: its counts, added up.
func (s *sums) weigh(vals []int64, id uint32) (n int64) {
	for _, c := range s.plan.weights {
		n += at(vals, int(id)*s.width+c)
	}
	return n
}

func at[T any](s []T, i int) (zero T) {
	if i < len(s) {
		return s[i]
	}
	return zero
}

// fold moves all that a group has into another.
func (s *sums) fold(id, into uint32) {
	move := func(vals []int64) {
		for c := range s.width {
			if i := int(id)*s.width + c; i < len(vals) && vals[i] != 0 {
				vals[int(into)*s.width+c] += vals[i]
				vals[i] = 0
			}
		}
	}
	size := (int(max(id, into)) + 1) * s.width
	shift := func(v *vector) {
		if vals := v.take(id, s.width); vals != nil {
			s.groups.release(id)
			if v.add(into, vals) {
				s.groups.hold(into)
			}
		}
	}
	for _, v := range s.slices {
		if v.row(id, s.width) != nil {
			shift(v)
			v.stale = true // corrections on record may name the group
		}
	}
	for _, w := range s.windows {
		for _, v := range w.panes {
			if v.row(id, s.width) != nil {
				shift(v)
				w.touch(v)
			}
		}
		w.live, w.final = atLeast(w.live, size), atLeast(w.final, size)
		move(w.live)
		move(w.final)
		w.version++
		w.changed.add(id)
		w.changed.add(into)
	}
	for _, d := range s.days {
		d.live, d.final = atLeast(d.live, size), atLeast(d.final, size)
		move(d.live)
		move(d.final)
		d.join(s, into)
		d.dirty = true
	}
	if id < uint32(len(s.inCur)) && s.inCur[id] {
		s.accumulate(into, make([]int64, s.width))
		move(s.cur)
	}
	s.groups.expel(id)
}

func (w *sumWindow) touch(v *vector) {
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
func (w *sumWindow) drop(v *vector) {
	v.ids, v.vals = nil, nil
	if v.saved {
		w.touch(v)
	} else {
		v.stale = false
	}
}

func (d *sumDay) join(s *sums, id uint32) {
	d.member = atLeast(d.member, int(id)+1)
	if !d.member[id] {
		d.member[id] = true
		s.groups.hold(id)
	}
}

// day is the day's account, a new one at first.
func (s *sums) day(day int32) *sumDay {
	d := s.days[day]
	if d == nil {
		d = &sumDay{revisions: map[revisionKey]int{}}
		s.days[day] = d
	}
	return d
}

// addDay adds a slice's vector to one of the two accounts of its day.
func (s *sums) addDay(day int32, v *vector, final bool) {
	d := s.day(day)
	account := &d.live
	if final {
		account, d.dirty = &d.final, true
	}
	for i, id := range v.ids {
		d.join(s, id)
		*account = atLeast(*account, (int(id)+1)*s.width)
		for c, n := range v.vals[i*s.width:][:s.width] {
			(*account)[int(id)*s.width+c] += n
		}
	}
}

// apply adds sign times a vector to window totals.
func apply(total []int64, v *vector, width int, sign int64) []int64 {
	if n := len(v.ids); n > 0 {
		total = atLeast(total, (int(v.ids[n-1])+1)*width)
	}
	if width == 1 {
		for i, id := range v.ids {
			total[id] += sign * v.vals[i]
		}
		return total
	}
	for i, id := range v.ids {
		row := total[int(id)*width:][:width]
		for c, n := range v.vals[i*width:][:width] {
			row[c] += sign * n
		}
	}
	return total
}

// add adds sign times a vector to what the live window holds.
func (w *sumWindow) add(v *vector, width int, sign int64) {
	w.live = apply(w.live, v, width, sign)
	w.version++
}

// between are the unsealed slices from lo to before hi.
func (s *sums) between(lo, hi int64) []*vector {
	i, _ := slices.BinarySearchFunc(s.slices, lo, (*vector).compare)
	j, _ := slices.BinarySearchFunc(s.slices, hi, (*vector).compare)
	return s.slices[i:max(i, j)]
}

// panesBetween are the sealed panes of the window from lo to before hi.
func (w *sumWindow) panesBetween(lo, hi int64) []*vector {
	i, _ := slices.BinarySearchFunc(w.panes, lo, (*vector).compare)
	j, _ := slices.BinarySearchFunc(w.panes, hi, (*vector).compare)
	return w.panes[i:max(i, j)]
}

// close takes a slice into the live windows at head slice + 1.
func (s *sums) close(v *vector, day int32) {
	s.put(v)
	for _, w := range s.windows {
		w.add(v, s.width, 1)
	}
	if s.plan.day {
		s.addDay(day, v, false)
	}
}

// put stores an unsealed slice, on top of what is there.
func (s *sums) put(v *vector) {
	i, ok := slices.BinarySearchFunc(s.slices, v.at, (*vector).compare)
	if !ok {
		v = &vector{at: v.at, ids: slices.Clone(v.ids), vals: slices.Clone(v.vals), stale: true}
		s.slices = slices.Insert(s.slices, i, v)
		for _, id := range v.ids {
			s.groups.hold(id)
		}
		return
	}
	old := s.slices[i]
	if !old.stale {
		s.late = append(s.late, v)
	}
	for k, id := range v.ids {
		if old.add(id, v.vals[k*s.width:][:s.width]) {
			s.groups.hold(id)
		}
	}
}

// correct takes late rows into a closed slice and the windows that hold it.
func (s *sums) correct(v *vector, day int32) {
	s.put(v)
	for _, w := range s.windows {
		if floorTo(v.at, w.step)/w.step >= w.liveTail {
			w.add(v, s.width, 1)
		}
	}
	if s.plan.day {
		s.addDay(day, v, false)
	}
	for i, id := range v.ids {
		var kpis uint64
		for c, n := range v.vals[i*s.width:][:s.width] {
			if n != 0 {
				kpis |= s.plan.touches[c]
			}
		}
		if kpis != 0 {
			s.marks[id] = append(s.marks[id], mark{v.at, kpis})
		}
	}
}

// advance lets leave the live windows what is before their tails at head.
func (s *sums) advance(head int64) {
	for _, w := range s.windows {
		to := w.tail(head) / w.step
		if w.liveTail != math.MinInt64 && w.liveTail < to {
			for _, v := range w.panesBetween(w.liveTail, to) {
				w.add(v, s.width, -1)
			}
			for _, v := range s.between(w.liveTail*w.step, to*w.step) {
				w.add(v, s.width, -1)
			}
		}
		w.liveTail = to
	}
}

// nextExit is the first head after head at which something leaves a live
// window, or MaxInt64.
func (s *sums) nextExit() int64 {
	next := int64(math.MaxInt64)
	for _, w := range s.windows {
		if w.liveTail == math.MinInt64 {
			continue
		}
		if v := w.panesBetween(w.liveTail, math.MaxInt64/w.step); len(v) > 0 {
			next = min(next, w.exit(v[0].at*w.step))
		}
		if v := s.between(w.liveTail*w.step, math.MaxInt64); len(v) > 0 {
			next = min(next, w.exit(v[0].at))
		}
	}
	return next
}

// seal makes everything before sealed final, when the slice sealed - 1 and
// what leaves at sealed is all that is between.
func (s *sums) seal(sealed int64, day int32) {
	for _, w := range s.windows {
		to := w.tail(sealed) / w.step
		if w.finalTail != math.MinInt64 && w.finalTail < to {
			for _, v := range w.panesBetween(w.finalTail, to) {
				w.final = apply(w.final, v, s.width, -1)
				for _, id := range v.ids {
					w.changed.add(id)
				}
			}
		}
		w.finalTail = to
	}
	if len(s.slices) > 0 && s.slices[0].at < sealed { // no more than one: it is on the agenda
		v := s.slices[0]
		s.slices = s.slices[1:]
		if v.saved {
			s.gone = append(s.gone, v.at)
		}
		for _, w := range s.windows {
			w.final = apply(w.final, v, s.width, 1)
			for _, id := range v.ids {
				w.changed.add(id)
			}
			s.addPane(w, v)
		}
		if s.plan.day {
			s.addDay(day, v, true)
		}
		for _, id := range v.ids {
			s.groups.release(id)
		}
	}
	for _, w := range s.windows {
		for len(w.panes) > 0 && w.panes[0].at < w.finalTail {
			for _, id := range w.panes[0].ids {
				s.groups.release(id)
			}
			w.drop(w.panes[0])
			w.panes = w.panes[1:]
		}
	}
}

// addPane adds a sealed slice to the pane that it falls into.
func (s *sums) addPane(w *sumWindow, v *vector) {
	at := floorTo(v.at, w.step) / w.step
	if n := len(w.panes); n == 0 || w.panes[n-1].at != at {
		w.panes = append(w.panes, &vector{at: at})
	}
	p := w.panes[len(w.panes)-1]
	p.merge(v, s.width, func(id uint32) { s.groups.hold(id) })
	w.touch(p)
}

// sweep lets go of groups that nothing holds.
func (s *sums) sweep() {
	s.groups.sweep(s.pending, func(id uint32) { delete(s.revised, id) })
}

// pending reports whether the group's end is still to be noted in a history.
func (s *sums) pending(id uint32) bool {
	for _, w := range s.windows {
		if int(id) < len(w.changed.in) && w.changed.in[id] {
			return true
		}
	}
	return false
}
