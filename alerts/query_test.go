package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql"

	"github.com/tidewatch/tidewatch/alerts/reason"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

const busy = `sum by (channel) (kpi_plays{by="channel",window="5m"}) > 9`

// seen is a board with what an expression came to, as channel=value.
func seen(results ...string) board {
	list := []sample.Sample{}
	for _, r := range results {
		var n int64
		channel, text, _ := strings.Cut(r, "=")
		if _, err := fmt.Sscan(text, &n); err != nil {
			panic(err)
		}
		list = append(list, count(n, "channel", channel))
	}
	return board{busy: list}
}

// An expression's results are its alerts, as in Prometheus.
func TestQueried(t *testing.T) {
	type step struct {
		second int64
		board  board
		told   []string
		state  string
	}
	for name, c := range map[string]struct {
		keys  string
		steps []step
	}{
		"fires for as long as there is a result": {"", []step{
			{0, seen("a=12"), []string{"firing a 12"}, "firing a"},
			{15, seen("a=13", "b=10"), []string{"firing b 10"}, "firing a, firing b"},
			{30, seen("b=11"), []string{"resolved a"}, "firing b"},
			{45, seen(), []string{"resolved b"}, ""},
		}},
		"at its interval": {"", []step{{0, seen("a=12"), []string{"firing a 12"}, "firing a"}, {14, seen(), nil, "firing a"}, {15, seen(), []string{"resolved a"}, ""}}},
		"for": {", for: 20s", []step{
			{0, seen("a=12"), nil, "pending a"}, {15, seen("a=14"), nil, "pending a"}, {30, seen("a=15"), []string{"firing a 15"}, "firing a"},
			{45, seen("b=15"), []string{"resolved a"}, "pending b"}, {60, seen(), nil, ""},
		}},
		"keep_firing_for": {", keep_firing_for: 30s", []step{
			{0, seen("a=12"), []string{"firing a 12"}, "firing a"}, {15, seen(), nil, "firing a"}, {30, seen("a=11"), nil, "firing a"},
			{45, seen(), nil, "firing a"}, {75, seen(), []string{"resolved a"}, ""},
		}},
		"an error leaves it as it is": {"", []step{
			{0, seen("a=12"), []string{"firing a 12"}, "firing a"}, {15, board{}, nil, "firing a since 0"}, {30, seen("a=12"), nil, "firing a"},
		}},
		"for stands still over errors": {", for: 20s", []step{
			{0, seen("a=12"), nil, "pending a"}, {15, board{}, nil, "pending a since 0"}, {600, board{}, nil, "pending a since 0"}, {615, seen("a=12"), nil, "pending a"},
			{630, seen("a=12"), []string{"firing a 12"}, "firing a"},
		}},
		"more results than limit": {"", []step{
			{0, seen("a=12"), []string{"firing a 12"}, "firing a"}, {15, seen("b=12", "c=12", "d=12"), nil, "firing a since 0"}, {30, seen(), []string{"resolved a"}, ""},
		}},
		"two results of the same labels": {"", []step{{0, seen("a=12", "a=13"), nil, ""}}},
	} {
		for _, restarts := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restarts %t", name, restarts), func(t *testing.T) {
				text := fmt.Sprintf("groups: [{name: g, limit: 2, rules: [{alert: Busy, expr: '%s'%s}]}]", busy, c.keys)
				e := engine(t, text)
				for i, s := range c.steps {
					if restarts && i > 0 {
						state, at := e.State()
						e = engine(t, text)
						if err := e.Restore(state, at); err != nil {
							t.Fatal(err)
						}
						e.Resume(c.steps[i-1].board)
					}
					var told []string
					for _, n := range e.Evaluate(at1(s.second), s.board) {
						told = append(told, strings.TrimSpace(fmt.Sprint(n.Status, " ", n.Labels["channel"], " ", n.Annotations["value"])))
					}
					var state []string
					for _, a := range e.Status().Alerts {
						text := fmt.Sprint(a.State, " ", a.Labels["channel"])
						if !restarts && !a.StaleSince.IsZero() {
							text += fmt.Sprint(" since ", (a.StaleSince.UnixMilli()-start)/1000)
						}
						state = append(state, text)
					}
					slices.Sort(state)
					want := s.state
					if restarts {
						want, _, _ = strings.Cut(want, " since")
					}
					if got := strings.Join(state, ", "); got != want || !slices.Equal(told, s.told) {
						t.Errorf("second %d: %s, told %q; want %s, told %q", s.second, got, told, want, s.told)
					}
				}
			})
		}
	}
}

