package kpi

import (
	"cmp"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/spelling"
)

// Definitions are what one file says.
type Definitions struct {
	KPIs []*KPI // without their IDs, which depend on the zone
	Drop []string
	// Keep is the choice of the embedded KPIs, nil for all of them.
	Keep []string
	// Operators are without those that a KPI has by itself.
	Operators []*Operator
	Seasons   []*Season

	// Warnings are what its author hardly meant.
	Warnings []*document.Problem

	kpis                  []document.Mapping // where each stands
	drop, keep, operators []document.Node
	seasons               []document.Node
}

// Parse reads a file of definitions. The error joins a *document.Problem for
// every mistake, in the order of the lines.
func Parse(name string, data []byte) (*Definitions, error) {
	d, file := parse(name, data)
	return d, file.Err()
}

// parse reads a file of definitions; the document takes further problems.
func parse(name string, data []byte) (*Definitions, *document.Document) {
	d, file := &Definitions{}, document.Parse(name, data)
	d.read(file.Root())
	d.Warnings = file.Warnings()
	return d, file
}

func (d *Definitions) read(root document.Node) {
	m := root.Mapping("kpis", "operators", "seasons", "drop", "keep")
	first := map[string]int{}
	for _, n := range m.List("kpis") {
		k, at := readKPI(n)
		d.KPIs, d.kpis = append(d.KPIs, k), append(d.kpis, at)
		if i, twice := first[k.Name]; twice && k.Name != "" {
			n.Fail(k.Name, fmt.Sprintf("is defined twice, first in kpis[%d]", i), "rename or remove one")
		} else {
			first[k.Name] = len(d.KPIs) - 1
		}
	}
	for _, n := range m.List("operators") {
		d.Operators, d.operators = append(d.Operators, readOperator(n)), append(d.operators, n)
	}
	for _, n := range m.List("seasons") {
		d.Seasons, d.seasons = append(d.Seasons, readSeason(n)), append(d.seasons, n)
	}
	for _, n := range m.List("drop") {
		d.Drop, d.drop = append(d.Drop, n.Text()), append(d.drop, n)
	}
	if m.Has("keep") {
		d.Keep = []string{}
	}
	for _, n := range m.List("keep") {
		d.Keep, d.keep = append(d.Keep, n.Text()), append(d.keep, n)
	}
}

// operations are the keys that say what a KPI counts.
var operations = []string{"count", "sum", "max", "min", "mean", "quantile", "distinct", "ratio", "level", FactAtRisk, FactChurned}

func readKPI(n document.Node) (*KPI, document.Mapping) {
	m := n.Mapping(slices.Concat([]string{"name", "title", "description", "group", "unit"}, operations, []string{"minus", "scale", "targets", "from", "also", "split", "horizon", "maturity", "final_only", "by", "windows", "top", "budget"})...)
	k := &KPI{Name: readName(m)}
	if !n.Mapped() {
		return k, m
	}
	k.Title = readText(m, "title", k.Name)
	k.Description = readText(m, "description", "")
	k.Group = readText(m, "group", "")
	op, ok := one(m, operations)
	if ok && op != FactAtRisk && op != FactChurned {
		at, _ := m.Get(op)
		k.readOperation(op, at)
		k.readMinus(m, op)
		k.Difference = k.difference()
	}
	k.readScale(m)
	k.Unit = k.readUnit(m)
	k.readTargets(m)
	if op == FactAtRisk || op == FactChurned {
		k.readAway(m, op)
		return k, m
	}
	k.Windows = readWindows(m)
	k.readSets(m, op)
	k.readFrom(m)
	k.readAlso(m)
	return k, m
}

var kpiName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

func readName(m document.Mapping) string {
	n, ok := m.Get("name")
	if !ok {
		m.Missing("has no name", "add name: some_word")
		return ""
	}
	name := n.Text()
	switch {
	case name == "":
	case !kpiName.MatchString(name) || len(name) > 64:
		n.Fail(strconv.Quote(name), "is no name of a KPI", "use a-z, 0-9 and _, a letter first, at most 64")
	case companion(name):
		n.Fail(name, "ends like a series beside the value of a KPI", "do not end in "+strings.Join(suffixes[NumeratorPart:], ", "))
	}
	return name
}

// readText reads a text by language. The languages stand in for each other.
func readText(m document.Mapping, key, absent string) Text {
	n, ok := m.Get(key)
	if !ok {
		return Text{EN: absent, ZH: absent}
	}
	languages := n.Mapping("en", "zh")
	t := Text{EN: languages.Text("en"), ZH: languages.Text("zh")}
	return Text{EN: cmp.Or(t.EN, t.ZH, absent), ZH: cmp.Or(t.ZH, t.EN, absent)}
}

