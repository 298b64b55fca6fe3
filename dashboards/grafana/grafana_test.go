package grafana

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/app"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/kpi"
)

// shipped are the definitions that a service has without files of its own.
func shipped(t *testing.T) Definitions {
	t.Helper()
	return defined(t, config.Default())
}

func defined(t *testing.T, c *config.Config) Definitions {
	t.Helper()
	d, err := app.LoadDefinitions(c)
	if err != nil {
		t.Fatal(err)
	}
	out := Definitions{Catalogue: d.Catalogue}
	for _, r := range d.Rules.Status().Rules {
		out.Rules = append(out.Rules, Rule{r.Name, r.Expr})
	}
	return out
}

// made are the dashboards of definitions, by name.
func made(t *testing.T, d Definitions) map[string]*dashboard {
	t.Helper()
	files, err := Make(d)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*dashboard{}
	for _, f := range files {
		one := &dashboard{}
		if err := json.Unmarshal(f.Data, one); err != nil {
			t.Fatalf("read %s: %v", f.Name, err)
		}
		out[f.Name] = one
	}
	return out
}

// What is committed is what is made.
func TestCommitted(t *testing.T) {
	files, err := Make(shipped(t))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
		if data, err := os.ReadFile(f.Name); err != nil || string(data) != string(f.Data) {
			t.Errorf("%s is not what is made of the catalogue (%v): run \"make dashboards\"", f.Name, err)
		}
	}
	for _, set := range sets {
		for _, lang := range languages {
			there, err := filepath.Glob(filepath.Join(set.folder(lang), "*"))
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range there {
				if !slices.Contains(names, filepath.ToSlash(name)) {
					t.Errorf("%s is made by nothing: remove it", name)
				}
			}
		}
	}
}

var variableName = regexp.MustCompile(`\$\{?([A-Za-z_]\w*)`)

func TestDashboards(t *testing.T) {
	uids := map[string]string{}
	all := made(t, shipped(t))
	for name, d := range all {
		if other, taken := uids[d.UID]; taken {
			t.Errorf("%s has the uid of %s", name, other)
		}
		uids[d.UID] = name
	}
	for name, d := range all {
		if d.SchemaVersion != 42 || d.GraphTooltip != 1 || d.Timezone != "Asia/Shanghai" || d.Title == "" || d.Description == "" {
			t.Errorf("%s: schemaVersion %d, graphTooltip %d, timezone %s, title %q, description %q", name, d.SchemaVersion, d.GraphTooltip, d.Timezone, d.Title, d.Description)
		}
		if pause, err := time.ParseDuration(d.Refresh); err != nil || pause < 5*time.Second || pause > 30*time.Second {
			t.Errorf("%s: refreshes every %s: want 5s to 30s", name, d.Refresh)
		}
		for _, l := range d.Links {
			if !l.KeepTime || !l.IncludeVars {
				t.Errorf("%s: link %q loses the time or the filters", name, l.Title)
			}
			to, found := uids[strings.TrimPrefix(l.URL, "/d/")]
			if l.Type == "link" && (!found || path.Base(to) != path.Base(name) || to == name) {
				t.Errorf("%s: link %q leads to no dashboard in the other language: %s", name, l.Title, l.URL)
			}
			if l.Type == "dashboards" && !slices.Equal(l.Tags, d.Tags[1:]) {
				t.Errorf("%s: link %q leads to those of %q", name, l.Title, l.Tags)
			}
		}
		checkVariables(t, name, d)
		checkPanels(t, name, d)
	}
}

// What is measured of events is on a dashboard.
func TestWhatIsMeasuredOfEventsIsShown(t *testing.T) {
	d, asked := shipped(t), ""
	for name, one := range made(t, d) {
		if folder(name) != "en" {
			continue
		}
		for _, p := range one.Panels {
			for _, q := range p.Targets {
				asked += q.Expr + "\n"
			}
		}
	}
	for _, k := range d.Catalogue.KPIs {
		if k.From == nil && !regexp.MustCompile(`\b`+k.Series(kpi.ValuePart)+`(_numerator|_denominator)?\b`).MatchString(asked) {
			t.Errorf("%s is on no dashboard", k.Name)
		}
	}
}

