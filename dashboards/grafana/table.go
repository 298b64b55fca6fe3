package grafana

import (
	"fmt"
	"slices"
	"strconv"
	"time"

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
		return fmt.Sprintf("sum by (%s) (sum_over_time(%s))", s.by, m.eachDay(c.selector(p), s.days))
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

// eachDay selects one sample of each of the last full days, where business days end:
// subqueries step at midnights of UTC. Where clocks are put forward it is the midnight of
// the rest of the year, which is within the day, too.
func (m *maker) eachDay(selector string, days int) string {
	east := eastward(m.Catalogue.Location)
	if east == 0 {
		return fmt.Sprintf("%s[%dd:1d]", selector, days)
	}
	to, back := "", "-"
	if east < 0 {
		to, back = back, to
	}
	length := kpi.FormatLength(east.Abs())
	return fmt.Sprintf("(%s offset %s%s)[%dd:1d] offset %s%s", selector, to, length, days, back, length)
}

// eastward is how far the clocks of a zone are ahead of UTC, at the least of a year.
func eastward(l *time.Location) time.Duration {
	var months []int
	for month := time.January; month <= time.December; month++ {
		_, ahead := time.Date(2026, month, 1, 0, 0, 0, 0, l).Zone()
		months = append(months, ahead)
	}
	return time.Duration(slices.Min(months)) * time.Second
}
