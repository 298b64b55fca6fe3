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

// labelValues is a question for the values of a label.
type labelValues struct {
	QueryType int    `json:"qryType"`
	Query     string `json:"query"`
	RefID     string `json:"refId"`
}

// currency is the field whose values cannot be added up: one of them is chosen.
const currency = "currency"

func (m *maker) variables() []variable {
	name, id := source, sourceUID
	if m.layout.scraped {
		name, id = scraper, scraperUID
	}
	list := []variable{{
		Name: "datasource", Label: m.of(kpi.Text{EN: "Data source", ZH: "数据源"}), Type: "datasource", Query: "prometheus", Refresh: 1,
		Current: current{name, id},
	}}
	for _, name := range m.layout.filters {
		f := m.plan.filters[name]
		of := m.asked(f)
		if of == "" {
			continue
		}
		question := fmt.Sprintf("label_values(%s, %s)", of, f.field)
		v := variable{
			Name: name, Label: m.of(f.title), Type: "query", Datasource: &chosen,
			Definition: question, Query: labelValues{1, question, "PrometheusVariableQueryEditor-VariableQuery"},
			Refresh: 2, Sort: 1, Multi: true, IncludeAll: true, AllValue: ".*", Current: current{[]string{"All"}, []string{"$__all"}},
		}
		if f.field == currency {
			v.Multi, v.IncludeAll, v.AllValue, v.Current = false, false, "", current{"", ""}
		}
		list = append(list, v)
	}
	return list
}

// asked is the selector of the series whose labels are the values of a filter, "" where
// none of them is kept.
func (m *maker) asked(f filter) string {
	for _, name := range f.of {
		k := m.Catalogue.KPI(name)
		if k == nil {
			continue
		}
		by, kept := k.SetOf(f.field)
		lengths := slices.DeleteFunc(slices.Clone(k.Windows), func(w kpi.Window) bool { return w == kpi.Day || w == kpi.Today })
		if kept && len(lengths) > 0 {
			return fmt.Sprintf("%s{by=%q,window=%q}", k.Series(kpi.ValuePart), by.String(), lengths[len(lengths)-1].String())
		}
	}
	return ""
}

// matcher is what a filter adds to a selector of series by some fields.
func (m *maker) matcher(field string) string {
	for _, name := range m.layout.filters {
		switch f := m.plan.filters[name]; {
		case f.field != field:
		case field == currency:
			return fmt.Sprintf(`%s="$%s"`, field, name)
		default:
			return fmt.Sprintf(`%s=~"$%s"`, field, name)
		}
	}
	return ""
}
