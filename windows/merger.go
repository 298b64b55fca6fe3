package windows

import (
	"cmp"
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/stream"
)

// A Merger puts the partitions' steps together into windows: live ones, kept
// ones that late events may still restate, and sealed ones, which it hands out
// as blocks of history. One goroutine writes it; readers need a lock that its
// owner provides.
type Merger struct {
	// OnClose is called at every head at which a value may have changed, in
	// order, while nothing else writes. nil: not called.
	OnClose func(now int64)
	// Deadline is the next head at which OnClose wants to be called although
	// nothing changed, MaxInt64 without one. nil: none.
	Deadline func() int64
	// Yield is called every so often during a step. nil: not called.
	Yield func()

	plan   *Plan
	timing stream.Timing
	span   int64 // lateness in seconds, rounded up

	watermark int64 // ms
	head      int64
	sealed    int64
	agenda    agenda

	sums    []*sums
	actives []*actives
	risk    []map[int32]int64 // by measure: users that enter it by day

	blocks    []*Block       // finished, not handed out yet
	revisions []revisionPage // since the last checkpoint
	// revisionHeads are the crossings whose revisions the epoch holds.
	revisionHeads []int64
	dropped       []Page
	steps         uint64 // taken; a preview is of one of them
	published     *Live  // the last, nil at first
}

// NewMerger returns an empty merger.
func NewMerger(p *Plan, t stream.Timing) *Merger {
	m := &Merger{plan: p, timing: t, span: ceilTo(t.Lateness.Milliseconds(), 1000) / 1000,
		watermark: stream.NoTime, head: math.MinInt64, sealed: math.MinInt64}
	for _, s := range p.sums {
		m.sums = append(m.sums, newSums(s, &m.agenda))
	}
	for _, u := range p.users {
		m.actives = append(m.actives, newActives(u, &m.agenda))
	}
	for range p.churn {
		m.risk = append(m.risk, map[int32]int64{})
	}
	return m
}

// Watermark is the event time in ms before which the input is believed
// complete, stream.NoTime before the first event.
func (m *Merger) Watermark() int64 { return m.watermark }

// Sealed is the second before which nothing changes any more.
func (m *Merger) Sealed() int64 { return m.sealed }

// Head is the second before which every slice is closed.
func (m *Merger) Head() int64 { return m.head }

// Label takes in labels in the order in which they were numbered.
func (m *Merger) Label(labels []NewLabel) {
	for _, n := range labels {
		for _, a := range m.actives {
			if a.plan.slot == n.Slot {
				a.texts, a.keys, a.dirty = append(a.texts, n.Texts), append(a.keys, n.Key), true
			}
		}
	}
}

// Step takes in one crossing: the steps of all partitions for it.
func (m *Merger) Step(steps []*Step) {
	m.steps++
	m.watermark = steps[0].Watermark
	first := m.head == math.MinInt64
	target := floorTo(m.watermark, 1000) / 1000
	if !first {
		m.correct(steps)
	}
	var changes []Change
	for _, s := range steps {
		changes = append(changes, s.Changes...)
		for _, r := range s.Risk {
			m.addRisk(r)
		}
	}
	slices.SortStableFunc(changes, func(a, b Change) int { return cmp.Compare(a.X, b.X) })
	closing, fresh := m.closing(steps)
	if first {
		m.head = target - 1
		if len(closing) > 0 {
			m.head = min(m.head, closing[0])
		}
		m.sealed = m.head - m.span
	}
	for m.head < target {
		x := m.next(target, closing, changes)
		m.seal(min(x-1-m.span, m.sealTarget()))
		for _, s := range m.sums {
			s.advance(x)
		}
		if len(closing) > 0 && closing[0] == x-1 {
			m.closeSlice(x-1, steps, fresh)
			closing = closing[1:]
		}
		for len(changes) > 0 && changes[0].X <= x {
			c := changes[0]
			m.actives[c.Users].change(c.Code, int(c.Lens), c.X, c.N, m.span)
			changes = changes[1:]
		}
		m.head = x
		if m.OnClose != nil {
			m.OnClose(x)
		}
		m.seal(min(x-m.span, m.sealTarget()))
	}
	m.seal(m.sealTarget())
}

