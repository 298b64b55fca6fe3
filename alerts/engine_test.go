package alerts

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/tidewatch/tidewatch/alerts/reason"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// board is a View of what the test writes on it.
type board map[string][]sample.Sample

func (b board) Series(name string, by kpi.Set, w kpi.Window) []sample.Sample {
	return b[fmt.Sprintf("%s/%s/%s", name, by, w)]
}

// Sealed answers with what is on the board under the window and the second it ends.
func (b board) Sealed(name string, by kpi.Set, w kpi.Window, end int64) ([]sample.Sample, bool, error) {
	list, ok := b[fmt.Sprintf("%s/%s/%s/%d", name, by, w, (end-start)/1000)]
	return list, ok, nil
}

// Query answers with what is on the board under the expression: the labels of each result
// as names and values in turn.
func (b board) Query(_ context.Context, expr string, _ int64) (out promql.Vector, mixed bool, err error) {
	list, ok := b[expr]
	if !ok {
		return nil, false, fmt.Errorf("no answer for %s", expr)
	}
	for _, s := range list {
		if mixed = s.Mixed; mixed {
			continue
		}
		out = append(out, promql.Sample{Metric: labels.FromStrings(s.Labels...), F: s.Numerator.Float()})
	}
	return out, mixed, nil
}

func ratio(k, n int64, series ...string) sample.Sample {
	return sample.Sample{Labels: series, Null: n == 0, Numerator: sample.Number{N: sample.Of(k), Scale: 1}, Denominator: sample.Number{N: sample.Of(n), Scale: 1}}
}

func count(n int64, series ...string) sample.Sample {
	return sample.Sample{Labels: series, Numerator: sample.Number{N: sample.Of(n), Scale: 1}}
}

func engine(t testing.TB, files ...string) *Engine {
	t.Helper()
	var fs []*RuleFile
	for _, text := range files {
		fs = append(fs, load(t, text))
	}
	return engineOf(t, fs...)
}

