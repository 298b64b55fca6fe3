package grafana

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/tidewatch/tidewatch/dashboards/grafana/look"
	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/kpi"
)

// alertOptions are those of the list of alerts.
type alertOptions struct {
	ViewMode     string          `json:"viewMode"`
	GroupMode    string          `json:"groupMode"`
	GroupBy      []string        `json:"groupBy"`
	MaxItems     int             `json:"maxItems"`
	SortOrder    int             `json:"sortOrder"` // 3: importance
	Dashboard    bool            `json:"dashboardAlerts"`
	AlertName    string          `json:"alertName"`
	LabelFilter  string          `json:"alertInstanceLabelFilter"`
	Datasource   string          `json:"datasource"` // by name: it takes no variable
	StateFilter  map[string]bool `json:"stateFilter"`
	ShowInactive bool            `json:"showInactiveAlerts"`
}

// alerts is Grafana's list of what is pending and firing.
func (m *maker) alerts() *panel {
	return &panel{Type: "alertlist", Title: m.of(holding), Description: m.of(managed), GridPos: position{H: 9}, Options: alertOptions{
		ViewMode: "list", GroupMode: "default", GroupBy: []string{}, MaxItems: 50, SortOrder: 3, Datasource: source,
		StateFilter: map[string]bool{"firing": true, "pending": true, "recovering": true, "error": true, "noData": false, "normal": false},
	}}
}

// rules draws what each rule watches, with its bound.
func (m *maker) rules() ([]*panel, error) {
	var list []*panel
	for _, r := range m.Rules {
		p, err := m.rule(r)
		if err != nil {
			return nil, fmt.Errorf("draw rule %s: %w", r.Alert, err)
		}
		if p != nil {
			list = append(list, p)
		}
	}
	return list, nil
}

// rule is nil where the data source cannot ask for what is watched.
func (m *maker) rule(r Rule) (*panel, error) {
	expr, err := expression.Language.ParseExpr(r.Expr)
	if err != nil {
		return nil, err
	}
	of, op, level, ok := compared(expr)
	if !ok {
		return m.expression(r, expr), nil
	}
	k, _ := m.Catalogue.Series(of.Name)
	if k == nil { // what a rule records, or nothing here
		return nil, nil
	}
	money := k.Unit == kpi.UnitMoney
	divisor := ""
	if money {
		divisor, level = " / 100", level/100
	}
	p := m.graphed(line)
	drawn := line
	drawn.ThresholdsStyle.Mode = "dashed+area"
	c := cut{kpi: k}
	m.shows(p, []cut{c}, r.Alert+": "+m.of(k.Title))
	d := &p.FieldConfig.Defaults
	d.Min = nil
	if op == parser.GTR || op == parser.GTE {
		drawn.AxisSoftMax = &level
		d.Thresholds = look.Steps(look.Step{Color: "transparent"}, look.Step{Color: "red", Value: &level})
	} else {
		drawn.AxisSoftMin = &level
		d.Thresholds = look.Steps(look.Step{Color: "red"}, look.Step{Color: "transparent", Value: &level})
	}
	d.Custom = drawn
	p.Description += fmt.Sprintf("\n\n%s: `%s`", m.of(condition), r.Expr)
	if m.chosen.Type != native {
		p.ask(of.String()+divisor, cmp.Or(series(of), m.of(k.Title)), false)
		return p, nil
	}
	q, ok := asked(k, of)
	if !ok {
		return nil, nil
	}
	p.target(nil, q)
	return p, nil
}

// expression draws what a rule evaluates that is no series compared with a number: what it
// compares, and with what. It is nil for one of no KPI, and where the data source cannot
// ask for it.
func (m *maker) expression(r Rule, e parser.Expr) *panel {
	shown := []parser.Expr{e}
	if b, ok := expression.Bare(e).(*parser.BinaryExpr); ok && b.Op.IsComparisonOperator() && !b.ReturnBool {
		left, right, _ := expression.Sides(b)
		shown = []parser.Expr{left, right}
	}
	of, k := m.subject(shown[0])
	if k == nil || m.chosen.Type == native {
		return nil
	}
	p := m.graphed(line)
	m.shows(p, []cut{{kpi: k}}, r.Alert+": "+m.of(k.Title))
	p.FieldConfig.Defaults.Min = nil
	p.Description += fmt.Sprintf("\n\n%s: `%s`", m.of(condition), r.Expr)
	for i, one := range shown {
		expr, legend := one.String(), cmp.Or(series(of), m.of(k.Title))
		if k.Unit == kpi.UnitMoney {
			expr = "(" + expr + ") / 100"
		}
		if i > 0 {
			legend = joined(m.of(bound), series(of))
		}
		p.ask(expr, legend, false)
	}
	return p
}

// subject is the first series of a KPI that an expression reads.
func (m *maker) subject(e parser.Expr) (of *parser.VectorSelector, k *kpi.KPI) {
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok && k == nil {
			of = v
			k, _ = m.Catalogue.Series(v.Name)
		}
		return nil
	})
	return of, k
}

// compared takes a comparison of a series with a number apart.
func compared(e parser.Expr) (of *parser.VectorSelector, op parser.ItemType, level float64, ok bool) {
	b, ok := expression.Bare(e).(*parser.BinaryExpr)
	if !ok {
		return nil, 0, 0, false
	}
	left, right, op := expression.Sides(b)
	of, series := left.(*parser.VectorSelector)
	level, number := expression.Number(right)
	return of, op, level, series && number
}

// series names the series of a selector by the fields of its breakdown, "" a total.
func series(of *parser.VectorSelector) string {
	for _, match := range of.LabelMatchers {
		if match.Name == "by" && match.Type == labels.MatchEqual && match.Value != "total" {
			return "{{" + strings.ReplaceAll(match.Value, ",", "}} {{") + "}}"
		}
	}
	return ""
}
