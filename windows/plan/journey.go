package plan

import (
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/measure"
)

// A Journey is the facts of an operator that follows what goes on for a while.
type Journey struct {
	*Rows
	Operator *kpi.Operator
	// Kinds are what an event may be to it: it is the first of them that it passes.
	Kinds []Kind
	// Key are the events' text columns that tell apart what goes on at the same time.
	Key []int

	likes []likeness
}

// A Kind is what an event may be to an operator.
type Kind struct {
	Filter  int   // of the events
	Numbers []int // the number columns that the operator reads of it
}

// rowsOf are the rows that a measure of a KPI is of.
func (p *Plan) rowsOf(k *kpi.KPI, m *kpi.Measure) *Rows {
	switch {
	case k.From == nil || m.Events:
		return p.Events
	case k.From.Days != nil:
		return p.days(k).Rows
	}
	return p.journey(k.From).Rows
}

// RFM is the place of that by which users and signals are told apart: the first one's
// that any KPI is from; -1 without one.
func (p *Plan) RFM() int {
	return slices.IndexFunc(p.Journeys, func(j *Journey) bool { _, is := j.Operator.Journey.(*kpi.RFM); return is })
}

func (p *Plan) journey(o *kpi.Operator) *Journey {
	i := slices.IndexFunc(p.Journeys, func(j *Journey) bool { return j.Operator == o })
	if i < 0 {
		i = len(p.Journeys)
		j := &Journey{Rows: newRows("from "+o.Name, p.key, ""), Operator: o}
		events := &p.Events.Schema
		for _, f := range o.Journey.Follows() {
			kind := Kind{Filter: p.Events.filter(f.Where)}
			for _, name := range f.Numbers {
				kind.Numbers = append(kind.Numbers, column(&events.Number, name))
			}
			j.Kinds = append(j.Kinds, kind)
		}
		for _, name := range o.Journey.Key() {
			j.Key = append(j.Key, column(&events.Text, name))
		}
		p.Journeys = append(p.Journeys, j)
	}
	return p.Journeys[i]
}

// A likeness is a column of events that facts are added to, too.
type likeness struct {
	sums           *Sums // as the facts have its columns
	column, width  int
	filter, number int // of the facts
}

// alike has the facts added to a column of events, as these are: what passes, and the
// number that the measure takes.
func (j *Journey) alike(target int, events *Sums, column int, where *kpi.Expr, m *kpi.Measure) {
	events.Retracts = true
	i := slices.Index(j.Sets, target)
	if i < 0 {
		i = len(j.Sets)
		j.Sets = append(j.Sets, target)
		j.Sums = append(j.Sums, &Sums{Keyed: j.keyed(events.Name, events.Set, j.hidden(m, events.Set), events.Budget, false)})
	}
	j.likes = append(j.likes, likeness{j.Sums[i], column, len(measure.Of(m.Op).Columns), j.filter(where), j.number(m)})
}

// finish derives what needs all KPIs over the facts.
func (j *Journey) finish(p *Plan) {
	for i, s := range j.Sums {
		if events := p.Sums[j.Sets[i]]; events != s {
			s.Columns = slices.Clone(events.Columns)
			for c := range s.Columns {
				s.Columns[c].Filter = -1
			}
		}
	}
	for _, l := range j.likes {
		for c := range l.width {
			l.sums.Columns[l.column+c].Filter, l.sums.Columns[l.column+c].Number = l.filter, l.number
		}
	}
	j.carry(p, j.Operator.Own)
	j.Rows.finish()
}