func engineOf(t testing.TB, fs ...*RuleFile) *Engine {
	t.Helper()
	e, err := NewEngine(fs, catalogue(t), EngineOptions{ExternalURL: "http://tide.example"})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// at1 is a second of the tests' event time.
const start = int64(1_800_000_000_000)

func at1(second int64) int64 { return start + second*1000 }

func rulesOf(rules string) string {
	return "groups:\n  - name: g\n    rules:\n      - {" + strings.Join(strings.Split(strings.TrimSpace(rules), "\n"), "}\n      - {") + "}\n"
}

const ctrLow = `alert: Low, expr: 'kpi_ctr{window="5m"} < 0.1'`

func TestDecisions(t *testing.T) {
	type step struct {
		second int64
		sample sample.Sample // no labels: the total
		want   string        // state after it, with ! when people are told
	}
	good, bad, null, thin, gone := ratio(50, 100), ratio(5, 100), ratio(0, 0), ratio(0, 29), sample.Sample{Null: true}
	tests := []struct {
		name, rule string
		steps      []step
	}{
		{"fires and resolves at once", ctrLow, []step{
			{0, good, "inactive"}, {1, bad, "firing!"}, {2, bad, "firing"}, {3, good, "resolved!"}, {4, good, "inactive"},
		}},
		{"for", ctrLow + ", for: 10s", []step{
			{0, bad, "pending"}, {9, bad, "pending"}, {10, bad, "firing!"}, {11, good, "resolved!"}, {12, bad, "pending"},
		}},
		{"for starts anew after a good value", ctrLow + ", for: 10s", []step{
			{0, bad, "pending"}, {5, good, "inactive"}, {6, bad, "pending"}, {15, bad, "pending"}, {16, bad, "firing!"},
		}},
		{"null keeps the state", ctrLow, []step{
			{0, null, "inactive"}, {1, bad, "firing!"}, {2, null, "firing"}, {3, gone, "firing"}, {4, good, "resolved!"},
		}},
		{"below min_samples keeps the state", ctrLow, []step{
			{0, thin, "inactive"}, {1, ratio(0, 30), "firing!"}, {2, ratio(29, 29), "firing"}, {3, ratio(29, 30), "resolved!"},
		}},
		{"for stands still while there is null", ctrLow + ", for: 10s", []step{
			{0, bad, "pending"}, {5, null, "pending"}, {8, bad, "pending"}, {12, bad, "pending"}, {13, bad, "firing!"},
		}},
		{"for stands still while there are too few", ctrLow + ", for: 10s", []step{
			{0, bad, "pending"}, {5, thin, "pending"}, {6, bad, "pending"}, {7, thin, "pending"}, {8, bad, "pending"}, {11, bad, "pending"}, {12, bad, "firing!"}, {13, thin, "firing"},
		}},
		{"for starts anew after as long without", ctrLow + ", for: 10s", []step{
			{0, bad, "pending"}, {5, thin, "pending"}, {14, null, "pending"}, {15, thin, "inactive"}, {600, thin, "inactive"}, {601, bad, "pending"}, {610, bad, "pending"}, {611, bad, "firing!"},
		}},
		{"keep_firing_for stands still while there are too few", ctrLow + ", keep_firing_for: 10s", []step{
			{0, bad, "firing!"}, {1, good, "firing"}, {2, thin, "firing"}, {600, good, "firing"}, {608, good, "firing"}, {609, good, "resolved!"},
		}},
		{"min_samples", ctrLow + ", min_samples: 200", []step{
			{0, bad, "inactive"}, {1, ratio(19, 200), "firing!"},
		}},
		{"keep_firing_for", ctrLow + ", keep_firing_for: 10s", []step{
			{0, bad, "firing!"}, {1, good, "firing"}, {5, bad, "firing"}, {6, good, "firing"}, {15, good, "firing"}, {16, good, "resolved!"},
		}},
		{"the bound of a share", `alert: Low, expr: 'kpi_ctr_high{window="5m"} < 0.1'`, []step{
			{0, ratio(9, 100), "inactive"}, {1, ratio(50, 1000), "firing!"},
		}},
		{"a share above 1 has no bounds", `alert: Low, expr: 'kpi_ctr_low{window="5m"} > 0'`, []step{{0, ratio(200, 100), "inactive"}}},
		{"a denominator needs no samples", `alert: Quiet, expr: 'kpi_ctr_denominator{window="5m"} < 10'`, []step{
			{0, ratio(0, 10), "inactive"}, {1, ratio(0, 0), "firing!"}, {2, ratio(0, 10), "resolved!"},
		}},
		{"recover", ctrLow + `, recover: 'kpi_ctr{window="5m"} > 0.2'`, []step{
			{0, bad, "firing!"}, {1, ratio(15, 100), "firing"}, {2, ratio(20, 100), "firing"}, {3, null, "firing"}, {4, ratio(21, 100), "resolved!"}, {5, ratio(15, 100), "inactive"},
		}},
		{"recover counts for what fires", ctrLow + `, for: 10s, recover: 'kpi_ctr{window="5m"} > 0.2'`, []step{
			{0, bad, "pending"}, {1, ratio(15, 100), "inactive"}, {2, bad, "pending"}, {12, bad, "firing!"}, {13, ratio(15, 100), "firing"},
		}},
		{"recover, then keep_firing_for", ctrLow + `, keep_firing_for: 10s, recover: '0.2 < kpi_ctr{window="5m"}'`, []step{
			{0, bad, "firing!"}, {1, ratio(15, 100), "firing"}, {20, ratio(15, 100), "firing"}, {21, good, "firing"}, {31, good, "resolved!"},
		}},
		{"confidence", ctrLow + ", confidence: 0.95", []step{
			{0, ratio(9, 100), "inactive"}, {1, ratio(50, 1000), "firing!"}, {2, ratio(9, 100), "resolved!"},
		}},
		{"less confidence", ctrLow + ", confidence: 0.5", []step{{0, ratio(9, 100), "inactive"}, {1, ratio(7, 100), "firing!"}}},
		{"confidence of more", `alert: High, expr: 'kpi_ctr{window="5m"} > 0.1', confidence: 0.95`, []step{
			{0, ratio(11, 100), "inactive"}, {1, ratio(20, 100), "firing!"},
		}},
		{"no_data: ok", ctrLow + ", no_data: ok", []step{{0, null, "inactive"}, {1, bad, "firing!"}, {2, thin, "firing"}, {3, null, "resolved!"}}},
		{"no_data: alert", ctrLow + ", no_data: alert, for: 10s", []step{
			{0, null, "pending"}, {10, null, "firing!"}, {11, good, "resolved!"}, {12, bad, "pending"}, {22, null, "firing!"}, {23, thin, "firing"}, {24, good, "resolved!"},
		}},
		{"equality", `alert: None, expr: 'kpi_ctr_numerator{window="5m"} == 0'`, []step{{0, ratio(0, 5), "firing!"}, {1, ratio(1, 5), "resolved!"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := engine(t, rulesOf(tt.rule))
			for _, s := range tt.steps {
				var told string
				state := Inactive
				for _, n := range e.Evaluate(at1(s.second), board{"ctr/total/5m": {s.sample}}) {
					told += "!"
					state = n.Status
				}
				for _, a := range e.Status().Alerts {
					state = a.State
				}
				if got := string(state) + told; got != s.want {
					t.Fatalf("second %d: got %s, want %s", s.second, got, s.want)
				}
			}
		})
	}
}

// An alert that cannot be judged says since when, also after a restart, and
// shows the figures of then.
func TestStale(t *testing.T) {
	bad, null, thin := ratio(5, 100), ratio(0, 0), ratio(0, 29)
	e := engine(t, rulesOf(ctrLow))
	for _, s := range []struct {
		second int64
		sample sample.Sample
		since  int64 // second, -1 for an alert that is not stale
	}{
		{1, bad, -1}, {2, null, 1}, {3, thin, 1}, {4, bad, -1}, {5, bad, -1}, {6, thin, 5}, {7, null, 5},
	} {
		e.Evaluate(at1(s.second), board{"ctr/total/5m": {s.sample}})
		state, clock := e.State()
		restarted := engine(t, rulesOf(ctrLow))
		if err := restarted.Restore(state, clock); err != nil {
			t.Fatal(err)
		}
		for _, e := range []*Engine{e, restarted} {
			a := e.Status().Alerts[0]
			if s.since < 0 {
				if !a.StaleSince.IsZero() {
					t.Errorf("second %d: stale since %s", s.second, a.StaleSince)
				}
				continue
			}
			if want := instant(at1(s.since)); !a.StaleSince.Equal(want) {
				t.Errorf("second %d: stale since %s, want %s", s.second, a.StaleSince, want)
			}
		}
		if a := e.Status().Alerts[0]; s.since > 0 && (*a.Value != 0.05 || a.Annotations["as_of"] != instant(at1(s.since)).Format(timeFormat)) {
			t.Errorf("second %d: %v of %s", s.second, *a.Value, a.Annotations["as_of"])
		}
	}
}

func TestVanishedSeriesKeepsItsState(t *testing.T) {
	e := engine(t, rulesOf(ctrLow))
	e.Evaluate(at1(0), board{"ctr/total/5m": {ratio(0, 100)}})
	if got := e.Evaluate(at1(1), board{}); got != nil {
		t.Errorf("told %v", got)
	}
	if firing, _ := e.Counts(); firing != 1 {
		t.Errorf("firing %d, want 1", firing)
	}
}

// A series that leaves a list of the largest has at most what the last of the
// list has.
func TestVanishedFromTop(t *testing.T) {
	list := func(n int, last int64) board {
		var samples []sample.Sample
		for i := range n {
			samples = append(samples, count(last+int64(n-1-i), fmt.Sprint("other", i)))
		}
		return board{"top_contents/content_id/5m": samples}
	}
	for _, tt := range []struct {
		op   string
		list board
		want string
	}{
		{">", list(20, 101), ""},
		{">", list(20, 100), "resolved 100"},
		{">=", list(20, 100), ""},
		{">=", list(20, 99), "resolved 99"},
		{">", list(19, 101), "resolved 0"},
		{">", board{}, "resolved 0"},
	} {
		e := engine(t, rulesOf(`alert: Hot, expr: 'kpi_top_contents{by="content_id",window="5m",content_id="a"} `+tt.op+` 100'`))
		if ns := e.Evaluate(at1(0), board{"top_contents/content_id/5m": {count(500, "a")}}); len(ns) != 1 {
			t.Fatalf("told %v", ns)
		}
		got := ""
		for _, n := range e.Evaluate(at1(1), tt.list) {
			got += string(n.Status) + " " + n.Annotations["value"]
		}
		if got != tt.want {
			t.Errorf("%s, list of %d: told %q, want %q", tt.op, len(tt.list["top_contents/content_id/5m"]), got, tt.want)
		}
	}
}

func TestNotification(t *testing.T) {
	e := engine(t, `
groups:
  - name: content
    rules:
      - alert: CompletionLow
        expr: kpi_completion_rate{by="channel",window="5m"} < 0.2
        labels: {severity: page, empty: ''}
        annotations:
          summary: '{{ $labels.channel }} at {{ $value | humanizePercentage }} in {{ $labels.window }}, {{ $externalURL }}'
`)
	v := board{"completion_rate/channel/5m": {ratio(90, 100, "wechat"), ratio(11, 100, "douyin")}}
	ns := e.Evaluate(at1(7), v)
	if len(ns) != 1 {
		t.Fatalf("told %v", ns)
	}
	n := ns[0]
	link := "http://tide.example/?at=2027-01-15T08%3A00%3A07.000Z&by=channel&channel=douyin&kpi=completion_rate&window=5m#alert=" + n.Alert
	wantLabels := map[string]string{"alertname": "CompletionLow", "by": "channel", "channel": "douyin", "severity": "page", "window": "5m"}
	wantAnnotations := map[string]string{
		"summary": "douyin at 11% in 5m, http://tide.example",
		"value":   "0.11", "numerator": "11", "denominator": "100", "n": "100", "comparison": "<", "threshold": "0.2", "window": "5m",
		"low": "0.06254196357064566", "high": "0.18631296503080316", "confidence": "0.95",
		"as_of": "2027-01-15T08:00:07.000Z", "link": link, "notification_id": n.ID,
	}
	if fmt.Sprint(n.Labels) != fmt.Sprint(wantLabels) {
		t.Errorf("labels %v, want %v", n.Labels, wantLabels)
	}
	if fmt.Sprint(n.Annotations) != fmt.Sprint(wantAnnotations) {
		t.Errorf("annotations\n%v, want\n%v", n.Annotations, wantAnnotations)
	}
	if want := (Subject{KPI: "completion_rate", Title: kpi.Text{EN: "Completion rate", ZH: "完播率"}, Unit: kpi.UnitPercent}); n.Subject == nil || *n.Subject != want {
		t.Errorf("subject %+v, want %+v", n.Subject, want)
	}
	if n.Status != Firing || n.Link != link || !n.ActiveAt.Equal(instant(at1(7))) || !n.StartsAt.Equal(instant(at1(7))) || !n.EndsAt.IsZero() || len(n.Fingerprint) != 16 {
		t.Errorf("notification %+v", n)
	}

	v["completion_rate/channel/5m"][1] = ratio(30, 100, "douyin")
	r := e.Evaluate(at1(9), v)[0]
	if r.Status != Resolved || r.Alert != n.Alert || r.ID == n.ID || r.Fingerprint != n.Fingerprint || !r.EndsAt.Equal(instant(at1(9))) || !r.StartsAt.Equal(n.StartsAt) || r.Annotations["value"] != "0.3" {
		t.Errorf("resolved %+v", r)
	}
}

// On which condition an alert is over stands beside it.
func TestRecoverIsTold(t *testing.T) {
	for recover, tt := range map[string]struct{ rule, words string }{
		`kpi_ctr{window="5m"} > 0.2`: {ctrLow, ">0.2"},
		`kpi_ctr{window="1h"} > 0.2`: {ctrLow, ""},
		`other > 1`:                  {"alert: Busy, expr: '" + busy + "'", ""},
		`sum by (channel) (kpi_plays{by="channel",window="5m"}) <= 5`:               {"alert: Busy, expr: '" + busy + "'", "<=5"},
		`sum by (channel) (kpi_plays{by="channel",window="5m"}) < 5 or on () other`: {"alert: Busy, expr: '" + busy + "'", ""},
	} {
		e := engine(t, rulesOf(tt.rule+", recover: '"+recover+"'"))
		b := seen("a=12")
		b["ctr/total/5m"], b[recover] = []sample.Sample{ratio(5, 100)}, nil
		ns := e.Evaluate(at1(0), b)
		if len(ns) != 1 || ns[0].Annotations["recover"] != recover || ns[0].Annotations["recover_comparison"]+ns[0].Annotations["recover_threshold"] != tt.words {
			t.Errorf("told %v, want recover %s, %q", ns, recover, tt.words)
		}
		if s := e.Status(); s.Rules[0].Recover != recover || s.Alerts[0].Annotations["recover"] != recover {
			t.Errorf("shown %+v", s)
		}
	}
}

func TestMatchersAndCurrency(t *testing.T) {
	e := engine(t, rulesOf(`
alert: A, expr: 'kpi_ctr{by="channel",window="5m",channel=~"d.*"} < 0.5'
alert: B, expr: 'kpi_gmv_paid{window="1h",currency="CNY"} < 100'`))
	usd, cny := count(5), count(5)
	usd.Currency, cny.Currency = "USD", "CNY"
	mixed := sample.Sample{Null: true, Mixed: true}
	v := board{"ctr/channel/5m": {ratio(0, 100, "douyin"), ratio(0, 100, "wechat")}}
	for i, tt := range []struct {
		money sample.Sample
		want  string
	}{{usd, "A"}, {mixed, ""}, {count(0), "B"}, {cny, ""}} {
		v["gmv_paid/total/1h"] = []sample.Sample{tt.money}
		var got []string
		for _, n := range e.Evaluate(at1(int64(i)), v) {
			got = append(got, n.Rule)
		}
		if strings.Join(got, ",") != tt.want {
			t.Errorf("step %d: told %v, want %s", i, got, tt.want)
		}
	}
}

func TestInterval(t *testing.T) {
	e := engine(t, "groups: [{name: g, interval: 30s, rules: [{"+ctrLow+"}]}]")
	bad := board{"ctr/total/5m": {ratio(0, 100)}}
	var told []int64
	for s := int64(1); s < 100; s++ {
		v := board{}
		if s > 31 {
			v = bad
		}
		if len(e.Evaluate(at1(s), v)) > 0 {
			told = append(told, s)
		}
	}
	if fmt.Sprint(told) != "[60]" {
		t.Errorf("told at %v, want [60]", told)
	}
}

func TestNextDeadline(t *testing.T) {
	bad, good := board{"ctr/total/5m": {ratio(0, 100)}}, board{"ctr/total/5m": {ratio(50, 100)}}
	wants := func(e *Engine, want int64) {
		t.Helper()
		got, ok := e.nextDeadline()
		if !ok {
			got = start
		}
		if got != at1(want) {
			t.Errorf("deadline at second %d, want %d", (got-start)/1000, want)
		}
	}
	e := engine(t, rulesOf(ctrLow+", for: 10500ms, keep_firing_for: 1m"))
	wants(e, 0)
	e.Evaluate(at1(1), bad)
	wants(e, 12)
	e.Evaluate(at1(12), bad)
	wants(e, 0)
	e.Evaluate(at1(20), good)
	wants(e, 80)
	if ns := e.Evaluate(at1(80), good); len(ns) != 1 {
		t.Errorf("told %v", ns)
	}
	wants(e, 0)

	e = engine(t, "groups: [{name: g, interval: 30s, rules: [{"+ctrLow+", for: 40s}]}]")
	e.Evaluate(at1(0), bad)
	wants(e, 60)
	e.Evaluate(at1(1), bad) // not judged: it is at second 30
	wants(e, 30)
}

// Empty time may be jumped over: evaluating at the closes alone, or at the
// deadlines too, decides what evaluating at every second does. So does an engine
// that is restarted every time.
func TestJumping(t *testing.T) {
	file := load(t, `
groups:
  - {name: a, rules: [{`+ctrLow+`, for: 17s, keep_firing_for: 40s}]}
  - {name: b, interval: 30s, labels: {tier: b}, rules: [{`+ctrLow+`, for: 45s, keep_firing_for: 10s}]}
`)
	closes := map[int64]board{
		1:   {},
		3:   {"ctr/total/5m": {ratio(0, 100)}},
		151: {"ctr/total/5m": {ratio(50, 100)}},
		190: {"ctr/total/5m": {ratio(0, 100)}},
		195: {"ctr/total/5m": {ratio(50, 100)}},
		400: {},
	}
	everySecond := func(int64, *Engine) bool { return true }
	atDeadlines := func(s int64, e *Engine) bool {
		due, ok := e.nextDeadline()
		return ok && due == at1(s)
	}
	never := func(int64, *Engine) bool { return false }
	run := func(between func(int64, *Engine) bool, crash bool) (out []string) {
		e, now := engineOf(t, file), board{}
		for s := int64(1); s <= 400; s++ {
			closed, ok := closes[s]
			if crash {
				last := e.last
				e = moved(t, e, engineOf(t, file))
				e.last = last
			}
			if ok {
				now = closed
			} else if !between(s, e) {
				continue
			}
			for _, n := range e.Evaluate(at1(s), now) {
				out = append(out, fmt.Sprintf("%d %s %s %s", (n.WindowEnd-start)/1000, n.Group, n.Status, n.ID))
			}
		}
		return out
	}
	every := strings.Join(run(everySecond, false), "\n")
	if got := strings.Count(every, "\n") + 1; got != 4 {
		t.Errorf("told %d times:\n%s", got, every)
	}
	for name, between := range map[string]func(int64, *Engine) bool{"at every second": everySecond, "at deadlines": atDeadlines, "at closes": never} {
		for _, crash := range []bool{false, true} {
			if got := strings.Join(run(between, crash), "\n"); got != every {
				t.Errorf("at every second:\n%s\n%s, crash %v:\n%s", every, name, crash, got)
			}
		}
	}
}

// asking is a View that asks the engine how things stand before it answers.
type asking struct {
	board
	e *Engine
}

func (a asking) Series(name string, by kpi.Set, w kpi.Window) []sample.Sample {
	a.e.Counts()
	a.e.Status()
	a.e.State()
	return a.board.Series(name, by, w)
}

// Nobody who asks waits while a view is read.
func TestReadingHoldsNothing(t *testing.T) {
	e := engine(t, rulesOf(ctrLow+", for: 10s"))
	v := asking{board{"ctr/total/5m": {ratio(0, 100)}}, e}
	e.Evaluate(at1(0), v)
	if got := e.Evaluate(at1(20), v); len(got) != 1 || got[0].WindowEnd != at1(10) {
		t.Errorf("told %v", got)
	}
}

// restart moves the state into an engine of other files.
func restart(t *testing.T, e *Engine, files ...string) *Engine {
	t.Helper()
	return moved(t, e, engine(t, files...))
}

func moved(t *testing.T, e, next *Engine) *Engine {
	t.Helper()
	before, clock := e.State()
	if err := next.Restore(before, clock); err != nil {
		t.Fatal(err)
	}
	if after, at := next.State(); len(next.groups) > 0 && (string(after) != string(before) || fmt.Sprint(at) != fmt.Sprint(clock)) {
		t.Errorf("state\n%s %v\nbecame\n%s %v", before, clock, after, at)
	}
	return next
}

func TestRestartAndEdit(t *testing.T) {
	const rule = `alert: Low, expr: 'kpi_ctr{by="channel",window="5m"} < 0.1', for: 10s, labels: {severity: page}`
	bad := board{"ctr/channel/5m": {ratio(0, 100, "douyin")}, "ctr/channel/1h": {ratio(0, 100, "douyin")}, "ctr/region/5m": {ratio(0, 100, "cn")}}
	good := board{"ctr/channel/5m": {ratio(50, 100, "douyin")}, "ctr/channel/1h": {ratio(50, 100, "douyin")}}
	edits := []struct {
		name, rules string
		told        string // after the edit: of bad, then of good values
	}{
		{"none", rule, "/resolved"},
		{"label", strings.Replace(rule, "page", "ticket", 1), "/resolved"},
		{"threshold", strings.Replace(rule, "0.1", "0.2", 1), "/resolved"},
		{"for", strings.Replace(rule, "10s", "1h", 1), "/resolved"},
		{"window", strings.Replace(rule, "5m", "1h", 1), "/resolved"},
		{"another before it", "alert: Other, expr: 'kpi_plays{window=\"5m\"} < 0'\n" + rule, "/resolved"},
		{"fixed by its threshold", strings.Replace(rule, "< 0.1", "< 0", 1), "resolved/"},
		{"name", strings.Replace(rule, "Low", "Lower", 1), "resolved/"},
		{"set", strings.Replace(rule, `"channel"`, `"region"`, 1), "resolved/"},
		{"matcher", strings.Replace(rule, `by=`, `channel="wechat",by=`, 1), "resolved/"},
	}
	for _, tt := range edits {
		t.Run(tt.name, func(t *testing.T) {
			e := engine(t, rulesOf(rule))
			e.Evaluate(at1(0), bad)
			e = restart(t, e, rulesOf(rule)) // pending goes on
			fired := e.Evaluate(at1(10), bad)
			if len(fired) != 1 {
				t.Fatalf("told %v", fired)
			}
			e = restart(t, e, rulesOf(tt.rules))
			var told []string
			for i, v := range []board{bad, good} {
				s := ""
				for _, n := range e.Evaluate(at1(11+int64(i)), v) {
					s += string(n.Status)
					if n.Alert != fired[0].Alert || n.Fingerprint != fired[0].Fingerprint || n.Labels["severity"] != "page" {
						t.Errorf("told of %v, fired was %v", n, fired[0])
					}
				}
				told = append(told, s)
			}
			if got := strings.Join(told, "/"); got != tt.told {
				t.Errorf("told %q, want %q", got, tt.told)
			}
		})
	}
}

func TestSameDecisionSameID(t *testing.T) {
	bad := board{"ctr/total/5m": {ratio(0, 100)}}
	a, b := engine(t, rulesOf(ctrLow)), engine(t, rulesOf(ctrLow))
	x, y := a.Evaluate(at1(5), bad)[0], b.Evaluate(at1(5), board{"ctr/total/5m": {ratio(1, 100)}})[0]
	if x.ID != y.ID {
		t.Errorf("ids %s and %s", x.ID, y.ID)
	}
	if z := engine(t, rulesOf(ctrLow)).Evaluate(at1(6), bad)[0]; z.ID == x.ID || z.Alert != x.Alert {
		t.Errorf("another window end: %v, %v", x, z)
	}
}

// Why an alert is over that an edit ends: its rule is gone, or about others.
func TestResolvedByEdit(t *testing.T) {
	const low = `alert: Low, expr: 'kpi_ctr{by="channel",window="5m"} < 0.1'`
	bad := board{"ctr/channel/5m": {ratio(0, 100, "douyin")}, "ctr/total/5m": {}, "plays/total/5m": {}}
	for _, tt := range []struct{ rules, because string }{
		{strings.Replace(low, "Low", "Lower", 1), reason.RuleGone},
		{strings.Replace(low, `by=`, `channel!="douyin",by=`, 1), reason.OtherSeries},
		{strings.Replace(low, `"channel"`, `"total"`, 1), reason.OtherSeries},
	} {
		e := engine(t, rulesOf(low))
		e.Evaluate(at1(0), bad)
		for _, n := range restart(t, e, rulesOf(tt.rules)).Evaluate(at1(1), bad) {
			if n.Rule == "Low" && (n.Status != Resolved || n.Annotations["resolved_because"] != tt.because) {
				t.Errorf("%s: %s because %q, want %q", tt.rules, n.Status, n.Annotations["resolved_because"], tt.because)
			}
		}
	}
}

// Rules of one name in one group, as for two severities, are alerts of their
// own.
func TestSameName(t *testing.T) {
	e := engine(t, rulesOf(ctrLow+", labels: {severity: page}\n"+ctrLow+", labels: {severity: ticket}"))
	ns := e.Evaluate(at1(0), board{"ctr/total/5m": {ratio(0, 100)}})
	if len(ns) != 2 || ns[0].Alert == ns[1].Alert || ns[0].ID == ns[1].ID {
		t.Errorf("told %v", ns)
	}
}

// They stay so through an edit: one severity does not take over from another.
func TestSameNameAndEdit(t *testing.T) {
	ticket := `alert: Low, expr: 'kpi_ctr{window="5m"} < 0.1', labels: {severity: ticket}`
	page := `alert: Low, expr: 'kpi_ctr{window="5m"} < 0.05', labels: {severity: page}`
	at := func(k int64) board { return board{"ctr/total/5m": {ratio(k, 100)}} }
	for _, tt := range []struct {
		name, rules string
		k           int64
		want        string
	}{
		{"swapped", page + "\n" + ticket, 7, ""},
		{"one goes", page, 7, "resolved ticket "},
		{"one goes, the other fires", page, 3, "resolved ticket firing page "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := engine(t, rulesOf(ticket+"\n"+page))
			if n := len(e.Evaluate(at1(0), at(7))); n != 1 {
				t.Fatalf("told %d, want the ticket alone", n)
			}
			got := ""
			for _, n := range restart(t, e, rulesOf(tt.rules)).Evaluate(at1(1), at(tt.k)) {
				got += fmt.Sprint(n.Status, " ", n.Labels["severity"], " ")
			}
			if got != tt.want {
				t.Errorf("told %q, want %q", got, tt.want)
			}
		})
	}
}

// edited goes on with other rules.
func edited(t *testing.T, e *Engine, files ...string) *Engine {
	t.Helper()
	next := engine(t, files...)
	if err := next.Restore(e.State()); err != nil {
		t.Fatal(err)
	}
	return next
}

// in has rules be of a group.
func in(group, rules string) string {
	return strings.Replace(rulesOf(rules), "name: g", "name: "+group, 1)
}

// Nor do receivers see that a group is renamed, or a rule moved to another one: the alert goes on
// where the name and the labels are.
func TestOtherGroup(t *testing.T) {
	const low = `alert: Low, expr: 'kpi_ctr{by="channel",window="5m"} < 0.1', labels: {severity: page}`
	bad, good := board{}, board{}
	for _, w := range []string{"5m", "1h"} {
		bad["ctr/channel/"+w], good["ctr/channel/"+w] = []sample.Sample{ratio(0, 100, "douyin")}, []sample.Sample{ratio(50, 100, "douyin")}
	}
	for _, tt := range []struct {
		name  string
		files []string
		told  string // of bad, then of good values
	}{
		{"renamed", []string{in("h", low)}, "/resolved"},
		{"moved", []string{rulesOf(`alert: Other, expr: 'kpi_plays{window="5m"} < 0'`), in("h", low)}, "/resolved"},
		{"with another severity", []string{in("h", strings.Replace(low, "page", "ticket", 1)+"\n"+low)}, "firing/resolved resolved"},
		{"its labels are others", []string{in("h", strings.Replace(low, "page", "ticket", 1))}, "resolved firing/resolved"},
		{"its series are others", []string{in("h", strings.Replace(low, `by=`, `channel="wechat",by=`, 1))}, "resolved/"},
		{"its window is another", []string{in("h", strings.Replace(low, "5m", "1h", 1))}, "resolved firing/resolved"},
		{"a variation stays", []string{rulesOf(strings.Replace(low, "page", "ticket", 1)), in("h", low)}, "firing/resolved resolved"},
		{"a longer window stays", []string{rulesOf(strings.Replace(low, "5m", "1h", 1)), in("h", low)}, "firing/resolved resolved"},
		{"there and here", []string{rulesOf(strings.Replace(low, `by=`, `channel!="wechat",by=`, 1)), in("h", strings.Replace(low, `by=`, `channel="wechat",by=`, 1))}, "/resolved"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := engine(t, rulesOf(low))
			fired := e.Evaluate(at1(0), bad)[0]
			e = edited(t, e, tt.files...)
			tell := func(second int64, v board) string {
				var said []string
				for _, n := range e.Evaluate(at1(second), v) {
					said = append(said, string(n.Status))
					if n.Fingerprint == fired.Fingerprint && n.Alert != fired.Alert {
						t.Errorf("%s %s is another alert to receivers' accounts", n.Status, n.Labels)
					}
				}
				return strings.Join(said, " ")
			}
			got := tell(1, bad)
			if list := e.Status().Rules; got == "" && len(tt.files) == 1 && list[0].Group != "h" {
				t.Errorf("rules %+v", list)
			}
			e = restart(t, e, tt.files...)
			if got += "/" + tell(2, good); got != tt.told {
				t.Errorf("told %q, want %q", got, tt.told)
			}
		})
	}
}

