// Package contribution says which values of a dimension the change of a KPI comes from.
//
// What is counted or added up changes by the sum of the changes of its parts. Of a ratio
// r = n/d that was r₀ = n₀/d₀ before, the part with nᵢ and dᵢ contributes
//
//	(nᵢ - r₀dᵢ)/d - (nᵢ₀ - r₀dᵢ₀)/d₀
//
// which adds up to r - r₀, whether the part's own ratio has changed or its weight.
package contribution

import (
	"cmp"
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// Least is the smallest share of a change that is told.
const Least = 0.25

// Applies reports whether changes of a KPI come from parts: not those of quantiles, of the
// largest and smallest numbers, and of lists of the largest.
func Applies(k *kpi.KPI) bool {
	return k.Top == 0 && !k.Quantile() && !k.Numerator.Op.Extreme()
}

// A Window is a KPI in one window: whole, and by the values of a field, whose place among the
// labels of the parts is At.
type Window struct {
	Whole sample.Sample
	Parts []sample.Sample
	At    int
}

// Of are the values of a field that contribute most to the change from one window to another,
// the largest share first: at most so many.
func Of(k *kpi.KPI, field string, before, now Window, most int) []alerts.Contribution {
	if before.Whole.Null || now.Whole.Null || before.Whole.Currency != now.Whole.Currency && before.Whole.Currency != "" && now.Whole.Currency != "" {
		return nil
	}
	was, is := amounts(k, &before.Whole), amounts(k, &now.Whole)
	parts := map[string]*[2]*sample.Sample{}
	for i, w := range []Window{before, now} {
		for j := range w.Parts {
			s := &w.Parts[j]
			value := s.Labels[w.At]
			if parts[value] == nil {
				parts[value] = &[2]*sample.Sample{}
			}
			parts[value][i] = s
		}
	}
	whole := is.less(is, was) - was.less(was, was)
	if len(parts) < 2 || whole == 0 || math.IsNaN(whole) { // one value says nothing
		return nil
	}
	var out []alerts.Contribution
	for value, p := range parts {
		share := (amounts(k, p[1]).less(is, was) - amounts(k, p[0]).less(was, was)) / whole
		if share < Least || math.IsNaN(share) {
			continue
		}
		out = append(out, alerts.Contribution{
			Field: field, Value: value, Share: share, Before: valueOf(k, p[0]), Now: valueOf(k, p[1]), BeforeN: restsOn(k, p[0]), N: restsOn(k, p[1]),
		})
	}
	slices.SortFunc(out, func(a, b alerts.Contribution) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.Value, b.Value))
	})
	return out[:min(most, len(out))]
}

// An amount is what a KPI counts, and of a ratio what it divides by.
type amount struct {
	n, d  float64
	ratio bool
}

func amounts(k *kpi.KPI, s *sample.Sample) amount {
	if s == nil {
		return amount{ratio: k.Ratio()}
	}
	return amount{s.Numerator.Float(), s.Denominator.Float(), k.Ratio()}
}

// less is what a part of the whole adds to it beyond what it would at the former ratio.
func (a amount) less(whole, former amount) float64 {
	if !a.ratio {
		return a.n
	}
	return (a.n - former.n/former.d*a.d) / whole.d
}

// restsOn is the sample size of a ratio. What is counted is its own.
func restsOn(k *kpi.KPI, s *sample.Sample) int64 {
	if s == nil || !k.Ratio() {
		return 0
	}
	return s.N(k)
}

func valueOf(k *kpi.KPI, s *sample.Sample) *float64 {
	if s == nil || s.Null {
		return nil
	}
	return new(s.Value(k))
}