// What a notification says of an expression.
func TestQueriedNotification(t *testing.T) {
	e := engine(t, fmt.Sprintf(`groups: [{name: g, rules: [{alert: Busy, expr: '%s', labels: {severity: page}, annotations: {s: '{{ $labels.channel }} {{ $value }} {{ with query "other" }}{{ . | first | value }}{{ end }}'}}]}]`, busy))
	b := seen("a=12")
	b["other"] = []sample.Sample{count(7)}
	ns := e.Evaluate(at1(0), b)
	if len(ns) != 1 {
		t.Fatalf("%+v", ns)
	}
	n := ns[0]
	if got := fmt.Sprint(n.Labels); got != "map[alertname:Busy channel:a severity:page]" {
		t.Errorf("labels %s", got)
	}
	for name, want := range map[string]string{
		"s": "a 12 7", "value": "12", "threshold": "9", "expr": busy,
		"link": "http://tide.example/?at=2027-01-15T08%3A00%3A00.000Z&by=channel&channel=a&kpi=plays&window=5m#alert=" + n.Alert,
	} {
		if got := n.Annotations[name]; got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// The link of an expression shows the series of the KPI that it reads first.
func TestQueriedLink(t *testing.T) {
	for _, tt := range []struct{ expr, labels, want string }{
		{`kpi_gmv_paid{by="channel",window="1m"} > 500 and on (channel) kpi_plays{by="channel",window="1m"} > 0`,
			"by=channel channel=a currency=CNY window=1m", "by=channel&channel=a&kpi=gmv_paid&window=1m"},
		{`sum by (channel) (kpi_gmv_paid{by="channel",window="1m"}) > 9`, "channel=a", "by=channel&channel=a&kpi=gmv_paid&window=1m"},
		{`sum without (window) (kpi_gmv_paid{by="currency",window="1m"}) > 9`, "by=currency currency=CNY", "by=currency&currency=CNY&kpi=gmv_paid&window=1m"},
		{`sum(kpi_plays{by="channel",window="1m"}) > 9`, "", "kpi=plays&window=1m"},
		{`sum by (channel, extra) (kpi_plays{by="channel",window="1m"}) > 9`, "channel=a extra=b", "by=channel&channel=a&kpi=plays&window=1m"},
	} {
		e := engine(t, rulesOf("alert: A, expr: '"+tt.expr+"'"))
		for _, g := range e.groups {
			for _, r := range g.rules {
				a := &alert{rule: r}
				for pair := range strings.FieldsSeq(tt.labels) {
					name, value, _ := strings.Cut(pair, "=")
					a.fields, a.series = append(a.fields, name), append(a.series, value)
				}
				if got, want := a.queryLinked(0).Encode(), "at=1970-01-01T00%3A00%3A00.000Z&"+tt.want; got != want {
					t.Errorf("%s: got %s, want %s", tt.expr, got, want)
				}
			}
		}
	}
}

// What is known of an expression that hardly does what was meant is said.
func TestQueriedWarnings(t *testing.T) {
	for _, c := range []struct{ rule, want string }{
		{`expr: 'sum(kpi_plays{by="total",window="5m"}) > 9'`, ""},
		{`expr: 'sum by (channel) (kpi_gmv_paid{by="channel",window="1m"}) > 9'`, `expr: sum by (channel) (kpi_gmv_paid{by="channel",window="1m"}) takes amounts together whatever their currency: select one by currency="CNY"`},
		{`expr: 'sum by (channel) (kpi_gmv_paid{by="channel",currency="CNY",window="1m"}) > 9'`, ""},
		{`expr: 'plays > 1'`, "expr: plays is no series: those of KPIs begin with kpi_: write kpi_plays"},
		{`expr: 'up == 0'`, "expr: up is no series of a KPI: there is none of that name here"},
		{`expr: 'up:sum == 0'`, ""}, // recorded
		{`expr: 'kpi_plays{by="total",window="5m"}'`, `expr: kpi_plays{by="total",window="5m"} is compared with nothing, so that the rule fires whatever the value`},
		{`expr: 'kpi_plays{by="total",window="5m"} > bool 1'`, "expr: > bool always has a value, so that the rule always fires"},
		{`expr: 'kpi_plays{by="total",window="5m"} > Inf'`, "expr: +Inf is no bound"},
		{`expr: 'sum(kpi_plays{window="5m"}) > 1'`, `expr: kpi_plays{window="5m"} names no by, and is about the total and all breakdowns together`},
		{`expr: 'sum(kpi_plays{channel="a",window="5m"}) > 1'`, ""}, // one breakdown has it
		{`expr: 'sum(kpi_plays{channel!="a",window="5m"}) > 1'`, `expr: kpi_plays{channel!="a",window="5m"} names no by, and is about the total and all breakdowns together: add by="total"`},
		{`expr: 'sum(kpi_cvr_touch_numerator{campaign_id="a",window="day"}) > 1'`, `expr: kpi_cvr_touch_numerator{campaign_id="a",window="day"} names no by, and is about several breakdowns together: add by="campaign_id"`},
		{`expr: 'kpi_plays{by="total"} > 1'`, `expr: kpi_plays{by="total"} names no window, and is about all of them`},
		{`expr: 'kpi_plays{by="total",window=~"5m|1h"} > 1'`, ""},
	} {
		f := load(t, "groups: [{name: g, rules: [{alert: A, "+c.rule+"}, {record: 'up:sum', expr: 'sum(kpi_plays{by=\"total\",window=\"1m\"})'}]}]")
		var got []string
		for _, w := range f.Warnings {
			got = append(got, strings.TrimPrefix(w.Error(), "rules.yml:1: groups[0].rules[0]."))
		}
		if c.want == "" && got != nil || c.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], c.want)) {
			t.Errorf("%s: warnings %q, want %q", c.rule, got, c.want)
		}
	}
	for _, c := range []struct{ rule, want string }{
		{`alert: A, expr: 'sum(kpi_playz{window="5m"}) > 1'`, "expr: kpi_playz is no KPI of the catalogue: did you mean kpi_plays?"},
		{`alert: A, expr: 'sum(kpi_plays{by="total",window="2m"}) > 1'`, `expr: window="2m" is not kept for plays: use one of`},
		{`alert: A, expr: 'sum(kpi_plays{by="colour",window="5m"}) > 1'`, `expr: by="colour" is not kept for plays: use one of`},
		{`alert: A, expr: 'sum_over_time(kpi_plays{by="total",window="5m"}[9y:1s]) > 1'`, "expr: steps through 283824001 instants, more than 10000000: give its subqueries longer steps"},
		{`alert: A, expr: '` + strings.Repeat("1+", 5000) + `kpi_plays'`, "expr: it has more than 5000 names, numbers, texts and signs"},
		{`alert: A, expr: 'kpi_plays{by="total",window="5m"} > 1', annotations: {s: '{{ if true }}{{ with query "up(" }}x{{ end }}{{ end }}'}`, `annotations.s: query "up(" asks what cannot be read: `},
		{`alert: A, expr: '"text"'`, `expr: "text" is a string, of which no alerts come`},
		{`alert: A, expr: 'sum(kpi_plays{by="total",window="5m"}) > 1', min_samples: 3`, "min_samples: is of one selector compared with a number"},
		{`record: kpi_mine, expr: 'kpi_plays{by="total",window="5m"}'`, "record: kpi_mine begins as the series of KPIs do"},
		{`alert: A, expr: 'kpi_plays{by="total",window="5m"} < 1', confidence: 0.9`, "confidence: is of the value of a share: kpi_plays has no interval"},
		{`alert: A, expr: 'kpi_ctr_low{window="5m"} < 0.1', confidence: 0.9`, "confidence: is of the value of a share: kpi_ctr_low has no interval"},
		{`alert: A, expr: 'kpi_ctr{window="5m"} == 0.1', confidence: 0.9`, "confidence: does not go with =="},
		{`alert: A, expr: 'kpi_ctr{window="5m"} < 0.1', confidence: 95`, `confidence: "95" is no confidence: give a number from 0.5 to 0.9999`},
		{`alert: A, expr: 'kpi_ctr{window="5m"} < 0.1', no_data: nothing`, `no_data: "nothing" is none: use keep, ok or alert`},
		{`alert: A, expr: 'kpi_ctr{window="5m"} < 0.1', recover: 'kpi_ctr >'`, "recover: kpi_ctr > is no expression"},
		{`alert: A, expr: 'kpi_ctr{window="5m"} < 0.1', recover: 'sum(kpi_ctrr) > 1'`, "recover: kpi_ctrr is no KPI of the catalogue: did you mean kpi_ctr?"},
		{`alert: A, expr: 'absent(kpi_ctr{window="5m"})', no_data: ok`, "no_data: is of one selector compared with a number"},
		{`record: mine, expr: 'kpi_plays{by="total",window="5m"}', recover: 'kpi_plays{by="total",window="5m"} > 1'`, "recover: is of alerts: remove it"},
		{`record: mine, expr: 'kpi_plays{by="total",window="5m"}', min_samples: 3`, "min_samples: is of alerts: remove it"},
	} {
		_, err := LoadRules("rules.yml", []byte("groups: [{name: g, rules: [{"+c.rule+"}]}]"), catalogue(t))
		if want := "rules.yml:1: groups[0].rules[0]." + c.want; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", c.rule, err, want)
		}
	}
}