// Alerts that come together in a group are no more than one a series.
func TestGroupsJoined(t *testing.T) {
	const low = `alert: Low, expr: 'kpi_plays{by="channel",window="5m"} * 1 < 10'`
	b := board{`kpi_plays{by="channel",window="5m"} * 1 < 10`: {count(5, "channel", "douyin")}}
	e := engine(t, in("a", low), in("b", low))
	if n := len(e.Evaluate(at1(0), b)); n != 2 {
		t.Fatalf("told %d", n)
	}
	for _, to := range []string{"a", "b", "c"} {
		if ns := edited(t, e, in(to, low)).Evaluate(at1(15), b); len(ns) != 1 || ns[0].Status != Resolved || ns[0].Annotations["resolved_because"] == "" {
			t.Errorf("%s: told %v", to, ns)
		}
	}
}

// A group that is renamed while an alert of it fires is as any other from then on: its rules can be
// edited, and one of its old name can come, whose alerts are others.
func TestRenamedGroup(t *testing.T) {
	const low = `alert: Low, expr: 'kpi_ctr{by="channel",window="5m"} < 0.1', labels: {severity: page}`
	bad := board{"ctr/channel/5m": {ratio(0, 100, "douyin")}, "ctr/channel/1h": {ratio(0, 100, "douyin")}}
	for _, tt := range []struct {
		name  string
		files []string
		told  string
	}{
		{"other labels", []string{in("h", strings.Replace(low, "page", "ticket", 1))}, ""},
		{"other series", []string{in("h", strings.Replace(low, `by=`, `channel!="douyin",by=`, 1))}, "h resolved: " + reason.OtherSeries},
		{"gone", []string{in("h", strings.Replace(low, "Low", "Lower", 1))}, "h resolved: " + reason.RuleGone + ", h firing"},
		{"its old name, with another severity", []string{rulesOf(strings.Replace(low, "page", "ticket", 1)), in("h", low)}, "g firing"},
		{"its old name, with another window", []string{rulesOf(strings.Replace(low, "5m", "1h", 1)), in("h", low)}, "g firing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := engine(t, rulesOf(low))
			fired := e.Evaluate(at1(0), bad)[0]
			e = edited(t, e, in("h", low))
			if list := e.Status(); len(e.Evaluate(at1(1), bad)) != 0 || list.Alerts[0].Group != "h" || list.Alerts[0].ID != fired.Alert {
				t.Fatalf("renamed: %+v", list.Alerts)
			}
			e = edited(t, e, tt.files...)
			var said []string
			for _, n := range e.Evaluate(at1(2), bad) {
				if (n.Alert == fired.Alert) != (n.Status == Resolved) {
					t.Errorf("%s %v has the id of an alert that fires", n.Status, n.Labels)
				}
				said = append(said, strings.TrimSuffix(fmt.Sprintf("%s %s: %s", n.Group, n.Status, n.Annotations["resolved_because"]), ": "))
			}
			if got := strings.Join(said, ", "); got != tt.told {
				t.Errorf("told %q, want %q", got, tt.told)
			}
			if e = restart(t, e, tt.files...); len(e.Evaluate(at1(3), bad)) != 0 {
				t.Error("told anew after a restart")
			}
		})
	}
}

