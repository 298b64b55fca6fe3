package expression

import (
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// The series by which Prometheus tells of alerts.
const (
	// Alerts is 1 for as long as an alert is in the state that the label AlertState has.
	Alerts     = "ALERTS"
	AlertState = "alertstate"
	// AlertsSince is since when the condition of an alert holds, in Unix seconds.
	AlertsSince = "ALERTS_FOR_STATE"
)

// OfAlerts reports whether a selector may be about those series: by its name, or by a label
// that they alone have.
func OfAlerts(matchers []*labels.Matcher) bool {
	about := false
	for _, m := range matchers {
		switch m.Name {
		case model.MetricNameLabel:
			if !m.Matches(Alerts) && !m.Matches(AlertsSince) {
				return false
			}
			about = true
		case model.AlertNameLabel, AlertState:
			about = about || !m.Matches("")
		}
	}
	return about
}

// Selectors visits those of an expression; past says that one looks at other times than that
// at which it is evaluated, too.
func Selectors(e parser.Expr, visit func(v *parser.VectorSelector, past bool)) {
	parser.Inspect(e, func(n parser.Node, path []parser.Node) error {
		v, ok := n.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		past := v.OriginalOffset != 0 || v.OriginalOffsetExpr != nil || v.Timestamp != nil || v.StartOrEnd != 0
		for _, around := range path {
			switch around.(type) {
			case *parser.MatrixSelector, *parser.SubqueryExpr:
				past = true
			}
		}
		visit(v, past)
		return nil
	})
}
