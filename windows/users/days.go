package users

import (
	"math/bits"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/step"
)

// Churn by day. A user whose last active day is D, with the threshold T of the
// user's own rhythm, is at risk on the days D+T+1 to D+gap-1 and churned from
// D+gap on, until active again. The merger keeps, by day, how many users enter
// and leave each of the two; a day's value is the sum of all days up to it.

const (
	minThreshold = 3 // days
	minGaps      = 5 // below this the user's rhythm is not known
)

// threshold is the number of inactive days that the user's rhythm explains:
// the 90th percentile (nearest rank) of the gaps between active days, at least
// three days and at most gap.
func threshold(activity uint64, gap int32) int32 {
	var count [64]uint8
	n := 0
	for rest := activity &^ 1; rest != 0; rest &= rest - 1 {
		at := bits.TrailingZeros64(rest)
		newer := activity & (1<<at - 1)
		count[at-(63-bits.LeadingZeros64(newer))]++
		n++
	}
	if n < minGaps {
		return min(minThreshold, gap)
	}
	rank := (9*n + 9) / 10
	for g, c := range count {
		if rank -= int(c); rank <= 0 {
			return min(max(minThreshold, int32(g)), gap)
		}
	}
	return gap
}

// activeDays are the days on which a user was active: bit i of activity is set
// if that was i days before the last one.
type activeDays struct {
	activity    uint64
	last, first int32 // since 1970
}

func (r *row) days() activeDays { return activeDays{r.activity, int32(r.last), int32(r.first)} }

func (r *row) setDays(d activeDays) {
	r.activity, r.last, r.first = d.activity, uint16(d.last), uint16(d.first)
}

// daysAhead are the days of users who would be active if time went on, by ref.
type daysAhead map[uint32]activeDays

// activeDay notes that the user was active on the day, which counts from head
// on: in the row, or ahead of it if that is not nil. A day that is known changes
// nothing.
func (p *Partition) activeDay(ref uint32, day int32, head int64, ahead daysAhead) {
	row := p.shards[ref>>24].row(ref & 0xffffff)
	known, ok := ahead[ref]
	if !ok {
		known = row.days()
	}
	activity, last, first := known.activity, known.last, known.first
	shift := day - last
	switch {
	case activity == 0:
		activity, last, first = 1, day, day
		p.awaySince(head, 1, activity, last, day)
	case shift <= -64 || shift <= 0 && activity>>-shift&1 == 1:
		return
	default:
		p.awaySince(head, -1, activity, last, day)
		switch {
		case shift >= 64:
			if ahead == nil {
				p.away(ref, absence{activity, last, day})
			}
			activity, last = 1, day
		case shift > 0:
			activity, last = activity<<shift|1, day
		default:
			if before, ok := p.absences[ref]; ok { // it ended earlier
				ended := last - int32(63-bits.LeadingZeros64(activity))
				p.awaySpan(head, -1, before.activity, before.last, ended, max(day, before.last+1))
			}
			activity |= 1 << -shift
		}
		first = min(first, day)
		p.awaySince(head, 1, activity, last, day)
	}
	days := activeDays{activity, last, first}
	if ahead != nil {
		ahead[ref] = days
		return
	}
	row.setDays(days)
	if p.begun {
		p.dirtyDays = append(p.dirtyDays, ref)
	}
}

// An absence is what a user's days were before they came back after so long that
// the bits do not reach there. It is kept while an event may still come late that
// lies in between.
type absence struct {
	activity uint64
	last     int32 // active day
	back     int32 // active day
}

func (p *Partition) away(ref uint32, a absence) {
	if p.sealed*1000 >= p.plan.Calendar.Start(a.back) {
		return
	}
	if p.absences == nil {
		p.absences = map[uint32]absence{}
	}
	p.absences[ref] = a
}

// forgetAbsences lets go of those that nothing late can fall into any more.
func (p *Partition) forgetAbsences() {
	for ref, a := range p.absences {
		if p.sealed*1000 >= p.plan.Calendar.Start(a.back) {
			delete(p.absences, ref)
		}
	}
}

// awaySince adds n times what the user's active days contribute to the days
// from on. Only the active day before from, and those after it, reach there.
func (p *Partition) awaySince(head int64, n int64, activity uint64, last, from int32) {
	next := int32(noDay)
	for rest := activity; rest != 0; {
		at := bits.TrailingZeros64(rest)
		rest &= rest - 1
		day := last - int32(at)
		p.awaySpan(head, n, activity>>at, day, next, from)
		if day < from {
			return
		}
		next = day
	}
}

const noDay = 1 << 30

// awaySpan adds what one active day contributes until the next one.
func (p *Partition) awaySpan(head int64, n int64, activity uint64, day, next, from int32) {
	for i, c := range p.plan.Churn.Measures {
		lo, hi := day+c.Gap, next
		if c.Op == kpi.AtRisk {
			lo, hi = day+threshold(activity, c.Gap)+1, min(day+c.Gap, next)
		}
		if lo = max(lo, from); lo >= hi {
			continue
		}
		p.spans[spanEnd{head, int32(i), lo}] += n
		if hi < noDay {
			p.spans[spanEnd{head, int32(i), hi}] -= n
		}
	}
}

// A spanEnd is where users enter a churn measure, or leave it.
type spanEnd struct {
	head    int64
	measure int32
	day     int32
}

// saySpans says what came together of all users.
func (p *Partition) saySpans() {
	for e, n := range p.spans {
		if n != 0 {
			p.delta(step.Delta{Head: e.head, Target: int32(p.plan.ChurnTarget()), Column: e.measure, Group: e.day, N: n})
		}
	}
	clear(p.spans)
}
