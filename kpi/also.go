package kpi

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/spelling"
)

// likeEvents reports whether the operator's facts look like events: of some type, at the
// time at which they become known.
func (o *Operator) likeEvents() bool {
	_, plays := o.Journey.(*Plays)
	return plays
}

// readAlso reads which facts are measured beside the events.
func (k *KPI) readAlso(m document.Mapping) {
	n, ok := m.Get("also")
	if !ok {
		return
	}
	if m.Has("from") {
		n.Fail("also", "does not go with from", "keep one: from measures facts alone, also adds facts that look like events to these")
		return
	}
	k.Also = &Operator{Name: n.Text()}
	for _, measure := range k.Measures() {
		if measure.Op == Distinct || measure.Op.Extreme() {
			n.Fail("also", "does not go with "+measure.Op.String(), "leave it out, or take count, sum, mean, quantile, or a ratio of them")
			return
		}
	}
}

// bindAlso looks up the operator.
func (k *KPI) bindAlso(operators map[string]*Operator, m document.Mapping) {
	name := k.Also.Name
	at, _ := m.Get("also")
	var known []string
	for _, o := range slices.Sorted(maps.Keys(operators)) {
		if operators[o].likeEvents() {
			known = append(known, o)
		}
	}
	o := operators[name]
	if o == nil || !o.likeEvents() {
		rule := "is no operator"
		if o != nil {
			rule = "has facts that do not look like events"
		}
		at.Fail(name, rule, spelling.Meant(spelling.Nearest(name, known), "name one of "+strings.Join(known, ", ")+", or define one under operators"))
		k.Also = nil
		return
	}
	k.Also = o
	some := false
	for _, measure := range k.Measures() {
		types := measure.Where.Texts("type")
		if types == nil {
			m.Warn(cmp.Or(measure.Where.String(), measure.Op.String()), "is of the parts of plays, too, beside the plays put together of them", `write type == "play" and so on`)
		}
		if types == nil || slices.Contains(types, "play") {
			measure.Also, some = o, true
			measure.warnLacking(m, name, o.kinds()[FactPlay])
		}
	}
	if !some {
		at.Fail(name, "has nothing that the KPI measures: its facts are of type play", "leave also out")
	}
}

// warnLacking warns of numbers that the facts which stand beside events do not have.
func (m *Measure) warnLacking(at document.Mapping, name string, kind factKind) {
	var lack []string
	for _, field := range m.numbers() {
		if !slices.Contains(kind.numbers, field) && !slices.Contains(lack, field) {
			lack = append(lack, field)
			at.Warn(field, "is no number of "+name+": a play put together is as one without it", spelling.Meant(spelling.Nearest(field, kind.numbers), "they have "+strings.Join(kind.numbers, ", ")+"; leave also out to measure events alone"))
		}
	}
}
