package alerts

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/tidewatch/tidewatch/alerts/reason"
	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/internal/spelling"
	"github.com/tidewatch/tidewatch/kpi"
)

// QueryInterval is the distance between the evaluations of expressions, in event time,
// in groups that name none.
const QueryInterval = 15 * time.Second

// MaxSamples is how many samples an expression may hold.
const MaxSamples = 10_000_000

// Queried has all rules evaluated as Prometheus does, so often. It tells what they lose.
func (f *RuleFile) Queried(every time.Duration) (lost []*document.Problem) {
	for i := range f.Groups {
		g := &f.Groups[i]
		g.Interval = every
		for _, r := range g.Rules {
			for _, key := range r.ofOneSelector() {
				r.note(func(p *document.Problem) { lost = append(lost, p) }, key, "", "is not looked at here", "try it by rules backtest")
			}
			r.selector, r.recovery = nil, nil
			r.query.measured = "" // what goes on shows by which value it last held
		}
	}
	return lost
}

// queried reports whether the rule is judged by what its expression comes to, rather
// than by a selector.
func (r *rule) queried() bool { return r.binding == nil }

// judgeVector judges a rule by what its expression came to: an alert is active for as
// long as it is among that, as in Prometheus. One that could not be evaluated leaves its
// alerts as they are.
func (e *Engine) judgeVector(r *rule, in reading, now int64, out []telling) []telling {
	if r.failed = r.check(in); r.failed != nil {
		for _, a := range r.active {
			e.stays(a, now)
		}
		return out
	}
	r.evaluated, r.several = true, in.mixed
	before := len(out)
	for i := range in.vector {
		s := &in.vector[i]
		fields, series := apartByLabel(s.Metric)
		e.key = appendKey(appendKey(e.key[:0], fields), series)
		a := r.active[string(e.key)]
		if a == nil {
			a = r.activate(fields, series, now)
			r.active[string(e.key)] = a
			e.saved = nil
		}
		e.meets(a, true)
		e.number(a, s.F)
		out = e.judged(r, a, true, now, out)
	}
	for _, a := range r.active {
		if a.judged != now {
			e.meets(a, false)
			if a.shows(in.measured) {
				e.saved = nil
			}
			told := len(out)
			out = e.judged(r, a, a.lasts(in.recovered), now, out)
			if len(out) > told && a.past && in.measured != nil {
				out[told].ours = map[string]string{"resolved_because": r.lost()}
			}
		}
	}
	slices.SortFunc(out[before:], byAlert)
	return out
}

// lost is why what the rule compares has no value any more.
func (r *rule) lost() string {
	if s := r.query.subject; s != nil && s.Unit == kpi.UnitMoney {
		return reason.NoAmountLeft
	}
	return reason.NoValueLeft
}

// number notes what an expression came to for an alert.
func (e *Engine) number(a *alert, v float64) {
	if a.number == nil || a.past || math.Float64bits(*a.number) != math.Float64bits(v) {
		a.number, a.past, e.saved = new(v), false, nil
	}
}

// shows has an alert that is no longer among the results show what was measured of it, by
// key: without that its number is a past one. It reports whether that makes a difference.
func (a *alert) shows(measured map[string]float64) bool {
	v, ok := measured[a.rule.key(a)]
	if !ok {
		before := a.past
		a.past = true
		return !before
	}
	before, known := a.value()
	a.number, a.past = &v, false
	return !known || math.Float64bits(before) != math.Float64bits(v)
}

// judged notes that an alert was judged, and what comes of it.
func (e *Engine) judged(r *rule, a *alert, holds bool, now int64, out []telling) []telling {
	a.judged, a.seen = now, true
	e.decide(a, now)
	out = e.advance(a, holds, now, out)
	if a.state == Inactive || a.state == Resolved {
		delete(r.active, r.key(a))
	}
	return out
}

// check refuses what cannot be judged.
func (r *rule) check(in reading) error {
	switch {
	case in.err != nil:
		return in.err
	case r.limit > 0 && len(in.vector) > r.limit:
		return fmt.Errorf("the expression has %d results, more than limit: %d: narrow it, or raise limit", len(in.vector), r.limit)
	}
	seen := make(map[string]bool, len(in.vector))
	for i := range in.vector {
		fields, series := apartByLabel(in.vector[i].Metric)
		key := string(appendKey(appendKey(nil, fields), series))
		if seen[key] {
			return fmt.Errorf("two results of the expression have the same labels %s: tell them apart, or aggregate them", in.vector[i].Metric.DropReserved(func(n string) bool { return n == model.MetricNameLabel }))
		}
		seen[key] = true
	}
	return nil
}

