package message

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/reason"
	"github.com/tidewatch/tidewatch/kpi"
)

var (
	zone = time.FixedZone("", 8*3600)
	at   = time.Date(2026, 11, 23, 3, 2, 48, 0, time.UTC)
)

// low is an alert about a share, changed as the test says.
func low(change func(n *alerts.Notification)) *alerts.Notification {
	n := &alerts.Notification{
		Rule: "CompletionLow", Status: alerts.Firing,
		Labels: map[string]string{"alertname": "CompletionLow", "by": "channel", "channel": "douyin", "severity": "page", "window": "5m"},
		Annotations: map[string]string{
			"summary": "Completion is low", "value": "0.12", "numerator": "12", "denominator": "100", "n": "100", "comparison": "<", "threshold": "0.2",
			"window": "5m", "low": "0.07", "high": "0.1981", "confidence": "0.95", "link": "http://tide.example/?kpi=completion_rate", "runbook_url": "https://wiki.example/low",
		},
		Subject:  &alerts.Subject{KPI: "completion_rate", Title: kpi.Text{EN: "Completion rate", ZH: "完播率"}, Unit: kpi.UnitPercent},
		ActiveAt: at.Add(-2 * time.Minute), StartsAt: at, WindowEnd: at.UnixMilli(), ExternalURL: "http://tide.example",
	}
	if change != nil {
		change(n)
	}
	return n
}

func set(pairs ...string) func(*alerts.Notification) {
	return func(n *alerts.Notification) {
		for i := 0; i < len(pairs); i += 2 {
			n.Annotations[pairs[i]] = pairs[i+1]
		}
	}
}

// of has a notification be of an expression that is compared with no number.
func of(expr string, pairs ...string) func(*alerts.Notification) {
	return set(append([]string{"expr", expr, "threshold", "", "comparison", ""}, pairs...)...)
}

func shown(m Message) string {
	out := []string{m.Title, m.Summary}
	for _, f := range m.Facts {
		out = append(out, f.Name+" = "+f.Value)
	}
	for _, l := range m.Links {
		out = append(out, l.Text+" -> "+l.URL)
	}
	return strings.Join(append(out, m.Description), "\n")
}

