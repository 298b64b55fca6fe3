package alerts

import (
	"context"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

type group struct {
	name     string
	interval int64 // ms
	// evaluated is the event time of its last evaluation.
	evaluated int64
	// ofAlerts is set where a rule asks which alerts there are.
	ofAlerts bool
	rules    []*rule
}

func newGroup(g *Group, interval time.Duration) *group {
	return &group{name: g.Name, interval: ceil(interval.Milliseconds(), sliceMillis)}
}

// isDue reports whether a group is evaluated now: on the multiples of its
// interval. If there was no close at the last one, then as soon as there is.
// What closed before and is not judged yet makes the difference: over empty
// time nothing is due.
func (e *Engine) isDue(g *group, now int64) bool {
	if g.interval == 0 || now%g.interval == 0 {
		return true
	}
	return e.behind(g) && now/g.interval != e.now/g.interval
}

// restless is for how long after a close the rules about alerts follow each other: those that
// never come to rest, such as an alert that fires while it does not, are left to the next one.
const restless = int64(time.Hour / time.Millisecond)

// behind reports whether there is what a group has not judged: of the last close, or of the
// alerts as they are since.
func (e *Engine) behind(g *group) bool {
	return g.evaluated != e.now || g.ofAlerts && e.moved == e.now && e.now < e.closed+restless
}

// A rule is a Rule at work.
type rule struct {
	*Rule
	*binding  // nil for a rule that is queried
	roster    *roster
	selection selection
	group     string
	// which tells rules of one name and group apart: by their labels, and equal
	// ones by their order.
	which      string
	alone      bool // in its name and group
	minSamples int64
	limit      int               // of results; 0 for none
	offset     int64             // ms that it looks back
	ends       int64             // ms between the times at which its verdicts can be judged again; 0 for never
	active     map[string]*alert // by appendKey of its series
	evaluated  bool
	// selected are the series of the last evaluation, decided those that could be judged, mixed
	// those that could not, as they are in several currencies.
	selected, decided, mixed int
	// several is set where the expression of the last evaluation had nothing of a selector,
	// as its series are in several currencies.
	several bool

	err    error // of the last templates
	failed error // of the last evaluation
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
func (r *rule) read(v View, now int64, turn uint64) (in reading) {
	if r.queried() {
		in.vector, in.mixed, in.err = v.Query(context.Background(), r.Expr, now-r.offset)
	} else {
		r.roster.see(v, turn)
	}
	if r.Recover != "" && r.recovery == nil && len(r.active) > 0 && in.err == nil {
		in.recovered, _, in.err = v.Query(context.Background(), r.Recover, now-r.offset)
	}
	if r.queried() && in.err == nil && r.misses(in.vector) {
		in.measured = r.measure(v, now)
	}
	return in
}

// misses reports whether an alert that fires is not among results.
func (r *rule) misses(results promql.Vector) bool {
	firing := 0
	for _, a := range r.active {
		if a.state == Firing {
			firing++
		}
	}
	if firing == 0 {
		return false
	}
	for key := range index(results) {
		if a := r.active[key]; a != nil && a.state == Firing {
			firing--
		}
	}
	return firing > 0
}

// selects reports whether the rule's matchers take a series.
func (r *rule) selects(series []string) bool {
	for i, ms := range r.match {
		if !matches(ms, series[i]) {
			return false
		}
	}
	return true
}

// takes reports whether they take the currency of a sample. An amount of nothing has none
// yet.
func (r *rule) takes(s *sample.Sample) bool {
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

// decides reports whether a sample says enough for a verdict; known if it has a value.
func (r *rule) decides(s *sample.Sample, known bool) bool {
	if known {
		return s.N(r.kpi) >= r.minSamples
	}
	return r.NoData != NoDataKeep
}

// holds reports whether the condition is true of what is compared, if that is known.
func (r *rule) holds(value float64, known bool) bool {
	return known && r.selector.holds(value) || !known && r.NoData == NoDataAlert
}

// ofNothing reports whether the condition is true of a series of which nothing is left.
func (r *rule) ofNothing() bool {
	s := sample.Sample{Null: r.kpi.Nullable()}
	value, ok := r.compares(&s)
	return r.decides(&s, ok) && r.holds(value, ok)
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
