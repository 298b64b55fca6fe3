package users

import (
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/step"
)

// A tally counts, for each track, label and window length, the users by the
// pane of their newest closed slice, for the panes of the live window.
type tally struct {
	audiences []audienceTally
	touched   []touchedLabel
	taken     int              // of the partition's dues
	met       map[metHeir]bool // nil but beyond what is closed
}

type audienceTally struct {
	tails  []int64         // by length of the audience, where the live window begins
	tracks [][]*labelTally // by track and code; one for a total
}

type labelTally struct {
	panes   []int32 // by length and pane
	gains   []int32 // users who join the live windows by the slice that closes, by length
	fresh   int32   // users whose first slice of the day it is
	twice   int32   // users in the windows of today who are counted by another id
	touched bool
}

type touchedLabel struct {
	track *track
	code  uint32
	label *labelTally
}

func newTally(audiences []*audience) *tally {
	c := &tally{audiences: make([]audienceTally, len(audiences))}
	for i, a := range audiences {
		t := &c.audiences[i]
		t.tracks = make([][]*labelTally, len(a.tracks))
		for range a.lengths {
			t.tails = append(t.tails, math.MinInt64)
		}
	}
	return c
}

// clone is a copy that can go its own way.
func (c *tally) clone() *tally {
	out := &tally{audiences: slices.Clone(c.audiences), met: map[metHeir]bool{}}
	for i := range out.audiences {
		t := &out.audiences[i]
		t.tails, t.tracks = slices.Clone(t.tails), slices.Clone(t.tracks)
		for k, labels := range t.tracks {
			t.tracks[k] = slices.Clone(labels)
			for code, l := range t.tracks[k] {
				t.tracks[k][code] = &labelTally{panes: slices.Clone(l.panes), gains: slices.Clone(l.gains), twice: l.twice}
			}
		}
	}
	return out
}

// panesOf is how many panes a live window of a length has at the most.
func panesOf(l plan.Length) int { return int(l.Seconds/l.Step) + 1 }

// label is the tally of a label of a track.
func (c *tally) label(number, k int, t *track, code uint32) *labelTally {
	labels := &c.audiences[number].tracks[k]
	for int(code) >= len(*labels) {
		panes := 0
		for _, l := range t.plan.Lengths {
			panes += panesOf(l)
		}
		*labels = append(*labels, &labelTally{panes: make([]int32, panes), gains: make([]int32, len(t.lengths))})
	}
	return (*labels)[code]
}

// pane is the place of a second in the ring of a length.
func pane(l plan.Length, second int64) int { return int(second / l.Step % int64(panesOf(l))) }

// advance lets the users leave whose newest slice is before the live windows at
// head.
func (p *Partition) advance(c *tally, head int64) {
	for i, a := range p.audiences {
		for at, l := range a.lengths {
			to, from := l.Tail(head), c.audiences[i].tails[at]
			c.audiences[i].tails[at] = to
			if from == math.MinInt64 || from >= to {
				continue
			}
			first := from / l.Step
			n := min(plan.Ceil(to, l.Step)/l.Step-first, int64(panesOf(l)))
			for number := first; number < first+n; number++ {
				p.leave(c, i, at, max(number*l.Step, from))
			}
		}
	}
}

// leave lets the users of the pane of a second leave the live windows of a length.
func (p *Partition) leave(c *tally, number, at int, second int64) {
	a := p.audiences[number]
	l := a.lengths[at]
	for k := range a.tracks {
		t := &a.tracks[k]
		for j := range t.lengths {
			if t.lengths[j].of != at {
				continue
			}
			place := t.lengths[j].panes + pane(l, second)
			for code, label := range c.audiences[number].tracks[k] {
				n := label.panes[place]
				if l.Today() { // the whole day leaves at once
					n, label.twice = n-label.twice, 0
				}
				if n != 0 {
					p.delta(step.Delta{Head: l.Exit(second), Target: t.target, Column: int32(j), Group: int32(code), N: -int64(n)})
				}
				label.panes[place] = 0
			}
		}
	}
}

// A move says where users go from in the panes of a length when a slice closes.
type move struct {
	begin uint32 // of the pane that the slice is in; 0 where no window has it: all stay
	tail  int64
	step  uint32
	into  int // the slice's place in the ring
	panes int // in the ring
	pane  uint32
	from  int // where the user was, or stays, joins
	today bool
}

const (
	stays = -1 // in the same pane
	joins = -2 // was not in the live window
)

// of says where a user was whose slice before is given.
func (m *move) of(before uint32) int {
	switch {
	case before >= m.begin:
		return stays
	case before == 0 || int64(before) < m.tail:
		return joins
	}
	from := m.into - int(m.pane-before/m.step)
	if from < 0 {
		from += m.panes
	}
	return from
}

// close takes the entries of a slice into the live windows. The tails stand at
// slice + 1. For good says that the users' active days change by it.
func (p *Partition) close(c *tally, second int64, forGood bool) {
	for i, a := range p.audiences {
		if s := a.slice(uint32(second)); s != nil {
			p.closeSlice(c, i, s, forGood)
		}
	}
	for _, t := range c.touched {
		say := func(column, n int32) {
			if n != 0 {
				p.delta(step.Delta{Head: second + 1, Target: t.track.target, Column: column, Group: int32(t.code), N: int64(n)})
			}
		}
		for j, n := range t.label.gains {
			say(int32(j), n)
			t.label.gains[j] = 0
		}
		say(t.track.fresh, t.label.fresh)
		t.label.fresh, t.label.touched = 0, false
	}
	c.touched = c.touched[:0]
}

