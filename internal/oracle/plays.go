package oracle

import (
	"maps"
	"math/big"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

var partTypes = []string{"play_start", "play_progress", "play_end"}

// plays are put together from all parts that go on without a start, an end or a gap
// between them.
func plays(p *kpi.Plays) journey {
	return journey{
		filters: []*kpi.Expr{p.Where},
		follows: func(e *event) bool { return slices.Contains(partTypes, e.texts["type"]) && e.passes(p.Where) },
		facts:   func(o *Oracle, _ telling, rows []*row) []fact { return o.playsOf(p, rows) },
	}
}

func (o *Oracle) playsOf(p *kpi.Plays, rows []*row) (out []fact) {
	type what struct{ session, content string }
	parts := map[what][]*row{}
	for _, r := range rows {
		w := what{r.texts["session_id"], r.texts["content_id"]}
		parts[w] = append(parts[w], r)
	}
	gap := p.Gap.Milliseconds()
	for _, list := range parts {
		for len(list) > 0 {
			n := 1
			for n < len(list) && list[n-1].texts["type"] != "play_end" && list[n].texts["type"] != "play_start" && list[n].time < list[n-1].time+gap {
				n++
			}
			end, at := "silent", list[n-1].time+gap
			if last := list[n-1]; last.texts["type"] == "play_end" {
				end, at = "ended", last.time
				if last.texts["completed"] == "true" {
					end = "completed"
				}
			} else if n < len(list) && list[n].texts["type"] == "play_start" && list[n].time < at {
				end, at = "replaced", list[n].time
			}
			out = append(out, o.play(list[:n], end, at))
			list = list[n:]
		}
	}
	return out
}

// play is what is told of one.
func (o *Oracle) play(parts []*row, end string, at int64) fact {
	first, last := parts[0], parts[len(parts)-1]
	var duration, position, watched *big.Int
	for _, r := range parts {
		if d := r.numbers["duration_ms"]; d != nil && d.Sign() > 0 {
			duration = d
		}
		if p := r.numbers["position_ms"]; p != nil && (position == nil || p.Cmp(position) > 0) {
			position = p
		}
	}
	if end == "ended" || end == "completed" {
		watched = last.numbers["watch_ms"]
	}
	if watched == nil {
		watched = new(big.Int).Mul(big.NewInt(last.time-first.time), big.NewInt(kpi.Scale))
		if duration != nil && duration.Cmp(watched) < 0 {
			watched = duration
		}
		if last.numbers["position_ms"] != nil {
			from := new(big.Int)
			if p := first.numbers["position_ms"]; p != nil && p.Sign() > 0 {
				from = p
			}
			moved := new(big.Int).Sub(position, from)
			if moved.Sign() < 0 {
				moved.SetInt64(0)
			}
			if moved.Cmp(watched) < 0 {
				watched = moved
			}
		}
	}
	reached := watched
	if duration != nil && duration.Cmp(watched) < 0 {
		reached = duration
	}
	if position == nil || reached.Cmp(position) > 0 {
		position = reached
	}
	numbers := map[string]*big.Int{"watch_ms": watched, "position_ms": position}
	if duration != nil {
		numbers["duration_ms"] = duration
		if end == "completed" {
			numbers["position_ms"] = duration
		}
	}
	texts := maps.Clone(first.texts)
	for field := range numbers {
		delete(texts, field)
	}
	texts["fact"], texts["type"], texts["end"] = "play", "play", end
	return fact{&event{texts: texts, numbers: numbers}, 1, floorDiv(at, 1000), o.calendar.day(at)}
}
