package queryable

import (
	"iter"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// Labels that are no fields of events.
const (
	byLabel       = "by"
	windowLabel   = "window"
	currencyLabel = "currency"
	cohortLabel   = "cohort"
)

// A target is where series are that a selector asks for: a KPI by a dimension set in a
// window length.
type target struct {
	Question
	parts []kpi.Part
	cache *Cache
	usual bool // they are the KPI's Usual ones
	// match has the matchers of the field at the same index of By, behind them those of
	// the currency and the cohort.
	match [][]*labels.Matcher
}

// A Namer tells the labels of the series of a KPI by a set in a window length, but for
// their name: wherever Prometheus' language is spoken they are these. To that a label with
// an empty text is none.
type Namer struct {
	Question
	by, window string
	money      bool // the currency is a label of its own
	calendar   *kpi.Calendar
}

// NewNamer makes one.
func NewNamer(q Question, c *kpi.Calendar) *Namer {
	return &Namer{q, q.By.String(), q.Window.String(), q.KPI.ByCurrency(q.By), c}
}

// Tell tells those of a sample of an answer.
func (n *Namer) Tell(a *sample.Answer, s *sample.Sample, tell func(label, value string)) {
	of := ""
	if n.KPI.FinalOnly {
		of = cohort(a, n.calendar)
	}
	n.tell(&name{values: s.Labels, currency: s.Currency, cohort: of}, tell)
}

func (n *Namer) tell(of *name, tell func(label, value string)) {
	tell(byLabel, n.by)
	tell(windowLabel, n.window)
	for i, field := range n.By {
		if of.values[i] != "" {
			tell(field, of.values[i])
		}
	}
	if of.currency != "" && n.money {
		tell(currencyLabel, of.currency)
	}
	if n.KPI.FinalOnly {
		tell(cohortLabel, of.cohort)
	}
}

// cohort is the business day of an answer.
func cohort(a *sample.Answer, c *kpi.Calendar) string { return c.Format(c.Day(a.Start.UnixMilli())) }

// names are the labels that series of the target have.
func (t *target) names() []string {
	return append([]string{model.MetricNameLabel}, t.KPI.Labels(t.By)...)
}

// targets are where series can be that match. What is usual costs much to tell: it is, where
// it is asked for by its name.
func targets(c *kpi.Catalogue, matchers []*labels.Matcher) iter.Seq[*target] {
	return targetsAnd(c, matchers, slices.ContainsFunc(matchers, func(m *labels.Matcher) bool {
		return m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual
	}))
}

// possible are targets, and also those of what is usual by whatever name.
func possible(c *kpi.Catalogue, matchers []*labels.Matcher) iter.Seq[*target] {
	return targetsAnd(c, matchers, true)
}

func targetsAnd(c *kpi.Catalogue, matchers []*labels.Matcher, ofUsual bool) iter.Seq[*target] {
	of := map[string][]*labels.Matcher{}
	for _, m := range matchers {
		of[m.Name] = append(of[m.Name], m)
	}
	names := of[model.MetricNameLabel]
	return func(yield func(*target) bool) {
		for _, k := range named(c, names) {
			other := func(p kpi.Part) bool { return !all(names, k.Series(p)) }
			if !targetsOf(k, of, slices.DeleteFunc(k.Parts(), other), false, yield) {
				return
			}
			if ofUsual && !targetsOf(k, of, slices.DeleteFunc(k.Usual(), other), true, yield) {
				return
			}
		}
	}
}

// targetsOf visits the targets of parts of a KPI, until yield returns false.
func targetsOf(k *kpi.KPI, of map[string][]*labels.Matcher, parts []kpi.Part, usual bool, yield func(*target) bool) bool {
	if len(parts) == 0 {
		return true
	}
	for _, by := range k.By {
		if !all(of[byLabel], by.String()) {
			continue
		}
		for _, w := range k.Windows {
			if usual && w != kpi.Seasonal {
				continue
			}
			t := &target{Question: Question{KPI: k, By: by, Window: w}, parts: parts, usual: usual}
			if all(of[windowLabel], w.String()) && t.take(of) && !yield(t) {
				return false
			}
		}
	}
	return true
}

// named are the KPIs that can have series of the name.
func named(c *kpi.Catalogue, matchers []*labels.Matcher) []*kpi.KPI {
	for _, m := range matchers {
		if m.Type == labels.MatchEqual {
			if k, _ := c.Series(m.Value); k != nil {
				return []*kpi.KPI{k}
			}
			return nil
		}
	}
	return c.KPIs
}

// take takes in the matchers of the labels by which the series of the target are told
// apart, and reports whether some may match.
func (t *target) take(of map[string][]*labels.Matcher) bool {
	names := t.names()
	for name, list := range of {
		if !slices.Contains(names, name) && !all(list, "") {
			return false
		}
	}
	for _, field := range t.By {
		t.match = append(t.match, of[field])
		for _, m := range of[field] {
			if m.Type != labels.MatchEqual {
				continue
			}
			if t.Match == nil {
				t.Match = map[string]string{}
			}
			if before, twice := t.Match[field]; twice && before != m.Value {
				return false
			}
			t.Match[field] = m.Value
		}
	}
	last := [2][]*labels.Matcher{}
	if t.KPI.ByCurrency(t.By) {
		last[0] = of[currencyLabel]
	}
	if t.KPI.FinalOnly {
		last[1] = of[cohortLabel]
	}
	t.match = append(t.match, last[:]...)
	return true
}

// has reports whether the values of fields, the currency and the cohort match.
func (t *target) has(values []string, currency, cohort string) bool {
	return t.hasButCurrency(values, cohort) && all(t.match[len(t.By)], currency)
}

func (t *target) hasButCurrency(values []string, cohort string) bool {
	n := len(t.By)
	for i, list := range t.match[:n] {
		if !all(list, values[i]) {
			return false
		}
	}
	return all(t.match[n+1], cohort)
}

func all(list []*labels.Matcher, value string) bool {
	for _, m := range list {
		if !m.Matches(value) {
			return false
		}
	}
	return true
}
