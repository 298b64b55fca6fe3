package queryable

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/spelling"
	"github.com/tidewatch/tidewatch/kpi"
)

// A MixedError warns of a selector that has nothing, since its series are in several currencies.
type MixedError struct{ series, remedy string }

func (e *MixedError) Error() string {
	return e.series + " is in several currencies, which are not added up: " + e.remedy
}

// Mixed reports whether such a warning is among those of a query.
func Mixed(warnings annotations.Annotations) bool {
	for _, w := range warnings {
		if _, is := errors.AsType[*MixedError](w); is {
			return true
		}
	}
	return false
}

// ownPrefix begins the names of what the service measures of itself.
const ownPrefix = "tidewatch_"

// Matches reports whether series of a catalogue can match a selector, and if none ever can
// why, where that is known.
func Matches(c *kpi.Catalogue, matchers []*labels.Matcher) (some bool, why error) {
	for range targets(c, matchers) {
		return true, nil
	}
	return false, errors.Join(slices.Collect(maps.Values(amiss(c, matchers)))...)
}

// amiss warns of a selector that names KPIs, and that no series of theirs can ever match.
func amiss(c *kpi.Catalogue, matchers []*labels.Matcher) (warnings annotations.Annotations) {
	for range targets(c, matchers) {
		return nil
	}
	of := map[string][]*labels.Matcher{}
	for _, m := range matchers {
		of[m.Name] = append(of[m.Name], m)
	}
	for _, m := range of[model.MetricNameLabel] {
		if m.Type != labels.MatchEqual && m.Type != labels.MatchRegexp {
			continue
		}
		if p := wrong(c, m, of); p != nil {
			warnings.Add(p)
		}
	}
	return warnings
}

// wrong says what is wrong with a selector by what it says of the name and of other labels;
// nil where that is not known.
func wrong(c *kpi.Catalogue, name *labels.Matcher, of map[string][]*labels.Matcher) *document.Problem {
	switch {
	case strings.HasPrefix(name.Value, ownPrefix):
		return &document.Problem{Value: name.Value, Rule: "is of the service itself, and has no history here", Remedy: "it is on /metrics: ask a Prometheus that scrapes it"}
	case !strings.HasPrefix(name.Value, kpi.SeriesPrefix):
		return c.Unprefixed(name.Value)
	case name.Type == labels.MatchEqual:
		if p := c.NoSeries(name.Value); p != nil {
			return p
		}
		k, part := c.Series(name.Value)
		return wrongOf(k, part, name.Value, of)
	}
	for _, k := range c.KPIs {
		matches := func(p kpi.Part) bool { return name.Matches(k.Series(p)) }
		if slices.ContainsFunc(k.Parts(), matches) {
			return &document.Problem{Value: name.String(), Rule: "has no series with the other labels", Remedy: "name one KPI to be told why"}
		}
		if i := slices.IndexFunc(k.Usual(), matches); i >= 0 {
			return &document.Problem{Value: name.String(), Rule: "is about what is usual, which is found by its name alone", Remedy: "write one out, such as " + k.Series(k.Usual()[i])}
		}
	}
	return &document.Problem{Value: name.String(), Rule: "matches no KPI of the catalogue", Remedy: "GET /api/v1/kpis lists those that there are"}
}

// wrongOf is the same of a part of a KPI.
func wrongOf(k *kpi.KPI, part kpi.Part, series string, of map[string][]*labels.Matcher) *document.Problem {
	sets := slices.DeleteFunc(slices.Clone(k.By), func(s kpi.Set) bool { return !all(of[byLabel], s.String()) })
	lengths := slices.DeleteFunc(slices.Clone(k.Windows), func(w kpi.Window) bool { return !all(of[windowLabel], w.String()) })
	switch {
	case len(sets) == 0:
		return k.UnkeptSet(shown(of[byLabel]), of[byLabel][0].Value)
	case len(lengths) == 0:
		return k.UnkeptWindow(shown(of[windowLabel]), of[windowLabel][0].Value)
	case slices.Contains(k.Usual(), part) && !slices.Contains(lengths, kpi.Seasonal):
		return &document.Problem{Value: shown(of[windowLabel]), Rule: "has no " + series, Remedy: fmt.Sprintf("use window=%q", kpi.Seasonal)}
	}
	names := func(sets []kpi.Set) (out []string) {
		for _, by := range sets {
			out = append(out, k.Labels(by)...)
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	for _, label := range slices.Sorted(maps.Keys(of)) {
		if label == model.MetricNameLabel || all(of[label], "") || slices.Contains(names(sets), label) {
			continue
		}
		if ever := names(k.By); !slices.Contains(ever, label) {
			return &document.Problem{Value: label, Rule: "is no label of " + series, Remedy: spelling.Meant(spelling.Nearest(label, ever), "it has "+strings.Join(ever, ", "))}
		}
		var with []string
		for _, by := range k.By {
			if slices.Contains(names([]kpi.Set{by}), label) {
				with = append(with, fmt.Sprintf("by=%q", by))
			}
		}
		return &document.Problem{Value: label, Rule: "is no label of series " + shown(of[byLabel]), Remedy: "use one of " + strings.Join(with, ", ")}
	}
	return nil
}

// shown are matchers as they are written.
func shown(list []*labels.Matcher) string {
	texts := make([]string, len(list))
	for i, m := range list {
		texts[i] = m.String()
	}
	return strings.Join(texts, ",")
}
