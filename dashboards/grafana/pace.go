package grafana

import (
	"fmt"
	"time"

	"github.com/tidewatch/tidewatch/dashboards/grafana/look"
	"github.com/tidewatch/tidewatch/kpi"
)

// pace is the business day so far beside the day before and the same day a week before.
func (m *maker) pace(s spec) *panel {
	cuts := m.cuts(s, kpi.Today.String())
	if len(cuts) == 0 {
		return nil
	}
	c := cuts[0]
	p := m.graphed(line)
	m.shows(p, cuts, m.name(c))
	p.ask(m.begun(c, 0), m.of(soFar), false)
	p.ask(m.begun(c, 24*time.Hour), m.of(look.Yesterday), false)
	p.ask(m.begun(c, 7*24*time.Hour), m.of(look.LastWeek), false)
	p.override(
		named(m.of(soFar), property{"custom.lineWidth", 3}, property{"color", color{"fixed", "blue"}}),
		named(m.of(look.Yesterday), property{"color", color{"fixed", "orange"}}),
		named(m.of(look.LastWeek), property{"color", color{"fixed", "#8e8e8e"}}),
	)
	return p
}

// begun is the day so far, ago. At its beginning the whole day before stands until the
// first step: it is left out while something that always has a value is less a step later.
func (m *maker) begun(c cut, ago time.Duration) string {
	there, ok := m.counted()
	if !ok {
		return c.expr(kpi.ValuePart, offset(ago))
	}
	at := func(ago time.Duration) string { return there.series(kpi.ValuePart, offset(ago)) }
	return fmt.Sprintf("(%s unless on () %s > %s)%s", c.series(kpi.ValuePart, offset(ago)), at(ago), at(ago-kpi.Today.Step()), c.divisor())
}

// counted is the first of the KPIs with a total of the day so far that only grows.
func (m *maker) counted() (c cut, found bool) {
	for _, k := range m.Catalogue.KPIs {
		by, kept := k.SetOf()
		if kept && len(by) == 0 && k.Keeps(kpi.Today) && !k.Nullable() && !k.Numerator.Money && k.Minus == nil {
			return cut{kpi: k, by: by, window: kpi.Today}, true
		}
	}
	return c, false
}

// offset is a time ago, or to come, as PromQL writes it.
func offset(ago time.Duration) string {
	switch {
	case ago == 0:
		return ""
	case ago < 0:
		return "-" + kpi.FormatLength(-ago)
	}
	return kpi.FormatLength(ago)
}