// An alert whose rule is gone is not handed to one that has its name and labels beside it, and is
// about others.
func TestGoneBesideOthers(t *testing.T) {
	for name, times := range map[string]string{"selectors": "", "expressions": " * 1"} {
		t.Run(name, func(t *testing.T) {
			low := func(window string) string {
				value := `kpi_plays{by="channel",window="` + window + `"}` + times
				return in("of "+window, `alert: Low, expr: '`+value+` < 10', recover: '`+value+` > 20'`)
			}
			b := board{}
			for window, n := range map[string]int64{"5m": 5, "1h": 15} {
				value := `kpi_plays{by="channel",window="` + window + `"}` + times
				b["plays/channel/"+window] = []sample.Sample{count(n, "a")}
				b[value] = []sample.Sample{count(n, "by", "channel", "channel", "a", "window", window)}
				if b[value+" < 10"], b[value+" > 20"] = nil, nil; n < 10 {
					b[value+" < 10"] = b[value]
				}
			}
			e := engine(t, low("5m"), low("1h"))
			if ns := e.Evaluate(at1(0), b); len(ns) != 1 {
				t.Fatalf("fired: %v", ns)
			}
			ns := edited(t, e, low("1h")).Evaluate(at1(15), b)
			if len(ns) != 1 || ns[0].Status != Resolved || ns[0].Annotations["resolved_because"] != reason.RuleGone {
				t.Errorf("told %+v", ns)
			}
		})
	}
}

