package plan

import (
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

// A Journey is the facts of an operator that follows what goes on for a while.
type Journey struct {
	*Rows
	Operator *kpi.Operator
	// Filter is what an event is that it follows, End what ends it, by the filters of
	// the events.
	Filter, End int
	// Key is the events' text column that tells apart what goes on at the same time,
	// Dwell the number column of how long it went on by its end event.
	Key, Dwell int
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
		p.Journeys = append(p.Journeys, &Journey{
			Rows: newRows("from "+o.Name, p.key, ""), Operator: o,
			Filter: p.Events.filter(o.Sessions.Where), End: p.Events.filter(o.Sessions.Ending()),
			Key: column(&p.Events.Schema.Text, "session_id"), Dwell: column(&p.Events.Schema.Number, "dwell_ms"),
		})
	}
	return p.Journeys[i]
}

// finish derives what needs all KPIs over the facts.
func (j *Journey) finish(p *Plan) {
	j.carry(p, j.Operator.Own)
	j.Rows.finish(p)
}
