package merge

import (
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/windows/history"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// sums is an aggregate: what is added up by a dimension set. It has what each
// slice holds that may still change, and each window's running total twice over:
// live, of the closed slices, and final, of the sealed ones.
type sums struct {
	*clock
	amendments
	plan    *plan.Sums
	whole   *plan.Plan
	target  int
	columns []string // of its blocks
	width   int

	groups  groups
	live    *sumLive
	shared  *sumLive      // of dated sums whose previews change nothing: a share as long as nothing changed
	asked   []*sumReading // by length what was read last, nil if something changed since
	slices  []*vector     // unsealed, ascending
	gone    []int64       // slices that are sealed and written
	late    []*vector     // what was added since the last checkpoint to slices that are written
	windows []*finalWindow
	days    map[int32]*finalDay
	dayEnd  int64 // of the first of days, MaxInt64 if there is none

	dropped   []uint64 // pages of days that are no longer needed
	slice     gathering
	ranking   ranking
	revisions *revisions // that it tells
}

// A finalWindow is a window length, of what is sealed.
type finalWindow struct {
	plan.Length
	totals  table[int64]
	panes   []*vector
	exit    int64     // the second at which the first pane leaves, MaxInt64 if there is none
	stale   []*vector // panes changed since the last checkpoint
	changed changes   // groups whose total changed since the last kept window
	block   *history.Open
	top     topList // of a set that lists the largest
}

// A finalDay is a business day that is not over or not sealed, of what is sealed.
type finalDay struct {
	totals  table[int64]
	members table[bool]
	// dirty are the parts that changed since the last checkpoint, saved those that
	// one has.
	dirty, saved changes
}

// changes is a set of groups that remembers its members in order.
type changes struct {
	ids []uint32
	in  []bool
}

func (c *changes) add(id uint32) {
	if n := int(id) + 1; n > len(c.in) {
		c.in = append(c.in, make([]bool, n-len(c.in)+n/4)...)
	}
	if !c.in[id] {
		c.in[id] = true
		c.ids = append(c.ids, id)
	}
}

func (c *changes) has(id uint32) bool { return int(id) < len(c.in) && c.in[id] }

func (c *changes) clear() {
	for _, id := range c.ids {
		c.in[id] = false
	}
	c.ids = c.ids[:0]
}

func newSums(c *clock, whole *plan.Plan, target int, r *revisions) *sums {
	p := whole.Sums[target]
	s := &sums{clock: c, plan: p, whole: whole, target: target, width: len(p.Columns), groups: newGroups(p), days: map[int32]*finalDay{}, dayEnd: math.MaxInt64, revisions: r}
	for _, c := range p.Columns {
		s.columns = append(s.columns, c.Key)
	}
	s.live = &sumLive{sums: s, plan: p, days: map[int32]*table[int64]{}}
	for _, l := range p.Lengths {
		s.windows = append(s.windows, &finalWindow{Length: l, exit: math.MaxInt64, totals: newTable[int64](s.width), top: topList{plan: p}})
		s.live.windows = append(s.live.windows, liveWindow{Length: l, tail: math.MinInt64, exit: math.MaxInt64, totals: newTable[int64](s.width), number: make([]uint64, min(s.width, manyColumns))})
	}
	s.slice.vals = newTable[int64](s.width)
	s.asked = make([]*sumReading, len(s.windows))
	return s
}

func (s *sums) advance(head int64) {
	s.leaving(head)
	s.live.advance(head)
}

func (s *sums) nextExit() int64 {
	next := int64(math.MaxInt64)
	for j := range s.live.windows {
		next = min(next, s.live.windows[j].exit)
	}
	return next
}

// close takes the slice that ends at head into the live windows.
func (s *sums) close(head int64, as arrivals) {
	clear(s.asked)
	v := s.gather(head-1, as, s.compete)
	s.put(v)
	s.live.add(v, head)
}

// put stores an unsealed slice, on top of what is there. The vector is its own from
// here on.
func (s *sums) put(v *vector) {
	s.shared = nil
	i := search(s.slices, v.at)
	if i == len(s.slices) || s.slices[i].at != v.at {
		v.stale = true
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
		if old.add(s.plan, id, v.vals[k*s.width:][:s.width]) {
			s.groups.hold(id)
		}
	}
}

// correct takes late rows into closed slices and the windows that hold them, which
// it touches where a measure changes.
func (s *sums) correct(late arrivals) {
	s.note(s.clock, late)
	clear(s.asked)
	var dated []*vector
	for len(late) > 0 {
		var as arrivals
		as, late = late.until(late[0].head)
		v := s.gather(as[0].head-1, as, s.compete)
		s.put(v)
		s.live.add(v, s.head)
		s.moves(v.ids...) // in case their windows are without it
		if s.plan.Dated {
			dated = append(dated, &vector{ids: slices.Clone(v.ids), vals: slices.Clone(v.vals)}) // put may keep the vector
			continue
		}
		for i, id := range v.ids {
			if kpis := s.plan.Touched(v.vals[i*s.width:][:s.width]); len(kpis) > 0 {
				s.revisions.touch(touch{labels: s.plan.Visible(s.groups.textsOf(id)), kpis: kpis, length: covering, lo: v.at, hi: v.at})
			}
		}
	}
	s.touchDays(dated)
}

// finalDay is the day's account, a new one at first.
func (s *sums) finalDay(day int32) *finalDay {
	d := s.days[day]
	if d == nil {
		d = &finalDay{totals: newTable[int64](s.width), members: newTable[bool](1)}
		s.days[day] = d
		if !s.plan.Dated {
			s.dayEnd = min(s.dayEnd, s.ends(day))
		}
	}
	return d
}

// join makes the group one that the day holds.
func (d *finalDay) join(s *sums, id uint32) {
	if row := d.members.row(id); row != nil && row[0] {
		return
	}
	d.members.edit(id)[0] = true
	d.soil(id)
	s.groups.hold(id)
	if s.plan.Dated {
		s.expectDay(id)
	}
}

func (d *finalDay) soil(id uint32) { d.dirty.add(id / groupPart) }

func (d *finalDay) add(s *sums, v *vector) {
	apply(&d.totals, s.plan, v)
	for _, id := range v.ids {
		d.join(s, id)
		d.soil(id)
	}
}

// sealedRow is the columns of a group in totals, and whether they are all zero.
func (s *sums) sealedRow(t *table[int64], id uint32) (vals []int64, empty bool) {
	vals = make([]int64, s.width)
	copy(vals, t.row(id))
	return vals, !slices.ContainsFunc(vals, func(n int64) bool { return n != 0 })
}
