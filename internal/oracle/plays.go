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
		facts: func(o *Oracle, _ telling, rows []*row, joins []join) (out []fact) {
			for _, one := range o.playsOf(p, rows, joins) {
				out = append(out, o.play(one.parts, one.end, one.at))
			}
			return out
		},
	}
}

// A playing is the parts of a play, and how and when it ends.
type playing struct {
	session, content string
	parts            []*row
	end              string
	at               int64 // ms
}

// silent has the play end when nothing comes for the gap behind its last part.
func (one *playing) silent(p *kpi.Plays) {
	one.end, one.at = "silent", one.parts[len(one.parts)-1].time+p.Gap.Milliseconds()
}

func (one *playing) goesOn(at int64) bool { return one.end == "silent" && floorDiv(one.at, 1000) > at }

func (o *Oracle) playsOf(p *kpi.Plays, rows []*row, joins []join) (all []*playing) {
	type what struct{ session, content string }
	open := map[what]*playing{}
	begin := func(one *playing) {
		open[what{one.session, one.content}] = one
		all = append(all, one)
	}
	for _, next := range inOrder(rows, joins) {
		if next.join != nil {
			for _, other := range o.playsOf(p, next.join.rows, nil) {
				own := open[what{other.session, other.content}]
				switch {
				case !other.goesOn(next.join.at):
				case own == nil || !own.goesOn(next.join.at):
					begin(other)
				case other.at > own.at: // the one whose last part is later says most
					own.parts = append(own.parts, other.parts...)
					own.silent(p)
				default:
					own.parts = append(other.parts, own.parts...)
				}
			}
			continue
		}
		r := next.row
		one := open[what{r.texts["session_id"], r.texts["content_id"]}]
		going := one != nil && one.end == "silent" && r.time < one.at
		if going && r.texts["type"] == "play_start" {
			one.end, one.at = "replaced", r.time
			going = false
		}
		if !going {
			one = &playing{session: r.texts["session_id"], content: r.texts["content_id"]}
			begin(one)
		}
		one.parts = append(one.parts, r)
		if one.silent(p); r.texts["type"] == "play_end" {
			one.end, one.at = "ended", r.time
			if r.texts["completed"] == "true" {
				one.end = "completed"
			}
		}
	}
	return all
}

// play is what is told of one.
func (o *Oracle) play(parts []*row, end string, at int64) fact {
	first, last := parts[0], parts[len(parts)-1]
	for _, r := range parts {
		if r.time < first.time {
			first = r
		}
	}
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
