package grafana

import (
	"fmt"

	"github.com/tidewatch/tidewatch/kpi"
)

// barOptions are those of bars beside each other.
type barOptions struct {
	DisplayMode   string `json:"displayMode"`
	Orientation   string `json:"orientation"`
	Reduce        reduce `json:"reduceOptions"`
	ShowUnfilled  bool   `json:"showUnfilled"`
	ValueMode     string `json:"valueMode"`
	NamePlacement string `json:"namePlacement"`
	Sizing        string `json:"sizing"`
	MinVizWidth   int    `json:"minVizWidth"`
	MinVizHeight  int    `json:"minVizHeight"`
	MaxVizHeight  int    `json:"maxVizHeight"`
	Legend        legend `json:"legend"`
}

// room is not drawn, but measured: names have the width of the first of the longest, and
// wider ones of as many letters would be cut.
const room = "  "

// barred is a panel of bars.
func (m *maker) barred() *panel {
	p := m.panel("bargauge", 8)
	p.Options = barOptions{
		DisplayMode: "gradient", Orientation: "horizontal", Reduce: last, ShowUnfilled: true, ValueMode: "color",
		NamePlacement: "left", Sizing: "auto", MinVizWidth: 8, MinVizHeight: 16, MaxVizHeight: 300,
		Legend: legend{[]string{}, "list", "bottom", false},
	}
	return p
}

// bars are the series of a KPI at this moment, the largest first, or as steps follow each
// other.
func (m *maker) bars(s spec) *panel {
	cuts := m.cuts(s, s.window)
	if len(cuts) == 0 {
		return nil
	}
	c := cuts[0]
	p := m.barred()
	m.shows(p, cuts, m.title(c))
	p.FieldConfig.Defaults.Thresholds = c.thresholds()
	legend := c.legend()
	if len(c.kpi.Split) == 0 { // else it is renamed
		legend += room
	}
	if s.of != "" {
		legend = "{{" + s.of + "}}"
	}
	value := c.expr(kpi.ValuePart, "")
	if s.top > 0 {
		value = fmt.Sprintf("topk(%d, %s)", s.top, value)
	}
	if steps := c.steps(); steps != "" {
		value = steps
		one := 1.0
		p.FieldConfig.Defaults.Max = &one
	} else if s.of == "" { // its values have an order
		value = "sort_desc(" + value + ")"
	}
	p.ask(value, legend, true)
	m.translate(p, cuts)
	return p
}
