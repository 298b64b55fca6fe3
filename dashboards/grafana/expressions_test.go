package grafana

import (
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/kpi"
)

// values stand for what is chosen on a dashboard.
var values = strings.NewReplacer("$__rate_interval", "1m", "$channel", ".*", "$region", ".*", "$campaign", ".*", "$currency", "CNY")

func parse(t *testing.T, expr string) parser.Expr {
	t.Helper()
	e, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	return e
}

// questions are all expressions of a dashboard, with where they stand.
func questions(d *dashboard) map[string]string {
	all := map[string]string{}
	for _, p := range d.Panels {
		for _, q := range p.Targets {
			if q.PromQL == nil {
				continue
			}
			all[values.Replace(q.Expr)] = p.Title
		}
	}
	for _, a := range d.Annotations.List {
		if a.Target != nil && a.Target.PromQL != nil {
			all[a.Target.Expr] = a.Name
		}
	}
	for _, v := range d.Templating.List {
		if of, ok := strings.CutPrefix(v.Definition, "label_values("); ok {
			selector, _, _ := strings.Cut(of, ", ")
			all[selector] = v.Name
		}
	}
	return all
}

// Every selector names what is kept, by one breakdown over one length of windows, and
// nothing is added up that counts the same twice.
func TestExpressions(t *testing.T) {
	c := shipped(t).Catalogue
	for name, d := range made(t, shipped(t)) {
		for expr, where := range questions(d) {
			parser.Inspect(parse(t, expr), func(n parser.Node, path []parser.Node) error {
				v, ok := n.(*parser.VectorSelector)
				if !ok || strings.HasSuffix(name, "service.json") || v.Name == expression.Alerts {
					return nil
				}
				by, window := equal(v, "by"), equal(v, "window")
				k, part := c.Series(v.Name)
				if k == nil || !slices.Contains(k.Parts(), part) {
					t.Errorf("%s, %s: %s is no series", name, where, v.Name)
					return nil
				}
				w, err := kpi.ParseWindow(window)
				if err != nil || !k.Keeps(w) || !slices.ContainsFunc(k.By, func(s kpi.Set) bool { return s.String() == by }) {
					t.Errorf("%s, %s: %s is not kept by %q over %q", name, where, k.Name, by, window)
				}
				if added(path) && part == kpi.ValuePart && (k.Ratio() || !(cut{kpi: k}).adds()) {
					t.Errorf("%s, %s: %s adds up %s, which does not add up", name, where, expr, k.Name)
				}
				return nil
			})
		}
	}
}

// equal is the value that a selector wants of a label.
func equal(v *parser.VectorSelector, label string) string {
	for _, m := range v.LabelMatchers {
		if m.Name == label && m.Type == labels.MatchEqual {
			return m.Value
		}
	}
	return ""
}

// added reports whether what stands below a path is summed.
func added(path []parser.Node) bool {
	return slices.ContainsFunc(path, func(n parser.Node) bool {
		switch n := n.(type) {
		case *parser.AggregateExpr:
			return n.Op == parser.SUM || n.Op == parser.AVG
		case *parser.Call:
			return n.Func.Name == "sum_over_time" || n.Func.Name == "avg_over_time"
		}
		return false
	})
}

func TestCompared(t *testing.T) {
	for _, tt := range []struct {
		expr  string
		op    parser.ItemType
		level float64
		ok    bool
	}{
		{`kpi_a{by="total",window="5m"} < 0.2`, parser.LSS, 0.2, true},
		{`(0.2) >= (kpi_a)`, parser.LTE, 0.2, true},
		{`kpi_a > -3`, parser.GTR, -3, true},
		{`kpi_a == 1`, parser.EQLC, 1, true},
		{`kpi_a > kpi_b`, 0, 0, false},
		{`kpi_a`, 0, 0, false},
	} {
		of, op, level, ok := compared(parse(t, tt.expr))
		if ok != tt.ok || ok && (op != tt.op || level != tt.level || of.Name != "kpi_a") {
			t.Errorf("%s: got %v %s %g %t", tt.expr, of, op, level, ok)
		}
	}
}
