package alerts

import (
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// ofOneSelector are the keys of a rule that are of one selector compared with a number.
func (r *Rule) ofOneSelector() (keys []string) {
	if r.MinSamples >= 0 {
		keys = append(keys, ".min_samples")
	}
	if r.Confidence != 0 {
		keys = append(keys, ".confidence")
	}
	if r.NoData != "" && r.NoData != NoDataKeep {
		keys = append(keys, ".no_data")
	}
	return keys
}

// sure refuses a confidence where there is no interval, or none that speaks against the
// condition.
func (r *ruleReader) sure(rule *Rule, b *binding) {
	switch op := rule.selector.op; {
	case rule.Confidence == 0:
	case !b.kpi.Interval() || b.part != kpi.ValuePart:
		rule.note(r.Add, ".confidence", "", "is of the value of a share: "+rule.selector.series+" has no interval", "remove it")
	case op == parser.EQLC || op == parser.NEQ:
		rule.note(r.Add, ".confidence", "", "does not go with "+op.String(), "compare with <, <=, > or >=")
	}
}

// usualConfidence is that of the interval of a value whose rule names none.
const usualConfidence = 0.95

// interval is that of the value which the rule is about, if it has one.
func (r *rule) interval(s *sample.Sample) (low, high float64, ok bool) {
	if s.Null || s.Mixed || r.part == kpi.NumeratorPart || r.part == kpi.DenominatorPart || !r.kpi.Interval() {
		return 0, 0, false
	}
	if r.Confidence == 0 {
		return s.Interval(r.kpi)
	}
	return s.IntervalOf(r.kpi, r.Confidence)
}

// compares is the number of a sample that the rule holds against its threshold: the value,
// or with a confidence the end of its interval that lies on the other side.
func (r *rule) compares(s *sample.Sample) (float64, bool) {
	value, ok := r.value(s)
	if !ok || r.Confidence == 0 {
		return value, ok
	}
	low, high, ok := s.IntervalOf(r.kpi, r.Confidence)
	if r.compared() == highEnd {
		return high, ok
	}
	return low, ok
}

// The ends of an interval.
const (
	lowEnd  = "low"
	highEnd = "high"
)

// compared is which end of the interval is, "" where the value is.
func (r *rule) compared() string {
	switch {
	case r.Confidence == 0:
		return ""
	case r.selector.op == parser.LSS || r.selector.op == parser.LTE:
		return highEnd
	}
	return lowEnd
}
