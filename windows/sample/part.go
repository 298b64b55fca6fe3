package sample

import "github.com/tidewatch/tidewatch/kpi"

// Part is one of the numbers of a sample of k, if it has it: a null has no
// value, amounts of several currencies have no number at all, and a share above
// 1 has no interval.
func (s *Sample) Part(k *kpi.KPI, p kpi.Part) (float64, bool) {
	switch {
	case s.Mixed:
		return 0, false
	case p == kpi.NumeratorPart:
		return s.Numerator.Float(), true
	case p == kpi.DenominatorPart:
		return s.Denominator.Float(), true
	case s.Null || k.Ratio() && s.Denominator.N.Sign() == 0:
		return 0, false
	case p == kpi.ValuePart:
		return s.Value(k), true
	}
	low, high, ok := s.Interval(k)
	if p == kpi.HighPart {
		return high, ok
	}
	return low, ok
}
