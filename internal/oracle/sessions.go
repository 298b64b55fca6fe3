package oracle

import (
	"maps"
	"math/big"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

// sessions are the facts of all sessions that the events make, however far ahead they
// end: one without an end ends when nothing comes for the gap.
func (o *Oracle) sessions(op *kpi.Operator, _ telling, rows []*row) (out []fact) {
	s := op.Sessions
	type whose struct{ user, session string }
	events := map[whose][]*row{}
	for _, r := range rows {
		if r.user != "" && r.passes(s.Where) {
			w := whose{r.user, r.texts["session_id"]}
			events[w] = append(events[w], r)
		}
	}
	gap := s.Gap.Milliseconds()
	for _, list := range events {
		slices.SortStableFunc(list, func(a, b *row) int { return int(a.time - b.time) })
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
