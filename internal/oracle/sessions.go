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
		facts:   func(o *Oracle, _ telling, rows []*row) []fact { return o.sessionsOf(s, rows) },
	}
}

func (o *Oracle) sessionsOf(s *kpi.Sessions, rows []*row) (out []fact) {
	events := map[string][]*row{} // by session
	for _, r := range rows {
		events[r.texts["session_id"]] = append(events[r.texts["session_id"]], r)
	}
	gap := s.Gap.Milliseconds()
	for _, list := range events {
		for len(list) > 0 {
			n := 1
			for !list[n-1].passes(s.End) && n < len(list) && list[n].time < list[n-1].time+gap {
				n++
			}
			first, last := list[0], list[n-1]
			known, duration := last.time+gap, big.NewInt(last.time-first.time)
			duration.Mul(duration, big.NewInt(kpi.Scale))
			if last.passes(s.End) {
				known = last.time
				if dwell := last.numbers["dwell_ms"]; dwell != nil && dwell.Sign() >= 0 {
					duration = dwell
				}
			}
			texts := maps.Clone(first.texts)
			delete(texts, "events")
			delete(texts, "duration_ms")
			texts["fact"] = "session"
			numbers := map[string]*big.Int{"duration_ms": duration, "events": big.NewInt(int64(n) * kpi.Scale)}
			out = append(out, fact{&event{texts: texts, numbers: numbers}, 1, floorDiv(known, 1000), o.calendar.day(first.time)})
			list = list[n:]
		}
	}
	return out
}
