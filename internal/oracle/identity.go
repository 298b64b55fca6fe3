package oracle

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/tidewatch/tidewatch/kpi"
)

// A move makes what an anonymous id did a user's, at the crossing behind its identify;
// nobody's where there is none, behind an erasure.
type move struct {
	from, to string
	crossing int
}

// identify takes in that an event says whose an anonymous id is.
func (o *Oracle) identify(e *event) {
	known := cmp.Or(o.coming[e.alias], o.aliases[e.alias])
	if e.alias == "" || known == e.user {
		return
	}
	if known == "" { // what it did goes to the first
		o.moves = append(o.moves, move{o.living(e.alias), e.user, len(o.heads)})
	}
	o.coming[e.alias] = e.user
}

// cross has anonymous ids be users', and users be erased.
func (o *Oracle) cross() {
	maps.Copy(o.aliases, o.coming)
	clear(o.coming)
	for _, user := range o.erasures {
		o.erase(user)
	}
	o.erasures = nil
}

// owner is whose an event is that comes from there on.
func (o *Oracle) owner(user string) string {
	if known := o.aliases[user]; known != "" {
		return known
	}
	return o.living(user)
}

// living is what who is known by a name since the last erasure is called.
func (o *Oracle) living(user string) string {
	if n := o.lives[user]; n > 0 && user != "" {
		return fmt.Sprintf("%s\x00%d", user, n)
	}
	return user
}

// called is the name of who is living.
func called(user string) string {
	name, _, _ := strings.Cut(user, "\x00")
	return name
}

// erase forgets a user, with all anonymous ids.
func (o *Oracle) erase(user string) {
	owner := o.owner(user)
	o.moves = append(o.moves, move{owner, "", len(o.heads)})
	o.lives[called(owner)]++
	for alias, of := range o.aliases {
		if of == owner {
			delete(o.aliases, alias)
			o.lives[alias]++
		}
	}
}

// movedAt is the last second that is closed when the move is made.
func (o *Oracle) movedAt(m move) int64 { return o.heads[m.crossing] - 1 }

// moved are the moves that are made in seconds before one, and at crossings up to one.
func (o *Oracle) moved(before int64, crossing int) []move {
	return slices.DeleteFunc(slices.Clone(o.moves), func(m move) bool {
		return m.crossing >= len(o.heads) || m.crossing > crossing || o.movedAt(m) >= before
	})
}

// A join is where a user gets what another had, behind a second: all that its rows say,
// in the order of their times.
type join struct {
	at   int64
	rows []*row
}

// A stage is a row, or a join.
type stage struct {
	*row
	join *join
}

// inOrder puts joins among rows: each goes before the rows of later seconds.
func inOrder(rows []*row, joins []join) (out []stage) {
	for _, r := range rows {
		for len(joins) > 0 && joins[0].at < r.second {
			out = append(out, stage{join: &joins[0]})
			joins = joins[1:]
		}
		out = append(out, stage{row: r})
	}
	for i := range joins {
		out = append(out, stage{join: &joins[i]})
	}
	return out
}

// madeLater are by user the moves that are made when nothing becomes known any more of a
// day, at crossings up to one. What comes late of the day then is what it changes of who
// the user is by then.
func (o *Oracle) madeLater(before int64, crossing int) map[string][]move {
	out := map[string][]move{}
	for _, m := range o.moved(math.MaxInt64, crossing) {
		if m.to != "" && o.movedAt(m) >= before {
			out[m.to] = append(out[m.to], m)
		}
	}
	return out
}

// factsSince are the facts of a user on a day before moves: as it was, and from each move
// on what the rows behind it change.
func (o *Oracle) factsSince(d *kpi.Days, user string, moves []move, rows []*row, date int32) (out []fact) {
	tell := func(weight int64, crossing int, moves []move) {
		entered := slices.DeleteFunc(slices.Clone(rows), func(r *row) bool { return r.user == user && r.crossings >= crossing })
		if p := o.people(d.Where, entered, moves)[user]; p != nil {
			for _, f := range p.facts(date, int32(d.Gap)) {
				f.weight *= weight
				out = append(out, f)
			}
		}
	}
	before := o.moved(o.movedAt(moves[0]), math.MaxInt)
	tell(1, moves[0].crossing, before)
	for i := range moves {
		known, next := slices.Concat(before, moves[:i+1]), math.MaxInt
		if i+1 < len(moves) {
			next = moves[i+1].crossing
		}
		tell(1, next, known)
		tell(-1, moves[i].crossing, known)
	}
	return out
}
