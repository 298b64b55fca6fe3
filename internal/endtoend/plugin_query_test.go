package endtoend

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// watched are KPIs of views and sales, for the data source.
const watched = `keep: [lifecycle]
kpis:
  - name: views
    title: {en: Views, zh: 浏览量}
    description: {en: Views of anything., zh: 所有浏览。}
    count: {where: 'type == "view"'}
    targets: {good: 3, bad: 1}
    by: [channel, [channel, device]]
    windows: [1m, 5m, today, day]
  - name: finish_rate
    title: {en: Finish rate, zh: 看完率}
    unit: percent
    ratio:
      numerator: {count: {where: 'type == "view" and watch_ms >= 5000'}}
      denominator: {count: {where: 'type == "view"'}}
    targets: {good: 0.5, bad: 0.2}
    by: [channel]
    windows: [5m, day]
  - name: watched_p50
    title: {en: Median watch time, zh: 观看时长中位数}
    unit: seconds
    quantile: {field: watch_ms, p: 50, where: 'type == "view"'}
    scale: 0.001
    by: [channel]
    windows: [5m]
  - name: sales
    title: {en: Sales, zh: 销售额}
    sum: {field: amount_minor, where: 'type == "pay"'}
    targets: {good: 5000}
    by: [channel, currency]
    windows: [5m, day]
  - name: back_d1
    title: {en: Back a day later, zh: 次日回访}
    from: days
    unit: percent
    horizon: 1
    final_only: true
    ratio:
      numerator: {count: {where: 'fact == "retention" and after == "1"'}}
      denominator: {count: {where: 'fact == "retention" and after == "0"'}}
    by: [channel]
    windows: [day]
  - name: back_d3
    title: {en: Back three days later, zh: 三日后回访}
    from: days
    unit: percent
    horizon: 3
    final_only: true
    ratio:
      numerator: {count: {where: 'fact == "retention" and after == "3"'}}
      denominator: {count: {where: 'fact == "retention" and after == "0"'}}
    windows: [day]
`

const watchedRules = `groups:
  - name: views
    rules:
      - alert: ManyViews
        expr: kpi_views{by="channel",window="5m"} > 1
        labels: {severity: page}
        annotations: {summary: 'Many views on {{ $labels.channel }}'}
`

// noon is that of the business day on which it all happens.
var noon = time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC)

// observed is a service in which three days have passed up to ten minutes past noon, and
// one view came late.
func observed(t *testing.T) *service {
	t.Helper()
	s := newService(t, "timezone: Asia/Shanghai\nidle_tick: 24h\nkpis: [kpis.yaml]\nrules: [rules.yml]\n")
	s.file(t, "kpis.yaml", watched)
	s.file(t, "rules.yml", watchedRules)
	s.start(t)
	n := 0
	at := func(when time.Time, kind string, fields ...any) string {
		n++
		return event(fmt.Sprint("e", n), when, kind, fields...)
	}
	day := 24 * time.Hour
	s.post(t,
		at(noon.Add(-2*day), "view", "user_id", "ann", "channel", "douyin", "watch_ms", 1000),
		at(noon.Add(-2*day), "view", "user_id", "bob", "channel", "wechat", "watch_ms", 9000),
		at(noon.Add(-day), "view", "user_id", "ann", "channel", "douyin", "watch_ms", 1000),
		at(noon.Add(-day), "view", "user_id", "cat", "channel", "douyin", "watch_ms", 8000),
		at(noon.Add(-day+time.Minute), "pay", "user_id", "ann", "channel", "douyin", "amount_minor", 4000, "currency", "CNY"),
		at(noon.Add(1*time.Minute), "view", "user_id", "ann", "channel", "douyin", "device", "ios", "watch_ms", 5000),
		at(noon.Add(2*time.Minute), "view", "user_id", "bob", "channel", "wechat", "device", "ios", "watch_ms", 200),
		at(noon.Add(6*time.Minute), "view", "user_id", "cat", "channel", "douyin", "device", "ios", "watch_ms", 7000),
		at(noon.Add(6*time.Minute), "view", "user_id", "dan", "channel", "douyin", "device", "web", "watch_ms", 100),
		at(noon.Add(7*time.Minute), "pay", "user_id", "ann", "channel", "douyin", "amount_minor", 6000, "currency", "CNY"),
		at(noon.Add(7*time.Minute), "pay", "user_id", "bob", "channel", "wechat", "amount_minor", 900, "currency", "JPY"),
		at(noon.Add(8*time.Minute), "pay", "user_id", "cat", "channel", "kuaishou", "amount_minor", 100, "currency", "CNY"),
		at(noon.Add(8*time.Minute), "pay", "user_id", "dan", "channel", "kuaishou", "amount_minor", 100, "currency", "JPY"),
	)
	s.awaitReceived(t, int64(n))
	s.close(t, noon.Add(10*time.Minute-time.Second))
	s.post(t, at(noon.Add(5*time.Minute+30*time.Second), "view", "user_id", "eve", "channel", "wechat", "device", "web", "watch_ms", 6000))
	s.close(t, noon.Add(10*time.Minute))
	s.awaitReceived(t, int64(n))
	return s
}

