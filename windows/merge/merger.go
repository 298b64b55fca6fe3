package merge

import (
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/history"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/step"
	"github.com/tidewatch/tidewatch/windows/users"
)

// A Merger puts the partitions' steps together into windows.
type Merger struct {
	// Yield is called every so often during a step. nil: not called.
	Yield func()

	plan   *plan.Plan
	timing stream.Timing
	clock
	aggregates []aggregate // by target
	moments    []moments   // of the aggregates
	intake     *intake
	distinct   []*distinct
	revisions  []*revisions

	blocks []*history.Block // finished, not handed out yet
	work   int              // done since the last yield
	began  int64            // what was sealed when the clock was set
	reach  int64            // the head up to which events were shown to be in
}

// New returns an empty merger.
func New(p *plan.Plan, t stream.Timing) *Merger {
	m := &Merger{plan: p, timing: t, reach: math.MinInt64, clock: clock{calendar: p.Calendar, span: plan.Ceil(plan.Unsealed(t), 1000) / 1000,
		watermark: stream.NoTime, head: math.MinInt64, sealed: math.MinInt64}}
	for i := range p.Revisions {
		m.revisions = append(m.revisions, newRevisions(&m.clock, p, i))
	}
	for i, s := range p.Sums {
		m.aggregates = append(m.aggregates, newSums(&m.clock, p, i, m.revisionsBy(s.Set, s.Horizon, s.Dated)))
	}
	for i, u := range p.Users {
		d := newDistinct(&m.clock, p, i, m.revisionsBy(u.Set, 0, false))
		m.distinct, m.aggregates = append(m.distinct, d), append(m.aggregates, d)
	}
	for _, r := range m.revisions {
		m.aggregates = append(m.aggregates, r)
	}
	m.moments, m.intake = make([]moments, len(m.aggregates)), newIntake(len(m.aggregates))
	return m
}

// moments are when an aggregate has something to do next. Before them it is left
// alone, so that time costs what happens in it, whatever there is.
type moments struct{ exit, seal int64 }

func (m *Merger) expect(i int) {
	m.moments[i] = moments{m.aggregates[i].nextExit(), m.aggregates[i].nextSeal()}
}

// revisionsBy are those of a dimension set, of KPIs with the horizon; dated says whether
// of days that rows belong to by themselves. nil if no KPI reads what is kept like that.
func (m *Merger) revisionsBy(set kpi.Set, horizon int, dated bool) *revisions {
	for _, r := range m.revisions {
		if slices.Equal(r.plan.Set, set) && r.plan.Horizon == horizon && r.plan.OfDays == dated {
			return r
		}
	}
	return nil
}

// Watermark is the event time in ms before which the input is believed
// complete, stream.NoTime before the first event.
func (m *Merger) Watermark() int64 { return m.watermark }

// Sealed is the second before which nothing changes any more.
func (m *Merger) Sealed() int64 { return m.sealed }

// Head is the second before which every slice is closed.
func (m *Merger) Head() int64 { return m.head }

// Label takes in labels in the order in which they were numbered.
func (m *Merger) Label(labels []users.NewLabel) {
	for _, n := range labels {
		m.usersOf(n.Target).label(n.Key, n.Texts)
	}
}

// usersOf are those of a target that counts them.
func (m *Merger) usersOf(target int) *distinct { return m.distinct[target-len(m.plan.Sums)] }

// Step takes in one crossing: the steps of all partitions for it. It yields at
// every head at which a value may have changed, in order, and before a jump once
// more at the head that was, if that was corrected; between two of them nothing
// changes. The sequence is to be read to its end.
func (m *Merger) Step(steps []*step.Step) iter.Seq[Close] {
	return func(yield func(Close) bool) {
		m.steps++
		m.watermark = steps[0].Watermark
		target := plan.Floor(m.watermark, 1000) / 1000
		arrivals := m.intake.sort(steps)
		if m.head == math.MinInt64 {
			m.begin(target, arrivals)
		} else if m.correct(arrivals) && m.next(target, arrivals) > m.head+1 && !yield(Close{m}) {
			panic(leftEarly)
		}
		for m.head < target {
			x := m.next(target, arrivals)
			m.seal(min(x-1-m.span, m.sealTarget()))
			m.close(x, arrivals)
			if !yield(Close{m}) {
				panic(leftEarly)
			}
			m.seal(min(x-m.span, m.sealTarget()))
		}
		m.seal(m.sealTarget())
		m.blocks = append(m.blocks, m.rosters(steps)...)
	}
}

