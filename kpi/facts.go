package kpi

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/spelling"
)

// The kinds of facts of Days.
const (
	FactStage        = "stage"
	FactChurning     = "churning"
	FactRetention    = "retention"
	FactWithin       = "within"
	FactBefore       = "before"
	FactWeek         = "week"
	FactMonth        = "month"
	FactActiveDays   = "active_days"
	FactPossibleDays = "possible_days"
	FactFrequency    = "frequency"
	FactAtRisk       = "at_risk"
	FactChurned      = "churned"
	FactAway         = "away"
	FactDeclining    = "declining"
	FactSignal       = "signal"
	FactJoined       = "joined"
	FactRecall       = "recall"
)

// Fields of the facts of Days.
const (
	FactField  = "fact"
	StateField = "state"
	OfField    = "of"
	DaysField  = "days"
	AfterField = "after"
	GapField   = "gap" // added to what depends on it
	// HoldoutField says whether webhooks are told of the user, as one of Holdouts.
	HoldoutField = "holdout"
)

// FactFields are the fields that the facts of Days have by themselves. What else a KPI
// names is a text of the event by which the user was first seen.
var FactFields = []string{FactField, StateField, OfField, DaysField, AfterField, GapField, HoldoutField}

// factKinds are the kinds of facts of an operator, by name.
type factKinds map[string]factKind

// A factKind is what facts of a kind are like.
type factKind struct {
	// counted are those of one day; the others are levels.
	counted bool
	// fields are those beside fact, with the texts that they can have.
	fields map[string][]string
	// numbers are those that they have.
	numbers []string
	// bare says that they have no texts of an event.
	bare bool
	// later is for how many days after their own they become known; 0 of one that is
	// known when its day is over.
	later int
	// waits is the field whose text is for how many days they wait instead, beside
	// waitsMore.
	waits     string
	waitsMore int
}

// waitsFor is for how many days after their own facts of the texts become known.
func (k factKind) waitsFor(texts []string) (days int) {
	for _, text := range texts {
		if n, err := strconv.Atoi(text); err == nil && slices.Contains(k.fields[k.waits], text) {
			days = max(days, n+k.waitsMore)
		}
	}
	return days
}

// LeavingStates are the states of SignalStates that users enter by being away.
var LeavingStates = SignalStates[:3]

// RecallDays are within how many days of a signal users are counted who are back.
var RecallDays = []string{"7", "14", "30"}

var daysFacts = factKinds{
	FactStage:        {counted: true, fields: map[string][]string{StateField: {"new", "returning", "resurrecting", "dormant"}}},
	FactChurning:     {counted: true},
	FactJoined:       {counted: true, bare: true},
	FactRetention:    {counted: true, fields: map[string][]string{AfterField: numbers(0, maxHorizon)}, waits: AfterField},
	FactSignal:       {counted: true, fields: map[string][]string{StateField: LeavingStates, HoldoutField: Holdouts}, later: 1},
	FactRecall:       {counted: true, fields: map[string][]string{StateField: LeavingStates, OfField: RecallDays, HoldoutField: Holdouts}, waits: OfField},
	FactWithin:       {fields: map[string][]string{OfField: {"7", "30"}}},
	FactBefore:       {fields: map[string][]string{OfField: {"30"}}},
	FactWeek:         {},
	FactMonth:        {},
	FactActiveDays:   {fields: map[string][]string{OfField: {"30"}}},
	FactPossibleDays: {fields: map[string][]string{OfField: {"30"}}},
	FactFrequency:    {fields: map[string][]string{OfField: {"7", "28"}, DaysField: numbers(1, 28)}},
	FactAtRisk:       {},
	FactChurned:      {},
	FactAway:         {},
	FactDeclining:    {},
}

func numbers(from, to int) (out []string) {
	for n := from; n <= to; n++ {
		out = append(out, strconv.Itoa(n))
	}
	return out
}

// names are the kinds, in order.
func (ks factKinds) names() []string { return slices.Sorted(maps.Keys(ks)) }

// example is a kind of facts of the operator.
func (o *Operator) example() string {
	if o.Days != nil {
		return FactStage
	}
	return o.Journey.FactNames()[0]
}

// number reports whether any of the operator's facts have the field as a number.
func (o *Operator) number(field string) bool {
	for _, kind := range o.kinds() {
		if slices.Contains(kind.numbers, field) {
			return true
		}
	}
	return false
}

// of is the kind that a filter asks for: the only one, if it leaves that open.
func (ks factKinds) of(where *Expr) string {
	name := where.FactKind()
	if name == "" && len(ks) == 1 && where.Texts(FactField) == nil {
		return ks.names()[0]
	}
	return name
}