// one is the one key among choices that the mapping has.
func one(m document.Mapping, choices []string) (string, bool) {
	given := slices.DeleteFunc(slices.Clone(m.Keys), func(k string) bool { return !slices.Contains(choices, k) })
	switch len(given) {
	case 1:
		return given[0], true
	case 0:
		m.Missing("counts nothing", "give one of "+strings.Join(choices, ", "))
	default:
		m.Fail(strings.Join(given, " and "), "stand together", "keep one")
	}
	return "", false
}

func (k *KPI) readOperation(op string, n document.Node) {
	switch op {
	case "ratio":
	case "mean":
		k.Numerator = readMeasure("sum", n)
		k.Denominator = &Measure{Op: Carrying, Field: k.Numerator.Field, Number: k.Numerator.Number, Where: k.Numerator.Where}
		return
	default:
		k.Numerator = readMeasure(op, n)
		return
	}
	m := n.Mapping("numerator", "denominator")
	k.Denominator = &Measure{}
	k.Numerator, *k.Denominator = readPart(m, "numerator"), readPart(m, "denominator")
}

func readPart(ratio document.Mapping, key string) Measure {
	n, ok := ratio.Get(key)
	if !ok {
		ratio.Missing("has no "+key, fmt.Sprintf("add %s: {count: {where: ...}}", key))
		return Measure{}
	}
	return readOne(n)
}

// readMinus reads what is taken off the numerator.
func (k *KPI) readMinus(m document.Mapping, op string) {
	n, ok := m.Get("minus")
	if !ok {
		return
	}
	less := readOne(n)
	switch {
	case !slices.Contains([]string{"count", "sum", "distinct", "level", "ratio"}, op):
		n.Fail("minus", "does not go with "+op, "take it off a count, a sum, or the numerator of a ratio")
	case less.Money != k.Numerator.Money:
		n.Fail("minus", "takes an amount of money off what is none, or the other way round", "take money off money")
	}
	k.Minus = &less
}

// readScale reads what a ratio is multiplied by.
func (k *KPI) readScale(m document.Mapping) {
	n, ok := m.Get("scale")
	if !ok {
		return
	}
	text := n.Text()
	scale, isNumber := new(big.Rat).SetString(text)
	if !isNumber || scale.Sign() <= 0 || scale.Cmp(big.NewRat(maxScale, 1)) > 0 || !scale.Mul(scale, big.NewRat(Scale, 1)).IsInt() {
		n.Fail(strconv.Quote(text), "is no scale", fmt.Sprintf("give a number above 0, at most %d, with at most 6 decimals, such as 1000", maxScale))
		return
	}
	if !k.Ratio() && !k.Quantile() {
		n.Fail("scale", "multiplies a ratio", "leave it out, or give a ratio, a mean or a quantile")
	}
	if k.Scale = scale.Num().Int64(); k.Scale == Scale {
		k.Scale = 0
	}
}

// maxScale bounds the scale of a ratio.
const maxScale = 1_000_000

// ShareScale is what a quantile's share is in, for one per cent.
const ShareScale = 100

// readShare reads which quantile it is.
func readShare(m document.Mapping) int {
	n, ok := m.Get("p")
	if !ok {
		m.Missing("says not which quantile it is", "add p, in per cent: p: 95")
		return 0
	}
	text := n.Text()
	share, isNumber := new(big.Rat).SetString(text)
	if !isNumber || share.Sign() <= 0 || share.Cmp(big.NewRat(100, 1)) >= 0 || !share.Mul(share, big.NewRat(ShareScale, 1)).IsInt() {
		n.Fail(strconv.Quote(text), "is no share of the values", "give per cent above 0 and below 100 with at most 2 decimals, such as 95")
		return 0
	}
	if share.Cmp(big.NewRat(ShareScale, 1)) < 0 {
		n.Warn(text, "is less than one per cent", fmt.Sprintf("for the quantile %s write %s", text, share.Num()))
	}
	return int(share.Num().Int64())
}

// readOne reads a measure that stands by its operation.
func readOne(n document.Node) Measure {
	choices := []string{"count", "sum", "distinct", "level"}
	m := n.Mapping(append(choices, "from")...)
	op, ok := one(m, choices)
	if !ok {
		return Measure{}
	}
	at, _ := m.Get(op)
	measure := readMeasure(op, at)
	measure.readRows(m)
	return measure
}

// eventRows stands for the events where operators are named.
const eventRows = "events"