// folder is that of a dashboard.
func folder(name string) string { return path.Dir(name) }

// The sets lead to themselves, and are told apart wherever they stand beside each other.
func TestSets(t *testing.T) {
	all, titles := made(t, shipped(t)), map[string]string{}
	tags := map[string]string{}
	for name, d := range all {
		if other, taken := titles[d.Title]; taken && !strings.HasSuffix(name, "service.json") {
			t.Errorf("%s is called as %s: %s", name, other, d.Title)
		}
		titles[d.Title] = name
		if in, taken := tags[d.Tags[1]]; taken && in != folder(name) {
			t.Errorf("%s and %s have the tag %s", in, name, d.Tags[1])
		}
		tags[d.Tags[1]] = folder(name)
		if len(d.UID) > 40 {
			t.Errorf("%s: Grafana takes no uid of %d letters: %s", name, len(d.UID), d.UID)
		}
		for _, l := range d.Links {
			if other, isPlugin := strings.CutPrefix(l.URL, "/d/tidewatch-plugin-"); l.Type == "link" && isPlugin != strings.HasPrefix(name, "plugin-") {
				t.Errorf("%s leads to %s of the other set", name, other)
			}
		}
	}
	if len(tags) != len(sets)*len(languages) {
		t.Errorf("%d folders of dashboards, want each set in each language", len(tags))
	}
}

// checkVariables: what is chosen is asked for, and what is asked for can be chosen.
func checkVariables(t *testing.T, name string, d *dashboard) {
	t.Helper()
	used := map[string]bool{}
	note := func(text string) {
		for _, m := range variableName.FindAllStringSubmatch(text, -1) {
			used[m[1]] = true
		}
	}
	for _, p := range d.Panels {
		note(p.Title)
		for _, q := range p.Targets {
			if want := (reference{d.Templating.List[0].Query.(string), "${datasource}"}); q.Datasource != want {
				t.Errorf("%s: panel %q asks %v", name, p.Title, q.Datasource)
			}
			if q.PromQL == nil {
				for _, f := range q.Filters {
					note(strings.Join(f.Values, " "))
				}
				continue
			}
			note(q.Expr)
			if strings.Contains(q.Expr, "rate(") && !strings.Contains(q.Expr, "[$__rate_interval]") {
				t.Errorf("%s: panel %q: %s has an interval of its own", name, p.Title, q.Expr)
			}
		}
	}
	delete(used, "__rate_interval")
	for _, v := range d.Templating.List {
		if v.Label == "" || v.Name != "datasource" && !used[v.Name] {
			t.Errorf("%s: variable %s has no label, or changes nothing", name, v.Name)
		}
		delete(used, v.Name)
	}
	for v := range used {
		t.Errorf("%s: $%s is no variable", name, v)
	}
}

func checkPanels(t *testing.T, name string, d *dashboard) {
	t.Helper()
	titles := map[string]bool{}
	for i, p := range d.Panels {
		if p.ID != i+1 || p.GridPos.X+p.GridPos.W > columns {
			t.Errorf("%s: panel %q has the id %d and the place %v", name, p.Title, p.ID, p.GridPos)
		}
		for _, q := range d.Panels[:i] {
			if overlap(p.GridPos, q.GridPos) {
				t.Errorf("%s: panel %q lies on %q", name, p.Title, q.Title)
			}
		}
		if p.Type == "row" {
			clear(titles)
			continue
		}
		if p.Title == "" || p.Description == "" || titles[p.Title] {
			t.Errorf("%s: panel %d %q wants a title that its row has once, and a description", name, p.ID, p.Title)
		}
		titles[p.Title] = true
		if p.Type == "alertlist" {
			continue
		}
		if p.FieldConfig.Defaults.NoValue == "" || p.FieldConfig.Defaults.Unit == "" || len(p.Targets) == 0 || *p.Datasource != p.Targets[0].Datasource {
			t.Errorf("%s: panel %q wants a text for no value, a unit, the chosen source and a query", name, p.Title)
		}
		divided := p.Datasource.Type == stock && strings.Contains(p.FieldConfig.Defaults.Unit, "currency")
		if divided != strings.Contains(p.Description, "/ 100") {
			t.Errorf("%s: panel %q: an amount says what it is divided by", name, p.Title)
		}
	}
	first := d.Panels[0].Targets[0]
	if !strings.HasSuffix(name, "service.json") && (first.PromQL == nil && first.Kind != "freshness" || first.PromQL != nil && !strings.Contains(first.Expr, "timestamp(")) {
		t.Errorf("%s begins with %q: want the freshness", name, d.Panels[0].Title)
	}
}

