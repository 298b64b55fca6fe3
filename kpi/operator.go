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
	Days    *Days
	Journey Journey
}

// A Journey is an operator that follows what goes on for a while: its facts have a time
// at which they became known, and numbers.
type Journey interface {
	// Follows are what an event may be to the operator: it is the first of these that
	// it passes.
	Follows() []Followed
	// Key are the texts of an event that tell apart what goes on at the same time.
	Key() []string
	// FactNames are the kinds of its facts.
	FactNames() []string
	// Horizon is for how many days at most something becomes known of a day that is
	// over.
	Horizon() int

	kinds() factKinds
	meaning() string
	parameters() map[string]any
}

// Followed is what an event may be to an operator.
type Followed struct {
	Where *Expr
	// Numbers are those that the operator reads of it, at most RowNumbers.
	Numbers []string
}

// RowNumbers is how many numbers an operator reads of an event at most.
const RowNumbers = 3

// MaxOpen is how many sessions, or plays told in parts, of a user go on at a time; of more
// the oldest is over.
const MaxOpen = 1000

// A journeyKind is a kind of operators that follow events.
type journeyKind struct {
	word string // the key that says what the operator does
	read func(n document.Node) Journey
}

var journeyKinds = []journeyKind{
	{"sessions", readSessions},
	{"orders", readOrders},
	{"plays", readPlays},
	{"rfm", readRFM},
	{"attribution", readAttribution},
	{"funnel", readFunnel},
	{"retention", readRetention},
}

// Kind is the key that says what the operator does.
func (o *Operator) Kind() string {
	if o.Days != nil {
		return "days"
	}
	word, _, _ := strings.Cut(o.Journey.meaning(), "(")
	return word
}

// kinds are those of the operator's facts.
func (o *Operator) kinds() factKinds {
	if o.Days != nil {
		return daysFacts
	}
	return o.Journey.kinds()
}

// Own reports whether its facts have the field by themselves. What else a KPI names is
// a text of the event that they began with.
func (o *Operator) Own(field string) bool {
	if o.Days != nil {
		return slices.Contains(FactFields, field)
	}
	return field == FactField || o.number(field) || o.Text(field)
}

// Text reports whether any of the operator's facts have the field as a text, beside the
// kind that they are.
func (o *Operator) Text(field string) bool {
	for _, kind := range o.kinds() {
		if _, has := kind.fields[field]; has {
			return true
		}
	}
	return false
}

// horizon is for how many days at most something becomes known of a day that is over.
func (o *Operator) horizon() int {
	if o.Days != nil {
		return maxHorizon
	}
	return o.Journey.Horizon()
}

// FactText is what facts of a kind can have in a text field of their own.
func (o *Operator) FactText(kind, field string) []string { return o.kinds()[kind].fields[field] }

// FactNumbers are the numbers that facts of a kind have.
func (o *Operator) FactNumbers(kind string) []string { return o.kinds()[kind].numbers }

// narrow is a filter that what passes another has to pass, too.
func narrow(where, e *Expr) *Expr {
	if where == nil {
		return e
	}
	return join(And, where, e)
}

// meaning is the canonical text of what the facts depend on.
func (o *Operator) meaning() string {
	switch d := o.Days; {
	case d != nil:
		return fmt.Sprintf("days(gap %d; %s)", d.Gap, d.Where)
	case o.Journey != nil:
		return o.Journey.meaning()
	}
	return o.Name
}

func readOperator(n document.Node) *Operator {
	words := operatorKinds()
	m := n.Mapping(append([]string{"name"}, words...)...)
	o := &Operator{}
	at, ok := m.Get("name")
	switch {
	case !ok:
		m.Missing("has no name", "add name: some_word")
	default:
		if o.Name = at.Text(); o.Name != "" && !kpiName.MatchString(o.Name) {
			at.Fail(strconv.Quote(o.Name), "is no name of an operator", "use a-z, 0-9 and _, a letter first")
		} else if o.Name == eventRows {
			at.Fail(eventRows, "stands for the events", "give the operator another name")
		}
	}
	kinds := slices.DeleteFunc(slices.Clone(m.Keys), func(k string) bool { return !slices.Contains(words, k) })
	switch len(kinds) {
	case 0:
		m.Missing("says not what it does", "add one of "+strings.Join(words, ", "))
		o.Days = &Days{Gap: defaultChurnGap}
		return o
	case 1:
	default:
		m.Fail(strings.Join(kinds, " and "), "stand together", "keep one: an operator does one thing")
	}
	at, _ = m.Get(kinds[0])
	for _, j := range journeyKinds {
		if j.word == kinds[0] {
			o.Journey = j.read(at)
			return o
		}
	}
	o.Days = readDays(at)
	return o
}

// operatorKinds are the keys that say what an operator does.
func operatorKinds() []string {
	out := []string{"days"}
	for _, j := range journeyKinds {
		out = append(out, j.word)
	}
	return out
}

// Bounds of the silence that ends what goes on.
const (
	minGap = time.Minute
	maxGap = 24 * time.Hour
)

// readLength reads a length within bounds.
func readLength(m document.Mapping, key string, least, most, usual time.Duration) time.Duration {
	at, ok := m.Get(key)
	if !ok {
		return usual
	}
	remedy := fmt.Sprintf("give a length from %s to %s, such as %s", FormatLength(least), FormatLength(most), FormatLength(usual))
	switch length, isLength := parseLength(at.Value()); {
	case !at.Scalar() || !isLength:
		at.Fail(at.Shown(), "is no length", remedy)
	case length < least || length > most:
		at.Fail(at.Value(), "is out of range", remedy)
	default:
		return length
	}
	return usual
}