// apartByLabel takes the labels of a result apart, without its name.
func apartByLabel(ls labels.Labels) (names, values []string) {
	ls.Range(func(l labels.Label) {
		if l.Name != model.MetricNameLabel {
			names, values = append(names, l.Name), append(values, l.Value)
		}
	})
	return names, values
}

// A query is what an expression that is no selector compared with a number asks for.
type query struct {
	// kpi is the first that it reads, with what of it; nil for none.
	kpi        *kpi.KPI
	by, window string
	// comparison and bound are what the result is held against, "" for nothing. measured is
	// what is, or the left side of and and unless, as an expression.
	comparison, bound, measured string
	// bare is the selector that is compared, nil where more is done with it.
	bare *parser.VectorSelector
	// foreign is set where the expression reads what is no series of a KPI, or any.
	foreign bool
	// subject is what the result is of, nil where that is not known.
	subject *Subject
}

// queryOf reads what an expression asks. A series of a KPI that there is not is a problem.
func (r *ruleReader) queryOf(rule *Rule, expr parser.Expr) {
	if rule.Alert != "" {
		broken, remedy := "is of one selector compared with a number", "remove it, or compare one selector"
		if r.catalogue != nil {
			if k, _ := r.catalogue.Series(nameOf(measured(expr))); k != nil && k.FinalOnly {
				broken, remedy = "is of windows: "+k.Name+" is told by cohort", "remove it"
			}
		}
		for _, key := range rule.ofOneSelector() {
			rule.note(r.Add, key, "", broken, remedy)
		}
		r.recoverOf(rule, expr)
	}
	switch expr.Type() {
	case parser.ValueTypeVector, parser.ValueTypeScalar:
	default:
		rule.note(r.Add, ".expr", expr.String(), "is a "+parser.DocumentedType(expr.Type())+", of which no alerts come", "write an expression whose results are the alerts, such as "+example)
		return
	}
	if rule.Alert != "" {
		r.compared(rule, expression.Bare(expr))
	}
	if steps := expression.Steps(expr, 0); steps > MaxSamples {
		rule.note(r.Add, ".expr", "", fmt.Sprintf("steps through %d instants, more than %d", steps, MaxSamples), "give its subqueries longer steps, or shorter ranges")
	}
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			r.selects(rule, v)
		}
		return nil
	})
	if r.catalogue == nil {
		return
	}
	for _, v := range rule.selectors {
		if p := r.catalogue.NoSeries(nameOf(v)); p != nil {
			r.wrong(rule, p)
			continue
		}
		k, _ := r.catalogue.Series(nameOf(v))
		if rule.query.kpi == nil {
			rule.query.kpi, rule.query.by, rule.query.window = k, equalTo(v, "by"), equalTo(v, "window")
		}
		r.kept(rule, v, k)
	}
	r.doubt(rule, expr)
	r.about(rule, expr)
}

// selects notes what a selector is of. A name that nothing here has is a warning.
func (r *ruleReader) selects(rule *Rule, v *parser.VectorSelector) {
	name := nameOf(v)
	if strings.HasPrefix(name, kpi.SeriesPrefix) {
		rule.selectors = append(rule.selectors, v)
		return
	}
	rule.query.foreign = true
	switch {
	case name == "" || r.records(name) || expression.OfAlerts(v.LabelMatchers):
	case isScraped(name):
		r.scrapes(rule, name)
	default:
		p := &document.Problem{Value: name, Rule: "is no series of a KPI: there is none of that name here", Remedy: "write kpi_NAME, as in " + example}
		if r.catalogue != nil {
			p = cmp.Or(r.catalogue.Unprefixed(name), p)
		}
		rule.note(r.Warn, ".expr", p.Value, p.Rule, p.Remedy)
	}
}

