package kpi

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/spelling"
)

// An Operator turns what each user did into facts: rows with a weight, which may be
// negative, and the business day they belong to. KPIs measure facts as they measure
// events.
type Operator struct {
	Name string
	// Days is set for the operator of the users' active days, which is the one kind
	// that there is.
	Days *Days
}

// Days is an operator whose facts are what the days say on which a user was active.
//
// Its facts have a field "fact", and others by it. Those that are counted:
//
//	stage       state: new (first seen on the day), returning (active the day
//	            before, too), resurrecting (active before that, not the day before),
//	            dormant (active the day before, not on the day)
//	churning    who becomes churned on the day
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

// meaning is the canonical text of what the facts depend on.
func (o *Operator) meaning() string {
	return fmt.Sprintf("days(gap %d; %s)", o.Days.Gap, o.Days.Where)
}

// Bounds of churn_gap in days: at risk begins after three days without
// activity at the earliest, and a rhythm is that of 64 days.
const (
	minChurnGap     = 4
	defaultChurnGap = 30
	maxChurnGap     = 60
)

func readOperator(n document.Node) *Operator {
	m := n.Mapping("name", "days")
	o := &Operator{}
	at, ok := m.Get("name")
	switch {
	case !ok:
		m.Missing("has no name", "add name: some_word")
	default:
		if o.Name = at.Text(); o.Name != "" && !kpiName.MatchString(o.Name) {
			at.Fail(strconv.Quote(o.Name), "is no name of an operator", "use a-z, 0-9 and _, a letter first")
		}
	}
	days, ok := m.Get("days")
	if !ok {
		m.Missing("says not what it does", "add days: {where: ...}")
		return o
	}
	o.Days = readDays(days)
	return o
}

func readDays(n document.Node) *Days {
	m := n.Mapping("churn_gap", "where")
	return &Days{Where: readWhere(m), Gap: m.Integer("churn_gap", minChurnGap, maxChurnGap, defaultChurnGap)}
}

// readAway reads a KPI of users who are away, which stands for a level of an
// operator of its own.
func (k *KPI) readAway(m document.Mapping, fact string) {
	for _, key := range []string{"by", "top", "budget", "from", "split", "horizon"} {
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

// readFrom reads what goes with facts alone, once the rest is read. The operator is
// looked up by its name later.
func (k *KPI) readFrom(m document.Mapping) {
	n, ok := m.Get("from")
	if !ok {
		for _, key := range []string{"split", "horizon", "final_only"} {
			if at, ok := m.Get(key); ok {
				at.Fail(key, "goes with facts alone", "leave it out, or say from: which operator they are")
			}
		}
		for _, measure := range k.Measures() {
			if measure.Op == Level {
				m.Fail("level", "is of facts alone", "say from: which operator they are, or count")
				return
			}
		}
		return
	}
	k.From = &Operator{Name: n.Text(), Days: &Days{}}
	if k.Horizon = m.Integer("horizon", 1, maxHorizon, 0); k.Horizon == 0 && m.Has("horizon") {
		k.Horizon = maxHorizon // what is wrong with it was said
	}
	if k.Minus != nil && (k.Minus.Op == Level) != (k.Numerator.Op == Level) {
		at, _ := m.Get("minus")
		at.Fail("minus", "takes a level and a count off each other", "take two counts, or two levels")
	}
	for _, measure := range k.Measures() {
		k.checkFacts(m, measure)
	}
	if k.Top > 0 {
		at, _ := m.Get("top")
		at.Fail("top", "does not go with from", "leave it out")
	}
	if k.Windows != nil && !slices.Equal(k.Windows, []Window{Day}) {
		at, _ := m.Get("windows")
		at.Fail(fmt.Sprint(k.Windows), "does not go with from", "write windows: [day]: facts are kept by business day")
	}
	if at, ok := m.Get("final_only"); ok {
		if k.FinalOnly, _ = at.Bool(); !k.Ratio() {
			at.Fail("final_only", "goes with a ratio", "leave it out: what is counted so far is shown, and complete says whether it is all")
		}
	}
	k.readSplit(m)
}

// maxHorizon bounds a horizon, in days: as far back as active days are known.
const maxHorizon = 60

// settle gives the KPIs that name an operator that of the catalogue, and their
// filters what of it facts depend on.
func (c *Catalogue) settle(operators map[string]*Operator, where map[string]place) {
	for _, k := range c.KPIs {
		if k.From == nil {
			continue
		}
		if name := k.From.Name; name != "" {
			if k.From = operators[name]; k.From == nil {
				remedy := "define it under operators, or name days"
				if spelling.Nearest(name, []string{"days"}) != "" {
					remedy = "did you mean days?"
				}
				where[k.Name].node.Fail("from: "+name, "is no operator", remedy)
				continue
			}
		}
		for _, m := range k.Measures() {
			if slices.Contains([]string{FactAtRisk, FactChurned, FactChurning}, m.Where.FactKind()) {
				m.Where = join(And, m.Where, textIs(GapField, strconv.Itoa(k.From.Days.Gap)))
			}
		}
	}
}
