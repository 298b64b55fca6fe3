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
}

// bars are the series of a KPI at this moment, the largest first.
func (m *maker) bars(s spec) *panel {
	cuts := m.cuts(s, s.window)
	if len(cuts) == 0 {
		return nil
	}
	c := cuts[0]
	p := m.panel("bargauge", 8)
	p.Options = barOptions{"gradient", "horizontal", last, true, "color", "left", "auto"}
	m.shows(p, cuts, m.title(c))
	if c.kpi.Targets != nil {
		p.FieldConfig.Defaults.Thresholds = c.thresholds()
	}
	legend := c.legend()
	if s.of != "" {
		legend = "{{" + s.of + "}}"
	}
	value := c.expr(kpi.ValuePart, "")
	if s.top > 0 {
		value = fmt.Sprintf("topk(%d, %s)", s.top, value)
	}
	if s.of == "" { // its values have an order
		value = "sort_desc(" + value + ")"
	}
	p.ask(value, legend, true)
	m.translate(p, cuts)
	return p
}
