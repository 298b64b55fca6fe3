package alerts

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/internal/spelling"
	"github.com/tidewatch/tidewatch/kpi"
)

// DefaultMinSamples is the smallest n at which a rule judges a ratio or a quantile,
// unless it says otherwise.
const DefaultMinSamples = 30

// A RuleFile is a file of rule groups in Prometheus' format.
type RuleFile struct {
	Name   string
	Groups []Group
	// Warnings are what its author hardly meant.
	Warnings []*document.Problem
}

// A Group is a list of rules that are evaluated together.
type Group struct {
	Name string
	// Interval is the distance between evaluations in event time. By default
	// 0: at every close of a slice, of expressions QueryInterval.
	Interval time.Duration
	// Limit is how many results an expression may have. By default 0, without one.
	Limit int
	// QueryOffset is how far expressions look back.
	QueryOffset time.Duration
	Rules       []*Rule
	Recordings  []Recording
}

// NoData is what becomes of an alert whose series has no value.
type NoData string

// An alert is not judged, is over, or is active.
const (
	NoDataKeep  NoData = "keep"
	NoDataOK    NoData = "ok"
	NoDataAlert NoData = "alert"
)

// A Recording is a series that is made of others.
type Recording struct {
	Name, Expr string
	Labels     map[string]string
	// Above is how many rules of its group stand above it.
	Above int

	rule *Rule // as which it was read
}

// A Rule says when an alert is active: while a series of a KPI compares with a number,
// or whatever its expression comes to.
type Rule struct {
	Alert string
	// Expr is the condition under which the alert is active.
	Expr string
	// For is how long the condition holds before the alert fires. By default 0.
	For time.Duration
	// KeepFiringFor is how long the condition is gone before the alert
	// resolves. By default 0.
	KeepFiringFor time.Duration
	// Labels are added to those of the series. Templates, as in Prometheus.
	Labels map[string]string
	// Annotations go with a notification. Templates, as in Prometheus.
	Annotations map[string]string
	// MinSamples is the smallest n at which the rule decides anything: below it an
	// alert stays as it is. Negative for the default: DefaultMinSamples for the value
	// of a ratio and its bounds, else 0.
	MinSamples int64
	// Confidence, from 0.5 to 1, has the bound of the value's interval compared that
	// speaks against the condition. By default 0: the value itself.
	Confidence float64
	// NoData is what becomes of an alert whose series has no value. By default NoDataKeep.
	NoData NoData
	// Recover is the condition on which an alert that fires is over. By default "": once
	// Expr does not hold.
	Recover string
	// File is the name of the file that has the rule.
	File string

	// selector is nil if Expr is evaluated as Prometheus does; selectors are those in it
	// then, and query what it is about.
	selector    *selector
	recovery    *selector // of Recover, if it is of the same series as selector
	recovered   query     // what it compares otherwise
	selectors   []*parser.VectorSelector
	query       query
	below       string // what of it Expr is, ".expr" by default
	path        string
	line        int
	exprLine    int
	recoverLine int
}

