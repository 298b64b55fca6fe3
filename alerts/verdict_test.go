package alerts

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/alerts/reason"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// A verdict is judged again a minute after the end of the first kept window at or behind it.
func TestCorrections(t *testing.T) {
	bad, good, thin := ratio(5, 100), ratio(50, 100), ratio(0, 29)
	const window = "ctr/total/5m"
	type step struct {
		second int64
		live   sample.Sample
	}
	for _, tt := range []struct {
		name, rule string
		steps      []step
		sealed     map[int64]sample.Sample // by second
		want       string
	}{
		{"it was right", ctrLow, []step{{1, bad}, {5, bad}, {6, good}, {65, good}}, map[int64]sample.Sample{5: bad}, "1 firing, 6 resolved"},
		{"it is taken back after it was resolved", ctrLow, []step{{1, bad}, {5, bad}, {6, good}, {64, good}, {65, good}, {66, good}}, map[int64]sample.Sample{5: good},
			"1 firing, 6 resolved, 65 resolved corrected 0.5"},
		{"it is taken back at the next close", ctrLow, []step{{1, bad}, {5, bad}, {6, good}, {80, good}}, map[int64]sample.Sample{5: good},
			"1 firing, 6 resolved, 80 resolved corrected 0.5"},
		{"the window ends as it fires", ctrLow, []step{{5, bad}, {6, good}, {65, good}}, map[int64]sample.Sample{5: good}, "5 firing, 6 resolved, 65 resolved corrected 0.5"},
		{"it was over by itself before the window ended", ctrLow, []step{{1, bad}, {4, good}, {5, good}, {65, good}}, map[int64]sample.Sample{5: good}, "1 firing, 4 resolved"},
		{"it is right in the meantime", ctrLow, []step{{1, bad}, {5, bad}, {65, bad}, {66, good}}, map[int64]sample.Sample{5: good}, "1 firing, 66 resolved"},
		{"it fires again in the meantime", ctrLow, []step{{1, bad}, {5, bad}, {6, good}, {60, bad}, {65, bad}, {66, good}}, map[int64]sample.Sample{5: good}, "1 firing, 6 resolved, 60 firing, 66 resolved"},
		{"what keeps it firing ends", ctrLow + ", keep_firing_for: 10m", []step{{1, bad}, {5, bad}, {6, good}, {65, good}, {700, good}}, map[int64]sample.Sample{5: good}, "1 firing, 65 resolved corrected 0.5"},
		{"it recovered neither", ctrLow + `, recover: 'kpi_ctr{window="5m"} > 0.6'`, []step{{1, bad}, {5, bad}, {6, good}, {65, good}}, map[int64]sample.Sample{5: good}, "1 firing, 65 resolved corrected 0.5"},
		{"too little is left to say", ctrLow, []step{{1, bad}, {5, bad}, {6, good}, {65, good}}, map[int64]sample.Sample{5: thin}, "1 firing, 6 resolved"},
		{"for", ctrLow + ", for: 10s", []step{{1, bad}, {11, bad}, {15, bad}, {16, good}, {75, good}}, map[int64]sample.Sample{15: good}, "11 firing, 16 resolved, 75 resolved corrected 0.5"},
	} {
		for _, restarts := range []bool{false, true} {
			t.Run(fmt.Sprint(tt.name, ", restarts ", restarts), func(t *testing.T) {
				b := board{}
				for second, s := range tt.sealed {
					b[fmt.Sprintf("%s/%d", window, second)] = []sample.Sample{s}
				}
				e := doubting(t, rulesOf(tt.rule))
				var got []string
				for _, s := range tt.steps {
					now := maps.Clone(b)
					now[window] = []sample.Sample{s.live}
					for _, n := range e.Evaluate(at1(s.second), now) {
						got = append(got, told(n))
					}
					if restarts {
						e = moved(t, e, doubting(t, rulesOf(tt.rule)))
						e.Resume(now)
					}
				}
				if got := strings.Join(got, ", "); got != tt.want {
					t.Errorf("told %q, want %q", got, tt.want)
				}
			})
		}
	}
}

func told(n Notification) string {
	out := fmt.Sprintf("%d %s", (n.WindowEnd-start)/1000, n.Status)
	if n.Corrected {
		out += " corrected " + n.Annotations["value"]
	}
	return out
}