// readFrom reads what goes with facts alone, once the rest is read. What depends on
// the operator, which is looked up by its name later, is read by readFacts.
func (k *KPI) readFrom(m document.Mapping) {
	n, ok := m.Get("from")
	if !ok {
		k.readHorizon(m)
		k.checkOpen(m)
		for _, key := range []string{"split", "maturity", "final_only"} {
			if at, ok := m.Get(key); ok {
				at.Fail(key, "goes with facts alone", "leave it out, or say from: which operator they are")
			}
		}
		for _, measure := range k.Measures() {
			if measure.Op == Level {
				m.Fail("level", "is of facts alone", "say from: which operator they are, or count")
				return
			}
			if measure.Events {
				m.Fail("from: events", "goes with facts beside it", "leave it out: all that the KPI measures is events")
				return
			}
		}
		return
	}
	if k.From = (&Operator{Name: n.Text()}); k.From.Name == eventRows {
		n.Fail(eventRows, "are no facts", "leave it out, or name an operator")
	}
	k.readHorizon(m)
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
		if by, _ := m.Get("by"); k.FinalOnly && slices.ContainsFunc(k.By, func(s Set) bool { return slices.Contains(s, cohortLabel) }) {
			by.Fail(cohortLabel, "is a label of every series with final_only", "give the property another name")
		}
	}
}

// readFacts reads what depends on the operator.
func (k *KPI) readFacts(m document.Mapping) {
	if len(k.Facts()) == 0 {
		m.Fail(k.From.Name, "has no facts here", "leave from out everywhere, or have one part of the KPI measure them")
	}
	for _, measure := range k.Measures() {
		if measure.Events {
			k.checkBeside(m, measure)
		} else {
			k.checkFacts(m, measure)
		}
	}
	if at, ok := m.Get("windows"); ok && k.From.Days != nil && !slices.Equal(k.Windows, []Window{Day}) && k.Windows != nil {
		at.Fail(fmt.Sprint(k.Windows), "does not go with from", "write windows: [day]: what follows from active days is kept by business day")
	} else if ok && k.Keeps(Today) {
		at.Fail("today", "does not go with from", "leave it out: day has the facts of the day so far, as long as it is not over")
	}
	if later := k.later(); !m.Has("horizon") && k.Keeps(Day) && later > 0 {
		at, _ := m.Get("windows")
		at.Warn("day", fmt.Sprintf("is complete when it is over, and without what becomes known in the %d days after it", later), fmt.Sprintf("write horizon: %d to have it open for as long", min(later, maxHorizon)))
	}
	if at, ok := m.Get("horizon"); ok && !k.Keeps(Day) {
		at.Fail("horizon", "goes with the window day", "leave it out, or keep day, too")
	} else if most := k.From.horizon(); ok && k.Horizon > most && len(k.Facts()) == len(k.Measures()) {
		remedy := "leave it out"
		if most > 0 {
			remedy = fmt.Sprintf("write horizon: %d", most)
		}
		at.Warn(strconv.Itoa(k.Horizon), fmt.Sprintf("is more than the %d days in which anything becomes known of a day that is over", most), remedy)
	}
	if at, ok := m.Get("final_only"); ok && k.From.Journey != nil && !slices.Equal(k.Windows, []Window{Day}) {
		at.Fail("final_only", "goes with the window day alone", "write windows: [day], or leave it out")
	}
	k.readMaturity(m)
	k.readSplit(m)
}

// later is for how many days after its own any fact of the KPI becomes known, those that
// wait apart: they need a horizon.
func (k *KPI) later() (days int) {
	for _, measure := range k.Facts() {
		kinds := k.From.kinds()
		days = max(days, kinds[kinds.of(measure.Where)].later)
	}
	return days
}

// gapFacts are those of Days that depend on the gap.
var gapFacts = []string{FactAtRisk, FactChurned, FactChurning}

// maxHorizon bounds a horizon, in days: as far back as active days are known.
const maxHorizon = 60

// Readers are the KPIs that measure an operator's facts, beside events, too.
func (c *Catalogue) Readers(o *Operator) []*KPI {
	return slices.DeleteFunc(slices.Clone(c.KPIs), func(k *KPI) bool { return k.From != o && k.Also != o })
}

// bindOperators gives the KPIs that name an operator that of the catalogue, and their
// filters what of it facts depend on. where says where each KPI stands.
func (c *Catalogue) bindOperators(operators map[string]*Operator, where map[*KPI]document.Mapping) {
	known := slices.Sorted(maps.Keys(operators))
	for _, name := range known {
		c.Operators = append(c.Operators, operators[name])
	}
	for _, k := range c.KPIs {
		if k.Also != nil {
			k.bindAlso(operators, where[k])
		}
		if k.From == nil {
			k.warnFacts(c.Operators, where[k])
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
		for _, m := range k.Facts() {
			if slices.Contains(gapFacts, m.Where.FactKind()) && k.From.Days != nil {
				m.Where = join(And, m.Where, textIs(GapField, strconv.Itoa(k.From.Days.Gap)))
			}
		}
	}
}
