package alerts

import (
	"github.com/prometheus/prometheus/model/labels"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

type group struct {
	name     string
	interval int64 // ms
	// evaluated is the event time of its last evaluation.
	evaluated int64
	rules     []*rule
}

// due reports whether the group is evaluated now: on the multiples of its
// interval. If there was no close at the last one, then as soon as there is.
// What closed before and is not judged yet makes the difference: over empty
// time nothing is due.
func (g *group) due(now, before int64) bool {
	if g.interval == 0 || now%g.interval == 0 {
		return true
	}
	return g.evaluated != before && now/g.interval != before/g.interval
}

// A rule is a Rule at work.
type rule struct {
	*Rule
	*binding
	group string
	// which tells rules of one name and group apart: by their labels, and equal
	// ones by their order.
	which      string
	alone      bool // in its name and group
	minSamples int64
	active     map[string]*alert // by appendKey of its series
	evaluated  bool
	err        error // of the last templates
}

// minimum is the n below which the rule decides nothing.
func (r *Rule) minimum(b *binding) int64 {
	switch {
	case r.MinSamples >= 0:
		return r.MinSamples
	case (b.kpi.Ratio() || b.kpi.Quantile()) && b.part != kpi.NumeratorPart && b.part != kpi.DenominatorPart:
		return DefaultMinSamples
	}
	return 0
}

// selects reports whether the rule's matchers take the series.
func (r *rule) selects(s *sample.Sample) bool {
	for i, ms := range r.match {
		if !matches(ms, s.Labels[i]) {
			return false
		}
	}
	// An amount of nothing has no currency yet.
	return s.Currency == "" || matches(r.currency, s.Currency)
}

func matches(ms []*labels.Matcher, value string) bool {
	for _, m := range ms {
		if !m.Matches(value) {
			return false
		}
	}
	return true
}

// value is the number that the rule compares, if the sample has it.
func (r *rule) value(s *sample.Sample) (float64, bool) { return s.Part(r.kpi, r.part) }

// appendKey appends the values of a series. 0xff stands in no label.
func appendKey(b []byte, series []string) []byte {
	for _, v := range series {
		b = append(b, v...)
		b = append(b, 0xff)
	}
	return b
}
