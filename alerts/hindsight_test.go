package alerts

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// A mirror is a View in which rules see what they know of alerts: by the name of one, "firing
// Busy", whether it is in the state.
type mirror struct {
	engine *Engine
	busy   bool
}

func (m mirror) Series(string, kpi.Set, kpi.Window) []sample.Sample {
	if m.busy {
		return []sample.Sample{count(12)}
	}
	return []sample.Sample{count(1)}
}

func (m mirror) Sealed(string, kpi.Set, kpi.Window, int64) ([]sample.Sample, bool, error) {
	return nil, false, nil
}

func (m mirror) Query(_ context.Context, expr string, _ int64) (out promql.Vector, mixed bool, _ error) {
	for _, a := range m.engine.Known() {
		if strings.Contains(expr, fmt.Sprintf("%q", a.State)) && strings.Contains(expr, fmt.Sprintf("%q", a.Labels["alertname"])) {
			out = append(out, promql.Sample{Metric: labels.FromStrings("of", a.Labels["alertname"]), F: 1})
		}
	}
	return out, false, nil
}

const ofRules = `groups: [{name: g, interval: 10s, rules: [
  {alert: Busy, expr: 'kpi_plays{by="total",window="5m"} > 9', for: 20s},
  {alert: Soon, expr: 'ALERTS{alertname="Busy",alertstate="pending"}'},
  {alert: Both, expr: 'ALERTS{alertname="Busy",alertstate="firing"}', annotations: {s: '{{ with query "ALERTS{alertname=\"Busy\",alertstate=\"firing\"}" }}{{ len . }}{{ end }}'}},
]}]`

// TestRulesOfAlerts: rules see the alerts as of the evaluation before, through restarts, and
// also where nothing closes in between.
func TestRulesOfAlerts(t *testing.T) {
	type step struct {
		second int64
		busy   bool
		told   string
	}
	busyOn := []step{
		{0, true, ""}, {10, true, "firing Soon 10"}, {20, true, "firing Busy 20"}, {30, true, "resolved Soon 30, firing Both 30"},
		{40, false, "resolved Busy 40"}, {50, false, "resolved Both 50"},
	}
	for name, steps := range map[string][]step{
		"every close": busyOn,
		"a gap":       {{0, true, ""}, {35, false, "firing Soon 10, firing Busy 20, resolved Soon 30, firing Both 30"}, {90, false, "resolved Busy 40, resolved Both 50"}},
	} {
		for _, restarts := range []bool{false, true} {
			e := engine(t, ofRules)
			for i, s := range steps {
				if restarts && i > 0 {
					state, at := e.State()
					e = engine(t, ofRules)
					if err := e.Restore(state, at); err != nil {
						t.Fatal(err)
					}
					e.Resume(mirror{e, steps[i-1].busy})
				}
				var told []string
				for _, n := range e.Evaluate(at1(s.second), mirror{e, s.busy}) {
					told = append(told, fmt.Sprint(n.Status, " ", n.Rule, " ", (n.WindowEnd-start)/1000))
					if n.Rule == "Both" && n.Status == Firing && n.Annotations["s"] != "1" {
						t.Errorf("%s: a template sees %q", name, n.Annotations["s"])
					}
				}
				slices.SortStableFunc(told, func(a, b string) int {
					return strings.Compare(a[strings.LastIndex(a, " "):], b[strings.LastIndex(b, " "):])
				})
				if got := strings.Join(told, ", "); got != s.told {
					t.Errorf("%s, restarts %t, second %d: told %q, want %q", name, restarts, s.second, got, s.told)
				}
			}
		}
	}
}

// TestRestless: rules that never come to rest do not have empty time cost anything.
func TestRestless(t *testing.T) {
	e := engine(t, `groups: [{name: g, rules: [{alert: Not, expr: 'absent(ALERTS{alertname="Not",alertstate="firing"})'}]}]`)
	told := e.Evaluate(at1(0), unless{e})
	told = append(told, e.Evaluate(at1(9*365*86400), unless{e})...)
	if n := len(told); n < 200 || n > 300 {
		t.Errorf("%d notifications in nine years, want those of an hour", n)
	}
}

// An unless is a View in which a rule has a result unless it fires.
type unless struct{ *Engine }

func (unless) Series(string, kpi.Set, kpi.Window) []sample.Sample { return nil }

func (unless) Sealed(string, kpi.Set, kpi.Window, int64) ([]sample.Sample, bool, error) {
	return nil, false, nil
}

func (u unless) Query(context.Context, string, int64) (promql.Vector, bool, error) {
	if len(u.Known()) > 0 {
		return nil, false, nil
	}
	return promql.Vector{{F: 1}}, false, nil
}

// TestActive: what is active is told with the labels that it has, or would have.
func TestActive(t *testing.T) {
	e := engine(t, `groups: [{name: g, rules: [{alert: Busy, expr: 'kpi_plays{by="total",window="5m"} > 9', for: 20s, labels: {of: '{{ $value }}'}}]}]`)
	for _, c := range []struct {
		second int64
		busy   bool
		want   string
	}{
		{0, true, "[{map[alertname:Busy by:total of:12 window:5m] pending 0 0}]"},
		{20, true, "[{map[alertname:Busy by:total of:12 window:5m] firing 0 20}]"},
		{30, false, "[]"},
	} {
		e.Evaluate(at1(c.second), mirror{e, c.busy})
		list, at := e.Active()
		for i := range list {
			for _, ms := range []*int64{&list[i].ActiveAt, &list[i].FiredAt} {
				*ms = max(0, (*ms-start)/1000)
			}
		}
		if got := fmt.Sprint(list); got != c.want || at != at1(c.second) {
			t.Errorf("second %d: %s at %d, want %s", c.second, got, at, c.want)
		}
	}
	if list := e.Known(); list != nil {
		t.Errorf("no rule asks, and is told %v", list)
	}
}

