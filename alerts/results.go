package alerts

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/internal/spelling"
	"github.com/tidewatch/tidewatch/kpi"
)

// A shape is the labels that the results of an expression have: of each the only value, ""
// where there may be several. It is nil where that is not known.
type shape map[string]string

// has reports whether results have a label, as far as is known.
func (s shape) has(name string) bool {
	_, has := s[name]
	return has
}

// lacks reports whether no result has a label that those of others are bound to have: an amount
// of nothing has no currency.
func (s shape) lacks(name string) bool {
	return s != nil && !s.has(name) && name != kpi.CurrencyField && name != "cohort"
}

// keeping is the shape with some of the labels alone.
func (s shape) keeping(keep func(name string) bool) shape {
	out := maps.Clone(s)
	maps.DeleteFunc(out, func(name, _ string) bool { return !keep(name) })
	return out
}

// unlike is a label by which no result is like one of another shape: that one lacks it, or has
// another value. It is "" if there is none that is known.
func (s shape) unlike(other shape) string {
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if a, b := s[name], other[name]; other.lacks(name) || a != "" && b != "" && a != b {
			return name
		}
	}
	return ""
}

// among reports of a label whether it is one of these names.
func among(names []string) func(string) bool {
	return func(name string) bool { return slices.Contains(names, name) }
}

func notAmong(names []string) func(string) bool {
	return func(name string) bool { return !slices.Contains(names, name) }
}

// shapeOf is what results an expression has.
func (r *ruleReader) shapeOf(e parser.Expr) shape {
	if e.Type() == parser.ValueTypeScalar {
		return shape{}
	}
	switch e := expression.Bare(e).(type) {
	case *parser.VectorSelector:
		return r.shapeOfSeries(e)
	case *parser.MatrixSelector:
		return r.shapeOf(e.VectorSelector)
	case *parser.SubqueryExpr:
		return r.shapeOf(e.Expr)
	case *parser.AggregateExpr:
		of := r.shapeOf(e.Expr)
		switch {
		case e.Op == parser.TOPK || e.Op == parser.BOTTOMK:
			return of
		case e.Op == parser.COUNT_VALUES:
			return nil
		case e.Without:
			return of.keeping(notAmong(e.Grouping))
		}
		return of.keeping(among(e.Grouping))
	case *parser.Call:
		if strings.HasPrefix(e.Func.Name, "label_") || strings.HasPrefix(e.Func.Name, "absent") {
			return nil
		}
		for _, arg := range e.Args {
			if t := arg.Type(); t == parser.ValueTypeVector || t == parser.ValueTypeMatrix {
				return r.shapeOf(arg)
			}
		}
		return shape{} // such as vector(1) and hour()
	case *parser.BinaryExpr:
		return r.shapeOfBoth(e)
	}
	return nil
}

// shapeOfSeries is that of a selector of one breakdown.
func (r *ruleReader) shapeOfSeries(v *parser.VectorSelector) shape {
	k, _ := r.catalogue.Series(nameOf(v))
	if k == nil {
		return nil
	}
	i := slices.IndexFunc(k.By, func(set kpi.Set) bool { return set.String() == equalTo(v, "by") })
	if i < 0 {
		return nil
	}
	out := shape{}
	for _, name := range k.Labels(k.By[i]) {
		out[name] = equalTo(v, name)
	}
	return out
}

func (r *ruleReader) shapeOfBoth(e *parser.BinaryExpr) shape {
	left, right, match := e.LHS, e.RHS, e.VectorMatching
	switch {
	case left.Type() == parser.ValueTypeScalar:
		return r.shapeOf(right)
	case right.Type() == parser.ValueTypeScalar, e.Op == parser.LAND, e.Op == parser.LUNLESS:
		return r.shapeOf(left)
	case e.Op == parser.LOR, match == nil, len(match.Include) > 0:
		return nil
	case match.Card == parser.CardManyToOne:
		return r.shapeOf(left)
	case match.Card == parser.CardOneToMany:
		return r.shapeOf(right)
	case match.On:
		return r.shapeOf(left).keeping(among(match.MatchingLabels))
	}
	return r.shapeOf(left).keeping(notAmong(match.MatchingLabels))
}