const leftEarly = "merge: a step was left before its end"

// begin sets the clock at the first crossing.
func (m *Merger) begin(target int64, arrivals []arrivals) {
	m.head = target - 1
	for _, as := range arrivals {
		if len(as) > 0 {
			m.head = min(m.head, as[0].head-1)
		}
	}
	m.sealed = m.head - m.span
	m.began = m.sealed
	for i := range m.aggregates {
		m.expect(i)
	}
}

// Touches reports whether a window of the block ends behind the second before
// which the merger, begun at the stream's first event and not restored, counts
// nothing. Whatever day a roster is of, the users in it are numbered anew.
func (m *Merger) Touches(id history.BlockID) bool {
	if strings.HasPrefix(id.Set, rosterPrefix) {
		return true
	}
	if id.Window.IsDay() {
		return m.ends(int32(id.Index)) > m.began
	}
	return id.End() > m.began
}

// correct takes in what came late since the last crossing, if anything did. The
// revisions come last: each window that something touched is restated once.
func (m *Merger) correct(arrivals []arrivals) (some bool) {
	for i := range arrivals {
		some = some || len(arrivals[i]) > 0 && arrivals[i][0].head <= m.head
	}
	if !some {
		return false
	}
	for i, a := range m.aggregates {
		late, rest := arrivals[i].until(m.head)
		a.correct(late)
		arrivals[i] = rest
		m.expect(i)
	}
	return true
}

// yieldWork is how many aggregates and groups are closed between two yields.
const yieldWork = 64

// close moves the head on to x, at which the slice before it closes.
func (m *Merger) close(x int64, arrivals []arrivals) {
	for i, a := range m.aggregates {
		leaves := m.moments[i].exit <= x
		if !leaves && len(arrivals[i]) == 0 {
			continue
		}
		now, rest := arrivals[i].until(x)
		if m.work += 1 + now.size(); m.Yield != nil && m.work >= yieldWork {
			m.work = 0
			m.Yield()
		}
		if leaves {
			a.advance(x)
		}
		if len(now) > 0 {
			a.close(x, now)
		}
		arrivals[i] = rest
		m.expect(i)
	}
	m.head = x
}

// next is the next head, at most target, at which something happens.
func (m *Merger) next(target int64, arrivals []arrivals) int64 {
	if target == m.head+1 {
		return target
	}
	for _, as := range arrivals {
		if len(as) > 0 {
			target = min(target, as[0].head)
		}
	}
	for _, at := range m.moments {
		target = min(target, at.exit)
	}
	return max(target, m.head+1)
}

// sealTarget is the second before which the watermark seals everything.
func (m *Merger) sealTarget() int64 {
	return plan.Floor(m.watermark-plan.Unsealed(m.timing), 1000) / 1000
}

// seal makes everything before the second final. What is finished by it goes to
// history.
func (m *Merger) seal(to int64) {
	if m.sealed == math.MinInt64 {
		return
	}
	for m.sealed < to {
		m.sealed = to
		for _, at := range m.moments {
			m.sealed = min(m.sealed, at.seal)
		}
		for i, a := range m.aggregates {
			if m.moments[i].seal <= m.sealed {
				m.blocks = append(m.blocks, a.seal()...)
				m.moments[i].seal = a.nextSeal()
			}
		}
	}
}

// TakeBlocks are the finished blocks that are not in history yet. Lookups find
// them until DropBlocks.
func (m *Merger) TakeBlocks() []*history.Block { return slices.Clone(m.blocks) }

// DropBlocks forgets the n oldest finished blocks: history has them.
func (m *Merger) DropBlocks(n int) { m.blocks = slices.Clone(m.blocks[n:]) }