// TestHindsight: rules that look back at which alerts there were are refused, by whatever way.
func TestHindsight(t *testing.T) {
	const back = "is looked back at: rules know of the alerts that there are as of the evaluation before"
	for _, c := range []struct{ rules, want string }{
		{`{alert: A, expr: 'count(ALERTS{alertstate="firing"}) > 3'}`, ""},
		{`{alert: A, expr: 'ALERTS{alertname="Busy"}'}`, ""},
		{`{alert: A, expr: 'absent(ALERTS{alertname="Busy"})'}, {record: mine, expr: 'sum(ALERTS_FOR_STATE)'}`, ""},
		{`{alert: A, expr: 'sum_over_time(kpi_plays{by="total",window="5m"}[1h:]) > 9 unless on () ALERTS'}`, ""},
		{`{alert: A, expr: 'kpi_plays{by="total",window="5m"} > 9 unless on () count_over_time(ALERTS[1h]) > 3'}`, "rules[0].expr: ALERTS " + back},
		{`{alert: A, expr: 'ALERTS offset 1m'}`, "rules[0].expr: ALERTS offset 1m " + back},
		{`{alert: A, expr: 'ALERTS @ 7'}`, "rules[0].expr: ALERTS @ 7.000 " + back},
		{`{alert: A, expr: 'max_over_time(sum(ALERTS)[1h:])'}`, "rules[0].expr: ALERTS " + back},
		{`{alert: A, expr: 'last_over_time({alertstate="firing"}[1h])'}`, `rules[0].expr: {alertstate="firing"} ` + back},
		{`{alert: A, expr: 'sum(kpi_plays{by="total",window="5m"}) > 1', recover: 'changes(ALERTS[1h]) > 1'}`, "rules[0].recover: ALERTS " + back},
		{`{record: mine, expr: 'changes(ALERTS[1h])'}`, "rules[0].expr: ALERTS " + back},
		{`{record: mine, expr: 'count(ALERTS)'}, {record: more, expr: 'mine + 1'}, {alert: A, expr: 'more offset 5m > 3'}`, "rules[2].expr: more offset 5m " + back},
	} {
		f := load(t, "groups: [{name: g, rules: ["+c.rules+"]}]")
		_, err := NewEngine([]*RuleFile{f}, catalogue(t), EngineOptions{})
		if c.want == "" && (err != nil || len(f.Warnings) > 0) {
			t.Errorf("%s: %v, warnings %v", c.rules, err, f.Warnings)
		}
		if c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), "rules.yml:1: groups[0]."+c.want)) {
			t.Errorf("%s: got %v, want %s", c.rules, err, c.want)
		}
	}
	f := load(t, `groups: [{name: g, query_offset: 1m, rules: [{alert: A, expr: 'count(ALERTS) > 3'}]}]`)
	if _, err := NewEngine([]*RuleFile{f}, catalogue(t), EngineOptions{}); err == nil || !strings.Contains(err.Error(), "ALERTS is in a group with query_offset") {
		t.Errorf("query_offset: %v", err)
	}
}

// A rule about alerts that no rule has waits for ever: so one that asks for them by name is
// warned of, whichever file has the rule.
func TestNameless(t *testing.T) {
	other := load(t, `groups: [{name: g, rules: [{alert: ChannelSilent, expr: 'kpi_plays{window="5m"} < 1'}]}]`)
	const rule = "rules.yml:1: groups[0].rules[0]"
	for _, c := range []struct{ rules, want string }{
		{`{alert: A, expr: 'ALERTS{alertname="ChannelSilent",alertstate="firing"}'}`, ""},
		{`{alert: A, expr: 'ALERTS{alertname=~"A|Channel.*"} unless on () ALERTS{alertname!="B"} or ALERTS{alertname=""}'}`, ""},
		{`{alert: A, expr: 'ALERTS{alertname="ChanelSilent"}'}`, rule + `.expr: alertname="ChanelSilent" is the name of no rule's alerts: did you mean ChannelSilent? Name an alert of the rule files`},
		{`{alert: A, expr: 'absent({alertname="Other",alertstate="firing"})'}`, rule + `.expr: alertname="Other" is the name of no rule's alerts: name an alert of the rule files`},
		{`{alert: A, expr: 'ALERTS{alertname=~"A|ChannelSilence"}'}`, rule + `.expr: alertname="ChannelSilence" is the name of no rule's alerts: did you mean ChannelSilent? Name an alert of the rule files`},
		{`{record: mine, expr: 'count(ALERTS_FOR_STATE{alertname="Other"})'}`, rule + `.expr: alertname="Other" is the name of no rule's alerts: name an alert of the rule files`},
		{`{alert: A, expr: 'sum(kpi_plays{window="5m"}) > 1', recover: 'ALERTS{alertname="Other"}'}`, rule + `.recover: alertname="Other" is the name of no rule's alerts: name an alert of the rule files`},
	} {
		got := ""
		for _, w := range Nameless([]*RuleFile{load(t, "groups: [{name: g, rules: ["+c.rules+"]}]"), other}) {
			got += w.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.rules, got, c.want)
		}
	}
}
