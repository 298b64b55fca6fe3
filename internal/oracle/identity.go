package oracle

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tidewatch/tidewatch/kpi"
)

// A move makes what an anonymous id did a user's, at the crossing behind its identify;
// nobody's where there is none, behind an erasure.
type move struct {
	from, to string
	crossing int
	// fromSpell is the one that it takes away, noSpell for nothing, toSpell the one that gets
	// that.
	fromSpell, toSpell int
}

// An alias is the user of an anonymous id, and a day, by UTC, on which it was noted that
// this was seen.
type alias struct {
	user string
	seen int32
}

// Of an id that is seen it is noted once in so many days.
const noted = 30

// utc is the day of an instant.
func utc(ms int64) int32 { return int32(floorDiv(ms, 86_400_000)) }

// see notes that an anonymous id was seen at an instant.
func (o *Oracle) see(id string, at int64) {
	known, is := o.aliases[id]
	if _, moves := o.coming[id]; is && !moves && utc(at)-known.seen > noted {
		known.seen = utc(at)
		o.aliases[id] = known
	}
}

// identify takes in that an event says whose an anonymous id is.
func (o *Oracle) identify(e *event) {
	if e.alias == "" {
		return
	}
	known, is := o.coming[e.alias]
	if !is {
		known, is = o.aliases[e.alias]
	}
	if known.user == e.user {
		o.see(e.alias, e.time)
		return
	}
	if !is { // what it did goes to the first
		o.moves = append(o.moves, move{from: o.living(e.alias), to: e.user, crossing: len(o.heads)})
	}
	o.coming[e.alias] = alias{e.user, utc(e.time)}
}

// cross has anonymous ids be users', and users be erased, once the slices before a head are
// closed. Anonymous ids that were not seen for long are nobody's.
func (o *Oracle) cross(head int64) {
	maps.Copy(o.aliases, o.coming)
	clear(o.coming)
	for _, user := range o.erasures {
		o.erase(user)
	}
	o.erasures = nil
	for id, known := range o.aliases {
		if utc(o.watermark)-known.seen > int32(o.catalogue.ForgetAfter)+noted {
			delete(o.aliases, id)
			o.lives[id]++
		}
	}
	o.assignSpells(head)
}

// owner is whose an event is that comes from there on.
func (o *Oracle) owner(user string) string {
	if known := o.aliases[user]; known.user != "" {
		return known.user
	}
	return o.living(user)
}

// again stands between a name and how often who has it was erased before: no text of an
// event has such a byte.
const again = "\xff"

// living is what who is known by a name since the last erasure is called.
func (o *Oracle) living(user string) string {
	if n := o.lives[user]; n > 0 && user != "" {
		return fmt.Sprintf("%s%s%d", user, again, n)
	}
	return user
}

// life is how often who has a name was erased before.
func life(user string) int {
	_, n, _ := strings.Cut(user, again)
	erased, _ := strconv.Atoi(n) // none
	return erased
}

// called is the name of who is living.
func called(user string) string {
	name, _, _ := strings.Cut(user, again)
	return name
}

// erase forgets a user, with all anonymous ids.
func (o *Oracle) erase(user string) {
	owner := o.owner(user)
	o.moves = append(o.moves, move{from: owner, crossing: len(o.heads)})
	o.lives[called(owner)]++
	for alias, of := range o.aliases {
		if of.user == owner {
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

// joinedOn are the moves that a window within a day knows of: those before its end and, if
// that is the day's, those before the day was sealed.
func (o *Oracle) joinedOn(w span) []move {
	over := w.end == o.calendar.start(o.calendar.day(w.end*1000-1)+1)
	return slices.DeleteFunc(o.moved(math.MaxInt64, math.MaxInt), func(m move) bool {
		if m.to == "" {
			return true
		}
		return o.heads[m.crossing] > w.end && !(over && o.sealedBefore(m.crossing) < w.end)
	})
}

// sealedBefore is the second before which all was sealed when a crossing began.
func (o *Oracle) sealedBefore(crossing int) int64 {
	if crossing <= 1 {
		return never
	}
	return floorDiv(o.passed[crossing-1]-o.unsealed(), 1000)
}

// unite has users be one with those who they turned out to be. Who counts is whoever was
// there first, as far as it was known at each crossing.
func (m *measured) unite(joins []move) {
	if m == nil || m.Op != kpi.Distinct {
		return
	}
	met := map[string][]int{} // by user, the crossings from which on there is somebody
	for _, j := range joins {
		if first, is := m.users[j.from]; is {
			met[j.to] = append(met[j.to], max(first, j.crossing))
		}
	}
	for user, crossings := range met {
		if first, is := m.users[user]; is {
			crossings = append(crossings, first)
		}
		slices.Sort(crossings)
		m.twins = append(m.twins, crossings[1:]...)
	}
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
func (o *Oracle) factsSince(d *kpi.Days, user string, moves []move, rows []*row, date int32, sent []*heard) (out []fact) {
	tell := func(weight int64, crossing int, moves []move) {
		entered := slices.DeleteFunc(slices.Clone(rows), func(r *row) bool { return r.user == user && r.crossings >= crossing })
		people := o.people(d.Where, entered, moves)
		o.attach(people, sent, d.Where, entered, moves)
		for who, p := range people {
			if who.user != user {
				continue
			}
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
