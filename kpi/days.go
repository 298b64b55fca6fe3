package kpi

import (
	"fmt"
	"slices"

	"github.com/tidewatch/tidewatch/internal/document"
)

// Days is an operator whose facts are what the days say on which a user was active.
//
// Its facts have a field "fact", and others by it. Those that are counted:
//
//	stage       state: new (first seen on the day), returning (active the day
//	            before, too), resurrecting (active before that, not the day before),
//	            dormant (active the day before, not on the day)
//	churning    who becomes churned on the day
//	signal      state: of whom a signal says that they became at_risk, churned or
//	            declining on the day; it goes out once the day is sealed
//	recall      state, of: of these, who is active again within 7, 14 or 30 days of it
//	retention   after: of the users first seen on the day those that are active so
//	            many days later, with "0" all of them
//
// Those that are levels, which a user enters and leaves:
//
//	within      of: active in the last 7, or 30, days with the day
//	before      of: the same of the 30 days before the day
//	week, month active since the calendar week, or month, of the day began
//	active_days of: each active day, as long as it is one of the last 30; divided by
//	            possible_days it is the mean share of them
//	possible_days of: thirty times within
//	frequency   of, days: active on exactly so many of the last 7, or 28, days
//	at_risk     away for longer than the user's own rhythm explains
//	churned     away for Gap days or more
//	away        not active the day before, but earlier
//	declining   active on less than half as many of the last 7 days as in the mean
//	            week of the four before
type Days struct {
	// Where is what makes a user active, nil for every event.
	Where *Expr
	// Gap is the number of days without activity after which a user has churned.
	Gap int
}

// SignalStates are what signals tell of a user because of active days.
var SignalStates = []string{"at_risk", "churned", "declining", "returned"}

// Bounds of churn_gap in days: at risk begins after three days without
// activity at the earliest, and a rhythm is that of 64 days.
const (
	minChurnGap     = 4
	defaultChurnGap = 30
	maxChurnGap     = 60
)

func readDays(n document.Node) *Days {
	m := n.Mapping("churn_gap", "where")
	return &Days{Where: readWhere(m), Gap: m.Integer("churn_gap", minChurnGap, maxChurnGap, defaultChurnGap)}
}

// readAway reads a KPI of users who are away, which stands for a level of an
// operator of its own.
func (k *KPI) readAway(m document.Mapping, fact string) {
	for _, key := range []string{"by", "top", "budget", "from", "split", "horizon", "maturity"} {
		if n, ok := m.Get(key); ok {
			n.Fail(key, "does not go with "+fact, "leave it out: it is kept for the total; level with from is kept by what you like")
		}
	}
	if m.Has("windows") {
		if w := readWindows(m); len(w) > 0 && !slices.Equal(w, []Window{Day}) {
			at, _ := m.Get("windows")
			at.Fail(fmt.Sprint(w), "does not go with "+fact, "write windows: [day]")
		}
	}
	n, _ := m.Get(fact)
	k.From = &Operator{Days: readDays(n)}
	k.Numerator = Measure{Op: Level, Where: textIs(FactField, fact)}
	k.By, k.Windows, k.Budget = []Set{{}}, []Window{Day}, defaultBudget
}
