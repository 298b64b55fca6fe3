package kpi

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/spelling"
)

// An Operator turns what each user did into facts: rows with a weight, which may be
// negative, and the business day they belong to. KPIs measure facts as they measure
// events.
type Operator struct {
	Name string
	// One of these says what it does.
	Days     *Days
	Sessions *Sessions
	Orders   *Orders
}

// kind is the key that says what the operator does.
func (o *Operator) kind() string {
	switch {
	case o.Days != nil:
		return "days"
	case o.Orders != nil:
		return "orders"
	}
	return "sessions"
}

// Journeys reports whether the operator follows what goes on for a while: its facts
// have a time at which they became known, and numbers.
func (o *Operator) Journeys() bool { return o.Days == nil }

// Own reports whether its facts have the field by themselves. What else a KPI names is
// a text of the event that they began with.
func (o *Operator) Own(field string) bool {
	switch {
	case o.Days != nil:
		return slices.Contains(FactFields, field)
	case o.Orders != nil:
		return slices.Contains([]string{FactField, EventField, AmountField}, field)
	}
	return field == FactField || slices.Contains(sessionNumbers, field)
}

// FactNames are the kinds of facts of an operator that follows events.
func (o *Operator) FactNames() []string {
	if o.Orders != nil {
		return OrderFacts
	}
	return []string{FactSession}
}

// Followed are what an event may be to an operator that follows events: it is the
// first of these that it passes.
func (o *Operator) Followed() (out []*Expr) {
	if s := o.Sessions; s != nil {
		return []*Expr{narrow(s.Where, s.End), s.Where}
	}
	for _, event := range OrderEvents {
		out = append(out, narrow(o.Orders.Where, textIs("type", event)))
	}
	return out
}

// narrow is a filter that what passes another has to pass, too.
func narrow(where, e *Expr) *Expr {
	if where == nil {
		return e
	}
	return join(And, where, e)
}

// Reads are the fields that an operator reads of the events that it follows: a text
// that tells apart what goes on at the same time, and a number.
func (o *Operator) Reads() (key, number string) {
	if o.Orders != nil {
		return "order_id", AmountField
	}
	return "session_id", "dwell_ms"
}

// Days is an operator whose facts are what the days say on which a user was active.
//
// Its facts have a field "fact", and others by it. Those that are counted:
//
//	stage       state: new (first seen on the day), returning (active the day
//	            before, too), resurrecting (active before that, not the day before),
//	            dormant (active the day before, not on the day)
//	churning    who becomes churned on the day
//	signal      state: who becomes at_risk, churned or declining on the day
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

// Sessions is an operator that puts a user's events together to sessions. One begins
// with an event and ends with an event that passes End, or Gap after its last event,
// an event at that instant being behind the end. Events of different session_id are
// of different sessions; those without one have none in common with those.
//
// Its facts, one when a session ends, have a field "fact", which is "session", the
// numbers duration_ms (from the first event to the last; dwell_ms of the event that
// ends it, if it has that) and events (how many), and the texts of the first event.
// They belong to the business day on which the session began.
type Sessions struct {
	// Where is what an event is that a session has, nil for every event.
	Where *Expr
	// End is what ends a session.
	End *Expr
	Gap time.Duration
}

// Orders is an operator that joins what happens to an order by the user and order_id:
// events of the types in OrderEvents. An order is kept until OrderDays days after the
// day on which it was paid, or made; what comes later is unmatched.
//
// Its facts have a field "fact", one of OrderFacts, and a number amount_minor, that of
// the event. Of the day on which the order was paid first, with the texts of that
// payment:
//
//	paid        an order that is paid
//	payment     each payment of it
//	refunded    an order that is refunded, in part or as a whole
//	refund      each refund
//	settlement  each settlement
//
// and others:
//
//	created     an order that is made, on that day, with the texts of that event
//	cancelled   an order that is cancelled, of the day on which it was made, with the
//	            texts of its first payment, or else of its first event
//	unmatched   a refund, cancel or settle (by event) of no such order, on its own day
//	payer       a level: paid for an order on one of the last OrderDays days
//	repeat_payer  a level: paid for two or more
type Orders struct {
	// Where is what an event is that is looked at, nil for every one of these types.
	Where *Expr
}

