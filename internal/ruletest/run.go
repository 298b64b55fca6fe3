package ruletest

import (
	"cmp"
	"context"
	"errors"
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
		now := t.begin + at.Milliseconds()
		status := b.evaluate(now)
		broken := false
		for _, r := range status.Rules {
			if r.Health == "err" {
				broken = true
				failures = append(failures, fmt.Sprintf("rule: %s, time: %s, err: %s", r.Name, at, r.LastError))
			}
		}
		if broken {
			return failures, nil
		}
		for _, c := range t.alerts {
			if at <= c.at && c.at < at+f.Every {
				failures = append(failures, c.check(status)...)
			}
		}
	}
	for _, c := range t.exprs {
		failures = append(failures, c.check(b, t.begin, f.Fuzzy)...)
	}
	return failures, nil
}

// begun is the rules of files at the begin of a test.
func (f *File) begun(ctx context.Context, t *Test, files []*alerts.RuleFile) (*bench, error) {
	begin := func(files ...*alerts.RuleFile) (*alerts.Engine, error) {
		return alerts.NewEngine(files, &kpi.Catalogue{Location: time.UTC}, alerts.EngineOptions{ExternalURL: t.externalURL, ExternalLabels: t.external})
	}
	all, err := begin(files...)
	if err != nil {
		return nil, err
	}
	b := &bench{ctx: ctx, engine: expression.NewEngine(alerts.MaxSamples), test: t, states: states{}}
	if b.recordings, err = recordingsOf(all, f.Every); err != nil {
		return nil, err
	}
	for _, g := range f.ordered(files) {
		for _, r := range g.Rules {
			g.Rules, g.Recordings = []*alerts.Rule{r}, nil
			one, err := begin(&alerts.RuleFile{Groups: []alerts.Group{g}})
			if err != nil {
				return nil, err
			}
			b.rules = append(b.rules, one)
		}
	}
	return b, nil
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

// recordingsOf are those of rules, which are made at evaluations alone.
func recordingsOf(e *alerts.Engine, every time.Duration) (list []queryable.Recording, err error) {
	var errs []error
	for r := range e.Recordings() {
		expr, err := expression.Parse(r.Expr)
		errs = append(errs, err)
		list = append(list, queryable.Recording{Name: r.Name, Expr: expr, Labels: labels.FromMap(r.Labels), Every: every, Stepwise: true})
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return list, queryable.CheckRecordings(list)
}

// A bench evaluates expressions over the series of a test, and what rules make of them. It
// implements alerts.View.
type bench struct {
	ctx        context.Context
	engine     *promql.Engine
	test       *Test
	rules      []*alerts.Engine // one of each, in their order
	states     states
	recordings []queryable.Recording
}

// evaluate evaluates the rules one by one, as Prometheus does: each knows which alerts those
// before it have come to.
func (b *bench) evaluate(now int64) (all alerts.Status) {
	for i, e := range b.rules {
		e.Evaluate(now, b)
		one := e.Status()
		b.states.take(i, one.Alerts, now)
		all.Alerts, all.Rules = append(all.Alerts, one.Alerts...), append(all.Rules, one.Rules...)
	}
	return all
}

// Series implements alerts.View: nothing asks for any.
func (b *bench) Series(string, kpi.Set, kpi.Window) []sample.Sample { return nil }

// Sealed implements alerts.View: no verdict is judged again.
func (b *bench) Sealed(string, kpi.Set, kpi.Window, int64) ([]sample.Sample, bool, error) {
	return nil, false, nil
}

// Query implements alerts.View.
func (b *bench) Query(_ context.Context, expr string, at int64) (promql.Vector, error) {
	series := queryable.WithRecordings(queryable.Static(b.states.with(b.test.series)), b.engine, b.recordings)
	return expression.Vector(b.ctx, b.engine, series, expr, time.UnixMilli(at))
}

// firing are the alerts of a name that fire, with what the rule itself says of them.
func firing(s alerts.Status, name string) (out []fired) {
	for _, a := range s.Alerts {
		if a.Rule != name || a.State != alerts.Firing || a.Of == nil {
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
func (c *alertCase) check(s alerts.Status) []string {
	var got []string
	for _, f := range firing(s, c.name) {
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
	vector, err := b.Query(b.ctx, c.expr, begin+c.at.Milliseconds())
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
