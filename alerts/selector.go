package alerts

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/internal/spelling"
	"github.com/tidewatch/tidewatch/kpi"
)

// A selector is the condition of a rule: the series of a KPI compared with a
// number. It knows no catalogue yet.
type selector struct {
	series    string // "kpi_ctr", "kpi_ctr_low"
	by        []string
	window    kpi.Window
	matchers  []*labels.Matcher
	op        parser.ItemType
	threshold float64
}

const example = `kpi_NAME{by="channel",window="5m"} < 0.01`

// compile reads the one shape of an expression that rules take for now.
func compile(expr parser.Expr) (selector, *document.Problem) {
	expr = expression.Bare(expr)
	cmp, ok := expr.(*parser.BinaryExpr)
	if !ok {
		return selector{}, refuse(expr)
	}
	if !cmp.Op.IsComparisonOperator() {
		what := "computes"
		if cmp.Op.IsSetOperator() {
			what = "combines series"
		}
		return selector{}, problem(cmp.Op.String(), what+": not supported yet")
	}
	if cmp.ReturnBool {
		return selector{}, &document.Problem{Value: cmp.Op.String() + " bool", Rule: "always has a value, so it would always fire", Remedy: "remove bool"}
	}
	left, right, op := expression.Sides(cmp)
	threshold, ok := expression.Number(right)
	if !ok {
		return selector{}, refuse(right)
	}
	vector, ok := left.(*parser.VectorSelector)
	if !ok {
		return selector{}, refuse(left)
	}
	if math.IsNaN(threshold) || math.IsInf(threshold, 0) {
		return selector{}, &document.Problem{Value: right.String(), Rule: "is no bound", Remedy: "compare with a finite number"}
	}
	s := selector{op: op, threshold: threshold}
	return s, s.read(vector)
}

// read takes the selector's name and labels apart.
func (s *selector) read(v *parser.VectorSelector) *document.Problem {
	switch {
	case v.OriginalOffset != 0 || v.OriginalOffsetExpr != nil:
		return problem("offset", "looks back: not supported yet")
	case v.Timestamp != nil || v.StartOrEnd != 0:
		return problem("@", "fixes the time: not supported yet")
	case v.Anchored || v.Smoothed:
		return problem(v.String(), "is anchored or smoothed: not supported yet")
	}
	window := false
	for _, m := range v.LabelMatchers {
		switch m.Name {
		case model.MetricNameLabel:
			if m.Type != labels.MatchEqual || !strings.HasPrefix(m.Value, kpi.SeriesPrefix) || m.Value == kpi.SeriesPrefix {
				return &document.Problem{Value: m.Value, Rule: "is no series of a KPI", Remedy: "write kpi_NAME, as in " + example}
			}
			s.series = m.Value
		case "by":
			if m.Type != labels.MatchEqual {
				return &document.Problem{Value: m.String(), Rule: "names no single dimension set", Remedy: `write by="channel", or leave it out for the total`}
			}
			if m.Value != "total" {
				s.by = strings.Split(m.Value, ",")
			}
		case "window":
			w, err := kpi.ParseWindow(m.Value)
			if m.Type != labels.MatchEqual || err != nil {
				return &document.Problem{Value: m.String(), Rule: "names no single window", Remedy: `write window="5m", for example`}
			}
			s.window, window = w, true
		default:
			s.matchers = append(s.matchers, m)
		}
	}
	switch {
	case s.series == "":
		return &document.Problem{Value: v.String(), Rule: "names no KPI", Remedy: "write kpi_NAME, as in " + example}
	case !window:
		return &document.Problem{Value: v.String(), Rule: "names no window", Remedy: `add window="5m", for example`}
	}
	return nil
}

// refuse says which part of PromQL is not supported.
func refuse(e parser.Expr) *document.Problem {
	switch e := e.(type) {
	case *parser.VectorSelector:
		return problem(e.String(), "is not compared with a number")
	case *parser.AggregateExpr:
		return problem(e.Op.String(), "aggregates series: not supported yet")
	case *parser.Call:
		return problem(e.Func.Name+"()", "is a function: not supported yet")
	case *parser.MatrixSelector:
		return problem(e.String(), "is a range: not supported yet")
	case *parser.SubqueryExpr:
		return problem(e.String(), "is a subquery: not supported yet")
	case *parser.BinaryExpr:
		return problem(e.String(), "is more than one selector: not supported yet")
	}
	return problem(e.String(), "is no selector")
}

func problem(value, rule string) *document.Problem {
	return &document.Problem{Value: value, Rule: rule, Remedy: "compare one selector with a number, as in " + example}
}

// holds reports whether the condition is true of a value.
func (s *selector) holds(v float64) bool {
	switch s.op {
	case parser.LSS:
		return v < s.threshold
	case parser.LTE:
		return v <= s.threshold
	case parser.GTR:
		return v > s.threshold
	case parser.GTE:
		return v >= s.threshold
	case parser.NEQ:
		return v != s.threshold
	}
	return v == s.threshold
}

