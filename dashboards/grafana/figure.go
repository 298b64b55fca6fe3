package grafana

import (
	"fmt"

	"github.com/tidewatch/tidewatch/dashboards/grafana/look"
	"github.com/tidewatch/tidewatch/kpi"
)

// statOptions are those of numbers that are read at a glance.
type statOptions struct {
	ColorMode   string `json:"colorMode"`
	GraphMode   string `json:"graphMode"`
	JustifyMode string `json:"justifyMode"`
	Orientation string `json:"orientation"`
	Reduce      reduce `json:"reduceOptions"`
	TextMode    string `json:"textMode"`
	WideLayout  bool   `json:"wideLayout"`
	ShowChange  bool   `json:"showPercentChange"`
	ChangeColor string `json:"percentChangeColorMode"`
}

func statOf(textMode string) statOptions {
	return statOptions{
		ColorMode: "value", GraphMode: "none", JustifyMode: "auto", Orientation: "horizontal",
		Reduce: last, TextMode: textMode, WideLayout: true, ChangeColor: "standard",
	}
}

type reduce struct {
	Calcs  []string `json:"calcs"`
	Fields string   `json:"fields"`
	Values bool     `json:"values"`
}

var last = reduce{Calcs: []string{"lastNotNull"}}

// number is a panel of them.
func (m *maker) number() *panel {
	p := m.panel("stat", 5)
	p.Options = statOf("value")
	return p
}

// figure is the value of a KPI at this moment, named by its window, with how it changed
// since the same time a day and a week before.
func (m *maker) figure(s spec) *panel {
	cuts := m.cuts(s, s.window)
	if len(cuts) == 0 {
		return nil
	}
	c := cuts[0]
	p := m.number()
	m.shows(p, cuts, m.name(c))
	p.Options = statOf("value_and_name")
	p.FieldConfig.Defaults.Min, p.FieldConfig.Defaults.Thresholds = nil, c.thresholds()
	p.ask(c.expr(kpi.ValuePart, ""), m.lang.window(c.window), true)
	if !s.against {
		return p
	}
	p.Description = m.describe(cuts, changes)
	for _, since := range []struct {
		offset string
		name   kpi.Text
	}{{"1d", toDay}, {"7d", toWeek}} {
		legend := m.of(since.name)
		p.ask(fmt.Sprintf("%s / (%s != 0) - 1", c.kept(), c.series(kpi.ValuePart, since.offset)), legend, true)
		p.override(named(legend, property{"unit", "percentunit"}, property{"decimals", 1}, property{"thresholds", look.Change(look.Better(c.kpi.Targets, s.better))}))
	}
	return p
}

// kept is the value at the newest time of which the day before is known, too: the day so
// far is kept at every step.
func (c cut) kept() string {
	if c.window != kpi.Today {
		return c.series(kpi.ValuePart, "")
	}
	step := kpi.FormatLength(c.window.Step())
	return fmt.Sprintf("last_over_time(%s[%s:%s])", c.series(kpi.ValuePart, ""), step, step)
}

// freshness is how far the watermark is behind. A window that is not over has its newest
// sample there; what is older than the lookback is known to the minute.
func (m *maker) freshness() *panel {
	newest, ok := m.quickest()
	if !ok {
		return nil
	}
	standing := newest // at every minute
	for _, w := range newest.kpi.Windows {
		if !w.IsDay() && w != kpi.Today {
			standing.window = w
		}
	}
	p := m.number()
	p.Title, p.Description = m.of(look.Freshness), m.of(fresh)
	p.FieldConfig.Defaults.Unit, p.FieldConfig.Defaults.NoValue = "s", m.of(stalled)
	p.FieldConfig.Defaults.Thresholds = look.Fresh
	p.ask(fmt.Sprintf("time() - (max(timestamp(%s)) or max(last_over_time(timestamp(%s)[6h:1m])))",
		newest.selector(kpi.ValuePart), standing.selector(kpi.ValuePart)), m.of(look.Freshness), true)
	return p
}

// quickest is the first of the KPIs with a total, and that over the shortest windows.
func (m *maker) quickest() (best cut, found bool) {
	for _, k := range m.Catalogue.KPIs {
		by, kept := k.SetOf()
		w := k.Windows[0]
		if !kept || len(by) > 0 || k.Nullable() || k.Numerator.Money || w.IsDay() {
			continue
		}
		if !found || w.Length < best.window.Length || w.Length == best.window.Length && k.Place < best.kpi.Place {
			best, found = cut{kpi: k, by: by, window: w}, true
		}
	}
	return best, found
}
