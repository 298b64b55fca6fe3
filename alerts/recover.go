package alerts

import (
	"fmt"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/kpi"
)

// recoverOf reads on which condition the alerts of a rule are over that fire by another one.
func (r *ruleReader) recoverOf(rule *Rule, condition parser.Expr) {
	if rule.Recover == "" {
		return
	}
	asked := &Rule{Expr: rule.Recover, MinSamples: -1, File: rule.File, path: rule.path, line: rule.line, exprLine: rule.recoverLine, below: ".recover"}
	expr, err := expression.Parse(rule.Recover)
	if err != nil {
		asked.note(r.Add, ".expr", rule.Recover, "is no expression: "+err.Error(), "write one such as kpi_NAME{by=\"channel\",window=\"5m\"} > 0.02")
		return
	}
	if implies(expr, condition) {
		asked.note(r.Warn, ".expr", expr.String(), "holds only where the condition does, so that no alert is over by it", "compare with what lies beyond the threshold of expr")
	}
	if s := compile(expr); s != nil && rule.selector != nil && s.ofSame(rule.selector) {
		rule.recovery = s
		if r.catalogue != nil {
			r.doubt(asked, expr)
		}
		return
	}
	// What it reads is looked at as that of an expression of its own.
	r.queryOf(asked, expr)
	if e, ok := expression.Bare(expr).(*parser.BinaryExpr); ok && e.Op.IsComparisonOperator() && !e.ReturnBool {
		rule.recovered.compare(e)
	}
	if need := r.unmet(rule, condition, expr); need != "" {
		asked.note(r.Warn, ".expr", expr.String(), "is of other series, so that no alert is over by it", "its results would need "+need+" of the alerts")
		return
	}
	r.compared(asked, expression.Bare(expr))
}

// unmet is a label by which no result of an expression can be of an alert of a rule, "" if
// none is known.
func (r *ruleReader) unmet(rule *Rule, condition, recovery parser.Expr) string {
	if r.catalogue == nil {
		return ""
	}
	alerts, results := r.shapeOf(condition), r.shapeOf(recovery)
	if rule.selector != nil { // of its labels only the fields count
		alerts = alerts.keeping(among(rule.selector.by))
	}
	name := alerts.unlike(results)
	if name == "" && results != nil && alerts.has(kpi.CurrencyField) && !results.has(kpi.CurrencyField) {
		name = kpi.CurrencyField
	}
	switch {
	case name == "":
		return ""
	case results.has(name):
		return fmt.Sprintf("%s=%q", name, alerts[name])
	}
	return "the label " + name
}

// implies reports whether a condition holds only where another does, as far as both hold the
// same against a number.
func implies(a, b parser.Expr) bool {
	of, inner, ok := comparisonOf(a)
	same, outer, is := comparisonOf(b)
	return ok && is && of.String() == same.String() && inner.within(outer)
}

// recovers is what the value of an alert is held against to be over, where that is the value
// that the rule shows and it is held against a number.
func (r *Rule) recovers() (comparison, bound string) {
	switch of := &r.recovered; {
	case r.recovery != nil:
		return r.recovery.op.String(), formatFloat(r.recovery.threshold)
	case of.measured != "" && of.measured == r.query.measured:
		return of.comparison, of.bound
	}
	return "", ""
}

// recoverFigures adds on which condition an alert is over.
func (r *Rule) recoverFigures(figures map[string]string) {
	if r.Recover == "" {
		return
	}
	figures["recover"] = r.Recover
	if comparison, bound := r.recovers(); bound != "" {
		figures["recover_comparison"], figures["recover_threshold"] = comparison, bound
	}
}

// ofSame reports whether selectors are of the same series.
func (s *selector) ofSame(other *selector) bool {
	return s.series == other.series && slices.Equal(s.by, other.by) && s.window == other.window && slices.EqualFunc(s.matchers, other.matchers, func(a, b *labels.Matcher) bool { return a.String() == b.String() })
}

// lasts reports whether an alert of which the condition is gone goes on, since what it
// recovers on does not hold yet.
func (a *alert) lasts(recovered promql.Vector) bool {
	return a.state == Firing && a.rule.Recover != "" && !slices.ContainsFunc(recovered, a.isOf)
}

// isOf reports whether a result has the labels of the alert's series.
func (a *alert) isOf(s promql.Sample) bool {
	for i, f := range a.fields {
		if s.Metric.Get(f) != a.series[i] {
			return false
		}
	}
	return true
}

// recovers reports whether an alert whose series has a value is over, the condition being
// gone.
func (a *alert) recovers(value float64, in reading) bool {
	if a.rule.recovery != nil {
		return a.rule.recovery.holds(value)
	}
	return !a.lasts(in.recovered)
}
