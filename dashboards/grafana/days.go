package grafana

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidewatch/tidewatch/dashboards/grafana/look"
	"github.com/tidewatch/tidewatch/kpi"
)

// days are KPIs by business day: lines of several, bars of what is stacked, and points
// where each day has one.
func (m *maker) days(s spec) *panel {
	cuts := m.cuts(s, kpi.Day.String())
	if len(cuts) == 0 {
		return nil
	}
	p := m.graphed(daily(s, cuts))
	m.shows(p, cuts, m.heading(cuts[0], m.of(byDay)), atStart)
	for _, c := range cuts {
		name := m.told(c, len(cuts) > 1)
		p.ask(c.daily(), name, false)
		p.Targets[len(p.Targets)-1].Interval = "1d"
		m.axis(p, s, c, name)
	}
	m.translate(p, cuts)
	return p
}

// daily is how days are drawn.
func daily(s spec, cuts []cut) style {
	drawn := line
	drawn.ShowPoints = "always"
	if s.stacked || len(cuts) == 1 && len(cuts[0].labels()) == 0 {
		drawn.DrawStyle, drawn.FillOpacity, drawn.LineWidth, drawn.BarAlignment, drawn.ShowPoints = "bars", 70, 1, 1, "never"
	}
	if s.stacked {
		drawn.Stacking.Mode = "normal"
	}
	return drawn
}

// daily is the value of each day at its beginning, rather than where it is over and nothing
// more becomes known of it. In the last minutes before that the day before is what stood
// last: what stands has a sample each minute.
func (c cut) daily() string {
	days := 1
	if c.kpi.FinalOnly {
		days += c.kpi.Horizon
	}
	ahead := fmt.Sprintf("%s offset -%dd", c.selector(kpi.ValuePart), days)
	return c.one(fmt.Sprintf("%s and timestamp(%s) > time() + %d", ahead, ahead, days*24*3600-60)) + c.divisor()
}

// translate names the texts that the service itself gives to labels.
func (m *maker) translate(p *panel, cuts []cut) {
	for _, c := range cuts {
		if labels := c.labels(); len(labels) == len(c.kpi.Split) {
			m.rename(p, c.kpi, labels, nil, nil)
		}
	}
}

// rename names the series with these texts of the first labels, and any of the others.
func (m *maker) rename(p *panel, k *kpi.KPI, labels, texts, names []string) {
	if len(labels) == 0 {
		if old, given := strings.Join(texts, " "), m.lang.listed(names); !slices.Equal(texts, names) {
			p.override(named(old, property{"displayName", given}))
		}
		return
	}
	for _, text := range k.SplitTexts(labels[0]) {
		name := look.Language(m.lang).Value(labels[0], text)
		m.rename(p, k, labels[1:], slices.Concat(texts, []string{text}), slices.Concat(names, []string{name}))
	}
}
