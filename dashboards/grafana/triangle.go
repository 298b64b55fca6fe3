package grafana

import (
	"fmt"

	"github.com/tidewatch/tidewatch/dashboards/grafana/look"
	"github.com/tidewatch/tidewatch/kpi"
)

// triangle has a row for each day on which users were first seen, and a column for each
// KPI of who came back.
func (m *maker) triangle(s spec) *panel {
	cuts := m.cuts(s, kpi.Day.String())
	if len(cuts) == 0 {
		return nil
	}
	const cohort = "cohort"
	p, o := m.columnar(14, cohort)
	m.shows(p, cuts, m.name(cuts[0]))
	each := func(c cut, part kpi.Part) string {
		return fmt.Sprintf("max by (%s) (last_over_time(%s[%s:1h]))", cohort, c.selector(part), s.since)
	}
	rows := each(cuts[0], kpi.ValuePart)
	p.column(o, each(cuts[0], kpi.DenominatorPart), m.of(look.Size), property{"unit", "short"})
	one := 1.0
	for i, c := range cuts {
		value := rows
		if i > 0 { // of the same days
			value = fmt.Sprintf("%s and %s", each(c, kpi.ValuePart), rows)
		}
		p.column(o, value, m.name(c),
			property{"unit", look.Unit(c.kpi.Unit)}, property{"max", &one}, property{"color", color{Mode: "continuous-BlPu"}},
			property{"custom.cellOptions", map[string]string{"type": "color-background", "mode": "basic"}}, property{"mappings", []mapping{blank}})
	}
	p.Options = tableOptions{true, "sm", 0, []sort{{m.field(cohort), true}}}
	return p
}

// A mapping is what is shown in place of a value.
type mapping struct {
	Type    string `json:"type"`
	Options struct {
		Match  string `json:"match"`
		Result struct {
			Text  string `json:"text"`
			Color string `json:"color"`
		} `json:"result"`
	} `json:"options"`
}

// blank leaves what is not known white.
var blank = func() mapping {
	out := mapping{Type: "special"}
	out.Options.Match, out.Options.Result.Color = "null", "transparent"
	return out
}()
