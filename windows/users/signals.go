package users

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

// judge has the users judged on the days that are over, and forgotten, as the sealed second
// goes on.
func (p *Partition) judge(sealed int64) {
	p.walk(&p.judging, sealed, func(shard int, first, today int32) {
		if p.facts != nil {
			p.judgeShard(shard, first, today)
		}
		p.forgetShard(shard, today)
	})
}

// judgeShard judges the days from one on that are over on another. Who was active
// since is not told of, but in decline is who still is so with that.
func (p *Partition) judgeShard(shard int, first, today int32) {
	upTo := today - 1
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
		from, asked := max(first, days.last), ^uint64(0)
		if days.last > upTo {
			if f.on(&days, days.last).facts>>declining&1 == 0 {
				continue
			}
			from, asked = upTo, 1<<declining
		}
		// Beyond the days that are remembered nothing is entered.
		for day := from; day <= min(upTo, days.last+64); day++ {
			if f.skipped(day) {
				continue
			}
			entered := f.on(&days, day).facts &^ f.on(&days, f.dayBefore(day)).facts & asked
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
	unjudged := p.dayOf(&p.judging, int(ref>>24), p.judging.at)
	for away := d.last + 1; away < min(day, unjudged, d.last+65); away++ {
		if !p.facts.skipped(away) && p.facts.state(d, away) != StateActive {
			p.signals = append(p.signals, Signal{Person: p.person(ref, d, day-1), Kind: SignalReturned, Day: day, At: slice * 1000})
			return
		}
	}
}
