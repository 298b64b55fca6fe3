package backtest

import (
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/internal/queryable"
	"github.com/tidewatch/tidewatch/kpi"
)

// A sight tells what expressions see.
type sight struct {
	catalogue *kpi.Catalogue
	recorded  map[string][]parser.Expr // by name; none reads itself
}

func newSight(c *kpi.Catalogue, recordings []queryable.Recording) *sight {
	s := &sight{c, map[string][]parser.Expr{}}
	for _, r := range recordings {
		s.recorded[r.Name] = append(s.recorded[r.Name], r.Expr)
	}
	return s
}

// asked are the expressions of a rule.
func asked(r *alerts.Rule) (list []parser.Expr, err error) {
	for _, text := range []string{r.Expr, r.Recover} {
		if text == "" {
			continue
		}
		e, err := expression.Parse(text)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}

// A selection is what a selector may be of: a KPI by sets in windows, and in those before them.
type selection struct {
	kpi     *kpi.KPI
	sets    []kpi.Set
	windows []kpi.Window
	past    time.Duration
}

// see tells what a selector sees: the expressions of recordings, and series of KPIs.
func (s *sight) see(v *parser.VectorSelector) (recorded []parser.Expr, series []selection) {
	kpis, past := s.catalogue.KPIs, time.Duration(0)
	if i := slices.IndexFunc(v.LabelMatchers, func(m *labels.Matcher) bool {
		return m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual
	}); i >= 0 {
		name := v.LabelMatchers[i].Value
		recorded, kpis = s.recorded[name], nil
		if k, part := s.catalogue.Series(name); k != nil {
			kpis, past = []*kpi.KPI{k}, queryable.Past(part)
		}
	}
	for _, k := range kpis {
		one := selection{kpi: k, past: past}
		for _, by := range k.By {
			if takes(v, "by", by.String()) {
				one.sets = append(one.sets, by)
			}
		}
		for _, w := range k.Windows {
			if takes(v, "window", w.String()) {
				one.windows = append(one.windows, w)
			}
		}
		series = append(series, one)
	}
	return recorded, series
}

// takes reports whether a selector takes the text of a label.
func takes(v *parser.VectorSelector, label, text string) bool {
	return !slices.ContainsFunc(v.LabelMatchers, func(m *labels.Matcher) bool { return m.Name == label && !m.Matches(text) })
}

// asksOfAlerts reports whether an expression is about the alerts that there are.
func (s *sight) asksOfAlerts(e parser.Expr) (asks bool) {
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			recorded, _ := s.see(v)
			asks = asks || expression.OfAlerts(v.LabelMatchers) || slices.ContainsFunc(recorded, s.asksOfAlerts)
		}
		return nil
	})
	return asks
}
