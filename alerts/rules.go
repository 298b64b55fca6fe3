package alerts

import (
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
	"go.yaml.in/yaml/v3"

	"github.com/tidewatch/tidewatch/kpi"
)

// DefaultMinSamples is the smallest n at which a rule judges a ratio, unless
// it says otherwise.
const DefaultMinSamples = 30

// A RuleFile is a file of rule groups in Prometheus' format.
type RuleFile struct {
	Name   string
	Groups []Group
}

// A Group is a list of rules that are evaluated together.
type Group struct {
	Name string
	// Interval is the distance between evaluations in event time. By default
	// 0: at every close of a slice.
	Interval time.Duration
	Rules    []*Rule
}

// A Rule compares the series of a KPI with a number.
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
	// MinSamples is the smallest n at which the rule decides anything: below
	// it an alert keeps its state. Negative for the default: DefaultMinSamples
	// for the value of a ratio and its bounds, else 0.
	MinSamples int64

	selector selector
	file     string
	path     string
	line     int
}

// LoadRules reads a rule file over a catalogue; without one it does not ask
// what is kept. Of Prometheus' expressions it takes one selector of a KPI
// compared with a number. The error names all that is wrong.
func LoadRules(name string, data []byte, c *kpi.Catalogue) (*RuleFile, error) {
	d, err := parseDocument(name, data)
	if err != nil {
		return nil, err
	}
	places := d.lift()
	rest, err := d.rest()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	groups, errs := rulefmt.Parse(rest, false, model.UTF8Validation, language, slog.New(slog.NewTextHandler(io.Discard, nil)))
	for _, err := range errs {
		if groups == nil && len(d.problems) > 0 {
			break // it stumbled over what has been noted
		}
		d.foreign(err, groups, places)
	}
	file := &RuleFile{Name: name}
	if groups != nil {
		file.Groups = d.groups(groups.Groups, places, c)
	}
	if err := d.err(); err != nil {
		return nil, err
	}
	return file, nil
}

var language = parser.NewParser(parser.Options{})

// A place is where a rule stands, with the keys that Prometheus does not have.
type place struct {
	path       string
	line       int
	expr       *yaml.Node
	record     bool
	minSamples int64
}

// at is the place of a rule; a zero one for what a merge key brought in.
func at(places [][]place, group, rule int) place {
	if group < len(places) && rule < len(places[group]) {
		return places[group][rule]
	}
	return place{minSamples: -1}
}

// later are keys that are understood but not evaluated yet.
var later = map[string]string{
	"recover":      "resolve on the rule's own condition, or delay it with keep_firing_for",
	"no_data":      "an alert keeps its state without data: remove it",
	"confidence":   "compare kpi_<name>_low or kpi_<name>_high instead",
	"query_offset": "rules run in event time: remove it",
	"limit":        "remove it",
}

// lift takes our own keys, and what is wrong with the shape, out of the
// document.
func (d *document) lift() [][]place {
	if d.root == nil {
		return nil
	}
	var places [][]place
	for _, top := range d.fields(d.root, "") {
		if !d.known(top, "groups") {
			continue
		}
		for i, group := range d.items(top) {
			places = append(places, d.liftGroup(group, fmt.Sprintf("groups[%d]", i)))
		}
	}
	return places
}

func (d *document) liftGroup(n *yaml.Node, path string) []place {
	var places []place
	for _, f := range d.fields(n, path) {
		if !d.known(f, "name", "interval", "labels", "rules") {
			continue
		}
		switch f.name {
		case "interval":
			d.duration(f)
		case "labels":
			d.texts(f)
		case "rules":
			for i, rule := range d.items(f) {
				places = append(places, d.liftRule(rule, fmt.Sprintf("%s.rules[%d]", path, i)))
			}
		}
	}
	return places
}

func (d *document) liftRule(n *yaml.Node, path string) place {
	p := place{path: path, line: deref(n).Line, minSamples: -1}
	for _, f := range d.fields(n, path) {
		if f.name != "record" && !d.known(f, "alert", "expr", "for", "keep_firing_for", "labels", "annotations", "min_samples") {
			continue
		}
		switch f.name {
		case "record":
			p.record = true
			d.fault(f.key, f.path, strconv.Quote(f.value.Value), "is a recording rule: not supported yet", "define a KPI in the catalogue instead")
		case "expr":
			p.expr = f.value
		case "for", "keep_firing_for":
			d.duration(f)
		case "labels", "annotations":
			d.texts(f)
		case "min_samples":
			d.take(f)
			count, err := strconv.ParseInt(f.value.Value, 10, 64)
			if err != nil || count < 0 {
				d.fault(f.value, f.path, describe(f.value), "is no count", "give a whole number of at least 0")
			} else {
				p.minSamples = count
			}
		}
	}
	return p
}

