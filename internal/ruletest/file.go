package ruletest

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/internal/queryable"
)

// A File is a file of tests.
type File struct {
	// Rules are the names of rule files, patterns relative to the file.
	Rules []string
	// Every is the distance between evaluations.
	Every time.Duration
	// Fuzzy lets values differ in the last bit.
	Fuzzy bool
	order []string // in which groups are evaluated, those first that it does not name
	Tests []Test
	// Warnings are what Run does not look at.
	Warnings []string
}

// A Test is some series, and what is expected of them. Times are since its begin.
type Test struct {
	Name        string
	begin       int64 // Unix ms
	series      []queryable.Series
	external    map[string]string
	externalURL string
	alerts      []alertCase
	exprs       []exprCase
}

// An alertCase says which alerts of a name fire at a time.
type alertCase struct {
	at   time.Duration
	name string
	want []fired
}

// fired is an alert that fires.
type fired struct{ labels, annotations map[string]string }

// An exprCase says what an expression comes to at a time.
type exprCase struct {
	at   time.Duration
	expr string
	want []result
}

type result struct {
	labels labels.Labels
	value  float64
}

// Parse reads a file of tests. The error names all that is wrong.
func Parse(name string, data []byte) (*File, error) {
	d := document.Parse(name, data)
	m := d.Root().Mapping("rule_files", "evaluation_interval", "group_eval_order", "fuzzy_compare", "tests")
	f := &File{Every: length(m, "evaluation_interval", time.Minute), Fuzzy: yes(m, "fuzzy_compare")}
	for _, n := range m.List("rule_files") {
		f.Rules = append(f.Rules, n.Text())
	}
	for _, n := range m.List("group_eval_order") {
		name := n.Text()
		if slices.Contains(f.order, name) {
			n.Fail(name, "is named twice", "keep one")
		}
		f.order = append(f.order, name)
	}
	for _, n := range m.List("tests") {
		f.Tests = append(f.Tests, readTest(n, f.Every))
	}
	return f, d.Err()
}

func readTest(n document.Node, every time.Duration) Test {
	m := n.Mapping("name", "interval", "start_timestamp", "input_series", "external_labels", "external_url", "alert_rule_test", "promql_expr_test")
	t := Test{Name: m.Text("name"), externalURL: m.Text("external_url"), external: texts(m, "external_labels")}
	if at, ok := m.Get("start_timestamp"); ok {
		if t.begin = readTime(at); t.begin%every.Milliseconds() != 0 {
			at.Fail(at.Shown(), "is no multiple of evaluation_interval", "give one that is")
		}
	}
	interval := length(m, "interval", every)
	for _, s := range m.List("input_series") {
		t.series = append(t.series, readSeries(s, t.begin, interval))
	}
	for _, a := range m.List("alert_rule_test") {
		at := a.Mapping("eval_time", "alertname", "exp_alerts")
		one := alertCase{at: length(at, "eval_time", 0), name: at.Text("alertname")}
		if one.name == "" {
			at.Missing("has no alertname", "add alertname: the name of a rule")
		}
		for _, e := range at.List("exp_alerts") {
			of := e.Mapping("exp_labels", "exp_annotations")
			want := fired{texts(of, "exp_labels"), texts(of, "exp_annotations")}
			want.labels[model.AlertNameLabel] = one.name
			one.want = append(one.want, want)
		}
		t.alerts = append(t.alerts, one)
	}
	for _, e := range m.List("promql_expr_test") {
		at := e.Mapping("expr", "eval_time", "exp_samples")
		one := exprCase{at: length(at, "eval_time", 0), expr: at.Text("expr")}
		for _, s := range at.List("exp_samples") {
			one.want = append(one.want, readResult(s))
		}
		t.exprs = append(t.exprs, one)
	}
	return t
}

func readSeries(n document.Node, begin int64, interval time.Duration) (s queryable.Series) {
	m := n.Mapping("series", "values")
	ls, values, err := expression.Language.ParseSeriesDesc(m.Text("series") + " " + m.Text("values"))
	if err != nil {
		n.Fail("", "cannot be read: "+err.Error(), `write series: 'kpi_NAME{window="5m"}' and values: '1 2 3' or '1+1x9'`)
		return s
	}
	s.Labels = ls
	for i, v := range values {
		if v.Histogram != nil {
			n.Fail(m.Text("values"), "has histograms, which no KPI is", "give numbers")
			return s
		}
		if !v.Omitted {
			s.Points = append(s.Points, queryable.NewPoint(begin+int64(i)*interval.Milliseconds(), v.Value))
		}
	}
	return s
}

func readResult(n document.Node) (r result) {
	m := n.Mapping("labels", "value")
	var err error
	if r.labels, err = expression.Language.ParseMetric(m.Text("labels")); err != nil {
		n.Fail(m.Text("labels"), "are no labels: "+err.Error(), `write them as 'kpi_NAME{window="5m"}', or '{}'`)
	}
	if text := m.Text("value"); text != "" {
		if r.value, err = strconv.ParseFloat(text, 64); err != nil {
			r.value = special(text)
		}
	}
	return r
}

// special reads numbers as YAML writes them.
func special(text string) float64 {
	switch text {
	case ".inf", "+.inf":
		return math.Inf(1)
	case "-.inf":
		return math.Inf(-1)
	}
	return math.NaN()
}

// readTime reads Unix seconds or RFC 3339, as ms.
func readTime(n document.Node) int64 {
	if s, err := strconv.ParseFloat(n.Value(), 64); err == nil {
		return int64(s * 1000)
	}
	t, err := time.Parse(time.RFC3339, n.Value())
	if err != nil {
		n.Fail(n.Shown(), "is no time", "give RFC 3339 or Unix seconds")
	}
	return t.UnixMilli()
}

func length(m document.Mapping, key string, usual time.Duration) time.Duration {
	n, ok := m.Get(key)
	if !ok {
		return usual
	}
	d, err := model.ParseDuration(n.Value())
	if err != nil {
		n.Fail(fmt.Sprintf("%q", n.Value()), "is no duration", "give one such as 30s, 5m or 1h30m")
	}
	return time.Duration(d)
}

func yes(m document.Mapping, key string) bool {
	n, ok := m.Get(key)
	if !ok {
		return false
	}
	is, _ := n.Bool()
	return is
}

func texts(m document.Mapping, key string) map[string]string {
	out := map[string]string{}
	if n, ok := m.Get(key); ok {
		all := n.Entries()
		for _, name := range all.Keys {
			out[name] = all.Text(name)
		}
	}
	return out
}
