package grafana

import (
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

// name is what a KPI is called.
func (m *maker) name(c cut) string { return m.of(c.kpi.Title) }

// title is what a cut is called.
func (m *maker) title(c cut) string {
	return m.heading(c, m.lang.window(c.window))
}

// heading is a KPI with the fields by which it is shown, and with what it is of.
func (m *maker) heading(c cut, of string) string {
	var fields []string
	for _, label := range c.labels() {
		if !slices.Contains(c.kpi.Split, label) {
			fields = append(fields, m.field(label))
		}
	}
	return m.lang.with(m.name(c), fields, of)
}

// priced puts the currency that is chosen behind the title of amounts. Titles of panels
// have variables; names of series and columns have none.
func (m *maker) priced(title string, cuts []cut) string {
	amounts := slices.ContainsFunc(cuts, func(c cut) bool { return c.kpi.Unit == kpi.UnitMoney })
	if !amounts || m.matcher(currency) == "" {
		return title
	}
	return title + " [$currency]"
}
