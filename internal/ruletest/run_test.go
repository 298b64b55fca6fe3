package ruletest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidewatch/tidewatch/alerts"
)

const rules = `groups:
- name: g
  rules:
  - {record: 'plays:all', expr: 'sum(kpi_plays{window="5m"})', labels: {of: all}}
  - alert: Low
    expr: kpi_plays{by="channel",window="5m"} < 3
    for: 2m
    labels: {severity: page}
    annotations: {summary: '{{ $labels.channel }} has {{ $value }} in {{ $externalLabels.zone }}'}
`

const series = `rule_files: [rules.yml]
evaluation_interval: 1m
tests:
- name: plays
  external_labels: {zone: cn}
  input_series:
  - {series: 'kpi_plays{by="channel",channel="a",window="5m"}', values: '5 2x6 9'}
  - {series: 'kpi_plays{by="channel",channel="b",window="5m"}', values: '4x8'}
`

func TestRun(t *testing.T) {
	const low = `{exp_labels: {severity: page, by: channel, channel: a, window: 5m}, exp_annotations: {summary: a has 2 in cn}}`
	for _, c := range []struct{ expects, want string }{
		{`alert_rule_test: [{eval_time: 2m, alertname: Low}, {eval_time: 3m, alertname: Low, exp_alerts: [` + low + `]}, {eval_time: 8m, alertname: Low}]`, ""},
		{`alert_rule_test: [{eval_time: 3m30s, alertname: Low, exp_alerts: [` + low + `]}]`, ""}, // as of the evaluation before
		{`alert_rule_test: [{eval_time: 2m, alertname: Low, exp_alerts: [` + low + `]}]`, "name: plays, alertname: Low, time: 2m0s,\n    exp: [{alertname=\"Low\""},
		{`alert_rule_test: [{eval_time: 1m, alertname: Low, exp_alerts: [{}]}, {eval_time: 3m, alertname: Low}]`, "time: 3m0s"}, // all that differs
		{`alert_rule_test: [{eval_time: 3m, alertname: Low}]`, "got: [{alertname=\"Low\", by=\"channel\", channel=\"a\", severity=\"page\", window=\"5m\"} {summary=\"a has 2 in cn\"}]"},
		{`promql_expr_test: [{expr: 'plays:all', eval_time: 1m, exp_samples: [{labels: 'plays:all{of="all"}', value: 6}]}]`, ""},
		{`promql_expr_test: [{expr: 'plays:all', eval_time: 7m59s, exp_samples: [{labels: 'plays:all{of="all"}', value: 6}]}]`, ""}, // not made since
		{`promql_expr_test: [{expr: 'ALERTS{alertstate="pending"}', eval_time: 1m, exp_samples: [{labels: 'ALERTS{alertname="Low",alertstate="pending",by="channel",channel="a",severity="page",window="5m"}', value: 1}]}]`, ""},
		{`promql_expr_test: [{expr: 'ALERTS{alertstate="pending"}', eval_time: 3m, exp_samples: []}]`, ""},
		{`promql_expr_test: [{expr: 'plays:all', eval_time: 1m, exp_samples: [{labels: 'plays:all{of="all"}', value: 7}]}]`, "exp: {__name__=\"plays:all\", of=\"all\"} 7\n    got: {__name__=\"plays:all\", of=\"all\"} 6"},
		{`promql_expr_test: [{expr: 'sum by (', eval_time: 1m}]`, `expr: "sum by (", time: 1m0s, err: `},
	} {
		f, err := Parse("tests.yml", []byte(series+"  "+c.expects+"\n"))
		if err != nil {
			t.Fatalf("%s: %v", c.expects, err)
		}
		got, err := f.Run(t.Context(), func() ([]*alerts.RuleFile, error) {
			one, err := alerts.LoadRules("rules.yml", []byte(rules), nil)
			return []*alerts.RuleFile{one}, err
		})
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(got, "\n"); c.want == "" && text != "" || !strings.Contains(text, c.want) {
			t.Errorf("%s: got %s\nwant %s", c.expects, text, c.want)
		}
	}
}

// What a file of tests cannot say is told with its place.
func TestParseMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"tests: [{input_series: [{series: 'a{', values: '1'}]}]":        "tests.yml:1: tests[0].input_series[0]: cannot be read: ",
		"tests: [{alert_rule_test: [{eval_time: 5m}]}]":                 "tests[0].alert_rule_test[0]: has no alertname",
		"tests: [{alert_rule_test: [{eval_time: soon, alertname: A}]}]": `tests[0].alert_rule_test[0].eval_time: "soon" is no duration`,
		"test: []": "test: is no key here: did you mean tests?",
		"tests: [{promql_expr_test: [{expr: a, eval_time: 1m, exp_samples: [{labels: 'a{'}]}]}]": "tests[0].promql_expr_test[0].exp_samples[0]: a{ are no labels",
		"tests: [{start_timestamp: 30}]": "tests[0].start_timestamp: \"30\" is no multiple of evaluation_interval",
	} {
		if _, err := Parse("tests.yml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// The files of testdata, with which promtool agrees.
func TestFiles(t *testing.T) {
	for _, name := range files(t) {
		if got := verdict(t, name); len(got) > 0 {
			t.Errorf("%s: %s", name, strings.Join(got, "\n"))
		}
	}
}

func files(t *testing.T) []string {
	t.Helper()
	list, err := filepath.Glob("testdata/*.test.yml")
	if err != nil || len(list) == 0 {
		t.Fatalf("no files: %v", err)
	}
	return list
}

func verdict(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse(name, data)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := os.ReadFile(filepath.Join(filepath.Dir(name), f.Rules[0]))
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.Run(t.Context(), func() ([]*alerts.RuleFile, error) {
		one, err := alerts.LoadRules(f.Rules[0], rules, nil)
		return []*alerts.RuleFile{one}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}