func formatFloat(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// A binding is a selector that has found its KPI.
type binding struct {
	kpi  *kpi.KPI
	by   kpi.Set
	part kpi.Part
	// match has the matchers of the field at the same index of by.
	match [][]*labels.Matcher
	// currency are the matchers of a money value's currency.
	currency []*labels.Matcher
}

// bind finds the selector's KPI, dimension set and window in the catalogue.
func (s *selector) bind(c *kpi.Catalogue) (*binding, *document.Problem) {
	b := &binding{}
	b.kpi, b.part = c.Series(s.series)
	if b.kpi == nil {
		if len(c.KPIs) == 0 {
			return nil, &document.Problem{Value: s.series, Rule: "is no KPI of the catalogue", Remedy: "keep it, or define it: there is none"}
		}
		series := list(c.KPIs, func(k *kpi.KPI) string { return k.Series(kpi.ValuePart) })
		return nil, &document.Problem{Value: s.series, Rule: "is no KPI of the catalogue", Remedy: spelling.Meant(near(c, s.series), "use one of "+series)}
	}
	if !slices.Contains(b.kpi.Parts(), b.part) {
		rule := "is not there: " + b.kpi.Name + " is no ratio"
		if b.kpi.Ratio() {
			rule = "is not there: " + b.kpi.Name + " is no share of counts, and has no interval"
		}
		return nil, &document.Problem{Value: s.series, Rule: rule, Remedy: "use " + list(b.kpi.Parts(), b.kpi.Series)}
	}
	if !b.kpi.Keeps(s.window) {
		return nil, &document.Problem{Value: fmt.Sprintf("window=%q", s.window), Rule: "is not kept for " + b.kpi.Name, Remedy: "use one of " + list(b.kpi.Windows, kpi.Window.String)}
	}
	if b.kpi.Top > 0 && s.op != parser.GTR && s.op != parser.GTE {
		return nil, &document.Problem{Value: s.series + " " + s.op.String(), Rule: "asks for what is not known: " + b.kpi.Name + " lists the largest series only", Remedy: "compare with > or >="}
	}
	if b.kpi.FinalOnly {
		return nil, &document.Problem{Value: s.series, Rule: "has no value before its day is final, and rules read the running one", Remedy: "compare a KPI without final_only"}
	}
	var ok bool
	if b.by, ok = b.kpi.SetOf(s.by...); !ok {
		return nil, &document.Problem{Value: fmt.Sprintf("by=%q", kpi.Set(s.by)), Rule: "is not kept for " + b.kpi.Name, Remedy: "use one of " + list(b.kpi.By, kpi.Set.String)}
	}
	b.match = make([][]*labels.Matcher, len(b.by))
	for _, m := range s.matchers {
		switch i := slices.Index(b.by, m.Name); {
		case i >= 0:
			b.match[i] = append(b.match[i], m)
		case m.Name == "currency" && b.kpi.Numerator.Money:
			b.currency = append(b.currency, m)
		default:
			return nil, &document.Problem{Value: m.String(), Rule: fmt.Sprintf("is no label of series by=%q", kpi.Set(s.by)), Remedy: fmt.Sprintf("name a dimension set with %s in by, or remove it", m.Name)}
		}
	}
	return b, nil
}

// near is the series whose name a misspelt one is most like, "" if none is.
func near(c *kpi.Catalogue, series string) string {
	var names []string
	for _, k := range c.KPIs {
		for _, part := range k.Parts() {
			names = append(names, strings.TrimPrefix(k.Series(part), kpi.SeriesPrefix))
		}
	}
	near := spelling.Nearest(strings.TrimPrefix(series, kpi.SeriesPrefix), names)
	if near == "" {
		return ""
	}
	return kpi.SeriesPrefix + near
}

func list[T any](items []T, name func(T) string) string {
	names := make([]string, len(items))
	for i, item := range items {
		names[i] = name(item)
	}
	return strings.Join(names, ", ")
}

// Fit drops the rules that read what the catalogue does not keep, and says so of
// each.
func (f *RuleFile) Fit(c *kpi.Catalogue) (dropped []*document.Problem) {
	for i := range f.Groups {
		g := &f.Groups[i]
		g.Rules = slices.DeleteFunc(g.Rules, func(r *Rule) bool {
			_, p := r.bind(c)
			if p != nil {
				dropped = append(dropped, &document.Problem{
					Value: "rule " + r.Alert, Rule: "is left out, " + strings.TrimSpace(p.Value+" "+p.Rule),
					Remedy: "keep it in a file under kpis, or name rules of your own under rules",
				})
			}
			return p != nil
		})
	}
	return dropped
}

func (r *Rule) bind(c *kpi.Catalogue) (*binding, *document.Problem) {
	b, p := r.selector.bind(c)
	if p != nil {
		r.place(p, ".expr")
		return nil, p
	}
	if slices.Contains(b.by, model.AlertNameLabel) {
		p := &document.Problem{Value: fmt.Sprintf("by=%q", b.by), Rule: "has the label by which alerts are named: they could not be told apart", Remedy: "give the property another name"}
		r.place(p, ".expr")
		return nil, p
	}
	for _, f := range append([]string{"by", "window"}, b.by...) {
		if _, ok := r.Labels[f]; ok {
			p := &document.Problem{Rule: "replaces the series' own label: its alerts could not be told apart", Remedy: "give it another name"}
			r.place(p, ".labels."+f)
			return nil, p
		}
	}
	return b, nil
}