var rewrite = flag.Bool("rewrite", false, "write what the data source answers to testdata/plugin.txt: read it")

// testdata/plugin.txt has a query for a panel under each heading, and what it is answered.
func TestPluginQueries(t *testing.T) {
	t.Parallel()
	s := observed(t)
	g := newGrafana(t, s.url(""))
	ten := noon.Add(10 * time.Minute)
	panels := map[string]panel{
		"ten":     {noon, ten, time.Minute, 100},
		"coarse":  {noon, ten, time.Second, 4},
		"past":    {noon, noon.Add(4 * time.Minute), time.Minute, 100},
		"days":    {noon.Add(-60 * time.Hour), ten, time.Minute, 100},
		"before":  {noon.Add(-100 * time.Hour), noon.Add(-90 * time.Hour), time.Minute, 100},
		"moment":  {ten.Add(-4 * time.Second), ten.Add(-time.Second), time.Second, 100},
		"year":    {ten.Add(-400 * 24 * time.Hour), ten, 19 * time.Hour, 6},
		"dawn":    {noon.Add(-11 * time.Hour), ten, time.Minute, 100},
		"morning": {noon.Add(-5 * time.Hour), noon.Add(-4 * time.Hour), time.Minute, 100},
	}
	const file = "testdata/plugin.txt"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var anew strings.Builder
	for _, block := range strings.Split("\n"+string(text), "\n== ")[1:] {
		name, rest, _ := strings.Cut(block, "\n")
		asked, want, _ := strings.Cut(rest, "\n")
		room, query, _ := strings.Cut(asked, " ")
		p, ok := panels[room]
		if !ok {
			t.Fatalf("%s: %s is no panel of this test", name, room)
		}
		var got string
		t.Run(name, func(t *testing.T) {
			got = drawn(g.ask(t, p, query))
			if *rewrite {
				return
			}
			if want = strings.TrimSpace(want); strings.TrimSpace(got) != want {
				t.Errorf("%s: got\n%s\nwant\n%s", query, got, want)
			}
		})
		fmt.Fprintf(&anew, "== %s\n%s\n%s\n", name, asked, got)
	}
	// Which two there are is by chance.
	if got := drawn(g.ask(t, panels["ten"], `{"kind":"users","segment":"new","limit":2}`)); !strings.Contains(got, "info: there are more than these 2 users: raise the limit") {
		t.Errorf("users beyond the limit: got\n%s", got)
	}
	// How far behind the service is by the clock.
	least := time.Since(ten.Add(10 * time.Second)).Seconds()
	r := g.ask(t, panels["ten"], `{"kind":"freshness"}`)
	if r.Error != nil {
		t.Fatal(r.Error)
	}
	behind, ok := r.Frames[0].Fields[0].ConcreteAt(0)
	if got, most := drawn(r), time.Since(ten).Seconds(); !ok || behind.(float64) < least || behind.(float64) > most ||
		!strings.Contains(got, `freshness "Freshness" "s" green orange(30) red(120):`) {
		t.Errorf("freshness: want %.0f to %.0f, got\n%s", least, most, got)
	}
	if *rewrite {
		if err := os.WriteFile(file, []byte(strings.TrimSpace(anew.String())+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
