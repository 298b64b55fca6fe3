package ruletest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/internal/queryable"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// Run holds the rules, read without a catalogue, to the tests, and returns what differs.
// The rules are used up.
func (f *File) Run(ctx context.Context, rules func() ([]*alerts.RuleFile, error)) (failures []string, err error) {
	for i := range f.Tests {
		t := &f.Tests[i]
		files, err := rules()
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			for _, p := range file.Queried(f.Every) {
				if i == 0 {
					f.Warnings = append(f.Warnings, p.Error())
				}
			}
		}
		told, err := f.run(ctx, t, files)
		if err != nil {
			return nil, err
		}
		for _, text := range told {
			if t.Name != "" {
				text = "name: " + t.Name + ", " + text
			}
			failures = append(failures, text)
		}
	}
	return failures, nil
}

func (f *File) run(ctx context.Context, t *Test, files []*alerts.RuleFile) (failures []string, err error) {
	b, err := f.begun(ctx, t, files)
	if err != nil {
		return nil, err
	}
	for at := time.Duration(0); at <= t.last(); at += f.Every {
		var due []alertCase
		var names []string
		for _, c := range t.alerts {
			if at <= c.at && c.at < at+f.Every {
				due, names = append(due, c), append(names, c.name)
			}
		}
		fire, broken := b.evaluate(at, names...)
		if len(broken) > 0 {
			return append(failures, broken...), nil
		}
		for _, c := range due {
			failures = append(failures, c.check(fire[c.name])...)
		}
	}
	for _, c := range t.exprs {
		failures = append(failures, c.check(b, t.begin, f.Fuzzy)...)
	}
	return failures, nil
}

// begun is the rules of files at the begin of a test.
func (f *File) begun(ctx context.Context, t *Test, files []*alerts.RuleFile) (*bench, error) {
	if err := check(files); err != nil {
		return nil, err
	}
	b := &bench{ctx: ctx, engine: expression.NewEngine(alerts.MaxSamples), begin: t.begin, series: queryable.NewStore(t.series...)}
	for _, g := range f.ordered(files) {
		rules, err := rulesOf(g, alerts.EngineOptions{ExternalURL: t.externalURL, ExternalLabels: t.external})
		if err != nil {
			return nil, err
		}
		b.rules = append(b.rules, rules...)
	}
	return b, nil
}

// check refuses rules that the service refuses together.
func check(files []*alerts.RuleFile) error {
	if _, err := newEngine(alerts.EngineOptions{}, files...); err != nil {
		return err
	}
	var recordings []queryable.Recording
	for r := range alerts.Recordings(files) {
		expr, err := expression.Parse(r.Expr)
		if err != nil {
			return err
		}
		recordings = append(recordings, queryable.Recording{Name: r.Name, Expr: expr})
	}
	return queryable.CheckRecordings(recordings)
}

func newEngine(o alerts.EngineOptions, files ...*alerts.RuleFile) (*alerts.Engine, error) {
	return alerts.NewEngine(files, &kpi.Catalogue{Location: time.UTC}, o)
}

// ordered are the groups of files, in the order in which they are evaluated.
func (f *File) ordered(files []*alerts.RuleFile) (list []alerts.Group) {
	for _, file := range files {
		list = append(list, file.Groups...)
	}
	slices.SortStableFunc(list, func(a, b alerts.Group) int {
		return cmp.Compare(slices.Index(f.order, a.Name), slices.Index(f.order, b.Name))
	})
	return list
}

// last is the latest time that something is expected of.
func (t *Test) last() (at time.Duration) {
	for _, c := range t.alerts {
		at = max(at, c.at)
	}
	for _, c := range t.exprs {
		at = max(at, c.at)
	}
	return at
}

// A bench evaluates expressions over the series of a test, and those that rules have written.
// It implements alerts.View.
type bench struct {
	ctx    context.Context
	engine *promql.Engine
	begin  int64
	series *queryable.Store
	rules  []*rule // in the order of their evaluation
}