func overlap(a, b position) bool {
	return a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H
}

// What has no room beside a long panel stands below its neighbour, not below all.
func TestPlacer(t *testing.T) {
	var p placer
	for _, size := range []position{{W: 14, H: 14}, {W: 10, H: 7}, {W: 10, H: 7}, {W: 10, H: 7}, {W: 24, H: 1}} {
		p.place(&panel{GridPos: size})
	}
	want := []position{{0, 0, 14, 14}, {14, 0, 10, 7}, {14, 7, 10, 7}, {0, 14, 10, 7}, {0, 21, 24, 1}}
	for i, one := range p.panels {
		if one.GridPos != want[i] {
			t.Errorf("panel %d stands at %v, want %v", i, one.GridPos, want[i])
		}
	}
}

// What the service itself calls things is shown by its name.
func TestNamesOfTexts(t *testing.T) {
	for name, want := range map[string][]string{
		"en/users.json":    {"at_risk no: At risk, not held out", "declining yes: In decline, held out", "dormant: Dormant"},
		"zh/users.json":    {"at_risk no: 流失风险,非对照组", "dormant: 沉睡"},
		"en/commerce.json": {"add_to_cart: Add to cart"},
	} {
		var got []string
		for _, p := range made(t, shipped(t))[name].Panels {
			if p.FieldConfig == nil {
				continue
			}
			for _, o := range p.FieldConfig.Overrides {
				for _, set := range o.Properties {
					if set.ID == "displayName" {
						got = append(got, o.Matcher.Options+": "+set.Value.(string))
					}
				}
			}
		}
		for _, one := range want {
			if !slices.Contains(got, one) {
				t.Errorf("%s: no %q among %q", name, one, got)
			}
		}
	}
}

// Bars of shares follow each other as the steps do, up to 100 %.
func TestSteps(t *testing.T) {
	for _, p := range made(t, shipped(t))["en/commerce.json"].Panels {
		if p.Title != "Funnel step conversion, 24 h" {
			continue
		}
		at := -1
		for _, step := range []string{"click", "add_to_cart", "order", "pay"} {
			i := strings.Index(p.Targets[0].Expr, fmt.Sprintf("step=%q", step))
			if i <= at {
				t.Errorf("%s: %s is not in its place", p.Targets[0].Expr, step)
			}
			at = i
		}
		if most := p.FieldConfig.Defaults.Max; most == nil || *most != 1 {
			t.Errorf("bars reach to %v, want 1", most)
		}
		return
	}
	t.Error("no panel of the steps")
}

