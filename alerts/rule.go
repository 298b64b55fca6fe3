package alerts

import (
	"time"

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

func newGroup(g *Group, interval time.Duration) *group {
	return &group{name: g.Name, interval: ceil(interval.Milliseconds(), sliceMillis)}
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
	*binding // nil for a rule that is queried
	group    string
	// which tells rules of one name and group apart: by their labels, and equal
	// ones by their order.
	which      string
	alone      bool // in its name and group
	minSamples int64
	limit      int               // of results; 0 for none
	offset     int64             // ms that it looks back
	active     map[string]*alert // by appendKey of its series
	evaluated  bool
	err        error // of the last templates
	failed     error // of the last evaluation
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

// read is what a view says of the rule.
func (r *rule) read(v View, now int64) (in reading) {
	if r.queried() {
		in.vector, in.err = v.Query(r.Expr, now-r.offset)
	} else {
		in.samples = v.Series(r.kpi.Name, r.by, r.selector.window)
	}
	if r.Recover != "" && r.recovery == nil && len(r.active) > 0 && in.err == nil {
		in.recovered, in.err = v.Query(r.Recover, now-r.offset)
	}
	return in
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

// key is where an alert of the rule is among the active ones.
func (r *rule) key(a *alert) string {
	if r.queried() { // each has fields of its own
		return string(appendKey(appendKey(nil, a.fields), a.series))
	}
	return string(appendKey(nil, a.series))
}
