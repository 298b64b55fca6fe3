package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/api"
	"github.com/tidewatch/tidewatch/internal/config"
)

// What rules would have done over history is what they do live, where nothing came late.
func TestBacktest(t *testing.T) {
	c := config.Default()
	c.Data = t.TempDir()
	events := NewLog()
	r, err := OpenReplica(c, events, ReplicaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Crash() })
	play := func(id string, at time.Time, channel string) {
		events.Append(at.UnixMilli(), fmt.Appendf(nil, `{"id":%q,"time":%d,"type":"play","user_id":"u","channel":%q,"watch_ms":1}`, id, at.UnixMilli(), channel))
	}
	for i := range 4 { // a is busy for the minute behind the third
		play(fmt.Sprint("a", i), noon.Add(time.Duration(i)*time.Second), "a")
	}
	play("b", noon.Add(30*time.Second), "b")
	play("end", noon.Add(5*time.Minute), "b")
	if err := r.Read(); err != nil {
		t.Fatal(err)
	}
	rules := []byte(`groups:
  - name: g
    interval: 10s
    rules:
      - {record: 'busy:plays', expr: 'sum by (channel) (kpi_plays{by="channel",window="1m"})'}
      - {alert: Selected, expr: 'kpi_plays{by="channel",window="1m"} > 2', for: 20s, annotations: {s: '{{ $value }}'}}
      - {alert: Queried, expr: 'busy:plays > 2', for: 20s}
      - {alert: Never, expr: 'busy:plays > 9'}
`)
	ask := func(b api.Backtest) (got []string, notifications int) {
		t.Helper()
		b.Rules = rules
		report, warnings, err := r.Backtest(t.Context(), b)
		if err != nil || len(warnings) > 0 {
			t.Fatal(err, warnings)
		}
		for _, a := range report.Alerts {
			until := "on"
			if !a.ResolvedAt.IsZero() {
				until = a.ResolvedAt.Sub(noon).String()
			}
			got = append(got, fmt.Sprintf("%s %s %s to %s", a.Rule, a.Labels["channel"], a.FiredAt.Sub(noon), until))
		}
		for _, v := range report.Rules {
			got = append(got, fmt.Sprintf("%s %d %g s", v.Rule, v.Fired, v.Seconds))
		}
		return got, report.Notifications
	}
	whole := api.Backtest{Name: "rules", From: noon, To: noon.Add(4 * time.Minute)}
	got, n := ask(whole)
	want := []string{
		"Selected a 30s to 1m10s", "Queried a 30s to 1m10s",
		"Selected 1 40 s", "Queried 1 40 s", "Never 0 0 s",
	}
	slices.Sort(got[:2])
	slices.Sort(want[:2])
	if !slices.Equal(got, want) || n != 4 {
		t.Errorf("got %q, %d notifications; want %q", got, n, want)
	}
	whole.To = noon.Add(50 * time.Second)
	if got, n = ask(whole); !slices.Contains(got, "Selected a 30s to on") || !slices.Contains(got, "Queried 1 20 s") || n != 2 {
		t.Errorf("until it fires: got %q, %d notifications", got, n)
	}
	whole.Step, whole.To = time.Minute, noon.Add(4*time.Minute) // at 1m20s by what was at 1m
	if got, _ = ask(whole); !slices.Contains(got, "Queried 0 0 s") || !slices.Contains(got, "Selected 1 40 s") {
		t.Errorf("by the minute: got %q", got)
	}
	for _, c := range []struct {
		rules string
		from  time.Time
		want  string
	}{
		{"groups: [{name: g, rules: [{alert: A, expr: 'kpi_playz{window=\"5m\"} < 1'}]}]", noon, "rules:1: groups[0].rules[0].expr: kpi_playz is no KPI of the catalogue"},
		{"groups: [{name: g, rules: [{record: a, expr: b}, {record: b, expr: 'sum(a)'}]}]", noon, "recording a reads itself"},
		{"groups: [{name: g, rules: [{alert: A, expr: 'kpi_plays{window=\"1m\"} < 1'}]}]", noon.AddDate(-1, 0, 0), "instants are asked for, more than 100000: give a step of"},
	} {
		_, _, err := r.Backtest(t.Context(), api.Backtest{Name: "rules", Rules: []byte(c.rules), From: c.from, To: noon.Add(time.Minute), Step: time.Second})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.rules, err, c.want)
		}
	}
	fine := api.Backtest{Name: "rules", Rules: []byte("groups: [{name: g, rules: [{alert: A, expr: 'kpi_plays{window=\"1m\"} < 1'}]}]"), From: noon.AddDate(0, 0, -2), To: noon}
	report, warnings, err := r.Backtest(t.Context(), fine)
	if err != nil || report.Step != 2 || !slices.ContainsFunc(warnings, func(w string) bool { return strings.HasPrefix(w, "judged every 2s, where live it is every 1s") }) {
		t.Errorf("two days: %+v, %q, %v", report, warnings, err)
	}
	rules = []byte(`groups: [{name: g, interval: 10s, rules: [
		{alert: Busy, expr: 'sum by (channel) (kpi_plays{by="channel",window="1m"}) > 2', for: 20s},
		{alert: Soon, expr: 'ALERTS{alertname="Busy",alertstate="pending"}'}, {alert: Since, expr: 'ALERTS{alertname="Busy",alertstate="firing"}'}]}]`)
	got, _ = ask(api.Backtest{Name: "rules", From: noon, To: noon.Add(4 * time.Minute)})
	if want := []string{"Soon a 20s to 40s", "Busy a 30s to 1m10s", "Since a 40s to 1m20s"}; !slices.Equal(got[:3], want) {
		t.Errorf("rules about alerts: got %q, want %q", got, want)
	}
}