// Rules about what a scraper makes are not for here, which is said once of a file.
func TestScrapedWarning(t *testing.T) {
	data, err := os.ReadFile("../deploy/rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	f, err := LoadRules("rules.yml", data, catalogue(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Warnings) != 1 || !regexp.MustCompile(`^rules\.yml:7: groups\[0\]\.rules\[0\]\.expr: up and \d\d other series that scrapers make are no series of KPIs: there are none of these names here: have Prometheus or vmalert judge`).MatchString(f.Warnings[0].Error()) {
		t.Errorf("warnings %q", f.Warnings)
	}
}

// What an alert recovers on can be any expression, that tells the series apart.
func TestRecoverQueried(t *testing.T) {
	const over = `sum by (channel) (kpi_plays{by="channel",window="1m"}) > 5`
	for _, rule := range []string{
		`{alert: Busy, expr: '` + busy + `', recover: '` + over + `'}`,
		`{alert: Busy, expr: 'kpi_plays{by="channel",window="5m"} > 9', recover: '` + over + `'}`,
	} {
		e := engine(t, "groups: [{name: g, interval: 1s, rules: ["+rule+"]}]")
		for i, s := range []struct {
			channels []string
			over     []sample.Sample
			told     string
		}{
			{[]string{"a=12", "b=12"}, nil, "firing firing"},
			{nil, nil, ""},
			{nil, []sample.Sample{count(6, "channel", "a")}, "resolved a"},
			{nil, []sample.Sample{count(6, "channel", "b"), count(6, "channel", "c")}, "resolved b"},
		} {
			b := seen(s.channels...)
			b[over] = s.over
			for _, c := range []string{"a", "b"} { // the selector's
				n := int64(3)
				if slices.Contains(s.channels, c+"=12") {
					n = 12
				}
				b["plays/channel/5m"] = append(b["plays/channel/5m"], count(n, c))
			}
			var told []string
			for _, n := range e.Evaluate(at1(int64(i)), b) {
				told = append(told, string(n.Status))
				if n.Status == Resolved {
					told = append(told, n.Labels["channel"])
				}
			}
			if got := strings.Join(told, " "); got != s.told {
				t.Errorf("%s, second %d: told %q, want %q", rule, i, got, s.told)
			}
		}
	}
}