func TestMessage(t *testing.T) {
	resolved := func(n *alerts.Notification) {
		n.Status, n.EndsAt, n.WindowEnd = alerts.Resolved, at.Add(11*time.Minute), at.Add(11*time.Minute).UnixMilli()
		set("value", "0.31", "low", "0.22", "high", "0.4")(n)
	}
	for _, c := range []struct {
		name   string
		change func(*alerts.Notification)
		zh, en string
	}{
		{"fires", nil, `Tidewatch 告警：CompletionLow
Completion is low
完播率 = 12%（95% 置信区间 7% 至 19.81%，n = 100）
条件 = 低于 20%，窗口 5 分钟
时间 = 自 2026-11-23 11:00:48 +08:00 起，已持续 2 分钟
数据 = 截至 2026-11-23 11:02:48 +08:00，发送时已过 3.01 秒
标签 = channel=douyin，severity=page
打开看板 -> http://tide.example/?kpi=completion_rate
处理手册 -> https://wiki.example/low
`, `Tidewatch firing: CompletionLow
Completion is low
Completion rate = 12% (95% interval 7% to 19.81%, n = 100)
Condition = below 20%, over 5 min
Time = since 2026-11-23 11:00:48 +08:00, for 2 min
Data = as of 2026-11-23 11:02:48 +08:00, 3.01 s before this was sent
Labels = channel=douyin, severity=page
Open the page -> http://tide.example/?kpi=completion_rate
Runbook -> https://wiki.example/low
`},
		{"is over", resolved, `Tidewatch 恢复：CompletionLow
Completion is low
当前完播率 = 31%（95% 置信区间 22% 至 40%，n = 100）
条件 = 低于 20%，窗口 5 分钟
时间 = 2026-11-23 11:00:48 至 2026-11-23 11:13:48 +08:00，共 13 分钟
数据 = 截至 2026-11-23 11:13:48 +08:00，发送时已过 3.01 秒
标签 = channel=douyin，severity=page
打开看板 -> http://tide.example/?kpi=completion_rate
处理手册 -> https://wiki.example/low
`, `Tidewatch resolved: CompletionLow
Completion is low
Completion rate now = 31% (95% interval 22% to 40%, n = 100)
Condition = below 20%, over 5 min
Time = 2026-11-23 11:00:48 to 2026-11-23 11:13:48 +08:00, for 13 min
Data = as of 2026-11-23 11:13:48 +08:00, 3.01 s before this was sent
Labels = channel=douyin, severity=page
Open the page -> http://tide.example/?kpi=completion_rate
Runbook -> https://wiki.example/low
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := low(c.change)
			now := time.UnixMilli(n.WindowEnd).Add(3009 * time.Millisecond).In(zone)
			for l, want := range map[Language]string{Chinese: c.zh, English: c.en} {
				if diff := cmp.Diff(want, shown(Of(n, l, now))); diff != "" {
					t.Errorf("%s (-want +got):\n%s", l, diff)
				}
			}
		})
	}
}

// Why an alert is over that no rule has decided so has words in both languages.
func TestBecause(t *testing.T) {
	for _, tt := range []struct{ why, zh string }{
		{reason.RuleGone, "规则已删除"},
		{reason.OtherSeries, "规则已不再涉及该序列"},
		{reason.NoRuleFires, "重启后已无规则使其告警"},
		{reason.Overturned, "迟到的数据表明，此告警本不应触发"},
		{reason.OtherCurrency, "该序列已是另一币种"},
		{reason.NoValueLeft, "表达式已无结果：所比较的值为空"},
		{reason.NoAmountLeft, "表达式已无结果：所比较的值为空，窗口内无数据或有多种币种"},
		{"somebody said so", "somebody said so"},
	} {
		if zh, en := Because(tt.why, Chinese), Because(tt.why, English); zh != tt.zh || en != tt.why {
			t.Errorf("%s: got %q and %q, want %q", tt.why, zh, en, tt.zh)
		}
	}
}

// Single facts, in Chinese unless both are given.
func TestFacts(t *testing.T) {
	money := func(n *alerts.Notification) {
		n.Subject = &alerts.Subject{Title: kpi.Text{EN: "GMV", ZH: "GMV"}, Unit: kpi.UnitMoney}
		set("value", "1234550", "threshold", "50000000", "n", "1234550", "comparison", ">=", "currency", "CNY", "low", "", "high", "")(n)
	}
	gone := func(n *alerts.Notification) {
		n.Status, n.EndsAt = alerts.Resolved, at
		set("resolved_because", reason.RuleGone)(n)
	}
	changed := func(parts ...alerts.Contribution) func(*alerts.Notification) {
		return func(n *alerts.Notification) {
			n.Change = &alerts.Change{Since: at.Add(-24 * time.Hour), Until: at, Before: 0.41, Parts: parts}
		}
	}
	again := func(n *alerts.Notification) {
		changed()(n)
		n.StandsAt = at.Add(4 * time.Hour).UnixMilli()
		n.SeenAt = n.StandsAt - time.Minute.Milliseconds()
	}
	corrected := func(n *alerts.Notification) {
		n.Status, n.EndsAt, n.Corrected = alerts.Resolved, at, true
		set("resolved_because", reason.Overturned)(n)
	}
	for _, c := range []struct {
		name   string
		change func(*alerts.Notification)
		fact   int
		zh, en string
	}{
		{"money is in its own unit", money, 0, "GMV = CNY 12,345.50", "GMV = CNY 12,345.50"},
		{"so is its threshold", money, 1, "条件 = 不低于 CNY 500,000.00，窗口 5 分钟", "Condition = at least CNY 500,000.00, over 5 min"},
		{"yen have no decimals", func(n *alerts.Notification) { money(n); set("currency", "JPY")(n) }, 0, "GMV = JPY 1,234,550", "GMV = JPY 1,234,550"},
		{"the currency is a label", func(n *alerts.Notification) { money(n); set("currency", "")(n); n.Labels["currency"] = "EUR" }, 0, "GMV = EUR 12,345.50", "GMV = EUR 12,345.50"},
		{"of no currency that is known", func(n *alerts.Notification) { money(n); set("currency", "")(n) }, 1, "条件 = 不低于 50,000,000 个最小货币单位，窗口 5 分钟", "Condition = at least 50,000,000 minor units, over 5 min"},
		{"of any", func(n *alerts.Notification) { money(n); set("currency", "")(n); n.Subject.Across = true }, 0, "GMV = 1,234,550 个最小货币单位，不分币种", "GMV = 1,234,550 minor units, whatever the currency"},
		{"of the one that is asked for", func(n *alerts.Notification) { money(n); set("currency", "")(n); n.Subject.Currency = "JPY" }, 0, "GMV = JPY 1,234,550", "GMV = JPY 1,234,550"},
		{"it was in another currency", func(n *alerts.Notification) {
			money(n)
			n.Change = &alerts.Change{Since: at.Add(-time.Minute), Until: at, Before: 10000, Currency: "JPY"}
		}, 2, "变化 = 1 分钟前为 JPY 10,000", "Change = was JPY 10,000 1 min before"},
		{"nothing is known of an expression", func(n *alerts.Notification) { n.Subject = nil; set("low", "", "n", "", "value", "0.123456789")(n) }, 0, "数值 = 0.123457", "Value = 0.123457"},
		{"an expression", func(n *alerts.Notification) { set("expr", "a / b < 0.1")(n) }, 2, "表达式 = a / b < 0.1", "Expression = a / b < 0.1"},
		{"no comparison", set("comparison", ""), 1, "条件 = 20%，窗口 5 分钟", "Condition = 20%, over 5 min"},
		{"a window alone is no condition", set("threshold", "", "comparison", ""), 1, "时间 = 自 2026-11-23 11:00:48 +08:00 起，已持续 2 分钟", "Time = since 2026-11-23 11:00:48 +08:00, for 2 min"},
		{"the upper end", set("compared", "high"), 1, "条件 = 置信上限低于 20%，窗口 5 分钟", "Condition = upper end below 20%, over 5 min"},
		{"until when", set("recover", "kpi_completion_rate > 0.4", "recover_comparison", ">", "recover_threshold", "0.4"), 1,
			"条件 = 低于 20%，直至高于 40%，窗口 5 分钟", "Condition = below 20%, until above 40%, over 5 min"},
		{"the upper end, until the value", set("compared", "high", "recover_comparison", ">=", "recover_threshold", "0.4"), 1,
			"条件 = 置信上限低于 20%，直至数值不低于 40%，窗口 5 分钟", "Condition = upper end below 20%, until the value is at least 40%, over 5 min"},
		{"until something else", set("recover", "kpi_plays > 9"), 1, "条件 = 低于 20%，直至满足 kpi_plays > 9，窗口 5 分钟", "Condition = below 20%, until kpi_plays > 9, over 5 min"},
		{"until when, of several conditions", of("a < 0.2 and b < 0.9", "recover", "a > 0.4", "recover_comparison", ">", "recover_threshold", "0.4"), 1,
			"表达式 = a < 0.2 and b < 0.9，直至数值高于 40%", "Expression = a < 0.2 and b < 0.9, until the value is above 40%"},
		{"until something else, of several conditions", of("a < 0.2 and b < 0.9", "recover", "c > 4"), 1,
			"表达式 = a < 0.2 and b < 0.9，直至满足 c > 4", "Expression = a < 0.2 and b < 0.9, until c > 4"},
		{"several conditions", of("a < 0.2 and b < 0.9"), 1, "表达式 = a < 0.2 and b < 0.9", "Expression = a < 0.2 and b < 0.9"},
		{"a threshold has all its digits", set("threshold", "0.1234567", "value", "0.1234567"), 1, "条件 = 低于 12.34567%，窗口 5 分钟", "Condition = below 12.34567%, over 5 min"},
		{"a business day", set("window", "day"), 1, "条件 = 低于 20%，业务日", "Condition = below 20%, on the business day"},
		{"the rule's own words", set("value", "一成多"), 0, "完播率 = 一成多（95% 置信区间 7% 至 19.81%，n = 100）", "Completion rate = 一成多 (95% interval 7% to 19.81%, n = 100)"},
		{"no data", func(n *alerts.Notification) { delete(n.Annotations, "value"); set("no_data", "true", "low", "")(n) }, 0, "完播率 = 无数据（n = 100）", "Completion rate = no data (n = 100)"},
		{"at once", func(n *alerts.Notification) { n.ActiveAt = at }, 2, "时间 = 自 2026-11-23 11:02:48 +08:00 起", "Time = since 2026-11-23 11:02:48 +08:00"},
		{"of an older release", func(n *alerts.Notification) { n.ActiveAt = time.Time{} }, 2, "时间 = 自 2026-11-23 11:02:48 +08:00 起", "Time = since 2026-11-23 11:02:48 +08:00"},
		{"of a rule that is gone", gone, 0, "最后的完播率 = 12%（95% 置信区间 7% 至 19.81%，n = 100）", "Completion rate as last known = 12% (95% interval 7% to 19.81%, n = 100)"},
		{"of a rule that is gone, with when that was", func(n *alerts.Notification) { gone(n); set("as_of", "2026-11-23T01:02:48.000Z")(n) }, 0,
			"2026-11-23 09:02:48 +08:00 时的完播率 = 12%（95% 置信区间 7% 至 19.81%，n = 100）", "Completion rate as of 2026-11-23 09:02:48 +08:00 = 12% (95% interval 7% to 19.81%, n = 100)"},
		{"of a rule that is gone, not what changed when it fired", func(n *alerts.Notification) { changed()(n); gone(n) }, 2,
			"时间 = 2026-11-23 11:00:48 至 2026-11-23 11:02:48 +08:00，共 2 分钟", "Time = 2026-11-23 11:00:48 to 2026-11-23 11:02:48 +08:00, for 2 min"},
		{"why", gone, 3, "恢复原因 = 规则已删除", "Resolved because = its rule is gone"},
		{"with late events", corrected, 0, "计入迟到数据后的完播率 = 12%（95% 置信区间 7% 至 19.81%，n = 100）", "Completion rate with late events = 12% (95% interval 7% to 19.81%, n = 100)"},
		{"why it should not have fired", corrected, 3, "恢复原因 = 迟到的数据表明，此告警本不应触发", "Resolved because = late events show that it should not have fired"},
		{"what it was before", changed(), 2, "变化 = 1 天前为 41%", "Change = was 41% 1 d before"},
		{"where the change comes from", changed(alerts.Contribution{Field: "channel", Value: "kuaishou", Share: 0.82, Before: new(0.41), Now: new(0.12), BeforeN: 1200, N: 1150}, alerts.Contribution{Field: "region", Value: "cn-gd", Share: 0.4, Now: new(0.1)}), 2,
			"变化 = 1 天前为 41%；主要来自 channel=kuaishou（占 82%：41% → 12%，n = 1,200 → 1,150），region=cn-gd（占 40%：无 → 10%）",
			"Change = was 41% 1 d before; mostly channel=kuaishou (82% of it: 41% → 12%, n = 1,200 → 1,150), region=cn-gd (40% of it: none → 10%)"},
		{"told again, for how long", again, 3, "时间 = 自 2026-11-23 11:00:48 +08:00 起，已持续 4 小时 2 分钟", "Time = since 2026-11-23 11:00:48 +08:00, for 4 h 2 min"},
		{"told again, as of when", again, 4, "数据 = 截至 2026-11-23 15:01:48 +08:00，发送时已过 1 分钟 3 秒", "Data = as of 2026-11-23 15:01:48 +08:00, 1 min 3 s before this was sent"},
		{"told again, what it was before it fired", again, 2, "变化 = 告警时：1 天前为 41%", "Change = when it fired: was 41% 1 d before"},
		{"told again, with figures as they were", func(n *alerts.Notification) { again(n); n.SeenAt = 0 }, 4, "数据 = 截至 2026-11-23 11:02:48 +08:00，发送时已过 4 小时", "Data = as of 2026-11-23 11:02:48 +08:00, 4 h before this was sent"},
		{"of a fallback", set("not_taken_by", "oncall"), 4, "未能送达 = oncall", "Not taken by = oncall"},
		{"the rule's own freshness", set("freshness", "2s"), 3, "数据 = 截至 2026-11-23 11:02:48 +08:00，发送时已过 2 秒", "Data = as of 2026-11-23 11:02:48 +08:00, 2 s before this was sent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := low(c.change)
			maps.DeleteFunc(n.Annotations, func(_, v string) bool { return v == "" })
			for l, want := range map[Language]string{Chinese: c.zh, English: c.en} {
				sent := max(at.UnixMilli(), n.StandsAt) + 3000
				f := Of(n, l, time.UnixMilli(sent).In(zone)).Facts[c.fact]
				if got := f.Name + " = " + f.Value; got != want {
					t.Errorf("got %s\nwant %s", got, want)
				}
			}
		})
	}
}

// Only what can be opened is a link.
func TestLinks(t *testing.T) {
	for runbook, want := range map[string]int{"https://wiki.example/a": 2, "": 1, "wiki": 1, "javascript:alert(1)": 1, "http://%zz": 1} {
		if got := Of(low(set("runbook_url", runbook)), English, at).Links; len(got) != want {
			t.Errorf("%q: links %v", runbook, got)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		v        float64
		unit     kpi.Unit
		currency string
		want     string
	}{
		{0.2, kpi.UnitPercent, "", "20%"},
		{0.123456, kpi.UnitPercent, "", "12.35%"},
		{0.00001234, kpi.UnitPercent, "", "0.001234%"},
		{1.5, kpi.UnitPercent, "", "150%"},
		{-0.05, kpi.UnitPercent, "", "-5%"},
		{0, kpi.UnitPercent, "", "0%"},
		{1234567, kpi.UnitCount, "", "1,234,567"},
		{-1234.5, kpi.UnitCount, "", "-1,234.5"},
		{999, kpi.UnitCount, "", "999"},
		{1234567.8, kpi.UnitNumber, "", "1,234,568"},
		{3.14159265, kpi.UnitNumber, "", "3.14159"},
		{12345, kpi.UnitMoney, "", "12,345 minor units"},
		{12.5, kpi.UnitMoney, "", "12.5 minor units"},
		{12345, kpi.UnitMoney, "KWD", "KWD 12.345"},
		{12.4, kpi.UnitMoney, "CNY", "CNY 0.12"},
		{2.5, kpi.UnitSeconds, "", "2.5 s"},
		{3725, kpi.UnitSeconds, "", "1 h 2 min"},
		{86400, kpi.UnitSeconds, "", "1 d"},
		{59.999, kpi.UnitSeconds, "", "60 s"},
		{-90, kpi.UnitSeconds, "", "-1 min 30 s"},
	} {
		if got := number(c.v, c.unit, c.currency, English); got != c.want {
			t.Errorf("%v %s %s: got %s, want %s", c.v, c.unit, c.currency, got, c.want)
		}
	}
}

func TestDigest(t *testing.T) {
	resolved := low(func(n *alerts.Notification) { n.Status, n.EndsAt = alerts.Resolved, at })
	for _, c := range []struct {
		ns    []*alerts.Notification
		title string
	}{
		{[]*alerts.Notification{low(nil), resolved, low(nil)}, "Tidewatch：2 条告警，1 条恢复 · CompletionLow"},
		{[]*alerts.Notification{low(nil)}, "Tidewatch：1 条告警 · CompletionLow"},
		{[]*alerts.Notification{resolved}, "Tidewatch：1 条恢复 · CompletionLow"},
	} {
		d := DigestOf(c.ns, Chinese)
		if d.Title != c.title || d.Firing != (c.ns[0].Status == alerts.Firing) || len(d.Lines) != len(c.ns) {
			t.Errorf("digest %+v, want %s", d, c.title)
		}
	}
	gone := low(func(n *alerts.Notification) {
		n.Status, n.EndsAt = alerts.Resolved, at
		set("resolved_because", "its rule is gone")(n)
	})
	d := DigestOf([]*alerts.Notification{low(nil), resolved, gone}, English)
	want := []Line{
		{Firing: true, Text: "firing: CompletionLow · channel=douyin, severity=page · Completion rate 12% (below 20%, over 5 min)"},
		{Text: "resolved: CompletionLow · channel=douyin, severity=page · Completion rate now 12% (below 20%, over 5 min)"},
		{Text: "resolved: CompletionLow · channel=douyin, severity=page"},
	}
	if fmt.Sprint(d.Lines) != fmt.Sprint(want) {
		t.Errorf("lines %v\nwant %v", d.Lines, want)
	}
	d = DigestOf([]*alerts.Notification{low(set("not_taken_by", "oncall"))}, Chinese)
	if text := d.Lines[0].Text; !strings.HasSuffix(text, " · 未能送达：oncall") {
		t.Errorf("of a fallback: %s", text)
	}
}

// Each language has every word.
func TestWords(t *testing.T) {
	for key := range words[English].comparisons {
		if words[Chinese].comparisons[key] == "" {
			t.Errorf("no Chinese for %s", key)
		}
	}
	for l, w := range words {
		for i, text := range []string{
			w.colon, w.comma, w.open, w.close, w.firing, w.resolved, w.manyFiring, w.manyResolved, w.together, w.grouped, w.more, w.value, w.current, w.last, w.then, w.noData,
			w.condition, w.expression, w.time, w.data, w.labels, w.because, w.interval, w.minor, w.across, w.fired, w.until, w.untilValue, w.untilHolds, w.over, w.day, w.today, w.since, w.sinceFor, w.from, w.seen, w.page, w.runbook,
		} {
			if text == "" {
				t.Errorf("%s has no word %d", l, i)
			}
		}
	}
}