// An epoch need not write the alerts again while only time goes on.
func TestStateRests(t *testing.T) {
	e := engine(t, rulesOf(ctrLow), strings.Replace("groups: [{name: h, interval: 30s, rules: [{"+ctrLow+"}]}]", "Low", "Slow", 1))
	bad, good := board{"ctr/total/5m": {ratio(5, 100)}}, board{"ctr/total/5m": {ratio(50, 100)}}
	e.Evaluate(at1(0), bad)
	before, then := e.State()
	e.Evaluate(at1(30), board{"ctr/total/5m": {ratio(6, 100)}})
	after, now := e.State()
	if string(before) != string(after) {
		t.Errorf("alerts\n%s\nbecame\n%s", before, after)
	}
	if then.Now != at1(0) || now.Now != at1(30) || now.Evaluated["h/30000"] != at1(30) {
		t.Errorf("clocks %v, %v", then, now)
	}
	e.Evaluate(at1(60), good)
	if last, _ := e.State(); string(last) == string(after) {
		t.Error("a resolve is not saved")
	}
}

func TestRestoreDamaged(t *testing.T) {
	for _, s := range []string{"{", `{"version":9}`, `{"version":1,"alerts":[]}`, `{"version":2,"alerts":[{"state":"odd"}]}`, `{"version":2,"alerts":[{"state":"firing","fields":["a"]}]}`} {
		if err := engine(t).Restore([]byte(s), Clock{}); err == nil {
			t.Errorf("%s: no error", s)
		}
	}
	if err := engine(t).Restore(nil, Clock{}); err != nil {
		t.Error(err)
	}
}

