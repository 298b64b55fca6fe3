package alerts

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidewatch/tidewatch/kpi"
)

var update = flag.Bool("update", false, "write the messages of testdata anew")

func catalogue(t testing.TB) *kpi.Catalogue {
	t.Helper()
	c, err := kpi.Default(time.UTC)
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
			switch name {
			case "alertmanager.bad.yml", "receiver.bad.yml":
				_, err = LoadReceivers(name, data)
			default:
				_, err = LoadRules(name, data, catalogue(t))
			}
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
  - {<<: *group, name: h, labels: {}}
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
		"h 10s Low 1000 map[a:x b:y]",
		"h 10s LowCopy 1000 map[a:x b:z c:w]",
		"h 10s Own 7 map[a:x b:y]",
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

func TestDefaultRules(t *testing.T) {
	f, err := LoadRules("default.yml", DefaultRules, nil)
	if err != nil {
		t.Fatal(err)
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
	if len(dropped) != 1 || !strings.HasPrefix(dropped[0].Error(), "rule Gone: ") || len(f.Groups[0].Rules) != 1 || f.Groups[0].Rules[0].Alert != "Kept" {
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
