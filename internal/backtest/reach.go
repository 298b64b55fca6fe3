package backtest

import (
	"fmt"
	"slices"
	"time"

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
	s := newSight(c, recordings)
	out := map[*alerts.Rule]Reach{}
	var asking []*alerts.Rule // of the alerts of others
	var all Reach
	for _, g := range f.Groups {
		for _, r := range g.Rules {
			exprs, err := asked(r)
			if err != nil {
				return nil, err
			}
			var furthest Reach
			for _, e := range exprs {
				if one := s.of(e); one.beyond(furthest) {
					furthest = one
				}
			}
			furthest.Span += g.QueryOffset + r.For + r.KeepFiringFor
			out[r] = furthest
			if slices.ContainsFunc(exprs, s.asksOfAlerts) {
				asking = append(asking, r)
			}
			if furthest.beyond(all) {
				all = furthest
			}
		}
	}
	for _, r := range asking {
		out[r] = all
	}
	return out, nil
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
	recorded, series := s.see(v)
	for _, e := range recorded {
		if one := s.of(e); one.beyond(furthest) {
			furthest = one
		}
	}
	for _, of := range series {
		for _, w := range of.windows {
			one := Reach{What: fmt.Sprintf("the window %s of %s", w, of.kpi.Name)}
			if one.Span, one.Ever = of.kpi.Reach(w); of.past > 0 {
				one.Span, one.What = one.Span+of.past, "what is usual of "+of.kpi.Name
			}
			if one.beyond(furthest) {
				furthest = one
			}
		}
	}
	return furthest
}
