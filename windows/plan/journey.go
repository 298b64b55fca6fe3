package plan

import (
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

// A Journey is the facts of an operator that follows what goes on for a while.
type Journey struct {
	*Rows
	Operator *kpi.Operator
	// Kinds are what an event may be to it, by filters of the events: it is the first of
	// them that it passes.
	Kinds []int
	// Key is the events' text column that tells apart what goes on at the same time,
	// Number the number column that it reads.
	Key, Number int
}

// rowsOf are the rows that a KPI measures.
func (p *Plan) rowsOf(k *kpi.KPI) *Rows {
	switch {
	case k.From == nil:
		return p.Events
	case k.From.Days != nil:
		return p.days(k).Rows
	}
	return p.journey(k.From).Rows
}

func (p *Plan) journey(o *kpi.Operator) *Journey {
	i := slices.IndexFunc(p.Journeys, func(j *Journey) bool { return j.Operator == o })
	if i < 0 {
		i = len(p.Journeys)
		j := &Journey{Rows: newRows("from "+o.Name, p.key, ""), Operator: o}
		for _, e := range o.Followed() {
			j.Kinds = append(j.Kinds, p.Events.filter(e))
		}
		key, number := o.Reads()
		j.Key, j.Number = column(&p.Events.Schema.Text, key), column(&p.Events.Schema.Number, number)
		p.Journeys = append(p.Journeys, j)
	}
	return p.Journeys[i]
}

// finish derives what needs all KPIs over the facts.
func (j *Journey) finish(p *Plan) {
	j.carry(p, j.Operator.Own)
	j.Rows.finish(p)
}
