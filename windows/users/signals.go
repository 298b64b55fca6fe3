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

// leaving are the kinds of signals that say that a user went, as kpi.LeavingStates has them.
var leaving = [...]SignalKind{SignalAtRisk, SignalChurned, SignalDeclining}

// inDecline is the place of SignalDeclining among these.
const inDecline = 2

// judge has the users judged on the days that are over, as the sealed second goes on, once
// the slices before head are closed.
func (p *Partition) judge(sealed, head int64) {
	if p.facts == nil {
		return
	}
	p.walk(&p.judging, sealed, func(shard int, first, today int32) {
		p.judgeShard(shard, first, today, head)
		p.forgetSignals(shard, today)
	})
}

// judgeShard judges the days from one on that are over on another. Who was active
// since is not told of, but in decline is who still is so with that.
func (p *Partition) judgeShard(shard int, first, today int32, head int64) {
	upTo := today - 1
	f := p.facts
	for row := range uint32(p.shards[shard].n) {
		p.pause(row)
		ref := uint32(shard)<<24 | row
		days := p.daysOf(ref)
		if days.activity == 0 {
			continue
		}
		from, asked := max(first, days.last), ^uint8(0)
		if days.last > upTo {
			if f.on(&days, days.last).facts>>declining&1 == 0 {
				continue
			}
			from, asked = upTo, 1<<inDecline
		}
		// Beyond the days that are remembered nothing is entered.
		for day := from; day <= min(upTo, days.last+64); day++ {
			if f.skipped(day) {
				continue
			}
			s := sent{day: day, states: f.entered(&days, day) & asked, held: days.held, origin: p.originOf(ref)}
			if s.states == 0 {
				continue
			}
			for i, kind := range leaving {
				if s.states>>i&1 == 1 {
					p.signals = append(p.signals, Signal{Person: p.person(ref, &days, day), Kind: kind, Day: day, At: p.plan.Calendar.Start(day + 1)})
				}
			}
			// It is of the day before the next one is over, however long nothing came.
			slice := min(head, p.plan.Calendar.Start(day+2)/1000) - 1
			f.send(slice, &s)
			f.returns(slice, &s, &days, 1)
		}
	}
}

// welcome tells of a user who comes back on a day, by a slice, if that they went was
// told.
func (p *Partition) welcome(ref uint32, d *activeDays, day int32, slice int64) {
	if d.activity == 0 || day <= d.last+minThreshold {
		return
	}
	for away := d.last + 1; away < min(day, p.unjudged(ref), d.last+65); away++ {
		if !p.facts.skipped(away) && p.facts.state(d, away) != StateActive {
			p.signals = append(p.signals, Signal{Person: p.person(ref, d, day-1), Kind: SignalReturned, Day: day, At: slice * 1000})
			return
		}
	}
}
