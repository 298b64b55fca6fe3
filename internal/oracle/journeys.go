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
	// facts are those of a user's rows, in the order of their times. Levels are those of
	// the day of the telling.
	facts func(o *Oracle, t telling, rows []*row) []fact
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
	}
	panic(fmt.Sprintf("the oracle knows no %T", o.Journey))
}

// journeys are the facts of an operator.
func (o *Oracle) journeys(op *kpi.Operator, t telling, rows []*row) (out []fact) {
	j := journeyOf(op)
	byUser := map[string][]*row{}
	for _, r := range rows {
		if r.user != "" && j.follows(r.event) {
			byUser[r.user] = append(byUser[r.user], r)
		}
	}
	for _, list := range byUser {
		slices.SortStableFunc(list, func(a, b *row) int { return int(a.time - b.time) })
		out = append(out, j.facts(o, t, list)...)
	}
	return out
}