// OrderEvents are the types of events that happen to an order.
var OrderEvents = []string{"order", "pay", "refund", "cancel", "settle"}

// OrderFacts are the kinds of facts of Orders.
var OrderFacts = []string{"created", "cancelled", "paid", "payment", "refunded", "refund", "settlement", "unmatched", "payer", "repeat_payer"}

// OrderDays is for how many days after the one on which it was paid something can
// happen to an order, and how many days count for a payer.
const OrderDays = 30

// MaxOrders is how many orders of a user are known at a time; of more the oldest is
// forgotten.
const MaxOrders = 1000

// SignalStates are what signals tell of a user because of active days.
var SignalStates = []string{"at_risk", "churned", "declining", "returned"}

// meaning is the canonical text of what the facts depend on.
func (o *Operator) meaning() string {
	switch d, s := o.Days, o.Sessions; {
	case d != nil:
		return fmt.Sprintf("days(gap %d; %s)", d.Gap, d.Where)
	case s != nil:
		return fmt.Sprintf("sessions(gap %s; end %s; %s)", FormatLength(s.Gap), s.End, s.Where)
	case o.Orders != nil:
		return fmt.Sprintf("orders(%s)", o.Orders.Where)
	}
	return o.Name
}

// Bounds of churn_gap in days: at risk begins after three days without
// activity at the earliest, and a rhythm is that of 64 days.
const (
	minChurnGap     = 4
	defaultChurnGap = 30
	maxChurnGap     = 60
)

func readOperator(n document.Node) *Operator {
	m := n.Mapping(append([]string{"name"}, operatorKinds...)...)
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
	kinds := slices.DeleteFunc(slices.Clone(m.Keys), func(k string) bool { return !slices.Contains(operatorKinds, k) })
	switch len(kinds) {
	case 0:
		m.Missing("says not what it does", "add one of "+strings.Join(operatorKinds, ", "))
		o.Days = &Days{Gap: defaultChurnGap}
		return o
	case 1:
	default:
		m.Fail(strings.Join(kinds, " and "), "stand together", "keep one: an operator does one thing")
	}
	switch at, _ := m.Get(kinds[0]); kinds[0] {
	case "days":
		o.Days = readDays(at)
	case "sessions":
		o.Sessions = readSessions(at)
	case "orders":
		o.Orders = &Orders{Where: readWhere(at.Mapping("where"))}
	}
	return o
}

// operatorKinds are the keys that say what an operator does.
var operatorKinds = []string{"days", "sessions", "orders"}

func readDays(n document.Node) *Days {
	m := n.Mapping("churn_gap", "where")
	return &Days{Where: readWhere(m), Gap: m.Integer("churn_gap", minChurnGap, maxChurnGap, defaultChurnGap)}
}

// Bounds of the gap that ends a session.
const (
	minSessionGap     = time.Minute
	defaultSessionGap = 30 * time.Minute
	maxSessionGap     = 24 * time.Hour
)

// sessionEnd is what ends a session by default.
var sessionEnd = textIs("type", "session_end")

func readSessions(n document.Node) *Sessions {
	m := n.Mapping("where", "gap", "end")
	s := &Sessions{Where: readWhere(m), End: sessionEnd, Gap: defaultSessionGap}
	defer func() { s.warnEnd(m) }()
	if at, ok := m.Get("gap"); ok {
		w, err := ParseWindow(at.Text())
		switch {
		case err != nil, w.IsDay(), w == Today:
			at.Fail(strconv.Quote(at.Value()), "is no length", "give one from 1m to 24h, such as 30m")
		case w.Length < minSessionGap || w.Length > maxSessionGap:
			at.Fail(at.Value(), "is out of range", fmt.Sprintf("give a length from %s to %s, such as 30m", FormatLength(minSessionGap), FormatLength(maxSessionGap)))
		default:
			s.Gap = w.Length
		}
	}
	if at, ok := m.Get("end"); ok {
		e, err := ParseExpr(at.Text())
		if err != nil {
			at.FailWith(err)
		} else {
			s.End = e
			misspeltIn(at, e)
		}
	}
	return s
}

