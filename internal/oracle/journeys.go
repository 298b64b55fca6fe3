package oracle

import (
	"fmt"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

// A journey is what an operator makes of what each user does.
type journey struct {
	filters []*kpi.Expr // that say what it looks at
	follows func(e *event) bool
	// facts are those of a user's rows, in the order of their times, and of what was
	// another's. Levels are those of the day of the telling.
	facts func(o *Oracle, t telling, rows []*row, joins []join) []fact
}

func journeyOf(o *kpi.Operator) journey {
	switch j := o.Journey.(type) {
	case *kpi.Sessions:
		return sessions(j)
	case *kpi.Orders:
		return orders(j)
	case *kpi.Plays:
		return plays(j)
	case *kpi.RFM:
		return rfm(j)
	case *kpi.Attribution:
		return attribution(j)
	case *kpi.Funnel:
		return funnel(j)
	case *kpi.Retention:
		return retention(j)
	}
	panic(fmt.Sprintf("the oracle knows no %T", o.Journey))
}

// journeys are the facts of an operator.
func (o *Oracle) journeys(op *kpi.Operator, t telling, rows []*row, head int64) (out []fact) {
	j := journeyOf(op)
	byUser, joins, gone := o.split(j, rows, o.moved(head, t.crossing))
	for user, list := range byUser {
		for _, f := range j.facts(o, t, list, joins[user]) {
			at, moved := gone[user]
			if moved && (f.at > at || f.at == never && o.calendar.day(at*1000) <= t.date) {
				continue // it is another's, or nobody's
			}
			out = append(out, f)
		}
	}
	if _, is := op.Journey.(*kpi.Orders); is { // a settlement needs no user, but joins nothing then
		for _, r := range rows {
			if r.user == "" && r.texts["type"] == "settle" && j.follows(r.event) {
				out = append(out, j.facts(o, t, []*row{r}, nil)...)
			}
		}
	}
	return out
}

// split is the rows that an operator looks at by user, in the order of their times, what
// of them users got from others, and the seconds behind which nothing is those others'.
func (o *Oracle) split(j journey, rows []*row, moves []move) (byUser map[string][]*row, joins map[string][]join, gone map[string]int64) {
	byUser, joins, gone = map[string][]*row{}, map[string][]join{}, map[string]int64{}
	heirs := map[string]string{}
	for _, m := range moves {
		heirs[m.from], gone[m.from] = m.to, o.movedAt(m)
	}
	for _, r := range rows {
		if r.user == "" || !j.follows(r.event) {
			continue
		}
		user := r.user
		if at, moved := gone[user]; moved && r.second > at {
			if user = heirs[user]; user == "" {
				continue
			}
		}
		byUser[user] = append(byUser[user], r)
	}
	for _, list := range byUser {
		slices.SortStableFunc(list, func(a, b *row) int { return int(a.time - b.time) })
	}
	for _, m := range moves {
		if list := byUser[m.from]; len(list) > 0 && m.to != "" {
			joins[m.to] = append(joins[m.to], join{gone[m.from], list})
			if byUser[m.to] == nil {
				byUser[m.to] = []*row{}
			}
		}
	}
	return byUser, joins, gone
}
