package grafana

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidewatch/tidewatch/dashboards/grafana/look"
	"github.com/tidewatch/tidewatch/kpi"
)

// Names of fields, as the plugin gives them beside a KPI's own.
const (
	changeField = "_change"
	lowField    = "_low"
	highField   = "_high"
)

// overPlugin is a panel of the set over the plugin, which knows units, titles, levels and
// the order of steps by itself.
func (m *maker) overPlugin(s spec) (*panel, error) {
	switch s.kind {
	case "freshness":
		return m.fresh(), nil
	case "alerts":
		return m.incidents(), nil
	case "users":
		return m.listed(s), nil
	}
	window := s.window
	switch s.kind {
	case "days", "triangle":
		window = kpi.Day.String()
	case "pace":
		window = kpi.Today.String()
	}
	cuts := m.cuts(s, window)
	if len(cuts) == 0 {
		return nil, nil
	}
	switch s.kind {
	case "figure":
		return m.compared(s, cuts), nil
	case "pace":
		return m.paced(cuts), nil
	case "lines":
		return m.drawn(s, cuts, line, m.title(cuts[0])), nil
	case "days":
		return m.drawn(s, cuts, daily(s, cuts), m.heading(cuts[0], m.of(byDay)), atStart), nil
	case "bars":
		return m.ranked(s, cuts), nil
	case "table":
		return m.tabled(s, cuts), nil
	case "triangle":
		return m.cohorts(cuts), nil
	}
	return nil, fmt.Errorf("%q is no kind of panel", s.kind)
}

// fresh is how far the watermark is behind.
func (m *maker) fresh() *panel {
	p := m.number()
	p.Title, p.Description = m.of(look.Freshness), m.of(fresh)
	p.FieldConfig.Defaults.Unit, p.FieldConfig.Defaults.Thresholds = "s", look.Fresh
	p.target(nil, &Question{Kind: "freshness"})
	return p
}

// compared is a figure, with its changes in the same answer.
func (m *maker) compared(s spec, cuts []cut) *panel {
	c := cuts[0]
	p := m.number()
	m.shows(p, cuts, m.name(c))
	p.Options = statOf("value_and_name")
	p.FieldConfig.Defaults.Min = nil
	q := m.question(c, "latest")
	p.target(nil, q)
	p.override(named(c.kpi.Name, property{"displayName", m.lang.window(c.window)}))
	if !s.against {
		return p
	}
	p.Description = m.describe(cuts, changes)
	for _, since := range []struct {
		compare string
		name    kpi.Text
	}{{"yesterday", toDay}, {"last_week", toWeek}} {
		q.Compare = append(q.Compare, since.compare)
		p.override(named(c.kpi.Name+"_"+since.compare+changeField, property{"displayName", m.of(since.name)},
			property{"thresholds", look.Change(look.Better(c.kpi.Targets, s.better))}))
	}
	return p
}

// paced is the day so far beside the day before and the same day a week before.
func (m *maker) paced(cuts []cut) *panel {
	c := cuts[0]
	p := m.graphed(line)
	m.shows(p, cuts, m.name(c))
	q := m.question(c, "")
	q.Compare = []string{"yesterday", "last_week"}
	p.target(nil, q)
	for _, shown := range []struct {
		field string
		name  kpi.Text
		color string
		width int
	}{
		{c.kpi.Name, soFar, "blue", 3},
		{c.kpi.Name + "_yesterday", look.Yesterday, "orange", line.LineWidth},
		{c.kpi.Name + "_last_week", look.LastWeek, "#8e8e8e", line.LineWidth},
	} {
		p.override(named(shown.field, property{"displayName", m.of(shown.name)},
			property{"color", color{"fixed", shown.color}}, property{"custom.lineWidth", shown.width}))
	}
	return p
}

// drawn are KPIs over time.
func (m *maker) drawn(s spec, cuts []cut, drawn style, title string, more ...kpi.Text) *panel {
	p := m.graphed(drawn)
	m.shows(p, cuts, title, more...)
	for _, c := range cuts {
		if last := len(p.Targets) - 1; last < 0 || !p.Targets[last].joins(m.question(c, "")) {
			p.target(nil, m.question(c, ""))
		}
		m.axis(p, s, c, c.kpi.Name)
	}
	c := cuts[0]
	if len(cuts) == 1 && len(c.kpi.Split) == 0 { // the title names the KPI
		p.FieldConfig.Defaults.Name = labelled(c)
	}
	if s.band && c.kpi.Interval() {
		p.Targets[0].Bounds = true
		low, high := m.of(look.Lower), m.of(look.Upper)
		thin := []property{{"custom.lineWidth", 0}, {"color", color{"fixed", "blue"}}}
		p.override(
			named(c.kpi.Name+lowField, append(thin, property{"displayName", low})...),
			named(c.kpi.Name+highField, append(thin, property{"displayName", high}, property{"custom.fillBelowTo", low}, property{"custom.fillOpacity", 15})...),
		)
		p.Description = m.lang.sentences(p.Description, m.of(interval))
	}
	return p
}

