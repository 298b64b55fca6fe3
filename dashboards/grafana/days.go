package grafana

import (
	"fmt"
	"maps"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

// days are KPIs by business day: lines of several, bars of what is stacked, and points
// where each day has one.
func (m *maker) days(s spec) *panel {
	cuts := m.cuts(s, kpi.Day.String())
	if len(cuts) == 0 {
		return nil
	}
	drawn := line
	drawn.ShowPoints = "always"
	if s.stacked || len(cuts) == 1 && len(cuts[0].labels()) == 0 {
		drawn.DrawStyle, drawn.FillOpacity, drawn.LineWidth, drawn.BarAlignment, drawn.ShowPoints = "bars", 70, 1, 1, "never"
	}
	if s.stacked {
		drawn.Stacking.Mode = "normal"
	}
	p := m.graphed(drawn)
	m.shows(p, cuts, m.heading(cuts[0], m.of(byDay)), atStart)
	for _, c := range cuts {
		p.ask(c.expr(kpi.ValuePart, c.ahead()), m.told(c, len(cuts) > 1), false)
		p.Targets[len(p.Targets)-1].Interval = "1d"
	}
	m.translate(p, cuts)
	return p
}

// ahead is the offset by which a day stands at its beginning, rather than where it is
// over and nothing more becomes known of it.
func (c cut) ahead() string {
	days := 1
	if c.kpi.FinalOnly {
		days += c.kpi.Horizon
	}
	return fmt.Sprintf("-%dd", days)
}

// translate names the values that the service itself gives to a label.
func (m *maker) translate(p *panel, cuts []cut) {
	for _, c := range cuts {
		if labels := c.labels(); len(labels) == 1 && len(c.kpi.Split) == 1 {
			given := m.plan.values[labels[0]]
			for _, value := range slices.Sorted(maps.Keys(given)) {
				p.override(named(value, property{"displayName", m.of(given[value])}))
			}
		}
	}
}
