package routing

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/config"
)

const file = `
route:
  receiver: ops
  group_wait: 10s
  routes:
    - receiver: oncall
      matchers: [ severity="page", 'team!="ads"' ]
      continue: true
    - receiver: growth
      match: {team: growth}
      group_by: [alertname]
      routes:
        - receiver: nobody
          match_re: {region: 'cn-.*'}
          group_interval: 1m
        - matchers: [ severity="page" ]
          group_wait: 0s
receivers: [{name: ops}, {name: oncall}, {name: growth}, {name: nobody}]
`

func tree(t *testing.T, text string) *Tree {
	t.Helper()
	c, err := config.Load(text)
	if err != nil {
		t.Fatal(err)
	}
	return New(c)
}

// labels reads a=b,c=d.
func labels(text string) map[string]string {
	out := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(pair, "=")
		out[name] = value
	}
	return out
}

func TestMatch(t *testing.T) {
	tr := tree(t, file)
	for text, want := range map[string]string{
		"alertname=A":                         `ops 10s 0s alone {}:{alertname="A"}`,
		"alertname=A,severity=page":           `oncall 10s 0s alone {}/{severity="page",team!="ads"}:{alertname="A", severity="page"}`,
		"alertname=A,severity=page,team=ads":  `ops 10s 0s alone {}:{alertname="A", severity="page", team="ads"}`,
		"alertname=A,team=growth":             `growth 10s 5m0s {}/{team="growth"}:{alertname="A"}`,
		"alertname=A,team=growth,region=cn-x": `nobody 10s 1m0s {}/{team="growth"}/{region=~"^(?:cn-.*)$"}:{alertname="A"}`,
		"alertname=A,team=growth,severity=page": `oncall 10s 0s alone {}/{severity="page",team!="ads"}:{alertname="A", severity="page", team="growth"}` +
			` | growth 0s 5m0s {}/{team="growth"}/{severity="page"}:{alertname="A"}`,
	} {
		var got []string
		for _, r := range tr.Match(labels(text)) {
			one := fmt.Sprint(r.Receiver, " ", r.Wait, " ", r.Interval, " ")
			if r.Alone {
				one += "alone "
			}
			got = append(got, one+r.GroupKey(r.Group(labels(text))))
		}
		if s := strings.Join(got, " | "); s != want {
			t.Errorf("%s: got %s\nwant %s", text, s, want)
		}
	}
	if got := fmt.Sprint(tr.Receivers()); got != "[ops oncall growth nobody]" {
		t.Errorf("receivers %s", got)
	}
}

// Time intervals are those of a zone, through its daylight saving, and of the route itself.
func TestMutedBy(t *testing.T) {
	tr := tree(t, `
route:
  receiver: a
  routes:
    - {matchers: [x="mute"], mute_time_intervals: [night, old], routes: [{matchers: [y="1"]}]}
    - {matchers: [x="active"], active_time_intervals: [office]}
receivers: [{name: a}]
time_intervals:
  - {name: night, time_intervals: [{times: [{start_time: '22:00', end_time: '24:00'}], location: Asia/Shanghai}]}
  - {name: office, time_intervals: [{weekdays: ['monday:friday'], times: [{start_time: '09:00', end_time: '17:00'}], location: America/New_York}]}
mute_time_intervals:
  - {name: old, time_intervals: [{months: [december]}]}
`)
	if !tr.Timed() || tree(t, file).Timed() {
		t.Error("whether the time decides is told wrongly")
	}
	for _, c := range []struct{ labels, at, want string }{
		{"x=mute", "2026-11-23T13:59:59Z", "[]"},
		{"x=mute", "2026-11-23T14:00:00Z", "[night]"},
		{"x=mute", "2026-11-23T15:59:59Z", "[night]"},
		{"x=mute", "2026-11-23T16:00:00Z", "[]"},
		{"x=mute", "2026-12-01T14:00:00Z", "[night old]"},
		{"x=mute,y=1", "2026-12-01T14:00:00Z", "[]"},
		{"x=active", "2026-03-06T14:00:00Z", "[]"},
		{"x=active", "2026-03-06T13:30:00Z", "[office]"},
		{"x=active", "2026-03-09T13:30:00Z", "[]"}, // summer there
		{"x=active", "2026-03-08T15:00:00Z", "[office]"},
		{"x=other", "2026-12-01T14:00:00Z", "[]"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		r := tr.Match(labels(c.labels))[0]
		if got := fmt.Sprint(r.MutedBy(at)); got != c.want {
			t.Errorf("%s at %s: got %s, want %s", c.labels, c.at, got, c.want)
		}
		if tr.Route(r.ID) != r {
			t.Errorf("%s: route %q is another", c.labels, r.ID)
		}
	}
}

// What the file leaves out is at once, and what groups leave out is Alertmanager's.
func TestDefaults(t *testing.T) {
	for route, want := range map[string]Route{
		"{receiver: a}":                                    {Alone: true},
		"{receiver: a, group_by: [alertname]}":             {Interval: 5 * time.Minute},
		"{receiver: a, group_by: ['...']}":                 {Interval: 5 * time.Minute},
		"{receiver: a, group_by: []}":                      {Interval: 5 * time.Minute},
		"{receiver: a, group_wait: 1s}":                    {Alone: true, Wait: time.Second},
		"{receiver: a, group_interval: 1s}":                {Alone: true, Interval: time.Second},
		"{receiver: a, group_by: [x], group_interval: 2s}": {Interval: 2 * time.Second},
		"{receiver: a, repeat_interval: 4h}":               {Alone: true, Repeat: 4 * time.Hour},
	} {
		got := tree(t, "route: "+route+"\nreceivers: [{name: a}]").Match(nil)[0]
		if got.Alone != want.Alone || got.Wait != want.Wait || got.Interval != want.Interval || got.Repeat != want.Repeat {
			t.Errorf("%s: got %+v", route, got)
		}
	}
	if r := To("a").Match(labels("x=y"))[0]; r.Receiver != "a" || !r.Alone || r.GroupKey(r.Group(labels("x=y"))) != `{}:{x="y"}` {
		t.Errorf("got %+v", r)
	}
}
