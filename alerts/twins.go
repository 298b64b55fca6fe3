package alerts

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/tidewatch/tidewatch/internal/document"
)

// A bound is a rule that has found its series.
type bound struct {
	*Rule
	*binding
}

// twins finds the rules whose alerts can have the labels of another rule's:
// receivers know an alert by its labels, so that the resolve of one would be
// taken for the other's.
func twins(rules []bound) []*document.Problem {
	var problems []*document.Problem
	first := map[string][]bound{}
	for _, r := range rules {
		own := maps.Clone(r.Labels)
		maps.DeleteFunc(own, func(_, v string) bool { return v == "" }) // as if it were not there
		key := fmt.Sprintf("%q %q %q %s", r.Alert, r.by, r.selector.window, labels.FromMap(own))
		if i := slices.IndexFunc(first[key], func(o bound) bool { return !apart(o.binding, r.binding) }); i >= 0 {
			p := &document.Problem{
				Value: strconv.Quote(r.Alert), Rule: "has alerts of the labels of " + first[key][i].where() + ": receivers could not tell them apart",
				Remedy: "give it another name, or a label such as severity that differs",
			}
			r.place(p, "")
			problems = append(problems, p)
			continue
		}
		first[key] = append(first[key], r)
	}
	return problems
}

// where names the rule by its place.
func (r *Rule) where() string { return fmt.Sprintf("%s:%d (%s)", r.File, r.line, r.path) }

// apart reports whether no series is taken by both.
func apart(a, b *binding) bool {
	for i := range a.match {
		if exclude(a.match[i], b.match[i]) || exclude(b.match[i], a.match[i]) {
			return true
		}
	}
	// Where nothing is in any currency, what does not say one is named by none.
	return (sole(a.currency) != "" || sole(b.currency) != "") && (exclude(a.currency, b.currency) || exclude(b.currency, a.currency))
}

// exclude reports whether matchers of a field take only values that others do
// not take.
func exclude(some, others []*labels.Matcher) bool {
	for _, m := range some {
		var values []string
		switch m.Type {
		case labels.MatchEqual:
			values = []string{m.Value}
		case labels.MatchRegexp:
			values = m.SetMatches()
		}
		if len(values) > 0 && !slices.ContainsFunc(values, func(v string) bool { return matches(others, v) }) {
			return true
		}
		inverse, err := m.Inverse()
		if err == nil && slices.ContainsFunc(others, func(o *labels.Matcher) bool { return o.Type == inverse.Type && o.Value == inverse.Value }) {
			return true
		}
	}
	return false
}