func TestTemplateError(t *testing.T) {
	e := engine(t, rulesOf(ctrLow+`, annotations: {summary: '{{ index $labels 5 }}'}`))
	n := e.Evaluate(at1(0), board{"ctr/total/5m": {ratio(0, 100)}})[0]
	if !strings.HasPrefix(n.Annotations["summary"], "<error expanding template:") {
		t.Errorf("summary %q", n.Annotations["summary"])
	}
	if r := e.Status().Rules[0]; r.Health != "err" || r.LastError == "" || r.State != Firing {
		t.Errorf("rule %+v", r)
	}
}

// Of alerts that fire in one close the templates of any can fail, those of the first too.
func TestTemplateErrorOfOne(t *testing.T) {
	e := engine(t, rulesOf(`alert: Low, expr: 'kpi_ctr{by="channel",window="5m"} < 0.1', labels: {of: '{{ if eq $labels.channel "a" }}{{ index $labels 5 }}{{ end }}'}`))
	for i, tt := range []struct{ channels, health string }{{"a b", "err"}, {"a b", "err"}, {"a b c", "ok"}} {
		var list []sample.Sample
		for c := range strings.FieldsSeq(tt.channels) {
			list = append(list, ratio(0, 100, c))
		}
		e.Evaluate(at1(int64(i)), board{"ctr/channel/5m": list})
		if r := e.Status().Rules[0]; r.Health != tt.health {
			t.Errorf("close %d: health %s, want %s", i, r.Health, tt.health)
		}
	}
}