// sealTarget is the second before which the watermark seals everything.
func (m *Merger) sealTarget() int64 {
	return floorTo(m.watermark-m.timing.Lateness.Milliseconds(), 1000) / 1000
}

// closing lists the slices that close, ascending, and what is fresh in them.
func (m *Merger) closing(steps []*Step) ([]int64, map[int64][]Fresh) {
	var out []int64
	fresh := map[int64][]Fresh{}
	for _, s := range steps {
		for _, a := range s.Sums {
			if a.slice >= m.head {
				out = append(out, a.slice)
			}
		}
		for _, f := range s.Fresh {
			if !f.Late {
				fresh[f.Slice] = append(fresh[f.Slice], f)
				out = append(out, f.Slice)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out), fresh
}

// next is the next head, at most target, at which something happens.
func (m *Merger) next(target int64, closing []int64, changes []Change) int64 {
	if target == m.head+1 {
		return target
	}
	if len(closing) > 0 {
		target = min(target, closing[0]+1)
	}
	if len(changes) > 0 {
		target = min(target, changes[0].X)
	}
	for _, s := range m.sums {
		target = min(target, s.nextExit())
	}
	if m.Deadline != nil {
		if d := m.Deadline(); d > m.head {
			target = min(target, d)
		}
	}
	return max(target, m.head+1)
}

func (m *Merger) closeSlice(slice int64, steps []*Step, fresh map[int64][]Fresh) {
	m.agenda.note(slice + 1)
	day := m.plan.calendar.Day(slice * 1000)
	for i, s := range m.sums {
		if m.Yield != nil {
			m.Yield()
		}
		if tables := tablesOf(steps, slice, i); len(tables) > 0 {
			s.close(s.gather(slice, slice+1, tables), day)
		}
	}
	for _, f := range fresh[slice] {
		m.actives[f.Users].freshen(f, day)
	}
}

func tablesOf(steps []*Step, slice int64, set int) []*groupTable {
	var out []*groupTable
	for _, s := range steps {
		for _, a := range s.Sums {
			if a.slice == slice && len(a.sets[set].keys) > 0 {
				out = append(out, &a.sets[set])
			}
		}
	}
	return out
}

// correct takes in what came late since the last crossing. Windows that it
// touches are restated once.
func (m *Merger) correct(steps []*Step) {
	var late []int64
	for _, s := range steps {
		for _, a := range s.Sums {
			if a.slice < m.head {
				late = append(late, a.slice)
			}
		}
	}
	slices.Sort(late)
	for _, slice := range slices.Compact(late) {
		m.agenda.note(slice + 1)
		day := m.plan.calendar.Day(slice * 1000)
		for i, s := range m.sums {
			if tables := tablesOf(steps, slice, i); len(tables) > 0 {
				s.correct(s.gather(slice, m.head, tables), day)
			}
		}
	}
	var corrections []Correction
	freshDays := map[freshKey]int64{}
	for _, s := range steps {
		corrections = append(corrections, s.Corrections...)
		for _, f := range s.Fresh {
			if f.Late {
				day := m.plan.calendar.Day(f.Slice * 1000)
				m.actives[f.Users].freshen(f, day)
				freshDays[freshKey{f.Users, f.Code, day}] += int64(f.N)
				m.agenda.note(f.Slice + 1)
			}
		}
	}
	for _, k := range corrections {
		m.actives[k.Users].correct(k, m.head, m.span)
	}
	if len(late) == 0 && len(corrections) == 0 && len(freshDays) == 0 {
		return
	}
	m.restate(corrections, freshDays)
}

type freshKey struct {
	users int32
	code  uint32
	day   int32
}

// restate counts the revisions that this crossing's corrections make.
func (m *Merger) restate(corrections []Correction, freshDays map[freshKey]int64) {
	page := revisionPage{head: m.head}
	for i, s := range m.sums {
		for id, marks := range s.marks {
			if s.groups.kept[id] { // what was folded since is not shown
				page.sums = append(page.sums, sumRevision{i, s.groups.keys[id], marks})
			}
		}
		clear(s.marks)
	}
	page.corrections = corrections
	m.applyRevisions(page)
	m.forgetRevisions()
	m.revisions = append(m.revisions, page)
	for _, r := range page.sums {
		if s := m.sums[r.set]; s.plan.day {
			if id, ok := s.groups.index.get(r.key); ok {
				m.restateDays(s, id, r.marks, page.head)
			}
		}
	}
	for k, n := range freshDays {
		if n != 0 && m.plan.calendar.Start(k.day+1) <= page.head*1000 {
			d := m.actives[k.users].day(k.day)
			d.revisions[k.code]++
			d.dirty = true
		}
	}
}

// A revisionPage is what one crossing restated in the sliding windows.
type revisionPage struct {
	head        int64 // before the crossing
	sums        []sumRevision
	corrections []Correction
}

type sumRevision struct {
	set   int
	key   uint64
	marks []mark
}

// forgetRevisions lets go of those that no unsealed window has.
func (m *Merger) forgetRevisions() {
	m.revisions = slices.DeleteFunc(m.revisions, func(p revisionPage) bool { return p.head <= m.sealed })
}

// applyRevisions counts one crossing's revisions of the sliding windows.
func (m *Merger) applyRevisions(page revisionPage) {
	for _, r := range page.sums {
		s := m.sums[r.set]
		id, ok := s.groups.index.get(r.key)
		if !ok || s.groups.since[id] > page.head {
			continue
		}
		state := s.revised[id]
		if state == nil {
			state = newRestated(s.plan.lenses, len(s.plan.kpis), m.span)
			s.revised[id] = state
		}
		state.fold(s.plan.lenses, r.marks, m.sealed, page.head, &m.agenda)
	}
	cs := slices.Clone(page.corrections)
	slices.SortFunc(cs, func(a, b Correction) int {
		return cmp.Or(cmp.Compare(a.Users, b.Users), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Lens, b.Lens), cmp.Compare(a.Lo, b.Lo))
	})
	for len(cs) > 0 {
		n := 1
		for n < len(cs) && cs[n].Users == cs[0].Users && cs[n].Code == cs[0].Code && cs[n].Lens == cs[0].Lens {
			n++
		}
		m.actives[cs[0].Users].restate(cs[:n], m.sealed, page.head, m.span)
		cs = cs[n:]
	}
}

// restateDays adds one revision to each business day that is over and that the
// marks touch.
func (m *Merger) restateDays(s *sums, id uint32, marks []mark, head int64) {
	touched := map[int32]uint64{}
	for _, k := range marks {
		touched[m.plan.calendar.Day(k.slice*1000)] |= k.kpis
	}
	for day, kpis := range touched {
		if m.plan.calendar.Start(day+1) > head*1000 {
			continue
		}
		d := s.day(day)
		d.dirty = true
		for q := range s.plan.kpis {
			if kpis>>q&1 != 0 {
				d.revisions[revisionKey{id, uint8(q)}]++
			}
		}
	}
}

// addRisk adds users to a churn measure from a day on.
func (m *Merger) addRisk(r Risk) {
	if n := m.risk[r.Measure][r.Day] + int64(r.N); n != 0 {
		m.risk[r.Measure][r.Day] = n
	} else {
		delete(m.risk[r.Measure], r.Day)
	}
}

// riskOn is how many users are in the churn measure on the day.
func (m *Merger) riskOn(measure int, day int32) int64 {
	var n int64
	for d, k := range m.risk[measure] {
		if d <= day {
			n += k
		}
	}
	return n
}