// warnEnd warns of sessions that no event ends, since none with that type is theirs.
func (s *Sessions) warnEnd(m document.Mapping) {
	where, ends := s.Where.Texts("type"), s.End.Texts("type")
	if at, ok := m.Get("where"); ok && where != nil && ends != nil && !slices.ContainsFunc(ends, func(t string) bool { return slices.Contains(where, t) }) {
		at.Warn(strings.Join(ends, ", "), "is not among the types that sessions have, so it ends none", "add it to the types in where")
	}
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

// readFrom reads what goes with facts alone, once the rest is read. What depends on
// the operator, which is looked up by its name later, is read by readFacts.
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
	k.From = &Operator{Name: n.Text()}
	if k.Horizon = m.Integer("horizon", 1, maxHorizon, 0); k.Horizon == 0 && m.Has("horizon") {
		k.Horizon = maxHorizon // what is wrong with it was said
	}
	if k.Minus != nil && (k.Minus.Op == Level) != (k.Numerator.Op == Level) {
		at, _ := m.Get("minus")
		at.Fail("minus", "takes a level and a count off each other", "take two counts, or two levels")
	}
	if k.Top > 0 {
		at, _ := m.Get("top")
		at.Fail("top", "does not go with from", "leave it out")
	}
	if at, ok := m.Get("final_only"); ok {
		if k.FinalOnly, _ = at.Bool(); !k.Ratio() {
			at.Fail("final_only", "goes with a ratio", "leave it out: what is counted so far is shown, and complete says whether it is all")
		}
	}
}

// readFacts reads what depends on the operator.
func (k *KPI) readFacts(m document.Mapping) {
	for _, measure := range k.Measures() {
		k.checkFacts(m, measure)
	}
	if at, ok := m.Get("windows"); ok && k.From.Days != nil && !slices.Equal(k.Windows, []Window{Day}) && k.Windows != nil {
		at.Fail(fmt.Sprint(k.Windows), "does not go with from", "write windows: [day]: what follows from active days is kept by business day")
	} else if ok && k.Keeps(Today) {
		at.Fail("today", "does not go with from", "leave it out: day has the facts of the day so far, as long as it is not over")
	}
	if at, ok := m.Get("horizon"); ok && !k.Keeps(Day) {
		at.Fail("horizon", "goes with the window day", "leave it out, or keep day, too")
	} else if ok && k.From.Orders != nil && k.Horizon > OrderDays {
		at.Warn(strconv.Itoa(k.Horizon), fmt.Sprintf("is more than the %d days in which anything joins an order", OrderDays), fmt.Sprintf("write horizon: %d", OrderDays))
	}
	if at, ok := m.Get("final_only"); ok && k.From.Journeys() && !slices.Equal(k.Windows, []Window{Day}) {
		at.Fail("final_only", "goes with the window day alone", "write windows: [day], or leave it out")
	}
	k.readSplit(m)
}

// gapFacts are those of Days that depend on the gap.
var gapFacts = []string{FactAtRisk, FactChurned, FactChurning, FactSignal, FactRecall}

// maxHorizon bounds a horizon, in days: as far back as active days are known.
const maxHorizon = 60

// settle gives the KPIs that name an operator that of the catalogue, and their
// filters what of it facts depend on. where says where each KPI stands.
func (c *Catalogue) settle(operators map[string]*Operator, where map[*KPI]document.Mapping) {
	known := slices.Sorted(maps.Keys(operators))
	for _, k := range c.KPIs {
		if k.From == nil {
			continue
		}
		if name := k.From.Name; name != "" {
			m := where[k]
			if k.From = operators[name]; k.From == nil {
				at, _ := m.Get("from")
				at.Fail(name, "is no operator", spelling.Meant(spelling.Nearest(name, known), "define it under operators, or name one of "+strings.Join(known, ", ")))
				continue
			}
			k.readFacts(m)
		}
		for _, m := range k.Measures() {
			if slices.Contains(gapFacts, m.Where.FactKind()) && k.From.Days != nil {
				m.Where = join(And, m.Where, textIs(GapField, strconv.Itoa(k.From.Days.Gap)))
			}
		}
	}
}