// about notes what the results of an expression are of.
func (r *ruleReader) about(rule *Rule, expr parser.Expr) {
	of := measured(expr)
	k, part := r.catalogue.Series(nameOf(of))
	if k == nil {
		return
	}
	s := subjectOf(k, part)
	rule.query.subject = s
	a := across(expr)
	if a == nil || s.Unit != kpi.UnitMoney {
		return
	}
	if s.Currency = equalTo(of, kpi.CurrencyField); s.Currency == "" {
		s.Across = true
		rule.note(r.Warn, ".expr", a.String(), "takes amounts together whatever their currency", `select one by currency="CNY", for example, or keep them apart by (currency)`)
	}
}

// isScraped tells names of series that a scraper makes, or what it scrapes: of itself, of
// processes, of this service.
func isScraped(name string) bool {
	return name == "up" || slices.ContainsFunc([]string{"scrape_", "process_", "go_", "tidewatch_"}, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// scrapes notes that a rule reads such a series.
func (r *ruleReader) scrapes(rule *Rule, name string) {
	if r.scraping == nil {
		r.scraping = rule
	}
	if !slices.Contains(r.scraped, name) {
		r.scraped = append(r.scraped, name)
	}
}

// warnOfScraped warns of them once: a file has many such rules, or none.
func (r *ruleReader) warnOfScraped() {
	const remedy = "have Prometheus or vmalert judge such rules, which scrape"
	switch n := len(r.scraped); n {
	case 0:
	case 1:
		r.scraping.note(r.Warn, ".expr", r.scraped[0], "is no series of a KPI: there is none of that name here", remedy)
	default:
		names := r.scraped[0] + " and " + spelling.Number(n-1, "other series that a scraper makes", "other series that scrapers make")
		r.scraping.note(r.Warn, ".expr", names, "are no series of KPIs: there are none of these names here", remedy)
	}
}

// compared reads what an expression compares with, and warns of what is true all the time.
func (r *ruleReader) compared(rule *Rule, expr parser.Expr) {
	if v, ok := expr.(*parser.VectorSelector); ok && expression.OfAlerts(v.LabelMatchers) {
		return // it is there, or it is not
	}
	does, always := "the rule fires whatever the value", "the rule always fires"
	if rule.below != "" {
		does, always = "an alert is over whatever the value", "an alert is over whatever the value"
	}
	switch e := expr.(type) {
	case *parser.VectorSelector, *parser.NumberLiteral:
		rule.note(r.Warn, ".expr", e.String(), "is compared with nothing, so that "+does, "compare it, as in "+example)
	case *parser.BinaryExpr:
		rule.query.compare(e)
		if !e.Op.IsComparisonOperator() {
			return
		}
		if e.ReturnBool {
			rule.note(r.Warn, ".expr", e.Op.String()+" bool", "always has a value, so that "+always, "remove bool")
		}
		left, right, _ := expression.Sides(e)
		if v, ok := expression.Bare(left).(*parser.VectorSelector); ok && v.OriginalOffset == 0 && v.OriginalOffsetExpr == nil && v.Timestamp == nil && v.StartOrEnd == 0 {
			rule.query.bare = v
		}
		if v, ok := expression.Number(right); ok && !finite(v) {
			rule.note(r.Warn, ".expr", right.String(), "is no bound", "compare with a finite number")
		}
	}
}

// held is what an expression holds against something, where the results have its labels and
// values; nil for none.
func held(e parser.Expr) parser.Expr {
	b, ok := expression.Bare(e).(*parser.BinaryExpr)
	switch {
	case !ok || b.ReturnBool:
	case b.Op == parser.LAND, b.Op == parser.LUNLESS:
		return held(b.LHS)
	case b.Op.IsComparisonOperator():
		left, _, _ := expression.Sides(b)
		if m := b.VectorMatching; left.Type() == parser.ValueTypeVector && (m == nil || !m.On && len(m.MatchingLabels) == 0) {
			return left
		}
	}
	return nil
}

// compare reads what an expression holds against what.
func (of *query) compare(e *parser.BinaryExpr) {
	if left := held(e); left != nil {
		of.measured = left.String()
	}
	if !e.Op.IsComparisonOperator() {
		return
	}
	_, right, op := expression.Sides(e)
	if v, ok := expression.Number(right); ok && finite(v) {
		of.comparison, of.bound = op.String(), formatFloat(v)
	}
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// kept says where a selector names what is not kept of a KPI.
func (r *ruleReader) kept(rule *Rule, v *parser.VectorSelector, k *kpi.KPI) {
	names := func(label string) bool {
		return slices.ContainsFunc(v.LabelMatchers, func(m *labels.Matcher) bool { return m.Name == label })
	}
	switch window := equalTo(v, "window"); {
	case window == "":
		if !names("window") && len(k.Windows) > 1 {
			rule.note(r.Warn, ".expr", v.String(), "names no window, and is about all of them", fmt.Sprintf("add window=%q, for example", k.Windows[0]))
		}
	case !slices.ContainsFunc(k.Windows, func(w kpi.Window) bool { return w.String() == window }):
		r.wrong(rule, k.UnkeptWindow(fmt.Sprintf("window=%q", window), window))
	}
	if sets := setsOf(k, v); !names("by") && len(sets) > 1 {
		about := "several breakdowns"
		if len(sets[0]) == 0 {
			about = "the total and all breakdowns"
		}
		rule.note(r.Warn, ".expr", v.String(), "names no by, and is about "+about+" together", fmt.Sprintf("add by=%q, for example", sets[0]))
	}
	if by := equalTo(v, "by"); by != "" && !slices.ContainsFunc(k.By, func(set kpi.Set) bool { return set.String() == by }) {
		r.wrong(rule, k.UnkeptSet(fmt.Sprintf("by=%q", by), by))
	}
}

// setsOf are the dimension sets of a KPI whose series have the labels that a selector is about.
func setsOf(k *kpi.KPI, v *parser.VectorSelector) (sets []kpi.Set) {
	for _, set := range k.By {
		of := append(k.Labels(set), model.MetricNameLabel)
		if !slices.ContainsFunc(v.LabelMatchers, func(m *labels.Matcher) bool { return !m.Matches("") && !slices.Contains(of, m.Name) }) {
			sets = append(sets, set)
		}
	}
	return sets
}

// wrong notes a problem of a rule's expression.
func (r *ruleReader) wrong(rule *Rule, p *document.Problem) {
	rule.place(p, ".expr")
	r.Add(p)
}

// note notes a problem of the rule, below its place.
func (r *Rule) note(add func(*document.Problem), below, value, broken, remedy string) {
	p := &document.Problem{Value: value, Rule: broken, Remedy: remedy}
	r.place(p, below)
	add(p)
}

// nameOf is the one name that a selector has, "" for none.
func nameOf(v *parser.VectorSelector) string { return equalTo(v, model.MetricNameLabel) }

// equalTo is the value that a selector asks of a label, "" for none or several.
func equalTo(v *parser.VectorSelector, label string) string {
	if v == nil {
		return ""
	}
	for _, m := range v.LabelMatchers {
		if m.Name == label && m.Type == labels.MatchEqual {
			return m.Value
		}
	}
	return ""
}

// queryFigures are the annotations that a notification of a queried rule carries.
func (a *alert) queryFigures(now int64, link string) map[string]string {
	out := map[string]string{"expr": a.rule.Expr, "as_of": instant(now).UTC().Format(timeFormat), "link": link}
	if v, ok := a.value(); ok {
		out["value"] = formatFloat(v)
	}
	a.rule.recoverFigures(out)
	if of := &a.rule.query; of.bound != "" {
		out["comparison"], out["threshold"] = of.comparison, of.bound
	}
	return out
}

// set is the dimension set of the KPI that results with some labels are about.
func (of *query) set(told map[string]string) (kpi.Set, bool) {
	if by := cmp.Or(told["by"], of.by); by != "" {
		if by == (kpi.Set{}).String() {
			return of.kpi.SetOf()
		}
		return of.kpi.SetOf(strings.Split(by, ",")...)
	}
	fields := slices.DeleteFunc(slices.Sorted(maps.Keys(told)), func(f string) bool { return f == "by" || f == "window" })
	return of.kpi.SetOf(fields...)
}

// queryLinked is the series of the KPI of the expression, as far as the labels of the alert
// tell.
func (a *alert) queryLinked(now int64) url.Values {
	of := &a.rule.query
	if of.kpi == nil {
		return nil
	}
	q := url.Values{"kpi": {of.kpi.Name}, "at": {instant(now).UTC().Format(timeFormat)}}
	if of.window != "" {
		q.Set("window", of.window)
	}
	told := map[string]string{}
	for i, f := range a.fields {
		told[f] = a.series[i]
	}
	if set, ok := of.set(told); ok {
		for _, f := range set {
			if v, known := told[f]; known {
				q.Add("by", f)
				q.Set(f, v)
			}
		}
	}
	return q
}
