package kpi

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Definitions are what one file says.
type Definitions struct {
	KPIs []*KPI // without their IDs, which depend on the zone
	Drop []string

	kpis, drop []node // where each stands
}

// Parse reads a file of definitions. The error joins a *Problem for every
// mistake, in the order of the lines.
func Parse(name string, data []byte) (*Definitions, error) {
	r := &report{file: name}
	d := &Definitions{}
	if root := r.document(data); root != nil {
		d.read(r.node(root, ""))
	}
	return d, r.err()
}

// document is the root of the file's one YAML document, nil when it is empty.
func (r *report) document(data []byte) *yaml.Node {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	err := decoder.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil && !errors.Is(decoder.Decode(&more), io.EOF) {
		err = errors.New("it has a second document")
	}
	if err != nil {
		cause := strings.TrimPrefix(err.Error(), "yaml: ")
		r.problems = append(r.problems, &Problem{File: r.file, Rule: "is not one YAML document, " + cause, Remedy: "correct the syntax there"})
		return nil
	}
	root := r.node(doc.Content[0], "")
	if root.null() {
		return nil
	}
	return root.Node
}

func (r *report) err() error {
	slices.SortStableFunc(r.problems, func(a, b *Problem) int { return cmp.Compare(a.Line, b.Line) })
	var all []error
	for _, p := range r.problems {
		all = append(all, p)
	}
	return errors.Join(all...)
}

func (d *Definitions) read(root node) {
	m := root.mapping("kpis", "drop")
	first := map[string]int{}
	for _, n := range m.list("kpis") {
		k := readKPI(n)
		d.KPIs, d.kpis = append(d.KPIs, k), append(d.kpis, n)
		if i, twice := first[k.Name]; twice && k.Name != "" {
			n.fail(k.Name, fmt.Sprintf("is defined twice, first in kpis[%d]", i), "rename or remove one")
		} else {
			first[k.Name] = len(d.KPIs) - 1
		}
	}
	for _, n := range m.list("drop") {
		d.Drop, d.drop = append(d.Drop, n.text()), append(d.drop, n)
	}
}

// operations are the keys that say what a KPI counts.
var operations = []string{"count", "sum", "distinct", "ratio", "at_risk", "churned"}

func readKPI(n node) *KPI {
	m := n.mapping(slices.Concat([]string{"name", "title", "description", "unit"}, operations, []string{"by", "windows", "top", "budget"})...)
	k := &KPI{Name: readName(m)}
	if n.Kind != yaml.MappingNode {
		return k
	}
	k.Title = readText(m, "title", k.Name)
	k.Description = readText(m, "description", "")
	op, ok := one(m, operations)
	if ok {
		k.readOperation(op, m.values[op])
	}
	k.Unit = k.readUnit(m)
	if op == "at_risk" || op == "churned" {
		k.readDaily(m, op)
		return k
	}
	k.Windows = readWindows(m)
	k.readSets(m, op)
	return k
}

var (
	kpiName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	// Names of the series that stand beside a ratio.
	companion = regexp.MustCompile(`_(numerator|denominator|low|high)$`)
)

func readName(m mapping) string {
	n, ok := m.values["name"]
	if !ok {
		m.missing("has no name", "add name: some_word")
		return ""
	}
	name := n.text()
	switch {
	case name == "":
	case !kpiName.MatchString(name) || len(name) > 64:
		n.fail(strconv.Quote(name), "is no name of a KPI", "use a-z, 0-9 and _, a letter first, at most 64")
	case companion.MatchString(name):
		n.fail(name, "ends like a series beside a ratio", "do not end in _numerator, _denominator, _low or _high")
	}
	return name
}

// readText reads a text by language. The languages stand in for each other.
func readText(m mapping, key, absent string) Text {
	n, ok := m.values[key]
	if !ok {
		return Text{EN: absent, ZH: absent}
	}
	languages := n.mapping("en", "zh")
	t := Text{EN: languages.text("en"), ZH: languages.text("zh")}
	return Text{EN: cmp.Or(t.EN, t.ZH, absent), ZH: cmp.Or(t.ZH, t.EN, absent)}
}

