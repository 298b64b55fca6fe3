package grafana

import (
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/tidewatch/tidewatch/kpi"
)

// A Question is what the data source plugin is asked, as its types.ts has it.
type Question struct {
	Kind    string   `json:"kind,omitempty"`
	KPIs    []string `json:"kpis,omitempty"`
	Window  string   `json:"window,omitempty"`
	By      []string `json:"by,omitempty"`
	Filters []Filter `json:"filters,omitempty"`
	Compare []string `json:"compare,omitempty"`
	Top     int      `json:"top,omitempty"`
	Show    string   `json:"show,omitempty"`
	Value   string   `json:"value,omitempty"`
	Bounds  bool     `json:"bounds,omitempty"`
	Closed  bool     `json:"closed,omitempty"`
	Segment string   `json:"segment,omitempty"`
	Limit   int      `json:"limit,omitempty"`
}

// A Filter chooses series by the values of a field.
type Filter struct {
	Field  string   `json:"field"`
	Op     string   `json:"op"`
	Values []string `json:"values"`
}

// question asks for a cut, shown as something. A day is one that is over: of the one that
// is not there is today.
func (m *maker) question(c cut, show string) *Question {
	q := &Question{KPIs: []string{c.kpi.Name}, Window: c.window.String(), Show: show, By: told(c.kpi, c.by)}
	for _, field := range c.by {
		if name := m.variable(field); name != "" {
			q.Filters = append(q.Filters, Filter{field, "=", []string{"$" + name}})
		}
	}
	q.Closed = c.window == kpi.Day && (show == "latest" || show == "table")
	return q
}

// joins asks for the KPIs of another question, too, where they are asked for alike.
func (q *Question) joins(other *Question) bool {
	alike := q.Window == other.Window && slices.Equal(q.By, other.By) &&
		slices.EqualFunc(q.Filters, other.Filters, func(x, y Filter) bool { return x.Field == y.Field })
	if alike {
		q.KPIs = append(q.KPIs, other.KPIs...)
	}
	return alike
}

// told are the fields of a breakdown that are asked for: what is always told apart is not.
func told(k *kpi.KPI, by kpi.Set) []string {
	return slices.DeleteFunc(slices.Clone(by), func(field string) bool { return slices.Contains(k.Split, field) })
}

// where is the filter that a layout writes as PromQL does.
var where = regexp.MustCompile(`^(\w+)="([^"]*)"$`)

func (q *Question) narrow(matcher string) {
	if found := where.FindStringSubmatch(matcher); found != nil {
		q.Filters = append(q.Filters, Filter{found[1], "=", []string{found[2]}})
	}
}

// asked is the question for the series of a selector. There is none for what a filter
// cannot leave out.
func asked(k *kpi.KPI, of *parser.VectorSelector) (q *Question, ok bool) {
	q = &Question{KPIs: []string{k.Name}}
	for part, name := range map[kpi.Part]string{
		kpi.NumeratorPart: "numerator", kpi.DenominatorPart: "denominator", kpi.LowPart: "low", kpi.HighPart: "high",
	} {
		if k.Series(part) == of.Name {
			q.Value = name
		}
	}
	for _, match := range of.LabelMatchers {
		switch {
		case match.Name == model.MetricNameLabel:
		case match.Name == "window" && match.Type == labels.MatchEqual:
			q.Window = match.Value
		case match.Name == "by" && match.Type == labels.MatchEqual:
			if match.Value != "total" {
				q.By = told(k, strings.Split(match.Value, ","))
			}
		case match.Name == "window" || match.Name == "by":
			return nil, false
		case match.Type == labels.MatchEqual:
			q.Filters = append(q.Filters, Filter{match.Name, "=", []string{match.Value}})
		case match.Type == labels.MatchRegexp:
			q.Filters = append(q.Filters, Filter{match.Name, "=~", []string{match.Value}})
		default:
			return nil, false
		}
	}
	return q, true
}