// readRows reads whether the measure is of the events.
func (measure *Measure) readRows(m document.Mapping) {
	n, ok := m.Get("from")
	if !ok {
		return
	}
	if measure.Events = n.Text() == eventRows; !measure.Events {
		n.Fail(n.Value(), "is not events", spelling.Meant(spelling.Nearest(n.Value(), []string{eventRows}), "leave it out: the KPI says from which operator the facts are, and a part of it can be from: events"))
	}
}

var measureKeys = map[string][]string{
	"count":    {"where"},
	"sum":      {"field", "expr", "where"},
	"max":      {"field", "expr", "where"},
	"min":      {"field", "expr", "where"},
	"quantile": {"field", "expr", "p", "where"},
	"distinct": {"field", "where"},
	"level":    {"where"},
}

func readMeasure(op string, n document.Node) Measure {
	m := n.Mapping(measureKeys[op]...) // "count:" alone counts every event
	measure := Measure{Op: Op(slices.Index(opNames[:], op)), Where: readWhere(m)}
	switch measure.Op {
	case Sum, Largest, Smallest:
		measure.readNumber(m, op)
	case Quantile:
		measure.readNumber(m, op)
		if measure.Share = readShare(m); measure.Money {
			m.Fail(AmountField, "has several currencies, which a quantile does not keep apart", "send the amounts to be compared in a property of their own")
		}
	case Distinct:
		field, ok := m.Get("field")
		if !ok {
			m.Missing("has no field", "add field: user_id")
		} else if v := field.Text(); v != "" && v != "user_id" {
			field.Fail(strconv.Quote(v), "cannot be counted distinctly", "only users can for now: field: user_id")
		}
	}
	return measure
}

func readWhere(m document.Mapping) *Expr { return readFilter(m, "where", nil) }

// readFilter reads a filter; absent where there is none, or a wrong one.
func readFilter(m document.Mapping, key string, absent *Expr) *Expr {
	n, ok := m.Get(key)
	if !ok {
		return absent
	}
	text := n.Text()
	if text == "" {
		return absent
	}
	e, err := ParseExpr(text)
	if err != nil {
		n.FailWith(err)
		return absent
	}
	misspeltIn(n, e)
	return e
}

// readNumber reads what the operation takes of an event: a field, or what is
// computed from some.
func (measure *Measure) readNumber(m document.Mapping, op string) {
	n, computed := m.Get("expr")
	switch {
	case !computed:
		measure.Field = readNumberField(m, op)
		measure.Money = Money(measure.Field)
		return
	case m.Has("field"):
		m.Fail("field and expr", "stand together", "keep one")
		return
	}
	text := n.Text()
	if text == "" {
		return
	}
	e, err := ParseNumber(text)
	if err != nil {
		n.FailWith(err)
		return
	}
	misspeltIn(n, e)
	if _, fields := e.Fields(); e.Op == NumberField {
		measure.Field, measure.Money = e.Field, Money(e.Field)
	} else {
		measure.Number, measure.Money = e, slices.ContainsFunc(fields, Money)
	}
}

func readNumberField(m document.Mapping, op string) string {
	n, ok := m.Get("field")
	if !ok {
		m.Missing("has no field", fmt.Sprintf("name the number to take the %s of, such as field: watch_ms", op))
		return ""
	}
	field := n.Text()
	if textual(field) || identity(field) {
		n.Fail(strconv.Quote(field), "is no number", "name a number field, such as watch_ms")
	}
	misspelt(n, field)
	return field
}

func (k *KPI) readUnit(m document.Mapping) Unit {
	usual := UnitCount
	switch {
	case m.Has("mean"), m.Has("quantile"), k.Scale != 0:
		usual = UnitNumber
	case k.Ratio():
		usual = UnitPercent
	case k.Numerator.Money:
		usual = UnitMoney
	}
	n, ok := m.Get("unit")
	if !ok {
		return usual
	}
	unit := Unit(n.Text())
	units := []Unit{UnitCount, UnitPercent, UnitMoney, UnitSeconds, UnitNumber}
	switch {
	case unit == "":
	case !slices.Contains(units, unit):
		n.Fail(strconv.Quote(string(unit)), "is no unit", "give one of count, percent, money, seconds, number")
	case unit == UnitMoney && !k.Numerator.Money:
		n.Fail("money", "has no currency here", "take the field amount_minor, or give another unit")
	case unit != UnitMoney && k.Numerator.Money && !k.Ratio():
		n.Fail(strconv.Quote(string(unit)), "does not fit amount_minor", "write unit: money")
	}
	return unit
}