// doubt warns of what an expression says in vain: comparisons that are always or never true,
// labels that nothing has.
func (r *ruleReader) doubt(rule *Rule, expr parser.Expr) {
	missing := func(word string, names []string, of parser.Expr) bool {
		has := r.shapeOf(of)
		for _, name := range names {
			if has.lacks(name) {
				known := slices.Sorted(maps.Keys(has))
				rule.note(r.Warn, ".expr", word+" ("+name+")", "names a label that "+of.String()+" does not have", spelling.Meant(spelling.Nearest(name, known), "it has "+cmp.Or(strings.Join(known, ", "), "none")))
				return true
			}
		}
		return false
	}
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		switch n := n.(type) {
		case *parser.AggregateExpr:
			if !n.Without {
				missing("by", n.Grouping, n.Expr)
			}
		case *parser.BinaryExpr:
			if match := n.VectorMatching; match != nil && n.Op != parser.LOR &&
				!(match.On && (missing("on", match.MatchingLabels, n.LHS) || missing("on", match.MatchingLabels, n.RHS))) {
				r.unmatched(rule, n)
			}
			if !n.Op.IsComparisonOperator() || n.ReturnBool {
				return nil
			}
			left, right, op := expression.Sides(n)
			if t, ok := expression.Number(right); ok {
				if p := r.extent(left).constant(left.String(), op, t); p != nil {
					rule.note(r.Warn, ".expr", p.Value, p.Rule, p.Remedy)
				}
			}
		}
		return nil
	})
}

// unmatched warns of two sides of which no series are alike.
func (r *ruleReader) unmatched(rule *Rule, e *parser.BinaryExpr) {
	matched := notAmong(e.VectorMatching.MatchingLabels)
	if e.VectorMatching.On {
		matched = among(e.VectorMatching.MatchingLabels)
	}
	left, right := r.shapeOf(e.LHS).keeping(matched), r.shapeOf(e.RHS).keeping(matched)
	name := cmp.Or(left.unlike(right), right.unlike(left))
	if name == "" {
		return
	}
	does := "never has a result"
	if e.Op == parser.LUNLESS {
		does = "takes nothing away"
	}
	of := func(s shape) string {
		if value := s[name]; value != "" {
			return fmt.Sprintf("%s=%q", name, value)
		}
		if s.has(name) {
			return name
		}
		return "no " + name
	}
	alike := slices.DeleteFunc(slices.Sorted(maps.Keys(left)), func(name string) bool { return !right.has(name) || left[name] != right[name] })
	on := "on (" + strings.Join(alike, ", ") + ")"
	switch {
	case e.Op.IsSetOperator(): // it may have several on both sides
	case len(left) > len(right):
		on += " group_left ()"
	case len(left) < len(right):
		on += " group_right ()"
	}
	rule.note(r.Warn, ".expr", e.String(), does+", since the left side has "+of(left)+" and the right side "+of(right), "name the labels by which they belong together: "+on)
}

// extent is what the results of an expression lie between.
func (r *ruleReader) extent(e parser.Expr) extent {
	v := measured(e)
	if k, part := r.catalogue.Series(nameOf(v)); k != nil && !slices.Contains(k.Usual(), part) && !adds(e) {
		return extentOf(k, part)
	}
	return anything
}

// adds reports whether an expression adds values up.
func adds(e parser.Expr) (is bool) {
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		switch n := n.(type) {
		case *parser.AggregateExpr:
			is = is || n.Op == parser.SUM
		case *parser.Call:
			is = is || n.Func.Name == "sum_over_time"
		}
		return nil
	})
	return is
}
