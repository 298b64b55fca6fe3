//go:build clients

package ruletest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
)

// TestPromtool: promtool gives the same verdict on files of tests that are generated: half
// of them expect what comes, half something else.
func TestPromtool(t *testing.T) {
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Fatal("promtool is missing: install Debian's package prometheus")
	}
	r := rand.New(rand.NewPCG(7, 8))
	passed := 0
	for i := range 100 {
		dir := t.TempDir()
		write := func(name, text string) string {
			name = filepath.Join(dir, name)
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			return name
		}
		rules := invented(r)
		write("rules.yml", rules)
		tests := write("tests.yml", expecting(t, r, rules, i%2 == 1))
		got := verdict(t, tests)
		out, err := exec.Command("promtool", "test", "rules", tests).CombinedOutput()
		if (err == nil) != (len(got) == 0) {
			text, _ := os.ReadFile(tests)
			t.Errorf("case %d: promtool says %s\nwe say %q\nrules:\n%s\ntests:\n%s", i, out, got, rules, text)
		}
		if err == nil {
			passed++
		}
	}
	if passed < 30 || passed > 70 {
		t.Errorf("%d of 100 cases passed: too few of one kind", passed)
	}
	for _, name := range files(t) {
		if out, err := exec.Command("promtool", "test", "rules", name).CombinedOutput(); err != nil {
			t.Errorf("%s: promtool says %s", name, out)
		}
	}
}

func pick(r *rand.Rand, list ...string) string { return list[r.IntN(len(list))] }

// expressions are of the series a and b by job. Ranges end between samples: since version 3
// Prometheus leaves out the one at their left end.
var expressions = []string{
	"a > %d", "a < %d", "sum by (job) (a) >= %d", "sum(a) > %d", "rate(a[150s]) * 60 > %d", "a - b > %d", "a > %d and on (job) b > 2",
	"sum_over_time(a[210s]) > %d", "a offset 2m > %d", "max(a) by (job) > %d unless b > 5", "absent(c{job='x'}) * %d > 0", "recorded > %d",
	"count(a > 3) > %d", "changes(b[270s]) > %d", "kpi_plays{window='5m'} > %d", "a == bool %d > 0", "topk(2, a) > %d",
	"a > %d or b > 8", "(a > bool 5) * 3 > %d", "quantile_over_time(0.5, a[270s:1m]) > %d", "kpi_ctr{by='total',window='5m'} < %d / 10",
	"sum by (job) (ALERTS{alertname!='A1'}) * %d > 1", "ALERTS{alertname='A0',alertstate='firing'} * %d > 0", "count(ALERTS_FOR_STATE) >= %d", "fires0 * %d > 1",
	"fires1 >= %d", "sum(fires2) * %d > 1", "fires1 > %d unless on () fires2",
}

// recordings are what may be recorded below an alert.
var recordings = []string{
	"count(ALERTS{alertstate='firing'})", "sum by (job) (ALERTS)", "time() - min(ALERTS_FOR_STATE)", "recorded offset 1m", "max_over_time(recorded[150s])",
}

func invented(r *rand.Rand) string {
	var b strings.Builder
	fmt.Fprintf(&b, "groups:\n- name: g\n  rules:\n  - {record: recorded, expr: '%s', labels: {level: job}}\n", pick(r, "sum by (job) (a)", "a + b", "rate(a[90s]) * 60"))
	for i := range 3 {
		fmt.Fprintf(&b, "  - alert: A%d\n    expr: %q\n", i, fmt.Sprintf(pick(r, expressions...), r.IntN(8)))
		if r.IntN(2) == 0 {
			fmt.Fprintf(&b, "    for: %s\n", pick(r, "1m", "2m", "90s"))
		}
		if r.IntN(3) == 0 {
			fmt.Fprintf(&b, "    keep_firing_for: %s\n", pick(r, "1m", "3m"))
		}
		if r.IntN(2) == 0 {
			fmt.Fprintf(&b, "    labels: {severity: page, on: '{{ $labels.job }}'}\n")
		}
		if r.IntN(2) == 0 {
			fmt.Fprintf(&b, "    annotations: {summary: '{{ $labels.job }} is {{ $value }} {{ $externalLabels.zone }}', more: 'text'}\n")
		}
		if r.IntN(2) == 0 {
			fmt.Fprintf(&b, "  - {record: fires%d, expr: %q}\n", i, pick(r, recordings...))
		}
	}
	return b.String()
}