// labelled names series by what tells them apart, "" where nothing does.
func labelled(c cut) string {
	var parts []string
	for _, label := range c.labels() {
		parts = append(parts, "${__field.labels."+label+"}")
	}
	return strings.Join(parts, " ")
}

// ranked are bars, the largest first, or as steps follow each other.
func (m *maker) ranked(s spec, cuts []cut) *panel {
	c := cuts[0]
	p := m.barred()
	m.shows(p, cuts, m.title(c))
	p.FieldConfig.Defaults.Thresholds = c.thresholds()
	q := m.question(c, "table")
	q.Top = s.top
	q.narrow(s.where)
	p.target(nil, q)
	if len(c.kpi.Split) == 0 { // else by the names of the texts
		p.FieldConfig.Defaults.Name = "${__data.fields[0]}" + room
	}
	if c.steps() != "" {
		one := 1.0
		p.FieldConfig.Defaults.Max = &one
	}
	options := p.Options.(barOptions)
	options.Reduce.Values = true
	p.Options = options
	if s.of != "" { // the other labels are the same on all
		p.hide(slices.DeleteFunc(c.labels(), func(label string) bool { return label == s.of })...)
	}
	return p
}

// widest is how many KPIs of a table have room for their changes.
const widest = 5

// tabled has a row for each value of a field, those of the largest first KPI before all,
// and of days the changes since a week before.
func (m *maker) tabled(s spec, cuts []cut) *panel {
	p := m.rowed(10)
	m.shows(p, cuts, m.title(cuts[0]))
	p.FieldConfig.Defaults.Min = nil
	q := m.question(cuts[0], "table")
	q.KPIs, q.Top = nil, 100
	for _, c := range cuts {
		q.KPIs = append(q.KPIs, c.kpi.Name)
		if c.kpi.Ratio() && c.targets() != nil {
			p.override(named(c.kpi.Name, colored("color-text")))
		}
	}
	if q.Closed && len(cuts) <= widest {
		q.Compare = []string{"last_week"}
		var hidden []string
		for _, c := range cuts {
			before := c.kpi.Name + "_last_week"
			hidden = append(hidden, before)
			p.override(named(before+changeField, colored("color-text")))
		}
		p.hide(hidden...)
		p.Description = m.lang.sentences(p.Description, m.of(changesOfWeek))
	}
	p.target(nil, q)
	p.Options = tableOptions{true, "sm", 0, []sort{}}
	return p
}

// cohorts has a row for each day on which users were first seen.
func (m *maker) cohorts(cuts []cut) *panel {
	p := m.rowed(14)
	m.shows(p, cuts, m.name(cuts[0]))
	q := m.question(cuts[0], "triangle")
	q.KPIs = nil
	one := 1.0
	for _, c := range cuts {
		q.KPIs = append(q.KPIs, c.kpi.Name)
		p.override(named(c.kpi.Name, property{"max", &one}, property{"color", color{Mode: "continuous-BlPu"}},
			colored("color-background"), property{"mappings", []mapping{blank}}))
	}
	p.target(nil, q)
	p.Options = tableOptions{true, "sm", 0, []sort{{m.field("cohort"), true}}}
	return p
}

// incidents are the alerts that the service knows: also those that are over.
func (m *maker) incidents() *panel {
	p := m.rowed(9)
	p.Title, p.Description, p.FieldConfig.Defaults.NoValue = m.of(touching), m.of(known), "–"
	p.target(nil, &Question{Kind: "alerts"})
	for _, column := range []struct {
		field string
		name  kpi.Text
	}{
		{"time", since}, {"timeEnd", until}, {"title", ruleName}, {"text", said}, {"tags", tagged}, {"state", state}, {"group", group}, {"value", amount},
	} {
		p.override(named(column.field, property{"displayName", m.of(column.name)}))
	}
	p.Options = tableOptions{true, "sm", 0, []sort{{m.of(since), true}}}
	return p
}

// listed are the users of a segment: whom to write to.
func (m *maker) listed(s spec) *panel {
	p := m.rowed(10)
	p.FieldConfig.Defaults.NoValue = "–"
	q := &Question{Kind: "users", Segment: s.segment, Limit: s.top}
	for _, name := range m.layout.filters {
		field := m.plan.filters[name].field
		q.Filters = append(q.Filters, Filter{field, "=", []string{"$" + name}})
	}
	p.target(nil, q)
	p.hide("anonymous_id", "state", "first_event", "rfm_r", "rfm_f", "rfm_m")
	p.Options = tableOptions{true, "sm", 0, []sort{{m.field("days_away"), true}}}
	return p
}

// hide leaves fields out.
func (p *panel) hide(fields ...string) {
	o := organize{map[string]bool{}, map[string]int{}, map[string]string{}}
	for _, f := range fields {
		o.Exclude[f] = true
	}
	p.Transformations = append(p.Transformations, transformation{"organize", o})
}

// colored colours the cells of a column.
func colored(how string) property {
	return property{"custom.cellOptions", map[string]string{"type": how, "mode": "basic"}}
}
