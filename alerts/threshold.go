package alerts

import (
	"math"
	"strconv"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/kpi"
)

// settled says of a condition that it is always or never true, since no value
// of the series lies on the other side of its threshold. That a share can be
// above 1, when what it divides by is not in the window, makes no difference:
// a threshold of 1 is not settled.
func (s *selector) settled(b *binding) *document.Problem {
	low, high := b.extent()
	t := s.threshold
	var always, never bool
	switch s.op {
	case parser.LSS:
		always, never = t > high, t <= low
	case parser.LTE:
		always, never = t > high, t < low
	case parser.GTR:
		always, never = t < low, t > high
	case parser.GTE:
		always, never = t <= low, t > high
	case parser.EQLC:
		never = t < low || t > high
	case parser.NEQ:
		always = t < low || t > high
	}
	if !always && !never {
		return nil
	}
	what, remedy := "a number that is never below 0", "compare with a larger number"
	if high == 1 {
		what, remedy = "a share between 0 and 1", "compare with a number in between"
		if t > 1 && t <= 100 {
			remedy = "for " + formatFloat(t) + " % write " + strconv.FormatFloat(t/100, 'g', 10, 64)
		}
	}
	word := "never"
	if always {
		word = "always"
	}
	return &document.Problem{Value: s.series + " " + s.op.String() + " " + formatFloat(t), Rule: "is " + word + " true, the KPI is " + what, Remedy: remedy}
}

// extent is what the values of the series lie between: what is counted is at
// least 0, a sum can be anything.
func (b *binding) extent() (low, high float64) {
	measure := &b.kpi.Numerator
	switch {
	case b.part == kpi.DenominatorPart:
		measure = b.kpi.Denominator
	case b.part == kpi.NumeratorPart || !b.kpi.Ratio():
	case b.kpi.Share() && b.kpi.Minus == nil:
		return 0, 1
	default:
		return math.Inf(-1), math.Inf(1)
	}
	if measure.Op.OfField() || b.kpi.Minus != nil && measure == &b.kpi.Numerator {
		return math.Inf(-1), math.Inf(1)
	}
	return 0, math.Inf(1)
}
