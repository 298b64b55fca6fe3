package oracle

import (
	"maps"
	"math/big"

	"github.com/tidewatch/tidewatch/kpi"
)

// sessions are all that the events make, however far ahead they end: one without an
// end ends when nothing comes for the gap.
func sessions(s *kpi.Sessions) journey {
	return journey{
		filters: []*kpi.Expr{s.Where, s.End},
		follows: func(e *event) bool { return e.passes(s.Where) },
		facts: func(o *Oracle, _ telling, rows []*row, joins []join) (out []fact) {
			for _, one := range o.sessionsOf(s, rows, joins) {
				out = append(out, o.session(s, one))
			}
			return out
		},
	}
}

// A session goes from its first event to its last so far.
type session struct {
	id          string
	first, last *row
	events      int64
}

// known is when it is known that the session ended, in ms.
func (one *session) known(s *kpi.Sessions) int64 {
	if one.last.passes(s.End) {
		return one.last.time
	}
	return one.last.time + s.Gap.Milliseconds()
}

// goesOn reports whether an event behind a second could still be of the session.
func (one *session) goesOn(s *kpi.Sessions, at int64) bool {
	return !one.last.passes(s.End) && floorDiv(one.known(s), 1000) > at
}

func (o *Oracle) sessionsOf(s *kpi.Sessions, rows []*row, joins []join) (all []*session) {
	open := map[string]*session{}
	begin := func(one *session) {
		open[one.id] = one
		all = append(all, one)
	}
	for _, next := range inOrder(rows, joins) {
		if next.join == nil {
			id := next.texts["session_id"]
			one := open[id]
			if one == nil || one.last.passes(s.End) || next.time >= one.known(s) {
				one = &session{id: id, first: next.row}
				begin(one)
			}
			one.last, one.events = next.row, one.events+1
			continue
		}
		for _, other := range o.sessionsOf(s, next.join.rows, nil) {
			own := open[other.id]
			switch {
			case !other.goesOn(s, next.join.at):
			case own == nil || !own.goesOn(s, next.join.at):
				begin(other)
			default:
				if other.first.time < own.first.time {
					own.first = other.first
				}
				if other.last.time > own.last.time {
					own.last = other.last
				}
				own.events += other.events
			}
		}
	}
	return all
}

func (o *Oracle) session(s *kpi.Sessions, one *session) fact {
	duration := big.NewInt(one.last.time - one.first.time)
	duration.Mul(duration, big.NewInt(kpi.Scale))
	if dwell := one.last.numbers["dwell_ms"]; one.last.passes(s.End) && dwell != nil && dwell.Sign() >= 0 {
		duration = dwell
	}
	texts := maps.Clone(one.first.texts)
	delete(texts, "events")
	delete(texts, "duration_ms")
	texts["fact"] = "session"
	numbers := map[string]*big.Int{"duration_ms": duration, "events": big.NewInt(one.events * kpi.Scale)}
	return fact{&event{texts: texts, numbers: numbers}, 1, floorDiv(one.known(s), 1000), o.calendar.day(one.first.time)}
}