// known reports whether the key is one of those, or a merge key. Another is a
// fault.
func (d *document) known(f field, keys ...string) bool {
	if f.name == "<<" || slices.Contains(keys, f.name) {
		return true
	}
	if remedy, ok := later[f.name]; ok {
		d.fault(f.key, f.path, "", "is not supported yet", remedy)
	} else {
		d.fault(f.key, f.path, "", "is no known key", "write one of "+strings.Join(keys, ", "))
	}
	d.take(f)
	return false
}

func (d *document) duration(f field) {
	if _, err := model.ParseDuration(f.value.Value); err != nil || f.value.Kind != yaml.ScalarNode {
		d.fault(f.value, f.path, describe(f.value), "is no duration", "give one such as 30s, 5m or 1h30m")
		d.take(f)
	}
}

func (d *document) texts(f field) {
	for _, e := range d.fields(f.value, f.path) {
		if e.value.Kind != yaml.ScalarNode {
			d.fault(e.value, e.path, describe(e.value), "is no text", "give one text")
			d.take(e)
		}
	}
	if f.value.Kind != yaml.MappingNode {
		d.take(f)
	}
}

// position is how rulefmt places a mistake in the document that it was given,
// which is not the one that its author knows.
var position = regexp.MustCompile(`^(\d+:\d+: )+`)

// foreign notes a mistake that Prometheus' parser found.
func (d *document) foreign(err error, groups *rulefmt.RuleGroups, places [][]place) {
	p := &kpi.Problem{File: d.file, Rule: position.ReplaceAllString(err.Error(), ""), Remedy: "see Prometheus' documentation of rule files"}
	var of *rulefmt.Error
	if errors.As(err, &of) && groups != nil {
		g := slices.IndexFunc(groups.Groups, func(g rulefmt.RuleGroup) bool { return g.Name == of.Group })
		where := at(places, g, of.Rule-1)
		p.Path, p.Line = where.path, where.line
		p.Rule = position.ReplaceAllString(of.Err.Unwrap().Error(), "")
	}
	d.problems = append(d.problems, p)
}

func (d *document) groups(in []rulefmt.RuleGroup, places [][]place, c *kpi.Catalogue) []Group {
	var out []Group
	for i, g := range in {
		group := Group{Name: g.Name, Interval: time.Duration(g.Interval)}
		for j, r := range g.Rules {
			where := at(places, i, j)
			rule := &Rule{
				Alert: r.Alert, Expr: strings.TrimSpace(r.Expr),
				For: time.Duration(r.For), KeepFiringFor: time.Duration(r.KeepFiringFor),
				Labels: merge(g.Labels, r.Labels), Annotations: r.Annotations,
				MinSamples: where.minSamples,
				file:       d.file, path: where.path, line: where.line,
			}
			if !where.record && r.Expr != "" {
				d.compile(rule, where, c)
			}
			d.probe(rule)
			group.Rules = append(group.Rules, rule)
		}
		out = append(out, group)
	}
	return out
}

func (d *document) compile(r *Rule, where place, c *kpi.Catalogue) {
	expr, err := language.ParseExpr(r.Expr)
	if err != nil {
		return // rulefmt has said so
	}
	var p *kpi.Problem
	if r.selector, p = compile(expr); p != nil {
		p.File, p.Path, p.Line = d.file, where.path+".expr", where.line
		if where.expr != nil {
			p.Line = where.expr.Line
		}
	} else if c != nil {
		_, p = r.bind(c)
	}
	if p != nil {
		d.problems = append(d.problems, p)
	}
}

// probe finds templates that ask for more than the alert's own series.
func (d *document) probe(r *Rule) {
	for _, texts := range []map[string]string{r.Labels, r.Annotations} {
		for name, text := range texts {
			if _, err := expand(text, r.Alert, templateData{}, 0); errors.Is(err, errQuery) {
				d.problems = append(d.problems, &kpi.Problem{
					File: r.file, Line: r.line, Path: r.path, Value: name,
					Rule:   "calls query() in its template: not supported yet",
					Remedy: "use $value and $labels only",
				})
			}
		}
	}
}

// merge is the union of two label sets; the second wins.
func merge(a, b map[string]string) map[string]string {
	out := make(map[string]string, len(a)+len(b))
	maps.Copy(out, a)
	maps.Copy(out, b)
	return out
}