// values are a sequence of a random walk, with gaps and ends.
func values(r *rand.Rand) string {
	var out []string
	v := r.IntN(8)
	for range 30 {
		switch r.IntN(12) {
		case 0:
			out = append(out, "_")
		case 1:
			out = append(out, "stale")
		default:
			v = max(0, v+r.IntN(5)-2)
			out = append(out, fmt.Sprint(v))
		}
	}
	return strings.Join(out, " ")
}

// expecting is a file of tests of what the rules make of some series, or, with wrong, of
// something else.
func expecting(t *testing.T, r *rand.Rand, rules string, wrong bool) string {
	head := "rule_files: [rules.yml]\nevaluation_interval: 1m\ntests:\n- interval: 1m\n  external_labels: {zone: z1}\n  input_series:\n"
	for _, s := range []string{"a{job='x'}", "a{job='y'}", "b{job='x'}", "b{job='z'}", "kpi_plays{by='total',window='5m'}"} {
		head += fmt.Sprintf("  - {series: %q, values: '%s'}\n", s, values(r))
	}
	head += "  - {series: \"kpi_ctr{by='total',window='5m'}\", values: '0.1+0.05x20'}\n"
	type moment struct {
		at   int // minutes
		name string
	}
	var moments []moment
	for range 6 {
		moments = append(moments, moment{5 + r.IntN(22), fmt.Sprint("A", r.IntN(3))})
	}
	spoilt := r.IntN(len(moments))
	body := "  alert_rule_test:\n"
	for i, m := range moments {
		text := fmt.Sprintf("  - {eval_time: %dm, alertname: %s, exp_alerts: [%%s]}\n", m.at, m.name)
		want := comes(t, rules, head+"  alert_rule_test:\n"+fmt.Sprintf(text, ""), m.at, m.name)
		if wrong && i == spoilt {
			switch {
			case len(want) == 0:
				want = append(want, "{exp_labels: {job: x}}")
			case r.IntN(2) == 0:
				want = want[1:]
			default:
				want[0] = strings.Replace(want[0], "exp_labels: {", "exp_labels: {more: m, ", 1)
			}
		}
		body += fmt.Sprintf(text, strings.Join(want, ", "))
	}
	return head + body
}

// comes is which alerts of a name fire at a time, in the form of the file.
func comes(t *testing.T, rules, tests string, at int, name string) (out []string) {
	t.Helper()
	f, err := Parse("tests.yml", []byte(tests))
	if err != nil {
		t.Fatalf("%v\n%s", err, tests)
	}
	file, err := alerts.LoadRules("rules.yml", []byte(rules), nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, rules)
	}
	file.Queried(f.Every)
	b, err := f.begun(t.Context(), &f.Tests[0], []*alerts.RuleFile{file})
	if err != nil {
		t.Fatal(err)
	}
	var fire map[string][]fired
	for m := range at + 1 {
		fire, _ = b.evaluate(time.Duration(m)*f.Every, name)
	}
	for _, a := range fire[name] {
		delete(a.labels, "alertname")
		out = append(out, fmt.Sprintf("{exp_labels: %s, exp_annotations: %s}", flow(a.labels), flow(a.annotations)))
	}
	return out
}

func flow(m map[string]string) string {
	var out []string
	for k, v := range m {
		if v != "" {
			out = append(out, fmt.Sprintf("%s: %q", k, v))
		}
	}
	return "{" + strings.Join(out, ", ") + "}"
}
