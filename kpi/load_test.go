package kpi

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/document"
)

var rewrite = flag.Bool("rewrite", false, "rewrite testdata/*.want with what is")

// TestBadFiles holds every message to the letter.
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*.bad.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("find the bad files: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Load(time.UTC, File{Name: filepath.Base(file), Data: data})
		if err == nil {
			t.Errorf("%s loads", file)
			continue
		}
		got := err.Error() + "\n"
		if *rewrite {
			if err := os.WriteFile(file+".want", []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file + ".want")
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s:\n got %s\nwant %s", file, got, want)
		}
	}
}

func TestTenMistakesGiveTenProblems(t *testing.T) {
	data, err := os.ReadFile("testdata/ten.bad.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, err = Parse("ten.bad.yaml", data)
	if n := strings.Count(err.Error(), "\n") + 1; n != 10 {
		t.Errorf("%d problems: %v", n, err)
	}
}

// What reads like a field or a type that is known, and is none, is a warning; so is
// a quantile below one per cent.
func TestHardlyMeant(t *testing.T) {
	for _, tt := range []struct{ kpi, want string }{
		{`count: {where: 'chanel == "a"'}`, `count.where: "chanel" is no known field, and read as a property: did you mean channel?`},
		{`count: {where: 'not (watchMs > 3)'}`, `count.where: "watchMs" is no known field, and read as a property: did you mean watch_ms?`},
		{`count: {where: 'min(3, durationms) == 3'}`, `count.where: "durationms" is no known field, and read as a property: did you mean duration_ms?`},
		{`count: {where: 'regoin != nil'}`, `count.where: "regoin" is no known field, and read as a property: did you mean region?`},
		{`count: {where: 'type in ["play", "plays"]'}`, `count.where: type "plays" is no known one, and read as one of yours: did you mean play?`},
		{`count: {where: 'typ == "like"'}`, `count.where: "typ" is no known field, and read as a property: did you mean type?`},
		{`sum: {field: watch_sm}`, `sum.field: "watch_sm" is no known field, and read as a property: did you mean watch_ms?`},
		{`quantile: {field: watch_ms, p: 0.95}`, `quantile.p: 0.95 is less than one per cent: for the quantile 0.95 write 95`},
		{`quantile: {field: watch_ms, p: 1}`, ""},
		{`count: , by: [channel, [region, devise]]`, `by[1][1]: "devise" is no known field, and read as a property: did you mean device?`},
		{`count: {where: 'type == "gift" and vertical == "food" and channel != "x" and price > 3'}, by: [vertical, alertname]`, ""},
		{`sum: {field: price, where: 'completed == true'}`, ""},
	} {
		c, err := Load(time.UTC, File{Name: "x.yaml", Data: []byte("kpis: [{name: x, windows: [5m], " + tt.kpi + "}]")})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, w := range c.Warnings {
			got = append(got, w.Error())
		}
		if want := "x.yaml:1: kpis[0]." + tt.want; tt.want == "" && got != nil || tt.want != "" && !slices.Equal(got, []string{want}) {
			t.Errorf("%s: warnings %q, want %q", tt.kpi, got, tt.want)
		}
	}
}

func TestDefault(t *testing.T) {
	c, err := Default(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, k := range c.KPIs {
		names = append(names, k.Name)
		if c.KPI(k.Name) != k {
			t.Errorf("%s is not found by its name", k.Name)
		}
		if k.Title.EN == "" || k.Title.ZH == "" || k.Description.EN == "" || k.Description.ZH == "" || k.Title.EN == k.Title.ZH || k.Group.EN == "" || k.Group.ZH == "" {
			t.Errorf("%s lacks a text", k.Name)
		}
	}
	want := strings.Fields(`alias_users daily_people identified_share attributed_conversions attributed_gmv attribution_lag_p50 unattributed_conversions active_users aov arppu arpu at_risk_users churn_rate churned_users comment_rate complaint_rate completion_rate cpc csat ctr cvr_simple declining_users
		l_ness lifecycle mau mau_cal resurrection_rate retention_d1 retention_d3 retention_d7 retention_d14 retention_d30 stickiness wau wau_cal
		dau engagement_rate events_per_user sessions session_duration session_duration_p50 session_duration_p95 gmv_net gmv_paid_restated refund_rate repurchase_rate buyer_retention_d7 buyer_retention_d30 rfm orders_unmatched cvr cvr_touch cpa roi roi_net funnel funnel_step_rate funnel_conversion funnel_time_p50 funnel_time_p90 signal_recall_d7 signal_recall_d14 signal_recall_d30 fans_gained fans_lost fans_net favourite_rate first_response_15s first_response_p50 first_response_p95 follow_rate follow_rate_net gmv_created gmv_paid gmv_settled gpm
		like_rate like_rate_net reached_25 reached_50 reached_75 watched_25 watched_50 watched_75 negative_share nps orders play_5s_rate plays share_rate spend top_contents watch_ratio watch_time watch_time_p50 watch_time_p90 watch_time_p95 watch_time_p99`)
	if slices.Sort(want); !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	if c.KPI("nothing") != nil {
		t.Error("found a KPI that is not there")
	}
	gmv := c.KPI("gmv_paid")
	if got, want := gmv.Numerator.Key(), `sum(amount_minor; by currency; type == "pay")`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if gmv.Unit != UnitMoney || len(gmv.By) != 6 || gmv.By[0].String() != "total" || !gmv.Keeps(Day) {
		t.Errorf("gmv_paid is %+v", gmv)
	}
	top := c.KPI("top_contents")
	if top.Top != 20 || top.Budget != 1_000_000 || len(top.By) != 1 || top.By[0].Key() != "content_id" {
		t.Errorf("top_contents is %+v", top)
	}
	if risk, active := c.KPI("at_risk_users").From.Days, c.KPI("active_users").Numerator; risk.Where.String() != active.Where.String() || risk.Gap != 30 {
		t.Errorf("at_risk_users is %+v", risk)
	}
}

func TestLoadOverridesAndDrops(t *testing.T) {
	c, err := Load(time.UTC,
		File{Name: "a.yaml", Data: []byte("kpis:\n  - {name: plays, count: {where: 'type == \"watch\"'}, windows: [2h, day, 5m], by: [[vertical, channel]]}\n")},
		File{Name: "b.yaml", Data: []byte("kpis:\n  - {name: watched, sum: {field: watch_ms}, windows: [1m]}\ndrop: [orders, ctr]\n")},
		File{Name: "empty.yaml"},
	)
	if err != nil {
		t.Fatal(err)
	}
	if c.KPI("orders") != nil || c.KPI("ctr") != nil || c.KPI("watched") == nil || c.KPI("dau") == nil {
		t.Errorf("%d KPIs", len(c.KPIs))
	}
	plays := c.KPI("plays")
	if got, want := plays.Numerator.Key(), `count(type == "watch")`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if plays.Windows[0].String() != "5m" || plays.Windows[1].String() != "2h" || plays.Windows[2] != Day {
		t.Errorf("windows are %s", plays.Windows)
	}
	if plays.Group.EN != "Content" || c.KPI("watched").Group.EN != "" {
		t.Errorf("plays is under %q, watched under %q", plays.Group.EN, c.KPI("watched").Group.EN)
	}
	if dau := c.KPI("dau"); dau.Place >= plays.Place || c.KPI("watched").Place <= c.KPI("churned_users").Place {
		t.Errorf("dau is at %d, plays at %d, watched at %d", dau.Place, plays.Place, c.KPI("watched").Place)
	}
	set, ok := plays.SetOf("channel", "vertical")
	if !ok || set.Key() != "vertical,channel" {
		t.Errorf("set is %q, %v", set, ok)
	}
	if _, ok := plays.SetOf("channel"); ok {
		t.Error("found a set that is not kept")
	}
}

func TestKeep(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"keep: []", ""},
		{"keep: [plays, dau]", "dau plays"},
		{"keep: [plays, dau]\ndrop: [plays]", "dau"},
		{"keep: [dau]\nkpis: [{name: plays, count: , windows: [5m]}, {name: own, count: , windows: [5m]}]", "dau own plays"},
		{"keep: [dau, dua]", "x.yaml:1: keep[1]: dua is not in the embedded catalogue: keep one of active_users, "},
		{"keep: [playz]", "x.yaml:1: keep[0]: playz is not in the embedded catalogue: did you mean plays? Keep one of active_users, "},
	} {
		c, err := Load(time.UTC, File{Name: "x.yaml", Data: []byte(tt.text)})
		got := fmt.Sprint(err)
		if err == nil {
			var names []string
			for _, k := range c.KPIs {
				names = append(names, k.Name)
			}
			got = strings.Join(names, " ")
		}
		if got != tt.want && (err == nil || !strings.HasPrefix(got, tt.want)) {
			t.Errorf("%s: got %q, want %q", tt.text, got, tt.want)
		}
	}
	two := []File{{Name: "x.yaml", Data: []byte("keep: [plays, ctr]")}, {Name: "y.yaml", Data: []byte("keep: [dau]\ndrop: [ctr]")}}
	if c, err := Load(time.UTC, two...); err != nil || len(c.KPIs) != 2 || c.KPI("plays") == nil || c.KPI("dau") == nil {
		t.Errorf("of two files: %v, %v, want what either keeps and none drops", c, err)
	}
}

