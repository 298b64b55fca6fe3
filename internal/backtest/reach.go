package backtest

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/internal/queryable"
	"github.com/tidewatch/tidewatch/kpi"
)

// A Reach is how far back it makes a difference to a rule what happened.
type Reach struct {
	// Span is that, with the time for which the rule waits. Ever says that there is no end.
	Span time.Duration
	Ever bool
	// What reaches as far.
	What string
}

// beyond reports whether it is further back than another.
func (r Reach) beyond(o Reach) bool { return r.Ever && !o.Ever || r.Ever == o.Ever && r.Span > o.Span }

// Reaches tells those of the rules of a file.
func Reaches(f *alerts.RuleFile, c *kpi.Catalogue, recordings []queryable.Recording) (map[*alerts.Rule]Reach, error) {
	s := &sight{c, map[string][]queryable.Recording{}}
	for _, r := range recordings {
		s.recorded[r.Name] = append(s.recorded[r.Name], r)
	}
	out := map[*alerts.Rule]Reach{}
	for _, g := range f.Groups {
		for _, r := range g.Rules {
			var furthest Reach
			for _, text := range []string{r.Expr, r.Recover} {
				if text == "" {
					continue
				}
				expr, err := expression.Parse(text)
				if err != nil {
					return nil, err
				}
				if one := s.of(expr); one.beyond(furthest) {
					furthest = one
				}
			}
			furthest.Span += g.QueryOffset + r.For + r.KeepFiringFor
			out[r] = furthest
		}
	}
	return out, nil
}

// sight knows what there is to be read.
type sight struct {
	catalogue *kpi.Catalogue
	recorded  map[string][]queryable.Recording // by name; none reads itself
}

// of is how far an expression looks back.
func (s *sight) of(e parser.Expr) (furthest Reach) {
	parser.Inspect(e, func(n parser.Node, path []parser.Node) error {
		v, ok := n.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		one := s.selected(v)
		one.Span += v.OriginalOffset
		back := expression.Lookback
		for _, around := range path {
			switch around := around.(type) {
			case *parser.MatrixSelector:
				back = around.Range
			case *parser.SubqueryExpr:
				one.Span += around.Range + around.OriginalOffset
				one.Ever = one.Ever || around.Timestamp != nil || around.StartOrEnd != 0
			}
		}
		one.Span += back
		one.Ever = one.Ever || v.Timestamp != nil || v.StartOrEnd != 0
		if one.beyond(furthest) {
			furthest = one
		}
		return nil
	})
	return furthest
}

// selected is how far the windows reach back that a selector may be of.
func (s *sight) selected(v *parser.VectorSelector) (furthest Reach) {
	kpis, back := s.catalogue.KPIs, time.Duration(0)
	if name := nameOf(v); name != "" {
		for _, r := range s.recorded[name] {
			if one := s.of(r.Expr); one.beyond(furthest) {
				furthest = one
			}
		}
		k, part := s.catalogue.Series(name)
		if k == nil {
			return furthest
		}
		kpis, back = []*kpi.KPI{k}, queryable.Past(part)
	}
	for _, k := range kpis {
		for _, w := range k.Windows {
			if !takes(v.LabelMatchers, w) {
				continue
			}
			one := Reach{What: fmt.Sprintf("the window %s of %s", w, k.Name)}
			if one.Span, one.Ever = k.Reach(w); back > 0 {
				one.Span, one.What = one.Span+back, "what is usual of "+k.Name
			}
			if one.beyond(furthest) {
				furthest = one
			}
		}
	}
	return furthest
}

// nameOf is the one name that a selector has, "" for none.
func nameOf(v *parser.VectorSelector) string {
	for _, m := range v.LabelMatchers {
		if m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual {
			return m.Value
		}
	}
	return ""
}

// takes reports whether matchers take a window.
func takes(list []*labels.Matcher, w kpi.Window) bool {
	for _, m := range list {
		if m.Name == "window" && !m.Matches(w.String()) {
			return false
		}
	}
	return true
}