// Texts are those that the filter lets a field have, nil if it says nothing of it.
func (e *Expr) Texts(field string) (out []string) {
	switch {
	case e == nil:
	case e.Op == TextEq && e.Args[0].Field == field:
		for _, a := range e.Args[1:] {
			out = append(out, a.Text)
		}
	case e.Op == And:
		for _, a := range e.Args {
			out = append(out, a.Texts(field)...)
		}
	}
	return out
}

// FactKind is the kind of facts that the filter asks for, "" if it leaves that open.
func (e *Expr) FactKind() string {
	if kinds := e.Texts(FactField); len(kinds) == 1 {
		return kinds[0]
	}
	return ""
}

// textIs is the filter that a field is a text.
func textIs(field, text string) *Expr {
	return &Expr{Op: TextEq, Args: []*Expr{{Op: TextField, Field: field}, {Op: TextConst, Text: text}}}
}

// Facts are the measures that are of facts.
func (k *KPI) Facts() []*Measure {
	return slices.DeleteFunc(k.Measures(), func(m *Measure) bool { return k.From == nil || m.Events })
}

// checkBeside holds a measure of the events to what can stand beside facts.
func (k *KPI) checkBeside(m document.Mapping, measure *Measure) {
	if measure.Op != Count && measure.Op != Sum {
		m.Fail(measure.Op.String()+" of events", "does not go with facts", "take a count or a sum of events")
	}
	if measure.Where.FactKind() != "" {
		m.Warn(measure.Where.String(), "asks events for what facts have", "leave from: events out to count facts")
	}
	if at, ok := m.Get("split"); ok {
		at.Fail("split", "does not go with from: events", "leave it out: events do not have what facts have by themselves")
	}
}

// warnFacts warns of what asks events for what facts have: no event is of any kind.
func (k *KPI) warnFacts(operators []*Operator, m document.Mapping) {
	for _, measure := range k.Measures() {
		asked := measure.Where.Texts(FactField)
		if asked == nil {
			continue
		}
		var have []string
		for _, o := range operators {
			kinds := o.kinds()
			if slices.ContainsFunc(asked, func(kind string) bool { _, has := kinds[kind]; return has }) {
				have = append(have, o.Name)
			}
		}
		remedy := "say from: which operator the facts are of"
		if len(have) > 0 {
			remedy = "write from: " + strings.Join(have, ", or ")
		}
		m.Warn(measure.Where.String(), "asks events for what facts have", remedy)
	}
}

// checkFacts holds a measure to what facts have.
func (k *KPI) checkFacts(m document.Mapping, measure *Measure) {
	kinds := k.From.kinds()
	if op := measure.Op; op == Distinct || op.Extreme() || op != Count && op != Level && k.From.Days != nil {
		remedy := "take count or level, or a ratio of them"
		if k.From.Journey != nil {
			remedy = "take count, sum, mean or quantile, or a ratio of them"
		}
		m.Fail(op.String(), "does not go with from", remedy)
		return
	}
	name := kinds.of(measure.Where)
	if name == "" {
		k.failOpen(m, measure.Where)
		return
	}
	kind, known := kinds[name]
	switch {
	case !known:
		m.Fail(strconv.Quote(name), "is no kind of facts", spelling.Meant(spelling.Nearest(name, kinds.names()), "give one of "+strings.Join(kinds.names(), ", ")))
		return
	case measure.Op == Level && kind.counted:
		m.Fail(strconv.Quote(name), "is no level", "take count: such facts are of one day")
		return
	case measure.Op == Count && !kind.counted:
		m.Fail(strconv.Quote(name), "is a level, which users enter and leave", "take level in place of count")
		return
	}
	if !k.checkNumbers(m, measure, kind) {
		return
	}
	if measure.Op == Level && !slices.Equal(k.Windows, []Window{Day}) && k.From.Journey != nil {
		at, _ := m.Get("windows")
		at.Fail(fmt.Sprint(k.Windows), "does not go with level", "write windows: [day]")
	}
	if at, ok := m.Get("by"); ok && kind.bare {
		at.Fail("by", "does not go with "+name, "leave it out: it is kept for the total")
	}
	checkTexts(m, name, k.From, kind, measure.Where)
	if kind.waits != "" && k.Keeps(Day) {
		k.checkWait(m, name, kind, measure.Where.Texts(kind.waits))
	}
}

// checkWait refuses a horizon that ends before the facts of the texts are known. Retention
// of active days is told up to the horizon where none is asked for.
func (k *KPI) checkWait(m document.Mapping, name string, kind factKind, asked []string) {
	all := kind.fields[kind.waits]
	if most := kind.waitsFor(all); asked == nil && most > k.Horizon && name != FactRetention {
		how := "after"
		if kind.waits == OfField {
			how = "within"
		}
		m.Fail(name, "leaves open "+how+" how many days", fmt.Sprintf("write %s == %q, or horizon: %d", kind.waits, all[0], most))
	}
	for _, text := range asked {
		if n := kind.waitsFor([]string{text}); n > k.Horizon {
			m.Fail(kind.waits+" "+text, "lies beyond the horizon", fmt.Sprintf("write horizon: %d", n))
		}
	}
}

