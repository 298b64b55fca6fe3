package alerts

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidewatch/tidewatch/kpi"
)

var update = flag.Bool("update", false, "write the messages of testdata anew")

// embedded is the default catalogue, which nothing here changes.
var embedded = sync.OnceValues(func() (*kpi.Catalogue, error) { return kpi.Default(time.UTC) })

func catalogue(t testing.TB) *kpi.Catalogue {
	t.Helper()
	c, err := embedded()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// withFood is a part of the default catalogue with a KPI by a property that is the label
// of alerts.
func withFood(t testing.TB) *kpi.Catalogue {
	t.Helper()
	c, err := kpi.Load(time.UTC, kpi.File{Name: "kpis.yaml", Data: []byte("keep: [ctr, dau, plays, top_contents]\nkpis: [{name: food, count: , by: [alertname, channel], windows: [1m]}]")})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func load(t testing.TB, text string) *RuleFile {
	t.Helper()
	f, err := LoadRules("rules.yml", []byte(text), catalogue(t))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Every bad file has its exact message beside it.
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*.bad.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = LoadRules(name, data, withFood(t))
			if err == nil {
				t.Fatal("no error")
			}
			wd, _ := os.Getwd()
			got := strings.ReplaceAll(err.Error(), wd+"/", "") + "\n"
			golden := strings.TrimSuffix(file, ".yml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func TestLoadRules(t *testing.T) {
	f := load(t, `
groups:
  - name: content
    interval: 30s
    labels: {team: content, severity: none}
    rules:
      - alert: CompletionLow
        expr: 'kpi_completion_rate{by="channel",window="5m",channel!~"test.*"} < 0.2'
        for: 2m
        keep_firing_for: 1m
        min_samples: 200
        labels: {severity: page}
        annotations: {summary: 'at {{ $value }}'}
      - {alert: Mirrored, expr: '-1 <= (kpi_plays{window="day"})'}
`)
	g := f.Groups[0]
	if g.Name != "content" || g.Interval != 30*time.Second || len(g.Rules) != 2 {
		t.Fatalf("group %+v", g)
	}
	r := g.Rules[0]
	if r.Alert != "CompletionLow" || r.For != 2*time.Minute || r.KeepFiringFor != time.Minute || r.MinSamples != 200 {
		t.Errorf("rule %+v", r)
	}
	if r.Labels["severity"] != "page" || r.Labels["team"] != "content" {
		t.Errorf("labels %v", r.Labels)
	}
	if s := r.selector; s.series != "kpi_completion_rate" || s.window.String() != "5m" || len(s.by) != 1 || len(s.matchers) != 1 || !s.holds(0.1) || s.holds(0.2) {
		t.Errorf("selector %+v", s)
	}
	if r := g.Rules[1]; !r.selector.window.IsDay() || r.MinSamples != -1 || !r.selector.holds(-1) || r.selector.holds(-2) {
		t.Errorf("mirrored %+v", r)
	}
}

func TestEmptyFile(t *testing.T) {
	for _, text := range []string{"", "groups: []", "groups:", "# nothing"} {
		if f := load(t, text); len(f.Groups) != 0 {
			t.Errorf("%q: %+v", text, f)
		}
	}
}

// Anchors are shared by rules: taking our key out of one must not lose it for
// the other.
func TestAnchors(t *testing.T) {
	f := load(t, `
groups:
  - name: a
    rules: &rules
      - {alert: A, expr: 'kpi_ctr{window="5m"} < 1', min_samples: 7}
  - name: b
    labels: {tier: b}
    rules: *rules
`)
	for _, g := range f.Groups {
		if got := g.Rules[0].MinSamples; got != 7 {
			t.Errorf("group %s: min_samples %d, want 7", g.Name, got)
		}
	}
}

// A merge key brings our own keys as it brings Prometheus'.
func TestMergeKeys(t *testing.T) {
	f := load(t, `
groups:
  - &group
    name: g
    labels: {<<: {team: growth}, severity: page}
    interval: 10s
    rules:
      - &base
        alert: Low
        expr: kpi_completion_rate{window="5m"} < 0.5
        for:
        min_samples: 1000
        labels: &labels {a: x, b: y}
      - <<: *base
        alert: LowCopy
        labels: {<<: [{b: z}, *labels], c: w}
      - {<<: *base, alert: Own, min_samples: 7, expr: 'kpi_ctr{window="5m"} < 0.5'}
  - {<<: *group, name: h, labels: {tier: h}}
`)
	var got []string
	for _, g := range f.Groups {
		for _, r := range g.Rules {
			got = append(got, fmt.Sprintf("%s %s %s %d %v", g.Name, g.Interval, r.Alert, r.MinSamples, r.Labels))
		}
	}
	want := []string{
		"g 10s Low 1000 map[a:x b:y severity:page team:growth]",
		"g 10s LowCopy 1000 map[a:x b:z c:w severity:page team:growth]",
		"g 10s Own 7 map[a:x b:y severity:page team:growth]",
		"h 10s Low 1000 map[a:x b:y tier:h]",
		"h 10s LowCopy 1000 map[a:x b:z c:w tier:h]",
		"h 10s Own 7 map[a:x b:y tier:h]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A mistake in what is merged is told of every rule that has it.
func TestMergedMistake(t *testing.T) {
	_, err := LoadRules("rules.yml", []byte(`groups:
  - name: g
    rules:
      - &base
        alert: Low
        expr: kpi_plays{window="5m"} < 0.5
        min_samples: few
      - <<: *base
        alert: LowCopy
`), catalogue(t))
	want := `rules.yml:7: groups[0].rules[0].min_samples: "few" is no count: give a whole number of at least 0
rules.yml:7: groups[0].rules[1].min_samples: "few" is no count: give a whole number of at least 0`
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// What works but is hardly meant is a warning.
func TestWarnings(t *testing.T) {
	for _, c := range []struct{ rule, want string }{
		{`expr: 'kpi_completion_rate{window="5m"} < 20'`, "expr: kpi_completion_rate < 20 is always true, the KPI is a share between 0 and 1: for 20 % write 0.2"},
		{`expr: '33.3 >= kpi_completion_rate{window="5m"}'`, "expr: kpi_completion_rate <= 33.3 is always true, the KPI is a share between 0 and 1: for 33.3 % write 0.333"},
		{`expr: 'kpi_ctr{window="5m"} > 2'`, "expr: kpi_ctr > 2 is never true, the KPI is a share between 0 and 1: for 2 % write 0.02"},
		{`expr: 'kpi_ctr_high{window="5m"} == 500'`, "expr: kpi_ctr_high == 500 is never true, the KPI is a share between 0 and 1: compare with a number in between"},
		{`expr: 'kpi_ctr{window="5m"} != -1'`, "expr: kpi_ctr != -1 is always true, the KPI is a share between 0 and 1: compare with a number in between"},
		{`expr: 'kpi_ctr{window="5m"} >= 0'`, "expr: kpi_ctr >= 0 is always true, the KPI is a share between 0 and 1: compare with a number in between"},
		{`expr: 'kpi_plays{window="5m"} < 0'`, "expr: kpi_plays < 0 is never true, the KPI is a number that is never below 0: compare with a larger number"},
		{`expr: 'kpi_ctr_numerator{window="5m"} > -1'`, "expr: kpi_ctr_numerator > -1 is always true, the KPI is a number that is never below 0: compare with a larger number"},
		{`expr: 'kpi_dau{window="day"} <= -1'`, "expr: kpi_dau <= -1 is never true, the KPI is a number that is never below 0: compare with a larger number"},
		{`expr: 'kpi_completion_rate{window="5m"} > 1'`, "expr: kpi_completion_rate > 1 is never true, the KPI is a share between 0 and 1: compare with a number in between"},
		{`expr: 'kpi_completion_rate{window="5m"} <= 1'`, "expr: kpi_completion_rate <= 1 is always true, the KPI is a share between 0 and 1: compare with a number in between"},
		{`expr: 'kpi_completion_rate{window="5m"} >= 1'`, ""},
		{`expr: 'avg by (channel) (kpi_completion_rate{by="channel",window="5m"}) < 20 and on (channel) kpi_plays{by="channel",window="5m"} > 50'`,
			"expr: avg by (channel) (kpi_completion_rate{by=\"channel\",window=\"5m\"}) < 20 is always true, the KPI is a share between 0 and 1: for 20 % write 0.2"},
		{`expr: 'max_over_time(kpi_ctr{by="total",window="5m"}[1h]) > 2'`, "expr: max_over_time(kpi_ctr{by=\"total\",window=\"5m\"}[1h]) > 2 is never true, the KPI is a share between 0 and 1: for 2 % write 0.02"},
		{`expr: 'sum(kpi_ctr{by="channel",window="5m"}) > 2'`, ""},
		{`expr: 'kpi_completion_rate{by="total",window="5m"} * 100 < 20'`, ""},
		{`expr: 'kpi_completion_rate_shift{by="total",window="1h"} > 3'`, ""},
		{`expr: 'sum by (chanel) (kpi_plays{by="channel",window="5m"}) < 9'`, "expr: by (chanel) names a label that kpi_plays{by=\"channel\",window=\"5m\"} does not have: did you mean channel? It has by, channel, window"},
		{`expr: 'sum by (channel) (max by (region) (kpi_plays{by="region",window="5m"})) < 9'`, "expr: by (channel) names a label that max by (region) (kpi_plays{by=\"region\",window=\"5m\"}) does not have: it has region"},
		{`expr: 'sum by (channel, currency, window) (kpi_gmv_paid{by="channel",window="5m"}) < 9'`, ""},
		{`expr: 'kpi_plays{by="channel",window="5m"} > 9 and on (chanel) kpi_plays{by="channel",window="1h"} > 9'`, "expr: on (chanel) names a label that kpi_plays{by=\"channel\",window=\"5m\"} > 9 does not have: did you mean channel? It has by, channel, window"},
		{`expr: 'kpi_completion_rate{by="channel",window="1m"} < 0.2 and kpi_plays{by="channel",window="5m"} > 5'`,
			"expr: kpi_completion_rate{by=\"channel\",window=\"1m\"} < 0.2 and kpi_plays{by=\"channel\",window=\"5m\"} > 5 never has a result, since the left side has window=\"1m\" and the right side window=\"5m\": name the labels by which they belong together: on (by, channel)"},
		{`expr: 'kpi_plays{by="channel",window="1m"} / kpi_plays{by="total",window="1m"} > 0.1'`,
			"expr: kpi_plays{by=\"channel\",window=\"1m\"} / kpi_plays{by=\"total\",window=\"1m\"} never has a result, since the left side has by=\"channel\" and the right side by=\"total\": name the labels by which they belong together: on (window) group_left ()"},
		{`expr: 'sum(kpi_plays{by="channel",window="1m"}) / kpi_plays{by="channel",window="1m"} > 5'`,
			"expr: sum(kpi_plays{by=\"channel\",window=\"1m\"}) / kpi_plays{by=\"channel\",window=\"1m\"} never has a result, since the left side has no by and the right side by=\"channel\": name the labels by which they belong together: on () group_right ()"},
		{`expr: 'kpi_plays{by="channel",window="1m"} < 9 unless sum by (channel) (kpi_orders{by="channel",window="1m"}) > 5'`,
			"expr: kpi_plays{by=\"channel\",window=\"1m\"} < 9 unless sum by (channel) (kpi_orders{by=\"channel\",window=\"1m\"}) > 5 takes nothing away, since the left side has by=\"channel\" and the right side no by: name the labels by which they belong together: on (channel)"},
		{`expr: 'kpi_completion_rate{by="channel",window="1m"} < 0.2 and on (channel) kpi_plays{by="channel",window="5m"} > 5'`, ""},
		{`expr: 'kpi_completion_rate{by="channel",window="1m"} < 0.2 and ignoring (window) kpi_plays{by="channel",window="5m"} > 5'`, ""},
		{`expr: 'kpi_plays{by="channel",window="1m"} / on (window) group_left () kpi_plays{by="total",window="1m"} > 0.1'`, ""},
		{`expr: 'kpi_plays{by="channel",window="1m"} > 5 or kpi_plays{by="total",window="1m"} > 5'`, ""},
		{`expr: 'kpi_gmv_paid{by="total",window="1h"} / kpi_orders{by="total",window="1h"} > 5'`, ""},
		{`expr: 'sum by (team) (label_replace(kpi_plays{by="channel",window="5m"}, "team", "$1", "channel", "(.*)")) < 9'`, ""},
		{`expr: 'kpi_completion_rate{window="5m"} < 0.2', recover: 'kpi_completion_rate{window="5m"} > 20'`, "recover: kpi_completion_rate{window=\"5m\"} > 20 is never true, the KPI is a share between 0 and 1: for 20 % write 0.2"},
		{`expr: 'kpi_completion_rate{window="5m"} < 0.2', recover: 'kpi_completion_rate{by="total",window="1h"} > 20'`, "recover: kpi_completion_rate{by=\"total\",window=\"1h\"} > 20 is never true, the KPI is a share between 0 and 1: for 20 % write 0.2"},
		{`expr: 'kpi_plays{by="channel",window="1m"} < 500', recover: 'kpi_plays{by="total",window="1m"} > 50'`,
			"recover: kpi_plays{by=\"total\",window=\"1m\"} > 50 is of other series, so that no alert is over by it: its results would need the label channel of the alerts"},
		{`expr: 'kpi_plays{by="channel",window="1m",channel="a"} < 500', recover: 'kpi_plays{by="channel",window="1m",channel="b"} > 500'`,
			"recover: kpi_plays{by=\"channel\",channel=\"b\",window=\"1m\"} > 500 is of other series, so that no alert is over by it: its results would need channel=\"a\" of the alerts"},
		{`expr: 'kpi_plays{by="channel",window="1m"} < 500', recover: 'kpi_plays{by="channel",window="1h"} > 500'`, ""},
		{`expr: 'kpi_plays{by="channel",window="1m"} < 500', recover: 'sum by (channel) (kpi_plays{by="channel",window="1h"}) > 500'`, ""},
		{`expr: 'kpi_plays{by="channel",window="1m"} * 2 < 500', recover: 'kpi_plays{by="channel",window="1h"} > 500'`,
			"recover: kpi_plays{by=\"channel\",window=\"1h\"} > 500 is of other series, so that no alert is over by it: its results would need window=\"1m\" of the alerts"},
		{`expr: 'sum(kpi_plays{by="channel",window="1m"}) < 500', recover: 'kpi_plays{by="total",window="1h"} > 500'`, ""},
		{`expr: 'kpi_gmv_paid{by="channel",window="1h"} < 500', recover: 'sum by (channel, currency) (kpi_gmv_paid{by="channel",window="1h"}) > 500'`, ""},
		{`expr: 'kpi_completion_rate{window="5m"} < 0.2', recover: 'kpi_completion_rate{window="5m"} > 0.3'`, ""},
		{`expr: 'kpi_completion_rate{window="5m"} < 0.2', recover: 'kpi_completion_rate{window="5m"} < 0.1'`,
			"recover: kpi_completion_rate{window=\"5m\"} < 0.1 holds only where the condition does, so that no alert is over by it: compare with what lies beyond the threshold of expr"},
		{`expr: 'kpi_completion_rate{window="5m"} > 0.2', recover: 'kpi_completion_rate{window="5m"} > 0.2'`,
			"recover: kpi_completion_rate{window=\"5m\"} > 0.2 holds only where the condition does, so that no alert is over by it: compare with what lies beyond the threshold of expr"},
		{`expr: 'sum(kpi_plays{by="channel",window="5m"}) < 500', recover: 'sum(kpi_plays{window="5m",by="channel"}) < 100'`,
			"recover: sum(kpi_plays{by=\"channel\",window=\"5m\"}) < 100 holds only where the condition does, so that no alert is over by it: compare with what lies beyond the threshold of expr"},
		{`expr: '500 > sum(kpi_plays{by="channel",window="5m"})', recover: '(sum(kpi_plays{by="channel",window="5m"}) == 20)'`,
			"recover: (sum(kpi_plays{by=\"channel\",window=\"5m\"}) == 20) holds only where the condition does, so that no alert is over by it: compare with what lies beyond the threshold of expr"},
		{`expr: 'sum(kpi_plays{by="channel",window="5m"}) != 500', recover: 'sum(kpi_plays{by="channel",window="5m"}) > 500'`,
			"recover: sum(kpi_plays{by=\"channel\",window=\"5m\"}) > 500 holds only where the condition does, so that no alert is over by it: compare with what lies beyond the threshold of expr"},
		{`expr: 'sum(kpi_plays{by="channel",window="5m"}) < 500', recover: 'sum(kpi_plays{by="channel",window="5m"}) > 600'`, ""},
		{`expr: 'sum by (channel, currency) (kpi_gmv_paid{by="channel",window="1h"}) < 500', recover: 'sum by (channel) (kpi_gmv_paid{by="channel",window="1h",currency="CNY"}) > 800'`,
			"recover: sum by (channel) (kpi_gmv_paid{by=\"channel\",currency=\"CNY\",window=\"1h\"}) > 800 is of other series, so that no alert is over by it: its results would need the label currency of the alerts"},
		{`expr: 'kpi_gmv_paid{by="channel",window="1h"} / 100 < 50', recover: 'sum by (by, window, channel) (kpi_gmv_paid{by="channel",window="1h",currency="CNY"}) > 8000'`,
			"recover: sum by (by, window, channel) (kpi_gmv_paid{by=\"channel\",currency=\"CNY\",window=\"1h\"}) > 8000 is of other series, so that no alert is over by it: its results would need the label currency of the alerts"},
		{`expr: 'kpi_gmv_paid{by="channel",window="1h"} < 50', recover: 'sum by (channel) (kpi_gmv_paid{by="channel",window="1h",currency="CNY"}) > 8000'`, ""},
		{`expr: 'kpi_gmv_paid{by="channel",window="1h"} / 100 < 50', recover: 'kpi_gmv_paid{by="channel",window="1h"} / 100 > 80'`, ""},
		{`expr: 'kpi_ctr{by="channel",window="1h"} < 0.01', recover: 5`, "recover: 5 is of other series, so that no alert is over by it: its results would need the label channel of the alerts"},
		{`expr: 'kpi_ctr{by="channel",window="1h"} < 0.01', recover: 'vector(1)'`, "recover: vector(1) is of other series, so that no alert is over by it: its results would need the label channel of the alerts"},
		{`expr: 'kpi_ctr{by="channel",window="1h"} < 0.01', recover: 'hour() > 8'`, "recover: hour() > 8 is of other series, so that no alert is over by it: its results would need the label channel of the alerts"},
		{`expr: 'kpi_ctr{by="total",window="1h"} < 0.01', recover: 'hour() > 8'`, ""},
		{`expr: 'kpi_ctr{by="channel",window="1h"} < 0.01', recover: 'kpi_ctr{by="channel",window="1h"} unless on () (hour() > 8)'`, ""},
		{`expr: 'kpi_ctr{by="channel",window="1h"} < 0.01', recover: 'kpi_ctr{by="channel",window="1h"}'`,
			"recover: kpi_ctr{by=\"channel\",window=\"1h\"} is compared with nothing, so that an alert is over whatever the value: compare it, as in "},
		{`expr: 'kpi_ctr{by="channel",window="1h"} < 0.01', recover: 'kpi_ctr{by="channel",window="1h"} > bool 0.02'`,
			"recover: > bool always has a value, so that an alert is over whatever the value: remove bool"},
		{`expr: 'kpi_gmv_paid{by="total",window="1h"} == 0 and kpi_orders{by="total",window="1h"} > 5'`, ""},
		{`expr: 'kpi_plays{by="channel",window="5m"} > vector(5)'`,
			"expr: kpi_plays{by=\"channel\",window=\"5m\"} > vector(5) never has a result, since the left side has by=\"channel\" and the right side no by: name the labels by which they belong together: on () group_left ()"},
		{`expr: 'sum(kpi_plays{by="channel",window="5m"}) < 500', recover: 'sum(kpi_plays{by="channel",window="1h"}) < 100'`, ""},
		{`expr: 'sum(kpi_plays{by="channel",window="5m"}) < 500', recover: 'sum(kpi_plays{by="channel",window="5m"}) != 100'`, ""},
		{`expr: 'kpi_completion_rate{window="5m"} < 0.2'`, ""},
		{`expr: 'kpi_ctr{window="5m"} > 1'`, ""}, // a click without its impression
		{`expr: 'kpi_ctr{window="5m"} > 0'`, ""},
		{`expr: 'kpi_ctr{window="5m"} <= 0'`, ""},
		{`expr: 'kpi_ctr{window="5m"} <= 1'`, ""},
		{`expr: 'kpi_plays{window="5m"} <= 0'`, ""},
		{`expr: 'kpi_plays{window="5m"} < 2000'`, ""},
		{`expr: 'kpi_gmv_paid{window="5m"} < 0'`, ""}, // a sum
		{`expr: 'kpi_ctr_denominator{window="5m"} < 1'`, ""},
		{`expr: 'kpi_plays{by="channel",window="5m"} < 9', annotations: {s: '{{ $labels.chanel }}'}`,
			"annotations.s: $labels.chanel is a label that the rule's series do not have: did you mean channel? They have by, window, channel"},
		{`expr: 'kpi_plays{window="5m"} < 9', labels: {s: '{{ if false }}{{ .Labels.team }}{{ end }}'}`,
			"labels.s: .Labels.team is a label that the rule's series do not have: they have by, window"},
		{`expr: 'kpi_gmv_paid{window="5m"} < 9', annotations: {s: '{{ $labels.currency }}'}`, ""},
		{`expr: 'kpi_plays{window="5m"} < 9', annotations: {s: '{{ graphLink "up" }}'}`,
			"annotations.s: graphLink() leads to a page of Prometheus, which is not here: every notification carries the annotation link"},
		{`expr: 'kpi_plays{window="5m"} < 9', annotations: {s: '{{ with query "sum(kpi_playz) / kpi_plays" }}x{{ end }}'}`,
			`annotations.s: query "sum(kpi_playz) / kpi_plays" has no answer: kpi_playz is no KPI of the catalogue: did you mean kpi_plays?`},
		{`expr: 'kpi_plays{window="5m"} < 9', annotations: {s: '{{ with query "kpi_ctr or up" }}x{{ end }}'}`, ""},
		{`expr: 'kpi_plays{window="5m"} < 9', annotations: {s: '{{ $value | toUpper }}'}`, "annotations.s: gives an error for a value of 0.5: "},
		{`expr: 'kpi_plays{window="5m"} < 9', annotations: {s: '{{ $value | humanizePercentage }} {{ $labels.by | title }} {{ externalURL }}'}`, ""},
	} {
		f := load(t, "groups: [{name: g, rules: [{alert: A, "+c.rule+"}]}]")
		var got []string
		for _, w := range f.Warnings {
			got = append(got, w.Error())
		}
		want := "rules.yml:1: groups[0].rules[0]." + c.want
		if c.want == "" && got != nil || c.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], want)) {
			t.Errorf("%s: warnings %q, want %q", c.rule, got, c.want)
		}
	}
}

// A file of no rules is a warning, one that records is none.
func TestNoRules(t *testing.T) {
	for text, want := range map[string]int{
		`groups: []`:                     1,
		`groups: [{name: g, rules: []}]`: 1,
		`groups: [{name: g, rules: [{record: mine, expr: 'sum(kpi_plays{by="total",window="5m"})'}]}]`: 0,
	} {
		if f := load(t, text); len(f.Warnings) != want {
			t.Errorf("%s: warnings %v, want %d", text, f.Warnings, want)
		}
	}
}

// Two files can have rules whose alerts are one and the same.
func TestTwinsOfTwoFiles(t *testing.T) {
	f := load(t, `groups: [{name: g, rules: [{alert: P, expr: 'kpi_plays{window="1m"} > 0'}]}]`)
	_, err := NewEngine([]*RuleFile{f, f}, catalogue(t), EngineOptions{})
	want := `rules.yml:1: groups[0].rules[0]: "P" has alerts of the labels of rules.yml:1 (groups[0].rules[0])`
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestDefaultRules(t *testing.T) {
	f, err := LoadRules("default.yml", DefaultRules, catalogue(t))
	if err != nil || len(f.Warnings) > 0 {
		t.Fatal(err, f.Warnings)
	}
	if _, err := NewEngine([]*RuleFile{f}, catalogue(t), EngineOptions{}); err != nil {
		t.Fatal(err)
	}
}

// Of default rules only those go whose KPIs are gone.
func TestFit(t *testing.T) {
	f, err := LoadRules("x.yml", []byte(rulesOf("alert: Kept, expr: 'kpi_plays{window=\"5m\"} < 1'\nalert: Gone, expr: 'kpi_playz{window=\"5m\"} < 1'")), nil)
	if err != nil {
		t.Fatal(err)
	}
	dropped := f.Fit(catalogue(t))
	const want = "rule Gone is left out, kpi_playz is no KPI of the catalogue: keep it in a file under kpis, or name rules of your own under rules"
	if len(dropped) != 1 || dropped[0].Error() != want || len(f.Groups[0].Rules) != 1 || f.Groups[0].Rules[0].Alert != "Kept" {
		t.Errorf("dropped %v, left %v", dropped, f.Groups)
	}
}

func FuzzLoadRules(f *testing.F) {
	f.Add(DefaultRules)
	files, _ := filepath.Glob("testdata/*.bad.yml")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	c := catalogue(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := LoadRules("fuzz.yml", data, c)
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without a message")
			}
			return
		}
		if _, err := NewEngine([]*RuleFile{file}, c, EngineOptions{}); err != nil {
			t.Errorf("checked, but: %v", err)
		}
	})
}

// Rules of others load as they are: what they are about is not here, and that is all there
// is to say.
func TestRulesOfOthers(t *testing.T) {
	data, err := os.ReadFile("testdata/others.good.yml")
	if err != nil {
		t.Fatal(err)
	}
	f, err := LoadRules("others.good.yml", data, catalogue(t))
	if err != nil {
		t.Fatal(err)
	}
	if g := f.Groups[0]; len(g.Rules) != 5 || len(g.Recordings) != 1 {
		t.Errorf("group %+v", g)
	}
	for _, w := range f.Warnings {
		if w.Rule != "is no series of a KPI: there is none of that name here" {
			t.Error(w)
		}
	}
	if len(f.Warnings) == 0 {
		t.Error("no warning")
	}
}