// one is the one key among choices that the mapping has.
func one(m mapping, choices []string) (string, bool) {
	given := slices.DeleteFunc(slices.Clone(m.keys), func(k string) bool { return !slices.Contains(choices, k) })
	switch len(given) {
	case 1:
		return given[0], true
	case 0:
		m.missing("counts nothing", "give one of "+strings.Join(choices, ", "))
	default:
		m.at.fail(strings.Join(given, " and "), "stand together", "keep one")
	}
	return "", false
}

func (k *KPI) readOperation(op string, n node) {
	if op != "ratio" {
		k.Numerator = readMeasure(op, n)
		return
	}
	m := n.mapping("numerator", "denominator")
	k.Denominator = &Measure{}
	k.Numerator, *k.Denominator = readPart(m, "numerator"), readPart(m, "denominator")
}

func readPart(ratio mapping, key string) Measure {
	n, ok := ratio.values[key]
	if !ok {
		ratio.missing("has no "+key, fmt.Sprintf("add %s: {count: {where: ...}}", key))
		return Measure{}
	}
	choices := []string{"count", "sum", "distinct"}
	m := n.mapping(choices...)
	op, ok := one(m, choices)
	if !ok {
		return Measure{}
	}
	return readMeasure(op, m.values[op])
}

// Bounds of churn_gap in days: at risk begins after three days without
// activity at the earliest, and no window is longer than 60 days.
const (
	minChurnGap     = 4
	defaultChurnGap = 30
	maxChurnGap     = 60
)

var measureKeys = map[string][]string{
	"count":    {"where"},
	"sum":      {"field", "where"},
	"distinct": {"field", "where"},
	"at_risk":  {"churn_gap", "where"},
	"churned":  {"churn_gap", "where"},
}

func readMeasure(op string, n node) Measure {
	m := mapping{at: n}
	if !n.null() { // "count:" alone counts every event
		m = n.mapping(measureKeys[op]...)
	}
	measure := Measure{Op: Op(slices.Index(opNames[:], op)), Where: readWhere(m)}
	switch measure.Op {
	case Sum:
		measure.Field = readSumField(m)
		measure.Money = Money(measure.Field)
	case Distinct:
		field, ok := m.values["field"]
		if !ok {
			m.missing("has no field", "add field: user_id")
		} else if v := field.text(); v != "" && v != "user_id" {
			field.fail(strconv.Quote(v), "cannot be counted distinctly", "only users can for now: field: user_id")
		}
	case AtRisk, Churned:
		measure.ChurnGap = m.integer("churn_gap", minChurnGap, maxChurnGap, defaultChurnGap)
	}
	return measure
}

func readWhere(m mapping) *Expr {
	n, ok := m.values["where"]
	if !ok {
		return nil
	}
	text := n.text()
	if text == "" {
		return nil
	}
	e, err := ParseExpr(text)
	if err != nil {
		n.failWith(err)
		return nil
	}
	return e
}

func readSumField(m mapping) string {
	n, ok := m.values["field"]
	if !ok {
		m.missing("has no field", "name the number to add up, such as field: watch_ms")
		return ""
	}
	field := n.text()
	if texts[field] || identity[field] {
		n.fail(strconv.Quote(field), "is no number", "name a number field, such as watch_ms")
	}
	return field
}

func (k *KPI) readUnit(m mapping) Unit {
	usual := UnitCount
	switch {
	case k.Ratio():
		usual = UnitPercent
	case k.Numerator.Money:
		usual = UnitMoney
	}
	n, ok := m.values["unit"]
	if !ok {
		return usual
	}
	unit := Unit(n.text())
	units := []Unit{UnitCount, UnitPercent, UnitMoney, UnitSeconds, UnitNumber}
	switch {
	case unit == "":
	case !slices.Contains(units, unit):
		n.fail(strconv.Quote(string(unit)), "is no unit", "give one of count, percent, money, seconds, number")
	case unit == UnitMoney && !k.Numerator.Money:
		n.fail("money", "has no currency here", "sum the field amount_minor, or give another unit")
	case unit != UnitMoney && k.Numerator.Money && !k.Ratio():
		n.fail(strconv.Quote(string(unit)), "does not fit a sum of amount_minor", "write unit: money")
	}
	return unit
}