// doubting is an engine to which windows change for a minute after their end.
func doubting(t *testing.T, file string) *Engine {
	t.Helper()
	e, err := NewEngine([]*RuleFile{load(t, file)}, catalogue(t), EngineOptions{ExternalURL: "http://tide.example", Unsealed: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// A correction has the figures of the window that overturned the verdict, and when the alert
// fired and was over.
func TestCorrection(t *testing.T) {
	e := doubting(t, rulesOf(ctrLow+", annotations: {summary: '{{ $value | humanizePercentage }}'}"))
	b := board{"ctr/total/5m": {ratio(5, 100)}, "ctr/total/5m/5": {ratio(30, 60)}}
	fired := e.Evaluate(at1(5), b)[0]
	if fired.FinalAt != at1(65) || fired.Corrected {
		t.Errorf("fired: %+v", fired)
	}
	b["ctr/total/5m"] = []sample.Sample{ratio(50, 100)}
	resolved := e.Evaluate(at1(7), b)[0]
	if resolved.FinalAt != at1(65) || resolved.Corrected || resolved.Annotations["corrected"] != "" {
		t.Errorf("resolved: %+v", resolved)
	}
	n := e.Evaluate(at1(65), b)[0]
	if n.Alert != fired.Alert || n.AsOf() != at1(5) || n.ID == resolved.ID || n.FinalAt != 0 || !n.StartsAt.Equal(instant(at1(5))) || !n.EndsAt.Equal(instant(at1(7))) {
		t.Errorf("corrected: %+v", n)
	}
	for name, want := range map[string]string{
		"corrected": "true", "resolved_because": reason.Overturned, "summary": "50%", "value": "0.5", "n": "60", "as_of": instant(at1(5)).Format(timeFormat), "notification_id": n.ID,
	} {
		if got := n.Annotations[name]; got != want {
			t.Errorf("annotation %s is %q, want %q", name, got, want)
		}
	}
}

// What an expression compares is told of what it no longer holds of.
func TestQueriedCorrections(t *testing.T) {
	const expr = `sum by (channel) (kpi_plays{by="channel",window="5m"}) > 10`
	measured := strings.TrimSuffix(expr, " > 10")
	e := doubting(t, fmt.Sprintf(`groups: [{name: g, rules: [{alert: Busy, expr: '%s'}]}]`, expr))
	douyin := func(n int64) []sample.Sample { return []sample.Sample{count(n, "channel", "douyin")} }
	var got []string
	for _, s := range []struct {
		second int64
		n      int64
	}{{0, 12}, {15, 12}, {30, 7}, {45, 7}, {60, 4}} {
		b := board{measured: douyin(s.n), expr: nil}
		if s.n > 10 {
			b[expr] = douyin(s.n)
		}
		for _, n := range e.Evaluate(at1(s.second), b) {
			got = append(got, told(n)+" "+n.Annotations["value"])
		}
	}
	if got, want := strings.Join(got, ", "), "0 firing 12, 30 resolved 7, 60 resolved corrected 4 4"; got != want {
		t.Errorf("told %q, want %q", got, want)
	}
}

// Verdicts are judged again where a kept window of every length ends.
func TestEnds(t *testing.T) {
	for _, tt := range []struct {
		expr     string
		interval time.Duration
		want     time.Duration
	}{
		{`kpi_plays{window="1m"} < 1`, 0, time.Second},
		{`kpi_plays{window="5m"} < 1`, 0, 5 * time.Second},
		{`kpi_plays{window="5m"} < 1`, 7 * time.Second, 35 * time.Second},
		{`sum(kpi_plays{window="5m"}) < sum(kpi_plays{window="1h"}) / 60`, 15 * time.Second, time.Minute},
		{`kpi_plays{window="today"} < 1`, 0, 0},
		{`kpi_plays{window="day"} < 1`, 0, 0},
		{`kpi_plays{window="day"} offset 1d < 1`, 15 * time.Second, 0},
		{`sum(kpi_plays) < 1`, 15 * time.Second, 0},
		{`other > 1`, 15 * time.Second, 0},
		{`kpi_plays{window="5m"} > on() base * 0.5`, 15 * time.Second, 0},
	} {
		r := load(t, fmt.Sprintf(`groups: [{name: g, rules: [{alert: A, expr: '%s'}]}]`, tt.expr)).Groups[0].Rules[0]
		if got := time.Duration(r.ends(tt.interval.Milliseconds(), EngineOptions{Unsealed: time.Minute, Kept: func(w kpi.Window) time.Duration { return 6 * time.Hour }})) * time.Millisecond; got != tt.want {
			t.Errorf("%s every %s: %s, want %s", tt.expr, tt.interval, got, tt.want)
		}
	}
}

// What cannot be judged is no other verdict: neither while it fires, nor at the window's end,
// nor when the window cannot be read.
func TestDoubtsWait(t *testing.T) {
	const expr = `sum by (channel) (kpi_plays{by="channel",window="5m"}) > 10`
	e := doubting(t, fmt.Sprintf(`groups: [{name: g, limit: 2, rules: [{alert: Busy, expr: '%s'}]}]`, expr))
	plays := func(channels ...string) board {
		list := []sample.Sample{}
		for _, c := range channels {
			list = append(list, count(12, "channel", c))
		}
		return board{expr: list}
	}
	var got []string
	for _, s := range []struct {
		second int64
		board  board
	}{
		{0, plays("a")}, {15, plays("a", "b", "c")}, // more than limit
		{60, plays("a", "b", "c")}, {75, board{}}, {90, plays("a")}, {105, plays()},
	} {
		for _, n := range e.Evaluate(at1(s.second), s.board) {
			got = append(got, told(n))
		}
	}
	if got, want := strings.Join(got, ", "), "0 firing, 105 resolved"; got != want {
		t.Errorf("told %q, want %q", got, want)
	}
}

// A rule that was edited asks something else.
func TestEditedRuleDispelsDoubts(t *testing.T) {
	b := board{"ctr/total/5m": {ratio(5, 100)}, "ctr/total/5m/5": {ratio(9, 100)}}
	e := doubting(t, rulesOf(ctrLow))
	e.Evaluate(at1(5), b)
	b["ctr/total/5m"] = []sample.Sample{ratio(50, 100)}
	e.Evaluate(at1(6), b)
	edited := doubting(t, rulesOf(ctrLow+", confidence: 0.99"))
	state, at := e.State()
	if err := edited.Restore(state, at); err != nil {
		t.Fatal(err)
	}
	edited.Resume(b)
	if got := edited.Evaluate(at1(65), b); len(got) > 0 {
		t.Errorf("told %s", told(got[0]))
	}
}
