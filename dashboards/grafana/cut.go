package grafana

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidewatch/tidewatch/kpi"
)

// A cut is a KPI by a dimension set over a length of windows: what queries ask for.
type cut struct {
	kpi    *kpi.KPI
	by     kpi.Set
	window kpi.Window
	// matchers narrow it, besides those of by and window.
	matchers []string
}

// cut finds what the service keeps of a KPI by a field, "" for the total. Amounts are
// kept by currency where they can be, so that one of several has a value.
func (m *maker) cut(name, field, window string) (c cut, kept bool) {
	k := m.Catalogue.KPI(name)
	w, err := kpi.ParseWindow(window)
	if k == nil || err != nil || !k.Keeps(w) {
		return c, false
	}
	c = cut{kpi: k, window: w}
	if field != "" {
		c.by, kept = k.SetOf(field)
	} else if c.by, kept = k.SetOf(currency); !kept || !k.Numerator.Money {
		c.by, kept = k.SetOf()
	}
	if !kept {
		return c, false
	}
	for _, f := range c.by {
		c.narrow(m.matcher(f))
	}
	if k.Numerator.Money && !slices.Contains(c.by, currency) {
		c.narrow(m.matcher(currency))
	}
	return c, true
}

func (c *cut) narrow(matcher string) {
	if matcher != "" {
		c.matchers = append(c.matchers, matcher)
	}
}

// cuts are those that are kept.
func (m *maker) cuts(s spec, window string) []cut {
	var list []cut
	for _, name := range s.kpis {
		if c, kept := m.cut(name, s.by, window); kept {
			c.narrow(s.where)
			list = append(list, c)
		}
	}
	return list
}

// selector selects the series of a part.
func (c cut) selector(p kpi.Part) string {
	matchers := append([]string{fmt.Sprintf("by=%q", c.by.String()), fmt.Sprintf("window=%q", c.window.String())}, c.matchers...)
	return c.kpi.Series(p) + "{" + strings.Join(matchers, ",") + "}"
}

// expr is a part as it is shown, offset by a time such as "1d".
func (c cut) expr(p kpi.Part, offset string) string { return c.series(p, offset) + c.divisor() }

// series are those of a part. Of a KPI whose series name the day there is one at a time.
func (c cut) series(p kpi.Part, offset string) string {
	out := c.selector(p)
	if offset != "" {
		out += " offset " + offset
	}
	if c.kpi.FinalOnly {
		return c.one(out)
	}
	return out
}

// one has an expression in parentheses, of which a KPI whose series name the day has one
// series at a time.
func (c cut) one(expr string) string {
	if c.kpi.FinalOnly {
		return "max without (cohort) (" + expr + ")"
	}
	return "(" + expr + ")"
}

// divisor makes major units of minor ones.
func (c cut) divisor() string {
	if c.kpi.Unit == kpi.UnitMoney {
		return " / 100"
	}
	return ""
}

// steps are the shares of the texts that the service itself gives to a label, as they
// follow each other, "" of anything else.
func (c cut) steps() string {
	labels := c.labels()
	if !c.kpi.Ratio() || len(labels) != 1 {
		return ""
	}
	var each []string
	for _, text := range c.kpi.SplitTexts(labels[0]) {
		one := c
		one.matchers = append(slices.Clone(c.matchers), fmt.Sprintf("%s=%q", labels[0], text))
		each = append(each, one.expr(kpi.ValuePart, ""))
	}
	return strings.Join(each, " or ")
}

// labels are those that tell the series of the cut apart.
func (c cut) labels() []string {
	return slices.DeleteFunc(slices.Clone(c.by), func(field string) bool { return field == currency })
}

// legend names the series by the labels that tell them apart.
func (c cut) legend() string {
	var parts []string
	for _, label := range c.labels() {
		parts = append(parts, "{{"+label+"}}")
	}
	return strings.Join(parts, " ")
}

// adds reports whether values of windows that do not overlap can be added up.
func (c cut) adds() bool {
	return !slices.ContainsFunc(c.kpi.Measures(), func(m *kpi.Measure) bool {
		return m.Op != kpi.Count && m.Op != kpi.Sum && m.Op != kpi.Carrying
	})
}

// cautions are what is to be known of amounts. The data source plugin knows the decimals.
func (m *maker) cautions(cuts []cut) []kpi.Text {
	var out []kpi.Text
	if m.chosen.Type != native && slices.ContainsFunc(cuts, func(c cut) bool { return c.kpi.Unit == kpi.UnitMoney }) {
		out = append(out, minorUnits)
	}
	if slices.ContainsFunc(cuts, func(c cut) bool { return c.kpi.Numerator.Money && !slices.Contains(c.by, currency) }) {
		out = append(out, oneCurrency)
	}
	return out
}