// LoadRules reads a rule file over a catalogue; without one it does not ask
// what is kept. The error names all that is wrong.
func LoadRules(name string, data []byte, c *kpi.Catalogue) (*RuleFile, error) {
	r := &ruleReader{Document: document.Parse(name, data), file: name, catalogue: c}
	r.lift()
	rest, err := r.Bytes()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	groups, errs := rulefmt.Parse(rest, false, model.UTF8Validation, expression.Language, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if groups != nil || !r.Faulty() { // else it stumbled over what has been noted
		r.foreign(errs, groups)
	}
	file := &RuleFile{Name: name}
	if groups != nil {
		file.Groups = r.groups(groups.Groups)
	}
	for _, p := range twins(r.bound) {
		r.Add(p)
	}
	r.warnOfScraped()
	if !slices.ContainsFunc(file.Groups, func(g Group) bool { return len(g.Rules)+len(g.Recordings) > 0 }) {
		r.Warn(&document.Problem{Rule: "has no rules, so that nothing is judged by it", Remedy: "write groups: with rules:, or do not name the file under rules"})
	}
	file.Warnings = r.Warnings()
	if err := r.Err(); err != nil {
		return nil, err
	}
	return file, nil
}

// A ruleReader reads a rule file on its way to Prometheus' parser: what that
// would not accept, or would not place, is found and taken out first.
type ruleReader struct {
	*document.Document
	file      string
	catalogue *kpi.Catalogue
	places    [][]place // by group and rule
	bound     []bound
	recorded  []string // the names of recordings
	scraped   []string // the names of series that rules read and scrapers make
	scraping  *Rule    // the first of these rules
}

// A place is where a rule stands: what of it Prometheus' parser does not say, which are also the
// keys that are ours.
type place struct {
	*Rule
	record bool
}

func (r *ruleReader) at(group, rule int) place {
	if group < 0 || group >= len(r.places) || rule < 0 || rule >= len(r.places[group]) {
		return place{Rule: &Rule{MinSamples: -1}}
	}
	return r.places[group][rule]
}

// lift takes our own keys, and what is wrong with the shape, out of the
// document.
func (r *ruleReader) lift() {
	top := read(r.Root(), "groups")
	for _, group := range items(&top, "groups") {
		r.places = append(r.places, liftGroup(group))
	}
}

func liftGroup(n document.Node) []place {
	var places []place
	m := read(n, "name", "interval", "query_offset", "limit", "labels", "rules")
	duration(&m, "interval")
	duration(&m, "query_offset")
	if n, ok := m.Get("limit"); ok {
		if count, err := strconv.Atoi(n.Value()); err != nil || count < 0 {
			n.Fail(n.Shown(), "is no count", "give a whole number, 0 for no limit")
			m.Remove("limit")
		}
	}
	texts(&m, "labels")
	for _, rule := range items(&m, "rules") {
		places = append(places, liftRule(rule))
	}
	return places
}

func liftRule(n document.Node) place {
	p := place{Rule: &Rule{path: n.Path(), line: n.Line(), exprLine: n.Line(), MinSamples: -1, NoData: NoDataKeep}}
	m := read(n, "alert", "expr", "for", "keep_firing_for", "labels", "annotations", "min_samples", "confidence", "recover", "no_data", "record")
	p.record = m.Has("record")
	if expr, ok := m.Get("expr"); ok {
		p.exprLine = expr.Line()
		if err := expression.Check(expr.Value()); err != nil {
			expr.Fail("", err.Error(), "write it as several rules")
			m.Remove("expr")
		}
	}
	duration(&m, "for")
	duration(&m, "keep_firing_for")
	texts(&m, "labels")
	texts(&m, "annotations")
	if n, ok := lifted(&m, "min_samples"); ok {
		count, err := strconv.ParseInt(n.Value(), 10, 64)
		if err != nil || count < 0 {
			n.Fail(n.Shown(), "is no count", "give a whole number of at least 0")
		} else {
			p.MinSamples = count
		}
	}
	if n, ok := lifted(&m, "confidence"); ok {
		c, err := strconv.ParseFloat(n.Value(), 64)
		if err != nil || c < 0.5 || c > 0.9999 {
			n.Fail(n.Shown(), "is no confidence", "give a number from 0.5 to 0.9999, such as 0.95")
		} else {
			p.Confidence = c
		}
	}
	if n, ok := lifted(&m, "no_data"); ok {
		p.NoData = NoData(n.Value())
		if !slices.Contains([]NoData{NoDataKeep, NoDataOK, NoDataAlert}, p.NoData) {
			n.Fail(n.Shown(), "is none", "use keep, ok or alert")
			p.NoData = NoDataKeep
		}
	}
	if n, ok := lifted(&m, "recover"); ok {
		p.Recover, p.recoverLine = strings.TrimSpace(n.Text()), n.Line()
	}
	return p
}

// lifted takes a key of ours out.
func lifted(m *document.Mapping, key string) (n document.Node, ok bool) {
	if n, ok = m.Get(key); ok {
		m.Remove(key)
	}
	return n, ok
}

// read is a mapping for a foreign parser: keys that are not among those known
// are problems, and taken out.
func read(n document.Node, known ...string) document.Mapping {
	m := n.Entries()
	for _, key := range m.Keys {
		if !slices.Contains(known, key) {
			m.Unknown(key, known...)
			m.Remove(key)
		}
	}
	return m
}

// items are the elements of a key's list; what is none is taken out.
func items(m *document.Mapping, key string) []document.Node {
	n, ok := m.Get(key)
	if ok && !n.List() {
		m.Remove(key)
	}
	return m.List(key)
}

// duration takes what is no duration out.
func duration(m *document.Mapping, key string) {
	n, ok := m.Get(key)
	if !ok || n.Null() {
		return
	}
	if _, err := model.ParseDuration(n.Value()); err != nil || !n.Scalar() {
		n.Fail(n.Shown(), "is no duration", "give one such as 30s, 5m or 1h30m")
		m.Remove(key)
	}
}

// texts takes what is no text out of a key's mapping.
func texts(m *document.Mapping, key string) {
	n, ok := m.Get(key)
	if !ok {
		return
	}
	all := n.Entries()
	for _, key := range all.Keys {
		if e, _ := all.Get(key); !e.Scalar() {
			e.Fail(e.Shown(), "is no text", "give one text")
			all.Remove(key)
		}
	}
	if !n.Mapped() {
		m.Remove(key)
	}
}

// position is how rulefmt places a mistake in the document that it was given,
// which is not the one that its author knows.
var position = regexp.MustCompile(`^(\d+:\d+: )+`)

// templated is how rulefmt names the text whose template it cannot read.
var templated = regexp.MustCompile(`^(label|annotation) "([^".]+)": template: `)

// foreign notes the mistakes that Prometheus' parser found.
func (r *ruleReader) foreign(errs []error, groups *rulefmt.RuleGroups) {
	slices.SortStableFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	for _, err := range errs {
		p := &document.Problem{Rule: position.ReplaceAllString(err.Error(), ""), Remedy: "see Prometheus' documentation of rule files"}
		var of *rulefmt.Error
		if errors.As(err, &of) && groups != nil {
			g := slices.IndexFunc(groups.Groups, func(g rulefmt.RuleGroup) bool { return g.Name == of.Group })
			where := r.at(g, of.Rule-1)
			p.Path, p.Line = where.path, where.line
			p.Rule = position.ReplaceAllString(of.Err.Unwrap().Error(), "")
			switch in := templated.FindStringSubmatch(p.Rule); {
			case where.line == 0:
			case in != nil:
				p.Path += "." + in[1] + "s." + in[2]
				p.Line = r.Line(p.Path)
			case strings.HasPrefix(p.Rule, "could not parse expression"):
				p.Path += ".expr"
				p.Line = r.Line(p.Path)
				p.Remedy = cmp.Or(spelling.Percent(groups.Groups[g].Rules[of.Rule-1].Expr), p.Remedy)
			}
		}
		r.Add(p)
	}
}

func (r *ruleReader) groups(in []rulefmt.RuleGroup) []Group {
	var out []Group
	for _, g := range in {
		for _, parsed := range g.Rules {
			r.recorded = append(r.recorded, parsed.Record)
		}
	}
	for i, g := range in {
		group := Group{Name: g.Name, Interval: time.Duration(g.Interval), Limit: g.Limit}
		if g.QueryOffset != nil {
			group.QueryOffset = time.Duration(*g.QueryOffset)
		}
		for j, parsed := range g.Rules {
			where := r.at(i, j)
			rule := where.Rule
			rule.File, rule.Alert, rule.Expr = r.file, parsed.Alert, strings.TrimSpace(parsed.Expr)
			rule.For, rule.KeepFiringFor = time.Duration(parsed.For), time.Duration(parsed.KeepFiringFor)
			rule.Labels, rule.Annotations = merge(g.Labels, parsed.Labels), parsed.Annotations
			if where.record {
				r.record(&group, rule, parsed.Record)
				continue
			}
			var found *binding
			if parsed.Expr != "" {
				found = r.compile(rule)
			}
			r.probe(rule, found, g.Labels)
			group.Rules = append(group.Rules, rule)
		}
		out = append(out, group)
	}
	return out
}

// record takes in a recording, which the rule says.
func (r *ruleReader) record(g *Group, rule *Rule, name string) {
	g.Recordings = append(g.Recordings, Recording{name, rule.Expr, rule.Labels, len(g.Rules), rule})
	for _, key := range rule.ofOneSelector() {
		rule.note(r.Add, key, "", "is of alerts", "remove it")
	}
	if rule.Recover != "" {
		rule.note(r.Add, ".recover", "", "is of alerts", "remove it")
	}
	if strings.HasPrefix(name, kpi.SeriesPrefix) {
		rule.note(r.Add, ".record", name, "begins as the series of KPIs do", "give it a name such as group:name:max")
	}
	if expr, err := expression.Parse(rule.Expr); err == nil { // else rulefmt has said so
		r.queryOf(rule, expr)
	}
}

// records reports whether a recording has a name.
func (r *ruleReader) records(name string) bool { return slices.Contains(r.recorded, name) }

// compile reads the rule's expression and finds its series; nil without a
// catalogue, when there is a problem, or if it is evaluated as Prometheus does.
func (r *ruleReader) compile(rule *Rule) *binding {
	expr, err := expression.Parse(rule.Expr)
	if err != nil {
		return nil // rulefmt has said so
	}
	if rule.selector = compile(expr); rule.selector != nil && r.catalogue != nil && !rule.selector.lives(r.catalogue) {
		rule.selector = nil
	}
	if rule.selector == nil {
		r.queryOf(rule, expr)
		return nil
	}
	if r.catalogue == nil {
		return nil
	}
	b, p := rule.bind(r.catalogue)
	if p != nil {
		r.Add(p)
		return nil
	}
	if p := rule.selector.constant(b); p != nil {
		rule.place(p, ".expr")
		r.Warn(p)
	}
	r.sure(rule, b)
	r.recoverOf(rule, expr)
	r.bound = append(r.bound, bound{rule, b})
	return b
}

// place says where in its file a problem of the rule stands.
func (r *Rule) place(p *document.Problem, below string) {
	p.File, p.Path, p.Line = r.File, r.path+below, r.line
	if below == ".expr" {
		p.Path, p.Line = r.path+cmp.Or(r.below, below), r.exprLine
	}
}

// merge is the union of two label sets; the second wins.
func merge(a, b map[string]string) map[string]string {
	out := make(map[string]string, len(a)+len(b))
	maps.Copy(out, a)
	maps.Copy(out, b)
	return out
}
