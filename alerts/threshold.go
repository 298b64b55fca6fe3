package alerts

import (
	"math"
	"strconv"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/kpi"
)

// An extent is what values lie between.
type extent struct {
	low, high float64
	// strict is set where nothing is above high. A share is, where what it divides by is not in
	// the window.
	strict bool
}

var anything = extent{low: math.Inf(-1), high: math.Inf(1)}

// constant says of a condition that it is always or never true, since no value
// of the series lies on the other side of its threshold.
func (s *selector) constant(b *binding) *document.Problem {
	return extentOf(b.kpi, b.part).constant(s.series, s.op, s.threshold)
}

// constant says so of a comparison with t.
func (e extent) constant(what string, op parser.ItemType, t float64) *document.Problem {
	above := t > e.high || e.strict && t == e.high // no value is above t
	var always, never bool
	switch op {
	case parser.LSS:
		always, never = t > e.high, t <= e.low
	case parser.LTE:
		always, never = above, t < e.low
	case parser.GTR:
		always, never = t < e.low, above
	case parser.GTE:
		always, never = t <= e.low, t > e.high
	case parser.EQLC:
		never = t < e.low || t > e.high
	case parser.NEQ:
		always = t < e.low || t > e.high
	}
	if !always && !never {
		return nil
	}
	is, remedy := "a number that is never below 0", "compare with a larger number"
	if e.high == 1 {
		is, remedy = "a share between 0 and 1", "compare with a number in between"
		if t > 1 && t <= 100 {
			remedy = "for " + formatFloat(t) + " % write " + strconv.FormatFloat(t/100, 'g', 10, 64)
		}
	}
	word := "never"
	if always {
		word = "always"
	}
	return &document.Problem{Value: what + " " + op.String() + " " + formatFloat(t), Rule: "is " + word + " true, the KPI is " + is, Remedy: remedy}
}

// extentOf is that of a part of a KPI: what is counted is at least 0, a sum can be anything.
func extentOf(k *kpi.KPI, part kpi.Part) extent {
	measure := &k.Numerator
	switch {
	case part == kpi.DenominatorPart:
		measure = k.Denominator
	case part == kpi.NumeratorPart || !k.Ratio():
	case k.Share() && k.Minus == nil:
		return extent{0, 1, k.Within()}
	default:
		return anything
	}
	if measure.Op.OfField() || k.Minus != nil && measure == &k.Numerator {
		return anything
	}
	return extent{low: 0, high: math.Inf(1)}
}