// evaluate evaluates the rules one by one, as Prometheus does: each knows what those before
// it have come to. It returns the alerts of some names that fire, and which rules could not
// be evaluated.
func (b *bench) evaluate(at time.Duration, names ...string) (fire map[string][]fired, broken []string) {
	fire = map[string][]fired{}
	now := b.begin + at.Milliseconds()
	for _, r := range b.rules {
		results, err := r.evaluate(b, now)
		if r.alert != nil && slices.Contains(names, r.name) { // before anybody, its own templates too, knows what it has come to
			fire[r.name] = append(fire[r.name], firing(r.alert.StatusOf(math.MaxInt))...)
		}
		if err == nil {
			err = r.write(b.series, results, now-r.offset)
		}
		if err != nil {
			broken = append(broken, fmt.Sprintf("rule: %s, time: %s, err: %s", r.name, at, err))
		}
	}
	return fire, broken
}

// Series implements alerts.View: nothing asks for any.
func (b *bench) Series(string, kpi.Set, kpi.Window) []sample.Sample { return nil }

// Sealed implements alerts.View: no verdict is judged again.
func (b *bench) Sealed(string, kpi.Set, kpi.Window, int64) ([]sample.Sample, bool, error) {
	return nil, false, nil
}

// Query implements alerts.View.
func (b *bench) Query(_ context.Context, expr string, at int64) (_ promql.Vector, mixed bool, err error) {
	out, _, err := expression.Vector(b.ctx, b.engine, b.series, expr, time.UnixMilli(at))
	return out, false, err
}

// firing are the alerts that fire, with what the rule itself says of them.
func firing(s alerts.Status) (out []fired) {
	for _, a := range s.Alerts {
		if a.State != alerts.Firing || a.Of == nil {
			continue
		}
		own := map[string]string{}
		for name := range a.Of.Annotations {
			own[name] = a.Annotations[name]
		}
		out = append(out, fired{maps.Clone(a.Labels), own})
	}
	return out
}

// check compares the alerts that fire.
func (c *alertCase) check(fire []fired) []string {
	var got []string
	for _, f := range fire {
		got = append(got, f.String())
	}
	var want []string
	for _, w := range c.want {
		want = append(want, w.String())
	}
	slices.Sort(got)
	slices.Sort(want)
	if slices.Equal(got, want) {
		return nil
	}
	return []string{fmt.Sprintf("alertname: %s, time: %s,\n    exp: [%s]\n    got: [%s]", c.name, c.at, strings.Join(want, ", "), strings.Join(got, ", "))}
}

// String is the same of the same labels and annotations. Empty ones are none.
func (f fired) String() string {
	for _, m := range []map[string]string{f.labels, f.annotations} {
		maps.DeleteFunc(m, func(_, v string) bool { return v == "" })
	}
	return labels.FromMap(f.labels).String() + " " + labels.FromMap(f.annotations).String()
}

// check compares what the expression comes to.
func (c *exprCase) check(b *bench, begin int64, fuzzy bool) []string {
	vector, _, err := b.Query(b.ctx, c.expr, begin+c.at.Milliseconds())
	if err != nil {
		return []string{fmt.Sprintf("expr: %q, time: %s, err: %s", c.expr, c.at, err)}
	}
	got := make([]result, len(vector))
	for i := range vector {
		got[i] = result{vector[i].Metric, vector[i].F}
	}
	byLabels := func(a, b result) int { return labels.Compare(a.labels, b.labels) }
	want := slices.Clone(c.want)
	slices.SortFunc(got, byLabels)
	slices.SortFunc(want, byLabels)
	if slices.EqualFunc(got, want, func(a, b result) bool { return labels.Equal(a.labels, b.labels) && same(a.value, b.value, fuzzy) }) {
		return nil
	}
	return []string{fmt.Sprintf("expr: %q, time: %s,\n    exp: %s\n    got: %s", c.expr, c.at, shown(want), shown(got))}
}

// same reports whether numbers are equal. NaN is none that anything is equal to.
func same(a, b float64, fuzzy bool) bool {
	return a == b || fuzzy && (math.Nextafter(a, math.Inf(-1)) == b || math.Nextafter(a, math.Inf(1)) == b)
}

func shown(list []result) string {
	if len(list) == 0 {
		return "nil"
	}
	var out []string
	for _, r := range list {
		out = append(out, fmt.Sprintf("%s %v", r.labels, r.value))
	}
	return strings.Join(out, ", ")
}
