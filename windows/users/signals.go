package users

import (
	"math"
)

// A Signal tells of a user who entered a state: as of the end of a day, or, who
// returned, of the day before.
type Signal struct {
	Person
	Kind SignalKind
	// Day is the one on which the state was entered. It is over, but where the user
	// returned.
	Day int32
	// At is when, in ms: at the end of the day, or by which slice the user returned.
	At int64
	// Watermark is that of the crossing at which it became known, in ms.
	Watermark int64
}

// A SignalKind is what happened to a user.
type SignalKind string

// The kinds of signals.
const (
	SignalAtRisk    SignalKind = "at_risk"
	SignalChurned   SignalKind = "churned"
	SignalDeclining SignalKind = "declining"
	SignalReturned  SignalKind = "returned"
)

// TakeSignals are those since they were last taken.
func (p *Partition) TakeSignals() (out []Signal) {
	out, p.signals = p.signals, nil
	return out
}

// A day is judged once it is sealed, shard by shard, one each second of event time:
// that takes no pause and does not depend on how many partitions there are.

// judgedDay is the last day that is judged of a shard when all before a second is
// sealed.
func (p *Partition) judgedDay(shard int, sealed int64) int32 {
	if sealed < 0 {
		return math.MinInt32
	}
	return p.plan.Calendar.Day((sealed-int64(shard))*1000) - 1
}

// judge has the users of each shard judged on the days for which it is time, as the
// sealed second goes on.
func (p *Partition) judge(from, to int64) {
	if p.facts == nil || to < p.judgeAt {
		return
	}
	for shard, sh := range p.shards {
		if sh == nil || sh.n == 0 {
			continue
		}
		if after, day := p.judgedDay(shard, from), p.judgedDay(shard, to); day > after {
			p.judgeShard(shard, after, day)
		}
	}
	begins := p.plan.Calendar.Start(p.plan.Calendar.Day(to*1000)) / 1000
	if p.judgeAt = to + 1; to >= begins+Shards {
		p.judgeAt = p.plan.Calendar.Start(p.plan.Calendar.Day(to*1000)+1) / 1000
	}
}

// judgeShard judges the days behind after, up to one. Who was active since is not told
// of, but in decline is who still is so with that.
func (p *Partition) judgeShard(shard int, after, upTo int32) {
	f := p.facts
	kinds := [...]struct {
		kind SignalKind
		mask uint64
	}{{SignalAtRisk, 1 << f.gapBit}, {SignalChurned, 1 << (f.gapBit + 1)}, {SignalDeclining, 1 << declining}}
	for row := range uint32(p.shards[shard].n) {
		p.pause(row)
		ref := uint32(shard)<<24 | row
		days := p.daysOf(ref)
		if days.activity == 0 {
			continue
		}
		from, asked := max(after+1, days.last), ^uint64(0)
		if days.last > upTo {
			if f.on(&days, days.last).facts>>declining&1 == 0 {
				continue
			}
			from, asked = max(after+1, days.first+1, upTo), 1<<declining
		}
		// Beyond the days that are remembered nothing is entered.
		for day := from; day <= min(upTo, days.last+64); day++ {
			entered := f.on(&days, day).facts &^ f.on(&days, day-1).facts & asked
			for _, k := range kinds {
				if entered&k.mask != 0 {
					p.signals = append(p.signals, Signal{Person: p.person(ref, &days, day), Kind: k.kind, Day: day, At: p.plan.Calendar.Start(day + 1)})
				}
			}
		}
	}
}

// welcome tells of a user who comes back on a day, by a slice, if that they went was
// told.
func (p *Partition) welcome(ref uint32, d *activeDays, day int32, slice int64) {
	if d.activity == 0 || day <= d.last+minThreshold {
		return
	}
	judged := p.judgedDay(int(ref>>24), p.sealed)
	for away := d.last + 1; away <= min(day-1, judged, d.last+64); away++ {
		if p.facts.state(d, away) != StateActive {
			p.signals = append(p.signals, Signal{Person: p.person(ref, d, day-1), Kind: SignalReturned, Day: day, At: slice * 1000})
			return
		}
	}
}
