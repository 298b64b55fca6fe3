package grafana

import (
	"fmt"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

type templating struct {
	List []variable `json:"list"`
}

// A variable is chosen at the head of a dashboard.
type variable struct {
	Name       string     `json:"name"`
	Label      string     `json:"label"`
	Type       string     `json:"type"`
	Datasource *reference `json:"datasource,omitempty"`
	Definition string     `json:"definition,omitempty"`
	Query      any        `json:"query"`
	Refresh    int        `json:"refresh"` // 1: on load, 2: when the time changes
	Regex      string     `json:"regex"`
	Sort       int        `json:"sort"`
	Multi      bool       `json:"multi"`
	IncludeAll bool       `json:"includeAll"`
	AllValue   string     `json:"allValue,omitempty"`
	Current    any        `json:"current"`
}

type current struct {
	Text  any `json:"text"`
	Value any `json:"value"`
}

// values asks the plugin for the values of a field.
type fieldValues struct {
	RefID  string `json:"refId"`
	Kind   string `json:"kind"`
	KPI    string `json:"kpi"`
	Window string `json:"window"`
	Field  string `json:"field"`
}

// labelValues is a question for the values of a label.
type labelValues struct {
	QueryType int    `json:"qryType"`
	Query     string `json:"query"`
	RefID     string `json:"refId"`
}

// currency is the field whose values cannot be added up: one of them is chosen.
const currency = "currency"

func (m *maker) variables() []variable {
	first := current{source, sourceUID}
	switch {
	case m.layout.scraped:
		first = current{scraper, scraperUID}
	case m.chosen.Type == native:
		first = plugged[m.lang]
	}
	list := []variable{{
		Name: "datasource", Label: m.of(kpi.Text{EN: "Data source", ZH: "数据源"}), Type: "datasource", Query: m.chosen.Type, Refresh: 1,
		Current: first,
	}}
	for _, name := range m.layout.filters {
		f := m.plan.filters[name]
		of, kept := m.asked(f)
		if !kept {
			continue
		}
		v := variable{
			Name: name, Label: m.of(f.title), Type: "query", Datasource: &m.chosen,
			Refresh: 2, Sort: 1, Multi: true, IncludeAll: true, Current: current{[]string{"All"}, []string{"$__all"}},
		}
		if m.chosen.Type == native {
			v.Definition = f.field + ": " + of.kpi.Name
			v.Query = fieldValues{"Values", "values", of.kpi.Name, of.window.String(), f.field}
		} else {
			v.Definition, v.AllValue = fmt.Sprintf("label_values(%s, %s)", of.selector(kpi.ValuePart), f.field), ".*"
			v.Query = labelValues{1, v.Definition, "PrometheusVariableQueryEditor-VariableQuery"}
		}
		if f.field == currency {
			v.Multi, v.IncludeAll, v.AllValue, v.Current = false, false, "", current{"", ""}
		}
		list = append(list, v)
	}
	return list
}

// asked are the series whose labels are the values of a filter, where any are kept.
func (m *maker) asked(f filter) (c cut, kept bool) {
	for _, name := range f.of {
		k := m.Catalogue.KPI(name)
		if k == nil {
			continue
		}
		by, kept := k.SetOf(f.field)
		lengths := slices.DeleteFunc(slices.Clone(k.Windows), func(w kpi.Window) bool { return w == kpi.Day || w == kpi.Today })
		if kept && len(lengths) > 0 {
			return cut{kpi: k, by: by, window: lengths[len(lengths)-1]}, true
		}
	}
	return c, false
}

// matcher is what a filter adds to a selector of series by some fields.
func (m *maker) matcher(field string) string {
	switch name := m.variable(field); {
	case name == "":
		return ""
	case field == currency:
		return fmt.Sprintf(`%s="$%s"`, field, name)
	default:
		return fmt.Sprintf(`%s=~"$%s"`, field, name)
	}
}

// variable is the one by which a field is filtered, "" without one.
func (m *maker) variable(field string) string {
	for _, name := range m.layout.filters {
		if m.plan.filters[name].field == field {
			return name
		}
	}
	return ""
}
