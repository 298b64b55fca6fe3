package ruletest

import (
	"fmt"
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
		if text := strings.Join(told(t, rules, series+"  "+c.expects+"\n"), "\n"); c.want == "" && text != "" || !strings.Contains(text, c.want) {
			t.Errorf("%s: got %s\nwant %s", c.expects, text, c.want)
		}
	}
}

// Alerts are compared and written however many there are.
func TestManyAlerts(t *testing.T) {
	var given, wanted []string
	for i := range alerts.Listed + 100 {
		given = append(given, fmt.Sprintf(`{series: 'plays{channel="c%d"}', values: '1'}`, i))
		wanted = append(wanted, fmt.Sprintf(`{exp_labels: {channel: c%d}}`, i))
	}
	differs := told(t, `groups: [{name: g, rules: [{alert: Low, expr: 'plays * 1 < 3'}]}]`, fmt.Sprintf(`tests:
- input_series: [%s]
  alert_rule_test: [{eval_time: 0m, alertname: Low, exp_alerts: [%s]}]
  promql_expr_test: [{expr: 'count(ALERTS{alertstate="firing"})', eval_time: 0m, exp_samples: [{value: %d}]}]
`, strings.Join(given, ", "), strings.Join(wanted, ", "), len(wanted)))
	if len(differs) > 0 {
		t.Errorf("%.300q", differs)
	}
}

// What a group that looks back comes to stands where it looks.
func TestQueryOffset(t *testing.T) {
	differs := told(t, `groups: [{name: g, query_offset: 1m, rules: [{record: r, expr: a}, {alert: A, expr: 'a > 2'}]}]`, `tests:
- input_series: [{series: a, values: '1 2 3 4'}]
  alert_rule_test: [{eval_time: 2m, alertname: A}, {eval_time: 3m, alertname: A, exp_alerts: [{}]}]
  promql_expr_test:
  - {expr: r, eval_time: 1m, exp_samples: [{labels: r, value: 2}]}
  - {expr: r, eval_time: 3m, exp_samples: [{labels: r, value: 3}]}
  - {expr: ALERTS, eval_time: 1m, exp_samples: []}
  - {expr: ALERTS, eval_time: 2m, exp_samples: [{labels: 'ALERTS{alertname="A",alertstate="firing"}', value: 1}]}
  - {expr: ALERTS_FOR_STATE, eval_time: 2m, exp_samples: [{labels: 'ALERTS_FOR_STATE{alertname="A"}', value: 180}]}
`)
	if len(differs) > 0 {
		t.Errorf("%s", strings.Join(differs, "\n"))
	}
}

// What a rule cannot come to is told of it, at the time.
func TestBrokenRules(t *testing.T) {
	for rule, want := range map[string]string{
		`record: r, expr: 'a'`:                             "",
		`record: r, expr: 'a + on (job) group_left b'`:     "rule: r, time: 1m0s, err: ",
		`record: r, expr: 'sum(a) or b'`:                   "",
		`record: r, expr: 'a or c', labels: {job: x}`:      "rule: r, time: 0s, err: two results have the same labels",
		`record: r, expr: 'a or b or c'`:                   "rule: r, time: 1m0s, err: the expression has 4 results, more than limit: 3",
		`record: r, expr: 'a'}, {record: r, expr: 'a * 2'`: `rule: r, time: 0s, err: {__name__="r", job="x"} has another value at this time: `,
		`alert: A, expr: 'a or c', labels: {job: x}`:       "rule: A, time: 0s, err: two results have the same labels",
	} {
		got := strings.Join(told(t, `groups: [{name: g, limit: 3, rules: [{`+rule+`}]}]`, `tests:
- input_series: [{series: 'a{job="x"}', values: '1 1'}, {series: 'c{job="y"}', values: '1 1'}, {series: 'b{job="x",of="1"}', values: '_ 1'}, {series: 'b{job="x",of="2"}', values: '_ 1'}]
  promql_expr_test: [{expr: 'vector(1)', eval_time: 1m, exp_samples: [{value: 1}]}]
`), "\n")
		if want == "" && got != "" || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", rule, got, want)
		}
	}
}

// told is what differs from a file of tests.
func told(t *testing.T, rules, tests string) []string {
	t.Helper()
	f, err := Parse("tests.yml", []byte(tests))
	if err != nil {
		t.Fatalf("%s: %v", tests, err)
	}
	got, err := f.Run(t.Context(), func() ([]*alerts.RuleFile, error) {
		one, err := alerts.LoadRules("rules.yml", []byte(rules), nil)
		return []*alerts.RuleFile{one}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// What a file of tests cannot say is told with its place.
func TestParseMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"tests: [{input_series: [{series: 'a{', values: '1'}]}]":        "tests.yml:1: tests[0].input_series[0]: cannot be read: ",
		"tests: [{alert_rule_test: [{eval_time: 5m}]}]":                 "tests[0].alert_rule_test[0]: has no alertname",
		"tests: [{alert_rule_test: [{eval_time: soon, alertname: A}]}]": `tests[0].alert_rule_test[0].eval_time: "soon" is no duration`,
		"test: []": "test: is no key here: did you mean tests?",
		"tests: [{promql_expr_test: [{expr: a, eval_time: 1m, exp_samples: [{labels: 'a{'}]}]}]": "tests[0].promql_expr_test[0].exp_samples[0]: a{ are no labels",
		"group_eval_order: [a, b, a]":    "group_eval_order[2]: a is named twice: keep one",
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
	return told(t, string(rules), string(data))
}
