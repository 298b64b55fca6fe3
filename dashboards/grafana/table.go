package grafana

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/tidewatch/tidewatch/dashboards/grafana/look"
	"github.com/tidewatch/tidewatch/kpi"
)

// tableOptions are those of rows with a column for each KPI.
type tableOptions struct {
	ShowHeader bool   `json:"showHeader"`
	CellHeight string `json:"cellHeight"`
	FrameIndex int    `json:"frameIndex"`
	SortBy     []sort `json:"sortBy"`
}

type sort struct {
	Name string `json:"displayName"`
	Desc bool   `json:"desc"`
}

// organize says which columns are shown, and as what.
type organize struct {
	Exclude map[string]bool   `json:"excludeByName"`
	Index   map[string]int    `json:"indexByName"`
	Rename  map[string]string `json:"renameByName"`
}

// rowed is a panel of rows.
func (m *maker) rowed(height int) *panel {
	p := m.panel("table", height)
	p.FieldConfig.Defaults.Custom = map[string]any{"align": "auto", "filterable": true, "inspect": false, "wrapHeaderText": true}
	return p
}

// columnar is a panel whose queries become columns, joined by a label.
func (m *maker) columnar(height int, label string) (*panel, organize) {
	p := m.rowed(height)
	o := organize{map[string]bool{"Time": true}, map[string]int{label: 0}, map[string]string{label: m.field(label)}}
	p.Transformations = []transformation{{"merge", struct{}{}}, {"organize", o}}
	return p, o
}

// column adds a query as one.
func (p *panel) column(o organize, expr, title string, properties ...property) {
	p.ask(expr, "", true)
	t := &p.Targets[len(p.Targets)-1]
	t.Format = "table"
	value := "Value #" + t.RefID
	if title != "" {
		o.Rename[value] = title
	}
	o.Index[value] = len(p.Targets)
	p.override(named(title, properties...))
}

// table has a row for each value of a field, over windows of one length or added up over
// the last full days.
func (m *maker) table(s spec) *panel {
	cuts := slices.DeleteFunc(m.cuts(s, s.window), func(c cut) bool { return s.days > 0 && !c.adds() })
	if len(cuts) == 0 {
		return nil
	}
	p, o := m.columnar(10, s.by)
	m.shows(p, cuts, m.title(cuts[0]))
	p.FieldConfig.Defaults.Min = nil
	for _, c := range cuts {
		shown := []property{{"unit", look.Unit(c.kpi.Unit)}}
		if c.kpi.Ratio() && c.targets() != nil {
			shown = append(shown, property{"thresholds", c.thresholds()}, property{"custom.cellOptions", map[string]string{"type": "color-text"}})
		}
		p.column(o, m.cell(c, s), m.name(c), shown...)
	}
	p.Options = tableOptions{true, "sm", 0, []sort{{m.name(cuts[0]), true}}}
	return p
}

// over is the time that rows of days are of. The plugin adds up none.
func (m *maker) over(s spec) string {
	if m.chosen.Type == native {
		return m.lang.window(kpi.Day)
	}
	return fmt.Sprintf(m.of(fullDays), s.days)
}

// cell is a KPI by a field. Over days what is divided is added up before it is.
func (m *maker) cell(c cut, s spec) string {
	sum := func(p kpi.Part) string {
		return fmt.Sprintf("sum by (%s) (sum_over_time(%s[%dd:1d]))", s.by, c.selector(p), s.days)
	}
	switch {
	case s.days == 0:
		return fmt.Sprintf("max by (%s) (%s)%s", s.by, c.selector(kpi.ValuePart), c.divisor())
	case !c.kpi.Ratio():
		return sum(kpi.ValuePart) + c.divisor()
	}
	scale := ""
	if factor := c.kpi.Scaled(1); factor != 1 {
		scale = strconv.FormatFloat(factor, 'g', -1, 64) + " * "
	}
	return fmt.Sprintf("%s%s / (%s > 0)%s", scale, sum(kpi.NumeratorPart), sum(kpi.DenominatorPart), c.divisor())
}
