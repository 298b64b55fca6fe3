package grafana

import (
	"slices"

	"github.com/tidewatch/tidewatch/dashboards/grafana/look"
	"github.com/tidewatch/tidewatch/kpi"
)

// graphOptions are those of values over time.
type graphOptions struct {
	Legend  legend  `json:"legend"`
	Tooltip tooltip `json:"tooltip"`
}

type legend struct {
	Calcs       []string `json:"calcs"`
	DisplayMode string   `json:"displayMode"`
	Placement   string   `json:"placement"`
	ShowLegend  bool     `json:"showLegend"`
}

type tooltip struct {
	Mode string `json:"mode"`
	Sort string `json:"sort"`
}

// A style is how values over time are drawn.
type style struct {
	DrawStyle       string   `json:"drawStyle"`
	LineWidth       int      `json:"lineWidth"`
	FillOpacity     int      `json:"fillOpacity"`
	ShowPoints      string   `json:"showPoints"`
	SpanNulls       bool     `json:"spanNulls"`
	BarAlignment    int      `json:"barAlignment"`
	Stacking        stacking `json:"stacking"`
	ThresholdsStyle mode     `json:"thresholdsStyle"`
	// The axis reaches at least so far.
	AxisSoftMin *float64 `json:"axisSoftMin,omitempty"`
	AxisSoftMax *float64 `json:"axisSoftMax,omitempty"`
}

type stacking struct {
	Mode  string `json:"mode"`
	Group string `json:"group"`
}

type mode struct {
	Mode string `json:"mode"`
}

// line draws thin lines over nothing.
var line = style{DrawStyle: "line", LineWidth: 2, ShowPoints: "never", Stacking: stacking{"none", "A"}, ThresholdsStyle: mode{"off"}}

// graphed is a panel of values over time.
func (m *maker) graphed(s style) *panel {
	p := m.panel("timeseries", 8)
	p.FieldConfig.Defaults.Color = color{Mode: "palette-classic"}
	p.FieldConfig.Defaults.Custom = s
	p.Options = graphOptions{
		Legend:  legend{[]string{"lastNotNull"}, "list", "bottom", true},
		Tooltip: tooltip{"multi", "desc"},
	}
	return p
}

// shows gives a panel the title, the unit and the levels of what it shows.
func (m *maker) shows(p *panel, cuts []cut, title string, more ...kpi.Text) {
	p.shown = cuts
	p.Title, p.Description = title, m.describe(cuts, more...)
	d := &p.FieldConfig.Defaults
	d.Unit = look.Unit(cuts[0].kpi.Unit)
	if !slices.ContainsFunc(cuts, func(c cut) bool { return c.kpi.Minus != nil }) {
		zero := 0.0
		d.Min = &zero
	}
	if s, ok := d.Custom.(style); ok && len(cuts) == 1 && cuts[0].targets() != nil {
		s.ThresholdsStyle.Mode = "dashed"
		d.Custom, d.Thresholds = s, cuts[0].thresholds()
	}
	d.scaleShares()
}

// scaleShares keeps the axis of shares that are all 0 from reaching to 10,000 %.
func (d *defaults) scaleShares() {
	if s, ok := d.Custom.(style); ok && d.Unit == "percentunit" {
		least := 0.001
		s.AxisSoftMax = &least
		d.Custom = s
	}
}

// told names series by their KPI, where there are several, and their labels.
func (m *maker) told(c cut, several bool) string {
	labels := c.legend()
	if several || labels == "" {
		return joined(m.name(c), labels)
	}
	return labels
}

func joined(a, b string) string {
	if b == "" {
		return a
	}
	return a + " " + b
}

// lines are KPIs over time.
func (m *maker) lines(s spec) *panel {
	cuts := m.cuts(s, s.window)
	if len(cuts) == 0 {
		return nil
	}
	p := m.graphed(line)
	m.shows(p, cuts, m.title(cuts[0]))
	for _, c := range cuts {
		name := m.told(c, len(cuts) > 1)
		p.ask(c.expr(kpi.ValuePart, ""), name, false)
		m.axis(p, s, c, name)
	}
	if s.band && cuts[0].kpi.Interval() {
		m.band(p, cuts[0])
	}
	m.translate(p, cuts)
	return p
}

// axis has the series of a name at an axis of their own, where the layout has it so: beside
// much larger ones they would lie at 0.
func (m *maker) axis(p *panel, s spec, c cut, name string) {
	if slices.Contains(s.right, c.kpi.Name) {
		p.override(named(name, property{"custom.axisPlacement", "right"}, property{"custom.axisLabel", m.name(c)}))
	}
}

// band fills what lies between the bounds of the interval.
func (m *maker) band(p *panel, c cut) {
	low, high := m.of(look.Lower), m.of(look.Upper)
	p.ask(c.expr(kpi.LowPart, ""), low, false)
	p.ask(c.expr(kpi.HighPart, ""), high, false)
	thin := []property{{"custom.lineWidth", 0}, {"color", color{"fixed", "blue"}}}
	p.override(named(low, thin...), named(high, append(thin, property{"custom.fillBelowTo", low}, property{"custom.fillOpacity", 15})...))
	p.Description = m.lang.sentences(p.Description, m.of(interval))
}