// A value that is infinite or no number is shown as null: JSON has neither.
func TestQueriedInfinity(t *testing.T) {
	e := engine(t, fmt.Sprintf(`groups: [{name: g, rules: [{alert: Busy, expr: '%s'}]}]`, busy))
	for i, v := range []float64{math.Inf(1), math.NaN(), 7} {
		e.Evaluate(at1(int64(i)*15), answered{promql.Sample{F: v}})
		text, err := json.Marshal(e.Status())
		want := []string{`"value":null`, `"value":null`, `"value":7`}[i]
		if told := fmt.Sprintf(`"value":%q`, formatFloat(v)); err != nil || !strings.Contains(string(text), want) || !strings.Contains(string(text), told) {
			t.Errorf("%g: got %s, %v; want %s and %s", v, text, err, want, told)
		}
	}
}

// answered is a View of what an expression came to.
type answered promql.Vector

func (answered) Series(string, kpi.Set, kpi.Window) []sample.Sample { return nil }

func (answered) Sealed(string, kpi.Set, kpi.Window, int64) ([]sample.Sample, bool, error) {
	return nil, false, nil
}

func (a answered) Query(context.Context, string, int64) (promql.Vector, bool, error) {
	return promql.Vector(a), false, nil
}

// An alert whose expression has no result any more says so where what it compares is null, and
// where that is known why.
func TestResultLost(t *testing.T) {
	const gmv = `sum by (channel) (kpi_gmv_paid{by="channel",window="1h"})`
	const short, long = `kpi_plays{by="channel",window="1m"}`, ` < on (channel) kpi_plays{by="channel",window="5m"}`
	for _, tt := range []struct {
		name, expr, of string
		left           []sample.Sample
		value, because string
	}{
		{"it is below", gmv + " > 100", gmv, []sample.Sample{count(50, "channel", "a")}, "50", ""},
		{"an amount", gmv + " > 100", gmv, []sample.Sample{}, "", reason.NoAmountLeft},
		{"a count", busy, strings.TrimSuffix(busy, " > 9"), []sample.Sample{}, "", reason.NoValueLeft},
		{"it cannot be asked", busy, strings.TrimSuffix(busy, " > 9"), nil, "", ""},
		{"it has fewer labels than what it compares", short + long, short, []sample.Sample{count(50, "by", "channel", "channel", "a")}, "", ""},
		{"it compares nothing", "absent(" + gmv + ")", gmv, []sample.Sample{}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := engine(t, fmt.Sprintf(`groups: [{name: g, interval: 15s, rules: [{alert: Much, expr: '%s'}]}]`, tt.expr))
			if fired := e.Evaluate(at1(0), board{tt.expr: {count(200, "channel", "a")}}); len(fired) != 1 {
				t.Fatalf("told %v", fired)
			}
			b := board{tt.expr: {}, tt.of: tt.left}
			if tt.left == nil {
				delete(b, tt.of)
			}
			over := e.Evaluate(at1(15), b)
			if len(over) != 1 || over[0].Status != Resolved || over[0].Annotations["value"] != tt.value || over[0].Annotations["resolved_because"] != tt.because {
				t.Errorf("told %v", over)
			}
		})
	}
}