// What is recorded by the file that is judged takes the place of what is recorded live.
func TestBacktestRecordings(t *testing.T) {
	c := alerting(t, `{record: 'all:plays', expr: 'sum(kpi_plays{by="channel",window="1m"})'}, {record: 'live:plays', expr: 'file:plays'}`)
	events := NewLog()
	r, err := OpenReplica(c, events, ReplicaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Crash() })
	for i := range 4 {
		at := noon.Add(time.Duration(i) * 20 * time.Second)
		events.Append(at.UnixMilli(), fmt.Appendf(nil, `{"id":%d,"time":%d,"type":"play","user_id":"u","channel":"c%d","watch_ms":1}`, i, at.UnixMilli(), i%2))
	}
	if err := r.Read(); err != nil {
		t.Fatal(err)
	}
	for rules, want := range map[string]string{
		`{record: 'all:plays', expr: 'sum(kpi_plays{by="channel",window="1m"})'}, {alert: A, expr: 'sum(all:plays) > 0'}`:                    "3",
		`{record: 'all:plays', expr: '7 + sum(kpi_plays{by="channel",window="1m"})'}, {alert: A, expr: 'sum(all:plays) > 0'}`:                "10",
		`{record: 'all:plays', expr: 'kpi_plays{by="channel",window="1m"}', labels: {channel: all}}, {alert: A, expr: 'sum(all:plays) > 0'}`: "two series are recorded as",
		`{record: 'file:plays', expr: 'live:plays + 1'}, {alert: A, expr: 'file:plays > 0'}`:                                                 "reads itself",
		`{alert: A, expr: 'vector(1) > 0', labels: {s: a}}, {alert: A, expr: 'vector(2) > 0', labels: {s: b}}`:                               "1",
	} {
		report, _, err := r.Backtest(t.Context(), api.Backtest{Name: "rules", From: noon.Add(45 * time.Second), To: noon.Add(59 * time.Second), Step: time.Second,
			Rules: []byte("groups: [{name: g, rules: [" + rules + "]}]")})
		got := fmt.Sprint(err)
		if err == nil {
			got = report.Rules[0].LastError
			if len(report.Alerts) > 0 {
				got = report.Alerts[0].Annotations["value"]
			}
			for _, v := range report.Rules {
				if v.Fired > 1 {
					t.Errorf("%s: %s fired %d times", rules, v.Rule, v.Fired)
				}
			}
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: got %s, want %s", rules, got, want)
		}
	}
}