func crowd(n int) board {
	var samples []sample.Sample
	for i := range n {
		k := int64(50)
		if i%10 == 0 {
			k = 1
		}
		samples = append(samples, ratio(k, 100, fmt.Sprintf("channel-%d", i)))
	}
	return board{"ctr/channel/5m": samples}
}

const byChannel = `alert: Low, expr: 'kpi_ctr{by="channel",window="5m"} < 0.1', for: 1h`

// quick is a View that allocates nothing.
type quick []sample.Sample

func (q quick) Sealed(string, kpi.Set, kpi.Window, int64) ([]sample.Sample, bool, error) {
	return nil, false, nil
}

func (q quick) Series(string, kpi.Set, kpi.Window) []sample.Sample { return q }

func (q quick) Query(context.Context, string, int64) (promql.Vector, bool, error) {
	return nil, false, nil
}

func TestEvaluateAllocatesNothing(t *testing.T) {
	e, v, now := engine(t, rulesOf(byChannel)), View(quick(crowd(1000)["ctr/channel/5m"])), at1(0)
	e.Evaluate(now, v)
	if got := testing.AllocsPerRun(50, func() { now += 1000; e.Evaluate(now, v) }); got != 0 {
		t.Errorf("%v allocations an evaluation", got)
	}
}

func BenchmarkEvaluate(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("series=%d", n), func(b *testing.B) {
			e, v, now := engine(b, rulesOf(byChannel)), View(quick(crowd(n)["ctr/channel/5m"])), at1(0)
			b.ReportAllocs()
			for b.Loop() {
				now++
				e.Evaluate(now, v)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/series")
		})
	}
}

// A thousand rules, of ten series each out of ten thousand: always the same ones, or with
// one that comes and one that goes at each close.
func BenchmarkThousandRules(b *testing.B) {
	var rules strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&rules, "alert: Low%d, expr: 'kpi_ctr{by=\"channel\",window=\"5m\",channel=~\"channel-%d.?\"} < 0.005', for: 1h\n", i, i)
	}
	all := crowd(20_000)["ctr/channel/5m"]
	for name, step := range map[string]int{"the same series": 0, "series that come and go": 1} {
		b.Run(name, func(b *testing.B) {
			e, now, from := engine(b, rulesOf(rules.String())), at1(0), 0
			b.ReportAllocs()
			for b.Loop() {
				now += 1000
				if from += step; from == 10_000 {
					from = 0
				}
				e.Evaluate(now, quick(all[from:from+10_000]))
			}
		})
	}
}

