package alerts

import (
	"slices"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/kpi"
)

// A Subject is what a notification's figures are of.
type Subject struct {
	KPI string `json:"kpi"`
	// Title is that of the KPI, or of its part that is compared.
	Title kpi.Text `json:"title"`
	// Unit is that of value, threshold, low and high: of percent a share, of money minor
	// units.
	Unit kpi.Unit `json:"unit"`
	// Currency is the only one that an expression asks for whose results do not say it.
	Currency string `json:"currency,omitempty"`
	// Across is set where an expression takes amounts together whatever their currency.
	Across bool `json:"across,omitempty"`
}

func subjectOf(k *kpi.KPI, p kpi.Part) *Subject {
	return &Subject{KPI: k.Name, Title: k.TitleOf(p), Unit: unitOf(k, p)}
}

// unitOf is the unit of a part of a KPI.
func unitOf(k *kpi.KPI, p kpi.Part) kpi.Unit {
	of := &k.Numerator
	switch p {
	case kpi.NumeratorPart:
	case kpi.DenominatorPart:
		of = k.Denominator
	default:
		return k.Unit
	}
	switch {
	case of == nil:
		return kpi.UnitNumber
	case of.Money:
		return kpi.UnitMoney
	case of.Op.OfField():
		return kpi.UnitNumber
	}
	return kpi.UnitCount
}

// subject is what the rule is about, nil where that is not known.
func (r *rule) subject() *Subject {
	if r.queried() {
		return r.query.subject
	}
	return subjectOf(r.kpi, r.part)
}

// measured is the selector whose values an expression comes to, or what is chosen, added
// up or averaged of them: such a number has the unit of the KPI. nil for anything else.
func measured(e parser.Expr) *parser.VectorSelector {
	for e != nil {
		if v, ok := expression.Bare(e).(*parser.VectorSelector); ok {
			return v
		}
		e = within(e)
	}
	return nil
}

// across is the first aggregation on the way to that selector that drops the currency, nil for
// none.
func across(e parser.Expr) *parser.AggregateExpr {
	for ; e != nil; e = within(e) {
		a, ok := expression.Bare(e).(*parser.AggregateExpr)
		if ok && a.Op != parser.TOPK && a.Op != parser.BOTTOMK && slices.Contains(a.Grouping, kpi.CurrencyField) == a.Without {
			return a
		}
	}
	return nil
}

// within is what an expression comes to values of, nil where it computes others.
func within(e parser.Expr) parser.Expr {
	switch e := expression.Bare(e).(type) {
	case *parser.MatrixSelector:
		return e.VectorSelector
	case *parser.SubqueryExpr:
		return e.Expr
	case *parser.BinaryExpr:
		switch {
		case e.ReturnBool:
		case e.Op.IsComparisonOperator():
			left, _, _ := expression.Sides(e)
			return left
		case e.Op == parser.LAND, e.Op == parser.LUNLESS:
			return e.LHS
		}
	case *parser.AggregateExpr:
		switch e.Op {
		case parser.SUM, parser.AVG, parser.MIN, parser.MAX, parser.TOPK, parser.BOTTOMK, parser.QUANTILE:
			return e.Expr
		}
	case *parser.Call:
		switch e.Func.Name {
		case "sum_over_time", "avg_over_time", "min_over_time", "max_over_time", "last_over_time", "abs":
			return e.Args[0]
		case "quantile_over_time":
			return e.Args[1]
		}
	}
	return nil
}