// checkNumbers refuses numbers that a kind of facts does not have.
func (k *KPI) checkNumbers(m document.Mapping, measure *Measure, kind factKind) bool {
	for _, field := range measure.numbers() {
		switch {
		case slices.Contains(kind.numbers, field):
			continue
		case len(kind.numbers) > 0:
			m.Fail(field, "is no number of these facts", spelling.Meant(spelling.Nearest(field, kind.numbers), "they have "+strings.Join(kind.numbers, ", ")))
		case k.From.number(field):
			m.Fail(field, "is no number of these facts", "they have none: take level, or other facts")
		case k.From.Own(field):
			m.Fail(field, "is read as a number, which facts have none of", "compare it with a text, in quotes")
		default:
			m.Fail(field, "is a number of events, and facts have none", "leave it out, or count events without from")
		}
		return false
	}
	return true
}

// numbers are those that the measure reads, by its filter or to add up.
func (m *Measure) numbers() []string {
	_, out := m.Where.Fields()
	if m.Field != "" {
		out = append(out, m.Field)
	}
	_, computed := m.Number.Fields()
	return append(out, computed...)
}

// failOpen says why a filter does not ask for one kind of facts.
func (k *KPI) failOpen(m document.Mapping, where *Expr) {
	remedy := fmt.Sprintf(`begin each where with fact == "%s" and so on: what several kinds add up to means nothing`, k.From.example())
	if kinds := where.Texts(FactField); len(kinds) > 1 {
		m.Fail(strings.Join(kinds, ", "), "are several kinds of facts", "ask for one in each where")
		return
	}
	text, _ := where.Fields()
	for _, field := range text {
		if near := spelling.Nearest(field, []string{FactField}); near != "" && field != FactField {
			m.Fail(field, "is no field of facts", "did you mean fact?")
			return
		}
	}
	m.Fail(cmp.Or(where.String(), k.Name), "leaves open which facts it is of", remedy)
}

// checkTexts refuses what a kind of facts never has: it would be 0 for ever.
func checkTexts(m document.Mapping, name string, o *Operator, kind factKind, e *Expr) {
	if e == nil {
		return
	}
	if e.Op == TextEq && len(e.Args) > 0 {
		field := e.Args[0].Field
		if texts, has := kind.fields[field]; has {
			for _, a := range e.Args[1:] {
				if !slices.Contains(texts, a.Text) {
					m.Fail(fmt.Sprintf("%s == %q", field, a.Text), "never holds for "+name, spelling.Meant(spelling.Nearest(a.Text, texts), "give "+rangeOf(texts)))
				}
			}
		} else if slices.Contains(kind.numbers, field) {
			m.Fail(field, "is a number of "+name, "compare it with one, without quotes")
		} else if field != FactField && o.Own(field) {
			m.Fail(field, "is no field of "+name, "leave it out"+fieldsOf(kind, ": it has "))
		}
	}
	for _, a := range e.Args {
		checkTexts(m, name, o, kind, a)
	}
}

// rangeOf lists texts, of many the first and the last.
func rangeOf(texts []string) string {
	if len(texts) > 6 {
		return texts[0] + " to " + texts[len(texts)-1]
	}
	return strings.Join(texts, ", ")
}

// fieldsOf lists the fields of a kind behind a prefix, nothing where there are none.
func fieldsOf(kind factKind, prefix string) string {
	out := slices.Sorted(maps.Keys(kind.fields))
	if len(out) == 0 {
		return ""
	}
	return prefix + strings.Join(out, ", ")
}

// readSplit adds the fields that are always told apart to all dimension sets.
func (k *KPI) readSplit(m document.Mapping) {
	for _, s := range k.By {
		for _, field := range s {
			if field != FactField && k.From.Own(field) {
				at, _ := m.Get("by")
				remedy := "tell it apart with split: [" + field + "]"
				if k.From.number(field) {
					remedy = "leave it out: it is a number"
				}
				at.Fail(field, "is a field of facts", remedy)
				return
			}
		}
	}
	n, ok := m.Get("split")
	if !ok {
		return
	}
	for _, item := range n.Items() {
		field := item.Text()
		for _, measure := range k.Facts() {
			name := k.From.kinds().of(measure.Where)
			kind, known := k.From.kinds()[name]
			if _, has := kind.fields[field]; field == "" || !known || has {
				continue
			}
			var has []string
			for f := range kind.fields {
				has = append(has, f)
			}
			item.Fail(strconv.Quote(field), "is no field of "+name, spelling.Meant(spelling.Nearest(field, has), cmp.Or(fieldsOf(kind, "it has "), "it has none")+"; what events have belongs in by"))
			break
		}
		k.Split = append(k.Split, field)
	}
	for i, s := range k.By {
		k.By[i] = slices.Concat(k.Split, s)
	}
}
