package kpi

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/internal/document"
)

// Attribution is an operator that gives each conversion of a user to a touch: the last
// click if that is less than its Within before the conversion, else the last view, else
// none. Conversions of one order_id are one, which the first of them decides; the
// further ones are payments of it, as long as something joins it: until OrderDays days
// after the day of the conversion. A conversion without an order_id is one by itself.
//
// Its facts have a field "fact", one of AttributionFacts, a number amount_minor, that
// of the event by which they became known, and all but those of what is unattributed
// lag_ms, how long after the touch that was, a field "touch", one of Touches, and the
// texts of that touch:
//
//	conversion    a conversion, on its own day
//	touched       the same on the day of the touch
//	payment       each payment of a conversion, the first included, on the day of the
//	              touch
//	refund        each refund of it, on the day of the touch
//	unattributed  a conversion that no touch has, on its own day, with its own texts
type Attribution struct {
	// Where is what an event is that is looked at, nil for every one.
	Where      *Expr
	Conversion *Expr
	Click      Touch
	// View is nil where views are no touches.
	View *Touch
	// Once says that a touch has one conversion: who would be the next is unattributed.
	Once bool
}

// A Touch is what a conversion can be attributed to.
type Touch struct {
	Where *Expr
	// Within is how long after it conversions are attributed to it. One that comes
	// exactly so long after it is not.
	Within time.Duration
}

// Touches are what a touch may be.
var Touches = []string{"click", "view"}

// AttributionFacts are the kinds of facts of Attribution.
var AttributionFacts = []string{"conversion", "touched", "payment", "refund", "unattributed"}

// Fields of the facts of Attribution.
const (
	TouchField = "touch"
	LagField   = "lag_ms"
)

// Follows implements Journey: conversions, refunds, clicks and views.
func (a *Attribution) Follows() []Followed {
	amount := []string{AmountField}
	out := []Followed{
		{narrow(a.Where, a.Conversion), amount},
		{narrow(a.Where, textIs("type", "refund")), amount},
		{Where: narrow(a.Where, a.Click.Where)},
	}
	if a.View != nil {
		out = append(out, Followed{Where: narrow(a.Where, a.View.Where)})
	}
	return out
}

// Key implements Journey.
func (a *Attribution) Key() []string { return []string{"order_id"} }

// FactNames implements Journey.
func (a *Attribution) FactNames() []string { return AttributionFacts }

// Horizon implements Journey: a conversion comes so long after its touch, and what joins
// it so many days later. Meanwhile clocks may be set forward.
func (a *Attribution) Horizon() int { return OrderDays + daysOf(a.within()+time.Hour) }

// within is for how long a touch can have a conversion.
func (a *Attribution) within() time.Duration {
	if a.View != nil {
		return max(a.Click.Within, a.View.Within)
	}
	return a.Click.Within
}

// daysOf is in how many days a length ends that begins in the last moment of one.
func daysOf(length time.Duration) int { return int((length + day - 1) / day) }

func (a *Attribution) kinds() factKinds {
	touches := Touches
	if a.View == nil {
		touches = Touches[:1]
	}
	of := map[string][]string{TouchField: touches}
	converted := factKind{counted: true, numbers: []string{AmountField, LagField}, fields: of}
	touched := converted
	touched.later = daysOf(a.within())
	joined := touched
	joined.later += OrderDays
	return factKinds{
		"conversion": converted, "touched": touched, "payment": joined, "refund": joined,
		"unattributed": {counted: true, numbers: []string{AmountField}},
	}
}

func (a *Attribution) meaning() string {
	count, view := "every", "none"
	if a.Once {
		count = "once"
	}
	if a.View != nil {
		view = a.View.meaning()
	}
	return fmt.Sprintf("attribution(count %s; conversion %s; click %s; view %s; %s)", count, a.Conversion, a.Click.meaning(), view, a.Where)
}

func (t *Touch) meaning() string { return fmt.Sprintf("%s %s", FormatLength(t.Within), t.Where) }

// Bounds of what a touch has within.
const (
	minWithin = time.Minute
	maxWithin = 60 * day
)

func readAttribution(n document.Node) Journey {
	m := n.Mapping("where", "conversion", "click", "view", "count")
	a := &Attribution{
		Where:      readWhere(m),
		Conversion: readFilter(m, "conversion", textIs("type", "pay")),
		Click:      Touch{textIs("type", "click"), 7 * day},
		View:       &Touch{textIs("type", "impression"), day},
	}
	if at, ok := m.Get("click"); ok {
		a.Click.read(at)
	}
	switch at, ok := m.Get("view"); {
	case ok && at.Scalar() && at.Value() == "none":
		a.View = nil
	case ok && !at.Mapped() && !at.Null():
		at.Fail(at.Shown(), "says not which views", "write view: {within: 1d}, or none to leave views out")
	case ok:
		a.View.read(at)
	}
	if at, ok := m.Get("count"); ok {
		switch count := at.Text(); count {
		case "", "every":
		case "once":
			a.Once = true
		default:
			at.Fail(strconv.Quote(count), "is no way to count", "write every, or once for one conversion of a touch")
		}
	}
	warnOverlooked(m, a.Where, "conversions", a.Conversion)
	warnOverlooked(m, a.Where, "clicks", a.Click.Where)
	if a.View != nil {
		warnOverlooked(m, a.Where, "views", a.View.Where)
	}
	a.warnTaken(m)
	return a
}

// warnTaken warns of touches that there are none of, since an event which passes several
// filters is the first of conversion, refund, click and view.
func (a *Attribution) warnTaken(m document.Mapping) {
	type part struct {
		what  string
		where *Expr
	}
	before := []part{{"conversion", a.Conversion}, {"refund", textIs("type", "refund")}}
	touches := []part{{"click", a.Click.Where}}
	if a.View != nil {
		touches = append(touches, part{"view", a.View.Where})
	}
	for _, touch := range touches {
		i := slices.IndexFunc(before, func(b part) bool { return touch.where.implies(b.where) })
		if i >= 0 {
			at, ok := m.Get(touch.what)
			if !ok {
				at, _ = m.Get(before[i].what)
			}
			at.Warn(touch.where.String(), fmt.Sprintf("is a %s, too, and an event is one thing, that first: there is no %s", before[i].what, touch.what), "tell the two apart")
		}
		before = append(before, touch)
	}
}

// read takes over what is said of a touch.
func (t *Touch) read(n document.Node) {
	m := n.Mapping("where", "within")
	t.Where = readFilter(m, "where", t.Where)
	t.Within = readLength(m, "within", minWithin, maxWithin, t.Within)
}

// warnOverlooked warns of what there is none of, since the operator's where lets no event
// with that type through.
func warnOverlooked(m document.Mapping, where *Expr, what string, e *Expr) {
	at, ok := m.Get("where")
	looked, types := where.Texts("type"), e.Texts("type")
	if ok && looked != nil && types != nil && !slices.ContainsFunc(types, func(t string) bool { return slices.Contains(looked, t) }) {
		at.Warn(strings.Join(types, ", "), "is not among the types that are looked at, so there are no "+what, "add it to the types in where")
	}
}