// A definition may build on another, as YAML lets it.
func TestMergedDefinitions(t *testing.T) {
	c, err := Load(time.UTC, File{Name: "a.yaml", Data: []byte(`
kpis:
  - &watched
    name: watched
    count: &play {where: 'type == "play"'}
    by: &sets [channel]
    windows: [5m, day]
  - <<: *watched
    name: watched_long
    count: {where: 'type == "play" and watch_ms > 60000'}
  - {name: sold, count: {<<: *play}, by: *sets, windows: [1h]}
`)})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"watched": `count(type == "play") [total channel] [5m day]`, "sold": `count(type == "play") [total channel] [1h]`,
		"watched_long": `count(type == "play" and watch_ms > 60000) [total channel] [5m day]`,
	} {
		k := c.KPI(name)
		if got := fmt.Sprint(k.Numerator.Key(), " ", k.By, " ", k.Windows); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestLoadAcrossFiles(t *testing.T) {
	one := []byte("kpis:\n  - {name: x, count: {}, windows: [5m]}\n")
	_, err := Load(time.UTC, File{Name: "a.yaml", Data: one}, File{Name: "b.yaml", Data: append(one, "drop: [y]\n"...)})
	want := `b.yaml:2: kpis[0]: x is defined in a.yaml too (kpis[0]): keep one
b.yaml:3: drop[0]: y is not in the embedded catalogue: drop one of `
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// All churn KPIs are over the same active days.
func TestOneNotionOfActivity(t *testing.T) {
	const mine = "kpis:\n  - {name: a, churned: {churn_gap: 7, where: 'type == \"play\"'}}\n  - {name: b, at_risk: {where: '%s'}}\n"
	for _, tt := range []struct{ text, want string }{
		{"kpis: [{name: c7, churned: {churn_gap: 7}}]", "x.yaml:1: kpis[0]: where of churned is not that of alias_users: all KPIs over active days share one notion of them: write where: '"},
		{fmt.Sprintf(mine, `type == "play"`), ", or have all by yours, with operators: [{name: days, days: {where: ...}}]\nx.yaml:3: kpis[1]: where of at_risk is not that of"},
		{fmt.Sprintf(mine, `type == "play"`) + "operators: [{name: days, days: {where: 'type == \"play\"'}}]", ""},
		{fmt.Sprintf(mine, `type == "pay"`) + "keep: []", "x.yaml:3: kpis[1]: where of at_risk is not that of a: all KPIs over active days share one notion of them: write where: 'type == \"play\"'"},
	} {
		_, err := Load(time.UTC, File{Name: "x.yaml", Data: []byte(tt.text)})
		if got := fmt.Sprint(err); tt.want == "" && err != nil || tt.want != "" && !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %s, want %s", tt.text, got, tt.want)
		}
	}
	// What the message says to write is what it asks for.
	_, err := Load(time.UTC, File{Name: "x.yaml", Data: []byte("kpis: [{name: c7, churned: {churn_gap: 7}}]")})
	_, where, _ := strings.Cut(err.Error(), "write where: ")
	where, _, _ = strings.Cut(where, ", or have")
	if _, err := Load(time.UTC, File{Name: "x.yaml", Data: []byte("kpis: [{name: c7, churned: {churn_gap: 7, where: " + where + "}}]")}); err != nil {
		t.Errorf("%s does not load: %v", where, err)
	}
}

func TestID(t *testing.T) {
	const base = "name: x\ncount: {where: 'type == \"a\" and watch_ms > 0'}\nby: [channel, region]\nwindows: [5m, day]\n"
	for _, tt := range []struct {
		name, text string
		zone       string
		same       bool
	}{
		{"as it is", base, "UTC", true},
		{"keys in another order", "windows: [day, 300s]\nby: [region, channel]\ncount:\n  where: '0 < watch_ms && type in [\"a\"]'\nname: x\n", "UTC", true},
		{"a title", base + "title: {en: X}\ndescription: {zh: 某}\n", "UTC", true},
		{"the default budget", base + "budget: 10000\n", "UTC", true},
		{"sets in another order", strings.Replace(base, "channel, region", "region, channel", 1), "UTC", true},
		{"another where", strings.Replace(base, "> 0", "> 1", 1), "UTC", false},
		{"another set", strings.Replace(base, "region", "device", 1), "UTC", false},
		{"another window", strings.Replace(base, "5m", "1m", 1), "UTC", false},
		{"another budget", base + "budget: 5\n", "UTC", false},
		{"another zone", base, "Asia/Shanghai", false},
	} {
		want, got := load(t, base, "UTC").ID, load(t, tt.text, tt.zone).ID
		if (got == want) != tt.same {
			t.Errorf("%s: %s and %s", tt.name, got, want)
		}
	}
	sliding := strings.Replace(base, ", day", "", 1)
	if a, b := load(t, sliding, "UTC").ID, load(t, sliding, "Asia/Shanghai").ID; a != b {
		t.Errorf("the zone counts without days: %s and %s", a, b)
	}
	// An ID must outlive the release: history is kept under it.
	if got, want := load(t, base, "UTC").ID, "x@12c2bec3"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Whatever keeps numbers by the place of their set may go by the order of By.
func TestSetsAreInOneOrder(t *testing.T) {
	for _, by := range []string{"[channel, [region, device], region]", "[region, channel, [region, device]]"} {
		k := load(t, "name: x\ncount: {}\nwindows: [5m]\nby: "+by, "UTC")
		if got, want := fmt.Sprint(k.By), "[total channel region region,device]"; got != want {
			t.Errorf("by %s: %s, want %s", by, got, want)
		}
	}
}

func load(t *testing.T, definition, zone string) *KPI {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	text := "kpis:\n  - " + strings.ReplaceAll(strings.TrimSpace(definition), "\n", "\n    ") + "\n"
	c, err := Load(loc, File{Name: "x.yaml", Data: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	return c.KPI("x")
}

func FuzzParse(f *testing.F) {
	f.Add(defaults)
	for _, file := range []string{"ten", "shape", "syntax"} {
		data, err := os.ReadFile("testdata/" + file + ".bad.yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Parse("fuzz.yaml", data)
		if err != nil {
			if _, ok := errors.AsType[*document.Problem](err); !ok {
				t.Fatalf("%T is no document.Problem", err)
			}
			return
		}
		for _, k := range d.KPIs {
			if k.Name == "" || len(k.By) == 0 || len(k.Windows) == 0 || k.Budget < max(1, k.Top) {
				t.Fatalf("half a KPI: %+v", k)
			}
			k.version(&Catalogue{Location: time.UTC})
		}
	})
}
