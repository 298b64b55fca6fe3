package windows

import (
	"math/bits"

	"github.com/tidewatch/tidewatch/kpi"
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

// activeDay notes that the user was active on the day. A day that is known
// changes nothing.
func (p *Partition) activeDay(ref uint32, day int32) {
	row := p.shards[ref>>24].row(ref&0xffffff, p.rowWidth)
	activity := uint64(row[wordBits]) | uint64(row[wordBits+1])<<32
	last, first := int32(row[wordDays]&0xffff), int32(row[wordDays]>>16)
	shift := day - last
	switch {
	case activity == 0:
		activity, last, first = 1, day, day
		p.riskSince(1, activity, last, day)
	case shift <= -64 || shift <= 0 && activity>>-shift&1 == 1:
		return
	default:
		p.riskSince(-1, activity, last, day)
		if shift > 0 {
			activity, last = activity<<shift|1, day // a shift by 64 or more leaves 0
		} else {
			activity |= 1 << -shift
		}
		first = min(first, day)
		p.riskSince(1, activity, last, day)
	}
	row[wordBits], row[wordBits+1] = uint32(activity), uint32(activity>>32)
	row[wordDays] = uint32(last)&0xffff | uint32(first)<<16
	if p.begun {
		p.dirtyDays = append(p.dirtyDays, ref)
	}
}

// riskSince adds n times what the user's active days contribute to the days
// from on. Only the active day before from, and those after it, reach there.
func (p *Partition) riskSince(n int32, activity uint64, last, from int32) {
	next := int32(1 << 30)
	for rest := activity; rest != 0; {
		at := bits.TrailingZeros64(rest)
		rest &= rest - 1
		day := last - int32(at)
		p.riskSpan(n, activity>>at, day, next, from)
		if day < from {
			return
		}
		next = day
	}
}

// riskSpan adds what one active day contributes until the next one.
func (p *Partition) riskSpan(n int32, activity uint64, day, next, from int32) {
	for i, c := range p.plan.churn {
		lo, hi := day+c.gap, next
		if c.op == kpi.AtRisk {
			lo, hi = day+threshold(activity, c.gap)+1, min(day+c.gap, next)
		}
		if lo = max(lo, from); lo < hi {
			p.addRisk(i, lo, n)
			if hi < 1<<30 {
				p.addRisk(i, hi, -n)
			}
		}
	}
}

func (p *Partition) addRisk(measure int, day, n int32) {
	p.out.Risk = append(p.out.Risk, Risk{Measure: int32(measure), Day: day, N: n})
}
