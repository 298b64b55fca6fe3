package oracle

import (
	"maps"
	"math/big"
	"slices"
	"strconv"

	"github.com/tidewatch/tidewatch/kpi"
)

// forgotten is how many days after that of the last start the next one is the first again,
// if it comes later than that.
const forgotten = 400

// retention tells who starts, and who is back so long after it.
func retention(j *kpi.Retention) journey {
	return journey{
		filters: []*kpi.Expr{j.Where, j.Start, j.Return},
		follows: func(e *event) bool { return e.passes(j.Where) && (e.passes(j.Start) || e.passes(j.Return)) },
		facts: func(o *Oracle, _ telling, rows []*row, joins []join) []fact {
			out, _ := o.retentionOf(j, rows, joins)
			return out
		},
	}
}

// A beginning is a start after which somebody may be back.
type beginning struct {
	start *row
	last  int32 // the day of the last start that could have been another
	back  map[int]bool
}

func (o *Oracle) retentionOf(j *kpi.Retention, list []*row, joins []join) (out []fact, known []*beginning) {
	for _, next := range inOrder(list, joins) {
		if next.join != nil {
			_, others := o.retentionOf(j, next.join.rows, nil)
			known = o.joinStarts(j, known, others, o.calendar.day(next.join.at*1000))
			continue
		}
		r, day := next.row, o.calendar.day(next.time)
		say := func(of *row, fields ...string) {
			one := &event{texts: maps.Clone(of.texts), numbers: map[string]*big.Int{}}
			delete(one.texts, "after")
			for f := 0; f < len(fields); f += 2 {
				one.texts[fields[f]] = fields[f+1]
			}
			out = append(out, fact{one, 1, r.second, o.calendar.day(of.time)})
		}
		known = slices.DeleteFunc(known, func(b *beginning) bool { return j.First && day-b.last > forgotten })
		for _, b := range known {
			for _, n := range j.After {
				if !b.back[n] && r.passes(j.Return) && o.returns(j, b.start, r, n) {
					b.back[n] = true
					say(b.start, "fact", "returned", "after", strconv.Itoa(n))
				}
			}
		}
		if !r.passes(j.Start) {
			continue
		}
		if n := len(known); n > 0 && (j.First || o.calendar.day(known[n-1].start.time) == day) {
			known[n-1].last = day
			continue
		}
		known = append(known, &beginning{r, day, map[int]bool{}})
		say(r, "fact", "cohort")
	}
	return out, known
}

// joinStarts puts the starts of another among the user's own.
func (o *Oracle) joinStarts(j *kpi.Retention, own, others []*beginning, today int32) []*beginning {
	gone := func(b *beginning) bool { return j.First && today-b.last > forgotten }
	own, others = slices.DeleteFunc(own, gone), slices.DeleteFunc(others, gone)
	for _, other := range others {
		place := slices.IndexFunc(own, func(b *beginning) bool {
			return j.First || o.calendar.day(b.start.time) == o.calendar.day(other.start.time)
		})
		switch {
		case place < 0:
			own = append(own, other)
		case j.First:
			last := max(own[place].last, other.last)
			if other.start.time < own[place].start.time {
				own[place] = other
			}
			own[place].last = last
		}
	}
	slices.SortStableFunc(own, func(a, b *beginning) int { return int(a.start.time - b.start.time) })
	return own
}

// returns reports whether a row is n days after a start.
func (o *Oracle) returns(j *kpi.Retention, start, r *row, n int) bool {
	if !j.Rolling {
		return o.calendar.day(r.time) == o.calendar.day(start.time)+int32(n)
	}
	const hours = 24 * 3600 * 1000
	from := start.time + int64(n)*hours
	return r.time >= from && r.time < from+hours
}