// A rule says why it is silent, and silence is good news of inactive alone.
func TestReasons(t *testing.T) {
	for _, tt := range []struct{ name, rule, board, want string }{
		{"before the first close", ctrLow, "", "no_data it is not evaluated yet"},
		{"the condition does not hold", ctrLow, "good", "inactive the condition does not hold"},
		{"null", ctrLow, "null", "no_data no series has a value that rests on 30 or more"},
		{"too little", ctrLow, "thin", "no_data no series has a value that rests on 30 or more"},
		{"no value, whatever it rests on", ctrLow + ", min_samples: 0", "null", "no_data no series has a value"},
		{"several currencies", `alert: Low, expr: 'kpi_gmv_paid{window="1h"} < 100'`, "mixed",
			`no_data its series are in several currencies, which are not added up: judge a breakdown by currency where one is kept, or define a KPI whose filter names one currency`},
		{"nothing there", byChannel, "good", "no_data nothing is in the windows of its series"},
		{"a count of nothing", `alert: Low, expr: 'kpi_plays{by="channel",window="5m"} > 10'`, "good", "inactive nothing is counted: 0"},
		{"nothing was there yet", `alert: Low, expr: 'kpi_plays{by="channel",window="5m"} < 10'`, "good", "no_data none of its series has been there yet: what has not been is not judged"},
		{"no series that could be missed", byChannel + ", no_data: alert", "good", "no_data none of its series has been there yet: what has not been is not judged"},
		{"some cannot be judged", byChannel, "some", "inactive the condition does not hold; 1 of 2 series cannot be judged"},
		{"pending", byChannel, "bad", "pending the condition holds of 1 series, for less than 1h"},
		{"firing", `alert: Low, expr: 'kpi_ctr{by="channel",window="5m"} < 0.1'`, "bad", "firing 1 of its series fires"},
		{"no result", "alert: Busy, expr: '" + busy + "'", "quiet", "inactive the expression has no result"},
		{"no result, in several currencies", "alert: Busy, expr: '" + busy + "'", "several", "no_data " + reason.Mixed.Alone().Text},
		{"no answer", "alert: Busy, expr: '" + busy + "'", "good", "no_data it cannot be evaluated: no answer for " + busy},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := engine(t, rulesOf(tt.rule))
			b := map[string]board{
				"good":    {"ctr/total/5m": {ratio(50, 100)}},
				"null":    {"ctr/total/5m": {ratio(0, 0)}},
				"thin":    {"ctr/total/5m": {ratio(0, 29)}},
				"mixed":   {"gmv_paid/total/1h": {{Null: true, Mixed: true}}},
				"some":    {"ctr/channel/5m": {ratio(50, 100, "a"), ratio(0, 29, "b")}},
				"bad":     {"ctr/channel/5m": {ratio(5, 100, "a")}},
				"quiet":   {busy: nil},
				"several": {busy: {{Mixed: true}}},
			}[tt.board]
			if b != nil {
				e.Evaluate(at1(0), b)
			}
			r := e.Status().Rules[0]
			if got := string(r.State) + " " + r.Reason; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// Of a ratio a series that was there is null once it is gone.
func TestVanishedIsNull(t *testing.T) {
	const low = `alert: Low, expr: 'kpi_ctr{by="channel",window="5m",channel=~"a.*"} < 0.1', no_data: `
	for _, tt := range []struct{ rule, want string }{
		{low + "alert", "firing a at 1, resolved a at 3"},
		{low + "alert, for: 2s", "firing a at 3, resolved a at 4"},
		{low + "alert, min_samples: 1000", "firing a at 1"},
		{low + "keep", ""},
		{low + "ok", ""},
	} {
		for _, restarts := range []bool{false, true} {
			e := engine(t, rulesOf(tt.rule))
			last := int64(3)
			if strings.Contains(tt.rule, "for") {
				last = 4
			}
			var got []string
			for i := range last + 1 {
				b := board{"ctr/channel/5m": {ratio(50, 100, "b")}}
				if i == 0 || i == last {
					b["ctr/channel/5m"] = []sample.Sample{ratio(50, 100, "a"), ratio(50, 100, "b")}
				}
				for _, n := range e.Evaluate(at1(i), b) {
					got = append(got, fmt.Sprintf("%s %s at %d", n.Status, n.Labels["channel"], (n.WindowEnd-start)/1000))
				}
				if restarts {
					e = restart(t, e, rulesOf(tt.rule))
					e.Resume(b)
				}
			}
			if got := strings.Join(got, ", "); got != tt.want {
				t.Errorf("%s, restarts %t: told %q, want %q", tt.rule, restarts, got, tt.want)
			}
		}
	}
}

// Series that come, go and change places are matched once, and judged where they are.
func TestSelection(t *testing.T) {
	e := engine(t, rulesOf(`alert: Many, expr: 'kpi_plays{by="channel",window="5m",channel=~"a.*"} > 10'`))
	for i, tt := range []struct{ channels, want string }{
		{"a1 b1 a2", "a1 a2"}, {"a2 b1 a1 a3", "a1 a2 a3"}, {"b1 a3", "a3"}, {"", ""}, {"a9 a1", "a1 a9"},
	} {
		var list []sample.Sample
		for c := range strings.FieldsSeq(tt.channels) {
			list = append(list, count(11, c))
		}
		e.Evaluate(at1(int64(i)), board{"plays/channel/5m": list})
		var got []string
		for _, a := range e.Status().Alerts {
			got = append(got, a.Labels["channel"])
		}
		slices.Sort(got)
		if got := strings.Join(got, " "); got != tt.want {
			t.Errorf("%s: firing %s, want %s", tt.channels, got, tt.want)
		}
	}
}

// Of what is counted a series that was there has 0 once it is gone, however much it had; of a
// ratio nothing is known then.
func TestVanishes(t *testing.T) {
	for _, tt := range []struct{ rule, want string }{
		{`alert: Silent, expr: 'kpi_plays{by="channel",window="5m",channel=~"a.*"} < 5'`, "firing a1 at 2, resolved a1 at 4"},
		{`alert: Silent, expr: 'kpi_plays{by="channel",window="5m"} == 0', for: 2s`, "firing b1 at 4"},
		{`alert: Many, expr: 'kpi_plays{by="channel",window="5m"} >= 9'`, "firing a1 at 4"},
		{`alert: Silent, expr: 'kpi_plays{by="channel",window="5m"} < 5', min_samples: 1`, ""},
	} {
		for _, restarts := range []bool{false, true} {
			e := engine(t, rulesOf(tt.rule))
			var got []string
			for i, list := range [][]sample.Sample{{count(8, "a1"), count(8, "b1")}, {count(8, "a1"), count(8, "b1")}, {count(8, "b2")}, {count(8, "b2")}, {count(9, "a1"), count(8, "b2")}} {
				b := board{"plays/channel/5m": list}
				for _, n := range e.Evaluate(at1(int64(i)), b) {
					got = append(got, fmt.Sprintf("%s %s at %d", n.Status, n.Labels["channel"], (n.WindowEnd-start)/1000))
				}
				if restarts {
					e = restart(t, e, rulesOf(tt.rule))
					e.Resume(b)
				}
			}
			if got := strings.Join(got, ", "); got != tt.want {
				t.Errorf("%s, restarts %t: told %q, want %q", tt.rule, restarts, got, tt.want)
			}
		}
	}
}
