package alerts

import (
	"fmt"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/internal/spelling"
)

// asksOfAlerts says which rules are about the alerts that there are, and what of that they
// cannot be told.
type asksOfAlerts struct {
	recorded map[string]bool // the recordings that are, by whatever way
}

func newAsksOfAlerts(files []*RuleFile) asksOfAlerts {
	asks := asksOfAlerts{map[string]bool{}}
	for more := true; more; {
		more = false
		for _, f := range files {
			for _, g := range f.Groups {
				for _, r := range g.Recordings {
					if !asks.recorded[r.Name] && asks.in(r.Expr) {
						asks.recorded[r.Name], more = true, true
					}
				}
			}
		}
	}
	return asks
}

// visit visits the selectors of an expression that ask.
func (a asksOfAlerts) visit(text string, visit func(v *parser.VectorSelector, past bool)) {
	expr, err := expression.Parse(text)
	if err != nil {
		return // it is told elsewhere, or there is none
	}
	expression.Selectors(expr, func(v *parser.VectorSelector, past bool) {
		if expression.OfAlerts(v.LabelMatchers) || a.recorded[nameOf(v)] {
			visit(v, past)
		}
	})
}

// in reports whether an expression asks.
func (a asksOfAlerts) in(text string) (asks bool) {
	a.visit(text, func(*parser.VectorSelector, bool) { asks = true })
	return asks
}

// by reports whether a rule asks: by what it is judged by.
func (a asksOfAlerts) by(r *Rule) bool { return a.in(r.Expr) || a.in(r.Recover) }

// refuse finds the rules that look back at which alerts there were. That is written down
// when the epoch is, and by then the rules are judged: the same events would not always come
// to the same.
func (a asksOfAlerts) refuse(files []*RuleFile) (problems []*document.Problem) {
	check := func(r *Rule, below, text string, g *Group) {
		a.visit(text, func(v *parser.VectorSelector, past bool) {
			const known = "rules know of the alerts that there are as of the evaluation before, and of no earlier ones"
			add := func(p *document.Problem) { problems = append(problems, p) }
			switch {
			case past:
				r.note(add, below, v.String(), "is looked back at: "+known, "leave the range, subquery, offset or @ out; queries at /prometheus may have them")
			case g.QueryOffset > 0:
				r.note(add, below, v.String(), "is in a group with query_offset: "+known, "move the rule into a group without one")
			}
		})
	}
	conditions(files, check)
	return problems
}

// conditions visits the expressions of the rules of files.
func conditions(files []*RuleFile, visit func(r *Rule, below, text string, g *Group)) {
	for _, f := range files {
		for _, g := range f.Groups {
			for _, r := range g.Rules {
				visit(r, ".expr", r.Expr, &g)
				visit(r, ".recover", r.Recover, &g)
			}
			for _, r := range g.Recordings {
				visit(r.rule, ".expr", r.Expr, &g)
			}
		}
	}
}

// Nameless are warnings of the rules that ask for alerts by a name that none of the rules has,
// all files being there.
func Nameless(files []*RuleFile) (warnings []*document.Problem) {
	var names []string
	for _, f := range files {
		for _, g := range f.Groups {
			for _, r := range g.Rules {
				names = append(names, r.Alert)
			}
		}
	}
	asks := newAsksOfAlerts(files)
	conditions(files, func(r *Rule, below, text string, _ *Group) {
		asks.visit(text, func(v *parser.VectorSelector, _ bool) {
			for _, name := range alertNames(v.LabelMatchers) {
				if !slices.Contains(names, name) {
					r.note(func(p *document.Problem) { warnings = append(warnings, p) }, below, fmt.Sprintf("%s=%q", model.AlertNameLabel, name), "is the name of no rule's alerts",
						spelling.Meant(spelling.Nearest(name, names), "name an alert of the rule files"))
				}
			}
		})
	})
	return warnings
}

// alertNames are the names of alerts that matchers spell out.
func alertNames(ms []*labels.Matcher) (names []string) {
	for _, m := range ms {
		switch {
		case m.Name != model.AlertNameLabel || m.Value == "":
		case m.Type == labels.MatchEqual:
			names = append(names, m.Value)
		case m.Type == labels.MatchRegexp:
			names = append(names, m.SetMatches()...)
		}
	}
	return names
}
