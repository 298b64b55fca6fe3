package app

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/config"
)

// What a retention names is one window each, kept for a block at least; a check
// says so as a start would.
func TestRetentionOfHistory(t *testing.T) {
	for _, tt := range []struct {
		window string
		kept   time.Duration
		want   string
	}{
		{"2h", 400 * time.Hour, ""},
		{"60s", 12 * time.Hour, "retention.history.60s: is the same window as 1m, which stands there or in the defaults: write it as 1m"},
		{"1h", time.Minute, "retention.history.1h: 1m is too short: give at least 2h, which are kept as one"},
		{"365d", 8760 * time.Hour, "retention.history.365d: 365d is longer than 92d: give a length of at most 92d"},
	} {
		c := config.Default()
		c.Retention.History[tt.window] = tt.kept
		got := ""
		if _, err := LoadDefinitions(c); err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, tt.want) || (got == "") != (tt.want == "") {
			t.Errorf("%s: %s: got %q, want %q", tt.window, tt.kept, got, tt.want)
		}
	}
}

// What a retention names and no KPI keeps is hardly meant, unless the default
// names it.
func TestRetentionOfNothing(t *testing.T) {
	keep := filepath.Join(t.TempDir(), "kpis.yaml")
	if err := os.WriteFile(keep, []byte("keep: [at_risk_users]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for window, want := range map[string]string{
		"":   "",
		"2m": "retention.history.2m: is of a window that no KPI keeps: name it in the windows of one, or remove it",
	} {
		c := config.Default()
		c.KPIs = []string{keep}
		if window != "" {
			c.Retention.History[window] = 24 * time.Hour
		}
		d, err := LoadDefinitions(c)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, w := range d.Warnings {
			got += w.Error()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", window, got, want)
		}
	}
}

// A store that nothing can be written to is hardly meant.
func TestWrittenNothing(t *testing.T) {
	c := config.Default()
	c.RemoteWrite = []config.RemoteWrite{{Match: []string{`{window="day"}`, `kpi_playz`, `{window="2m"}`, `ALERTS`}}}
	d, err := LoadDefinitions(c)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range d.Warnings {
		got = append(got, w.Error())
	}
	if want := []string{
		"remote_write[0].match[1]: kpi_playz matches no series: kpi_playz is no KPI of the catalogue: did you mean kpi_plays? GET /api/v1/kpis lists those that there are",
		`remote_write[0].match[2]: {window="2m"} matches no series: select series of KPIs: no others are written`,
		"remote_write[0].match[3]: ALERTS matches no series: select series of KPIs: no others are written",
	}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Nobody is forgotten of whom a KPI still asks.
func TestForgetAfter(t *testing.T) {
	for _, c := range []struct {
		days int
		kpis string
		want string
	}{
		{400, "", ""},
		{399, "", "users.forget_after: 399d is less than operator buyers looks back: give at least 400d"},
		{364, "{keep: [rfm]}", "users.forget_after: 364d is less than operator rfm looks back: give at least 365d"},
		{90, "{keep: [dau, churned_users]}", ""},
		{63, "{keep: [dau]}", "users.forget_after: 63d is less than the rhythm of a user looks back: give at least 64d"},
		{91, "{keep: [], kpis: [{name: users, distinct: {field: user_id}, windows: [92d]}]}", "users.forget_after: 91d is less than window 92d of users looks back: give at least 92d"},
	} {
		file := filepath.Join(t.TempDir(), "kpis.yaml")
		if err := os.WriteFile(file, []byte(c.kpis), 0o600); err != nil {
			t.Fatal(err)
		}
		from := config.Default()
		if from.Users.ForgetAfter = time.Duration(c.days) * 24 * time.Hour; c.kpis != "" {
			from.KPIs = []string{file}
		}
		got := ""
		if _, err := LoadDefinitions(from); err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, c.want) || c.want == "" && strings.Contains(got, "forget_after") {
			t.Errorf("forget_after %dd with %q: got %q, want %q", c.days, c.kpis, got, c.want)
		}
	}
}

// A check names the mistakes of every file that it can read without the others.
func TestCheckNamesAll(t *testing.T) {
	dir := t.TempDir()
	c := config.Default()
	c.KPIs, c.Alertmanager = []string{filepath.Join(dir, "none.yaml"), filepath.Join(dir, "kpis.yaml")}, filepath.Join(dir, "alertmanager.yml")
	c.Rules = []string{filepath.Join(dir, "none.yml"), filepath.Join(dir, "rules.yml")}
	c.Retention.History["5 m"] = time.Hour
	for name, text := range map[string]string{
		c.KPIs[1]: "kpis: [{name: x, cuont: {}}]", c.Alertmanager: "route: {recipient: a}",
		c.Rules[1]: "groups: [{name: a, rules: [{alert: A, expr: 'sum(kpi_x{window=\"5m\"}) < 1', min_samples: 3}, {alert: B, expr: 'kpi_x{window=\"5m\"} < 1'}]}]",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := LoadDefinitions(c)
	for _, want := range []string{"none.yaml", "cuont", "none.yml", "of one selector", "recipient", "retention.history"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not named in: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "kpi_x is no KPI") {
		t.Errorf("a KPI is said to be missing while its file is bad: %v", err)
	}
}

// A mistake among the KPIs is not a season's that a route names.
func TestSeasonsOfBadKPIs(t *testing.T) {
	dir := t.TempDir()
	c := config.Default()
	c.KPIs, c.Alertmanager = []string{filepath.Join(dir, "kpis.yaml")}, filepath.Join(dir, "alertmanager.yml")
	for name, text := range map[string]string{
		c.KPIs[0]:      "kpis: [{name: x}]\nseasons: [{name: sale, title: {en: Sale, zh: 大促}, days: [\"11-20..12-05\"]}]\n",
		c.Alertmanager: "route: {receiver: a, routes: [{receiver: a, mute_time_intervals: [sale]}]}\nreceivers: [{name: a}]\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := LoadDefinitions(c); err == nil || !strings.Contains(err.Error(), "counts nothing") || strings.Contains(err.Error(), "time interval") {
		t.Errorf("got %v", err)
	}
}

// A check refuses recordings that a start would.
func TestCheckRecordings(t *testing.T) {
	c := alerting(t, "{record: a, expr: b}, {record: b, expr: 'sum(a)'}")
	if _, err := LoadDefinitions(c); err == nil || !strings.Contains(err.Error(), "recording a reads itself") {
		t.Errorf("got %v", err)
	}
}

// What is wrong between rule files is said together with what is wrong in others, and a
// recording that reads itself beside both.
func TestRuleFilesAtOnce(t *testing.T) {
	dir := t.TempDir()
	c := config.Default()
	for name, rules := range map[string]string{
		"a.yml": `{alert: Low, expr: 'kpi_plays{by="channel",window="5m"} < 1'}, {record: mine, expr: 'mine + 1'}`,
		"b.yml": `{alert: Low, expr: 'kpi_plays{by="channel",window="5m"} < 2'}`,
		"c.yml": `{alert: Bad, expr: 'kpi_playz{by="channel",window="5m"} < 3'}, {alert: Asks, expr: 'ALERTS{alertname="Elsewhere"}'}`,
	} {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte("groups: [{name: g, rules: ["+rules+"]}]"), 0o600); err != nil {
			t.Fatal(err)
		}
		c.Rules = append(c.Rules, name)
	}
	slices.Sort(c.Rules)
	_, err := LoadDefinitions(c)
	if err == nil {
		t.Fatal("they are taken")
	}
	for _, want := range []string{`b.yml:1: groups[0].rules[0]: "Low" has alerts of the labels of `, "recording mine reads itself", "kpi_playz is no KPI of the catalogue"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	c.Rules = c.Rules[:2]
	if err := os.WriteFile(c.Rules[0], []byte(`groups: [{name: g, rules: [{alert: High, expr: 'ALERTS{alertname="Lo"} or ALERTS{alertname="Hihg"}'}]}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := LoadDefinitions(c)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{`alertname="Lo" is the name of no rule's alerts: name an alert of the rule files`, `alertname="Hihg" is the name of no rule's alerts: did you mean High?`} {
		if len(d.Warnings) != 2 || !strings.Contains(d.Warnings[i].Error(), "a.yml:1: groups[0].rules[0].expr: "+want) {
			t.Errorf("warnings %v, want %s", d.Warnings, want)
		}
	}
}