func (p *Partition) closeSlice(c *tally, number int, s *slice, forGood bool) {
	a := p.audiences[number]
	second := int64(s.second)
	day := p.plan.Calendar.Day(second * 1000)
	dayStart := uint32(p.plan.Calendar.Start(day) / 1000)
	p.moves = p.moves[:0]
	for at, l := range a.lengths {
		m := move{tail: c.audiences[number].tails[at], step: uint32(l.Step), into: pane(l, second), panes: panesOf(l), pane: uint32(second / l.Step), today: l.Today()}
		if second >= m.tail {
			m.begin = uint32(l.Pane(second))
		}
		p.moves = append(p.moves, m)
	}
	for chunk := range s.chunks {
		list := a.some(s, chunk)
		for i := range list {
			e := &list[i]
			before := s.before(e)
			detail := s.detail(e, len(a.tracks))
			if detail == nil {
				for at := range p.moves {
					p.moves[at].from = p.moves[at].of(before)
				}
			}
			for k := range a.tracks {
				if detail != nil {
					if before = detail[k]; before == s.second {
						continue // it counts by another entry
					}
					for at := range p.moves {
						p.moves[at].from = p.moves[at].of(before)
					}
				}
				if before >= dayStart {
					p.move(c, number, k, e.labels, known)
					continue
				}
				t, first := &a.tracks[k], fresh
				if t.daily {
					if p.isCounted(c, e.ref, attendance{day, int32(t.number), a.group(e.labels, t)}, second) {
						first = twin
					}
				}
				p.move(c, number, k, e.labels, first)
				if t.daily && forGood {
					p.wasThere(&userDay{t, a.group(e.labels, t), e.ref, day, second})
				}
			}
		}
	}
}

// Whether a slice is the user's first of a day.
type first int

const (
	known first = iota // it is not
	fresh              // it is
	twin               // it is, but another id of the user counts
)

// move moves a user in the panes of a track.
func (p *Partition) move(c *tally, number, k int, labels uint32, of first) {
	a := p.audiences[number]
	t := &a.tracks[k]
	code := a.group(labels, t)
	known := c.audiences[number].tracks[k]
	if int(code) >= len(known) {
		c.label(number, k, t, code)
		known = c.audiences[number].tracks[k]
	}
	label := known[code]
	if !label.touched {
		label.touched = true
		c.touched = append(c.touched, touchedLabel{t, code, label})
	}
	for j, l := range t.lengths {
		m := &p.moves[l.of]
		if m.from == stays {
			continue
		}
		if m.from == joins && of == twin && m.today {
			label.twice++
		} else if m.from == joins {
			label.gains[j]++
		} else {
			label.panes[l.panes+m.from]--
		}
		label.panes[l.panes+m.into]++
	}
	if of == fresh {
		label.fresh++
	}
}

// late takes an activity into slices that are closed. It adds one to exactly
// the windows that contain it and neither of its neighbours.
func (p *Partition) late(number, k int, ref, code uint32, second, before, after int64) {
	a := p.audiences[number]
	t, tails := &a.tracks[k], p.tally.audiences[number].tails
	if t.keyed >= 0 {
		code--
	}
	closedAfter := after != 0 && after < p.head
	cal := p.plan.Calendar
	day := cal.Day(second * 1000)
	first := before*1000 < cal.Start(day)
	counted := int64(math.MaxInt64) // by another id, from that head on
	if first && t.daily {
		counted = p.countedFrom(ref, attendance{day, int32(t.number), code})
	}
	label := p.tally.label(number, k, t, code)
	say := func(head int64, column int32, n int64) {
		p.delta(step.Delta{Head: head, Target: t.target, Column: column, Group: int32(code), N: n})
	}
	for j, l := range t.plan.Lengths {
		lo := second + 1
		if before != 0 {
			lo = max(lo, l.Exit(before))
		}
		hi := l.Exit(second) - 1
		if tail := tails[t.lengths[j].of]; closedAfter {
			hi = min(hi, after)
		} else if second >= tail {
			label.panes[t.lengths[j].panes+pane(l, second)]++
			if l.Today() && counted <= p.head {
				label.twice++
			}
			if before != 0 && before >= tail {
				label.panes[t.lengths[j].panes+pane(l, before)]--
			}
		}
		if l.Today() {
			hi = min(hi, counted-1)
		}
		if lo > min(hi, p.head) {
			continue
		}
		say(lo, int32(j), 1)
		if hi+1 <= p.head {
			say(hi+1, int32(j), -1)
		}
	}
	if !first {
		return
	}
	until := counted
	if closedAfter && after*1000 < cal.Start(day+1) {
		until = min(until, after+1)
	}
	if second+1 < until {
		say(second+1, t.fresh, 1)
		if until <= p.head {
			say(until, t.fresh, -1)
		}
	}
	if t.daily {
		p.lateDays = append(p.lateDays, userDay{t, code, ref, day, second})
	}
}