// What is much smaller than what stands beside it has an axis of its own.
func TestOwnAxis(t *testing.T) {
	all := made(t, shipped(t))
	for name, want := range map[string][]string{
		"en/commerce.json":        {"Revenue per active user", "Cost per click"},
		"plugin-zh/commerce.json": {"arpu", "cpc"},
	} {
		var got []string
		for _, p := range all[name].Panels {
			if p.FieldConfig == nil {
				continue
			}
			for _, o := range p.FieldConfig.Overrides {
				if slices.ContainsFunc(o.Properties, func(set property) bool { return set.ID == "custom.axisPlacement" && set.Value == "right" }) {
					got = append(got, o.Matcher.Options)
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// The axis of what a rule watches reaches to its bound.
func TestBoundIsSeen(t *testing.T) {
	for _, p := range made(t, shipped(t))["en/alerts.json"].Panels {
		if p.Type != "timeseries" {
			continue
		}
		drawn := p.FieldConfig.Defaults.Custom.(map[string]any)
		bound := p.FieldConfig.Defaults.Thresholds.Steps[1].Value
		if drawn["axisSoftMin"] != *bound && drawn["axisSoftMax"] != *bound {
			t.Errorf("%s: the axis reaches from %v to %v, the bound is %v", p.Title, drawn["axisSoftMin"], drawn["axisSoftMax"], *bound)
		}
	}
}

// Nothing of a layout is left out of the dashboards of the default catalogue.
func TestLayoutsAreKept(t *testing.T) {
	p, err := readPlan()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range p.layouts {
		checkLayout(t, newMaker(shipped(t), p, l, "en", sets[0]))
		checkLayout(t, newMaker(shipped(t), p, l, "en", sets[1]))
	}
}

func checkLayout(t *testing.T, m *maker) {
	t.Helper()
	l, p := m.layout, m.plan
	for _, f := range l.filters {
		if _, kept := m.asked(p.filters[f]); !kept {
			t.Errorf("%s: filter %s asks for nothing that is kept", l.name, f)
		}
	}
	for _, r := range l.rows {
		for _, s := range r.panels {
			window := s.window
			switch s.kind {
			case "days", "triangle":
				window = kpi.Day.String()
			case "pace":
				window = kpi.Today.String()
			}
			if got := m.cuts(s, window); len(got) != len(s.kpis) {
				t.Errorf("%s: of %v by %q over %q there are %d", l.name, s.kpis, s.by, window, len(got))
			}
			panels, err := m.panels(s)
			if err != nil || (len(panels) == 0) != (s.kind == "users" && m.chosen.Type == stock) {
				t.Errorf("%s: %s of %v over %s makes %d panels: %v", l.name, s.kind, s.kpis, m.chosen.Type, len(panels), err)
			}
		}
	}
}

// A service that keeps little has dashboards of that, and its own KPIs' levels.
func TestOwnDefinitions(t *testing.T) {
	c := config.Default()
	c.Timezone, c.Location = "UTC", time.UTC
	c.KPIs = []string{filepath.Join(t.TempDir(), "kpis.yaml")}
	if err := os.WriteFile(c.KPIs[0], []byte(`keep: [plays]
kpis:
  - name: ctr
    title: {en: CTR, zh: CTR}
    description: {en: Ours., zh: Ours.}
    unit: percent
    targets: {good: 0.04, bad: 0.02}
    ratio: {numerator: {count: {where: 'type == "click"'}}, denominator: {count: {where: 'type == "impression"'}}}
    by: [channel]
    windows: [5m, 1h, 24h, day]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	d := made(t, defined(t, c))["en/business.json"]
	if d.Timezone != "UTC" {
		t.Errorf("timezone %s, want UTC", d.Timezone)
	}
	var titles []string
	for _, p := range d.Panels {
		titles = append(titles, p.Title)
		if p.Title != "CTR" {
			continue
		}
		var got []string
		for _, s := range p.FieldConfig.Defaults.Thresholds.Steps {
			got = append(got, s.Color)
			if s.Value != nil {
				got = append(got, time.Duration(*s.Value*1e9).String())
			}
		}
		if want := "red orange 20ms green 40ms"; strings.Join(got, " ") != want {
			t.Errorf("thresholds %v, want %s", got, want)
		}
	}
	want := []string{
		"Freshness", "Plays", "The day so far", "Plays", "The last 24 hours", "CTR",
		"By channel", "Plays by channel, 1 h", "CTR by channel, 1 h",
	}
	if !slices.Equal(titles, want) {
		t.Errorf("panels %q, want %q", titles, want)
	}
}

func TestThresholds(t *testing.T) {
	good, bad := 250.0, 100.0
	aimed := &kpi.KPI{Unit: kpi.UnitMoney, Targets: &kpi.Targets{Good: &good, Bad: &bad}}
	if c := (cut{kpi: aimed, window: kpi.Today}); len(c.thresholds().Steps) != 1 {
		t.Error("an amount of part of a day is held to the levels of a day")
	}
	money := cut{kpi: aimed, window: kpi.Day}
	if s := money.thresholds().Steps; *s[1].Value != 1 || *s[2].Value != 2.5 {
		t.Errorf("levels of an amount %v, %v: want major units", *s[1].Value, *s[2].Value)
	}
}
