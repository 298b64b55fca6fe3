package alerts

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/kpi"
)

// A selector is the condition of a rule: the series of a KPI compared with a
// number. It knows no catalogue yet.
type selector struct {
	series   string // "kpi_ctr", "kpi_ctr_low"
	by       []string
	window   kpi.Window
	matchers []*labels.Matcher
	comparison
}

// A comparison is what values are held against: a number.
type comparison struct {
	op        parser.ItemType
	threshold float64
}

// comparisonOf takes an expression apart that holds something against a number.
func comparisonOf(expr parser.Expr) (left parser.Expr, with comparison, ok bool) {
	e, ok := expression.Bare(expr).(*parser.BinaryExpr)
	if !ok || !e.Op.IsComparisonOperator() || e.ReturnBool {
		return nil, with, false
	}
	left, right, op := expression.Sides(e)
	threshold, ok := expression.Number(right)
	return left, comparison{op, threshold}, ok && finite(threshold)
}

const example = `kpi_NAME{by="channel",window="5m"} < 0.01`

// compile reads one selector of a single window, compared with a number: the shape that
// can be judged at every close. It is nil for any other expression.
func compile(expr parser.Expr) *selector {
	left, with, ok := comparisonOf(expr)
	vector, is := left.(*parser.VectorSelector)
	if !ok || !is {
		return nil
	}
	s := &selector{comparison: with}
	if !s.read(vector) {
		return nil
	}
	return s
}

// read takes the selector's name and labels apart, and reports whether it is one of the
// live window of one length.
func (s *selector) read(v *parser.VectorSelector) bool {
	if v.OriginalOffset != 0 || v.OriginalOffsetExpr != nil || v.Timestamp != nil || v.StartOrEnd != 0 || v.Anchored || v.Smoothed {
		return false
	}
	window := false
	for _, m := range v.LabelMatchers {
		switch m.Name {
		case model.MetricNameLabel:
			s.series = m.Value
			if m.Type != labels.MatchEqual || !strings.HasPrefix(m.Value, kpi.SeriesPrefix) || m.Value == kpi.SeriesPrefix {
				return false
			}
		case "by":
			if m.Type != labels.MatchEqual {
				return false
			}
			if m.Value != "total" {
				s.by = strings.Split(m.Value, ",")
			}
		case "window":
			w, err := kpi.ParseWindow(m.Value)
			if m.Type != labels.MatchEqual || err != nil {
				return false
			}
			s.window, window = w, true
		default:
			s.matchers = append(s.matchers, m)
		}
	}
	return s.series != "" && window
}

// holds reports whether the condition is true of a value.
func (c comparison) holds(v float64) bool {
	switch c.op {
	case parser.LSS:
		return v < c.threshold
	case parser.LTE:
		return v <= c.threshold
	case parser.GTR:
		return v > c.threshold
	case parser.GTE:
		return v >= c.threshold
	case parser.NEQ:
		return v != c.threshold
	}
	return v == c.threshold
}

// within reports whether the condition holds only of values of which another does.
func (c comparison) within(other comparison) bool {
	below, above := []parser.ItemType{parser.LSS, parser.LTE}, []parser.ItemType{parser.GTR, parser.GTE}
	switch a, b := c.threshold, other.threshold; {
	case c.op == parser.EQLC:
		return other.holds(a)
	case other.op == parser.NEQ:
		return !c.holds(b)
	case slices.Contains(below, c.op) && slices.Contains(below, other.op):
		return a < b || a == b && (c.op == other.op || c.op == parser.LSS)
	case slices.Contains(above, c.op) && slices.Contains(above, other.op):
		return a > b || a == b && (c.op == other.op || c.op == parser.GTR)
	}
	return false
}

func formatFloat(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// A binding is a selector that has found its KPI.
type binding struct {
	kpi  *kpi.KPI
	by   kpi.Set
	part kpi.Part
	// match has the matchers of the field at the same index of by.
	match [][]*labels.Matcher
	// currency are the matchers of the currency of amounts, which is no field of by.
	currency []*labels.Matcher
}

// lives reports whether the selector's series have values in live windows, of KPIs that
// there are.
func (s *selector) lives(c *kpi.Catalogue) bool {
	k, part := c.Series(s.series)
	return k == nil || !k.FinalOnly && !slices.Contains(k.Usual(), part)
}

// bind finds the selector's KPI, dimension set and window in the catalogue.
func (s *selector) bind(c *kpi.Catalogue) (*binding, *document.Problem) {
	if p := c.NoSeries(s.series); p != nil {
		return nil, p
	}
	b := &binding{}
	b.kpi, b.part = c.Series(s.series)
	if !b.kpi.Keeps(s.window) {
		return nil, b.kpi.UnkeptWindow(fmt.Sprintf("window=%q", s.window), s.window.String())
	}
	if b.kpi.Top > 0 && s.op != parser.GTR && s.op != parser.GTE {
		return nil, &document.Problem{Value: s.series + " " + s.op.String(), Rule: "asks for what is not known: " + b.kpi.Name + " lists the largest series only", Remedy: "compare with > or >="}
	}
	var ok bool
	if b.by, ok = b.kpi.SetOf(s.by...); !ok {
		return nil, b.kpi.UnkeptSet(fmt.Sprintf("by=%q", kpi.Set(s.by)), kpi.Set(s.by).String())
	}
	b.match = make([][]*labels.Matcher, len(b.by))
	for _, m := range s.matchers {
		switch i := slices.Index(b.by, m.Name); {
		case i >= 0:
			b.match[i] = append(b.match[i], m)
		case m.Name == kpi.CurrencyField && b.kpi.ByCurrency(b.by):
			b.currency = append(b.currency, m)
		default:
			return nil, &document.Problem{Value: m.String(), Rule: fmt.Sprintf("is no label of series by=%q", kpi.Set(s.by)), Remedy: fmt.Sprintf("name a dimension set with %s in by, or remove it", m.Name)}
		}
	}
	return b, nil
}

// Fit drops the rules that read what the catalogue does not keep, and says so of
// each.
func (f *RuleFile) Fit(c *kpi.Catalogue) (dropped []*document.Problem) {
	for i := range f.Groups {
		g := &f.Groups[i]
		g.Rules = slices.DeleteFunc(g.Rules, func(r *Rule) bool {
			p := r.keeps(c)
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

// keeps says what the rule reads that the catalogue does not keep.
func (r *Rule) keeps(c *kpi.Catalogue) (p *document.Problem) {
	if r.selector != nil {
		_, p = r.bind(c)
	} else {
		for _, v := range r.selectors {
			if k, _ := c.Series(nameOf(v)); k == nil {
				return &document.Problem{Value: nameOf(v), Rule: "is no KPI of the catalogue"}
			}
		}
	}
	return p
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
