package users

import (
	"math"
	"math/bits"
	"slices"

	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/step"
)

// A tally counts, for each track, label and window length, the users by the
// pane of their newest closed slice, for the panes of the live window.
type tally struct {
	tracks  []trackTally // by track
	touched []touchedGroup
}

type trackTally struct {
	lengths []plan.Length
	groups  []*userGroup // by code; one for a total
	tails   []int64      // by length, where the live window begins
	steps   []uint32     // by length
	panes   []uint32     // by length, where that of the slice that closes begins; 0 where no window has it
}

type userGroup struct {
	rings   [][]int32 // by length and pane
	pending []int32   // gains of the slice that closes, by length
	fresh   int32     // users whose first slice of the day it is
	touched bool
}

type touchedGroup struct {
	track int
	code  uint32
	group *userGroup
}

func newTally(tracks []track) *tally {
	c := &tally{tracks: make([]trackTally, len(tracks))}
	for i := range tracks {
		t := &c.tracks[i]
		t.lengths = tracks[i].plan.Lengths
		for _, l := range t.lengths {
			t.tails = append(t.tails, math.MinInt64)
			t.steps = append(t.steps, uint32(l.Step))
		}
		t.panes = make([]uint32, len(t.steps))
	}
	return c
}

// clone is a copy that can go its own way.
func (c *tally) clone() *tally {
	out := &tally{tracks: slices.Clone(c.tracks)}
	for i := range out.tracks {
		t := &out.tracks[i]
		t.tails, t.panes, t.groups = slices.Clone(t.tails), slices.Clone(t.panes), slices.Clone(t.groups)
		for code, g := range t.groups {
			n := &userGroup{pending: slices.Clone(g.pending), rings: make([][]int32, len(g.rings))}
			for j, ring := range g.rings {
				n.rings[j] = slices.Clone(ring)
			}
			t.groups[code] = n
		}
	}
	return out
}

func (t *trackTally) group(code uint32) *userGroup {
	for int(code) >= len(t.groups) {
		g := &userGroup{pending: make([]int32, len(t.lengths))}
		for _, l := range t.lengths {
			g.rings = append(g.rings, make([]int32, l.Seconds/l.Step+1))
		}
		t.groups = append(t.groups, g)
	}
	return t.groups[code]
}

// pane is the place of a second in the ring of a length.
func (g *userGroup) pane(l plan.Length, j int, second int64) *int32 {
	ring := g.rings[j]
	return &ring[second/l.Step%int64(len(ring))]
}

// holds reports whether the second is in the live window of a length.
func (t *trackTally) holds(j int, second int64) bool { return second >= t.tails[j] }

// advance lets the users leave whose newest slice is before the live windows at
// head.
func (p *Partition) advance(c *tally, head int64) {
	for i := range c.tracks {
		t := &c.tracks[i]
		for j, l := range t.lengths {
			to := l.Tail(head)
			from := t.tails[j]
			t.tails[j] = to
			if from == math.MinInt64 || from >= to {
				continue
			}
			first := from / l.Step
			n := min(plan.Ceil(to, l.Step)/l.Step-first, l.Seconds/l.Step+1)
			for k := first; k < first+n; k++ {
				for code, g := range t.groups {
					ring := g.rings[j]
					at := &ring[k%int64(len(ring))]
					if *at != 0 {
						p.delta(step.Delta{Head: l.Exit(max(k*l.Step, from)), Target: p.tracks[i].target, Column: int32(j), Group: int32(code), N: -int64(*at)})
						*at = 0
					}
				}
			}
		}
	}
}

// close takes the entries of a slice into the live windows. The tails stand at
// slice + 1. Days that are not nil take what changes of users' active days.
func (p *Partition) close(c *tally, slice int64, days daysAhead) {
	s := p.ring[int(slice)&(len(p.ring)-1)]
	if s == nil || int64(s.slice) != slice {
		return
	}
	day := p.plan.Calendar.Day(slice * 1000)
	dayStart := uint32(p.plan.Calendar.Start(day) / 1000)
	for i := range c.tracks {
		t := &c.tracks[i]
		for j, l := range t.lengths {
			t.panes[j] = 0
			if t.holds(j, slice) {
				t.panes[j] = uint32(l.Pane(slice))
			}
		}
	}
	for at := 0; at < len(s.words); at += p.entryWidth {
		e := s.words[at : at+p.entryWidth]
		for mask := e[entryMask]; mask != 0; mask &= mask - 1 {
			i := bits.TrailingZeros32(mask)
			t, layout := &c.tracks[i], &p.tracks[i]
			code := uint32(0)
			if layout.keyed {
				code = e[layout.entry-1] - 1
			}
			prev := e[layout.entry]
			g := t.group(code)
			if !g.touched {
				g.touched = true
				c.touched = append(c.touched, touchedGroup{i, code, g})
			}
			for j, now := range t.panes {
				if prev >= now { // in the same pane
					continue
				}
				ring, step := g.rings[j], t.steps[j]
				if prev != 0 && int64(prev) >= t.tails[j] {
					ring[prev/step%uint32(len(ring))]--
				} else {
					g.pending[j]++
				}
				ring[now/step%uint32(len(ring))]++
			}
			if prev < dayStart {
				g.fresh++
				if i == p.plan.Churn.Users {
					p.activeDay(e[entryRef], day, slice+1, days)
				}
			}
		}
	}
	for _, t := range c.touched {
		target := p.tracks[t.track].target
		for j, n := range t.group.pending {
			if n != 0 {
				p.delta(step.Delta{Head: slice + 1, Target: target, Column: int32(j), Group: int32(t.code), N: int64(n)})
				t.group.pending[j] = 0
			}
		}
		if t.group.fresh != 0 {
			p.delta(step.Delta{Head: slice + 1, Target: target, Column: p.tracks[t.track].fresh, Group: int32(t.code), N: int64(t.group.fresh)})
			t.group.fresh = 0
		}
		t.group.touched = false
	}
	c.touched = c.touched[:0]
}

// late takes an activity into slices that are closed. It adds one to exactly
// the windows that contain it and neither of its neighbours.
func (p *Partition) late(i int, ref, code uint32, slice, prev, next int64) {
	layout, t := &p.tracks[i], &p.tally.tracks[i]
	if layout.keyed {
		code--
	}
	closedNext := next != 0 && next < p.head
	g := t.group(code)
	say := func(head int64, column int32, n int64) {
		p.delta(step.Delta{Head: head, Target: layout.target, Column: column, Group: int32(code), N: n})
	}
	for j, l := range t.lengths {
		lo := slice + 1
		if prev != 0 {
			lo = max(lo, l.Exit(prev))
		}
		hi := l.Exit(slice) - 1
		if closedNext {
			hi = min(hi, next)
		} else if t.holds(j, slice) {
			*g.pane(l, j, slice)++
			if prev != 0 && t.holds(j, prev) {
				*g.pane(l, j, prev)--
			}
		}
		if lo > min(hi, p.head) {
			continue
		}
		say(lo, int32(j), 1)
		if hi+1 <= p.head {
			say(hi+1, int32(j), -1)
		}
	}
	cal := p.plan.Calendar
	day := cal.Day(slice * 1000)
	if prev*1000 >= cal.Start(day) {
		return
	}
	say(slice+1, layout.fresh, 1)
	if closedNext && next*1000 < cal.Start(day+1) {
		say(next+1, layout.fresh, -1)
	}
	if i == p.plan.Churn.Users {
		p.lateDays = append(p.lateDays, userDay{ref, day})
	}
}
