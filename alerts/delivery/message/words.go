package message

import (
	"fmt"
	"regexp"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/reason"
	"github.com/tidewatch/tidewatch/kpi"
)

// A Language is what messages are written in.
type Language string

// The languages.
const (
	Chinese Language = "zh"
	English Language = "en"
)

// of is a text in the language.
func (l Language) of(t kpi.Text) string {
	if l == English {
		return t.EN
	}
	return t.ZH
}

// A vocabulary is the words of a language.
type vocabulary struct {
	colon, comma, open, close string

	firing, resolved         string
	corrected                string // resolved, since it should not have fired
	manyFiring, manyResolved string // behind their number
	// cut says that a text was, cutOf also of how many alerts.
	cut, cutOf string
	// together and grouped say why several stand in one message; more stands behind how
	// many others there are.
	together, grouped, more string

	value, current, last, final, noData string
	// then is of a value whose {time} is known.
	then                                      string
	condition, expression, time, data, labels string
	// before has {value} and {length}, part {part}, {share}, {before},
	// {now} and {n}.
	change, before, mostly, part, nothing string
	fired                                 string // stands before a change that is older than the figures
	because                               string
	missed                                string // by whom, of a notification for a fallback
	interval                              string
	// minor stands behind an amount of no currency that is known, across behind one of any.
	minor, across string
	// reasons are those of a resolve, by what the annotation says.
	reasons map[string]string
	// comparisons have {} where the threshold stands.
	comparisons map[string]string
	// ends are which end of an interval is compared, "" for the value.
	ends map[string]string
	// until has {} where the condition stands on which an alert is over, untilValue is beside one
	// of an end of an interval, untilHolds has an expression.
	until, untilValue, untilHolds string
	// over has %s where the length of a window stands; day and today are windows of
	// the calendar.
	over, day, today string
	// since, from and seen have times and lengths for %s.
	since, sinceFor, from, seen string

	page, runbook string
}

var words = map[Language]*vocabulary{
	Chinese: {
		colon: "：", comma: "，", open: "（", close: "）",
		firing: "告警", resolved: "恢复", corrected: "更正", manyFiring: " 条告警", manyResolved: " 条恢复",
		cut: "（内容过长，已截断）", cutOf: "（内容过长，已截断；共 %d 条）",
		together: "通知过于密集，为不超出机器人的频率限制，合并为一条：",
		grouped:  "同组告警：", more: " 条未列出",
		value: "数值", current: "当前{}", last: "最后的{}", then: "{time} 时的{}", final: "计入迟到数据后的{}", noData: "无数据",
		condition: "条件", expression: "表达式", time: "时间", data: "数据", labels: "标签", because: "恢复原因", missed: "未能送达",
		change: "变化", before: "{length}前为 {value}", fired: "告警时：", mostly: "；主要来自 ", part: "{part}（占 {share}：{before} → {now}{n}）", nothing: "无",
		interval: "{confidence} 置信区间 {low} 至 {high}", minor: " 个最小货币单位", across: "，不分币种",
		reasons: map[string]string{reason.RuleGone: "规则已删除", reason.OtherSeries: "规则已不再涉及该序列", reason.NoRuleFires: "重启后已无规则使其告警", reason.Overturned: "迟到的数据表明，此告警本不应触发", reason.OtherCurrency: "该序列已是另一币种",
			reason.NoValueLeft: "表达式已无结果：所比较的值为空", reason.NoAmountLeft: "表达式已无结果：所比较的值为空，窗口内无数据或有多种币种"},
		comparisons: map[string]string{
			"<": "低于 {}", "<=": "不高于 {}", ">": "高于 {}", ">=": "不低于 {}", "==": "等于 {}", "!=": "不等于 {}",
		},
		ends:  map[string]string{"low": "置信下限", "high": "置信上限"},
		until: "直至{}", untilValue: "直至数值{}", untilHolds: "直至满足 {}",
		over: "窗口 %s", day: "业务日", today: "业务日截至此刻",
		since: "自 %s 起", sinceFor: "自 %s 起，已持续 %s", from: "%s 至 %s，共 %s", seen: "截至 %s，发送时已过 %s",
		page: "打开看板", runbook: "处理手册",
	},
	English: {
		colon: ": ", comma: ", ", open: " (", close: ")",
		firing: "firing", resolved: "resolved", corrected: "corrected", manyFiring: " firing", manyResolved: " resolved",
		cut: "(cut, since it is too long)", cutOf: "(cut, since it is too long; %d alerts in all)",
		together: "Together in one message, since there are more of them than the robot may send:",
		grouped:  "A group of alerts:", more: " more are not named",
		value: "Value", current: "{} now", last: "{} as last known", then: "{} as of {time}", final: "{} with late events", noData: "no data",
		condition: "Condition", expression: "Expression", time: "Time", data: "Data", labels: "Labels", because: "Resolved because", missed: "Not taken by",
		change: "Change", before: "was {value} {length} before", fired: "when it fired: ", mostly: "; mostly ", part: "{part} ({share} of it: {before} → {now}{n})", nothing: "none",
		interval: "{confidence} interval {low} to {high}", minor: " minor units", across: ", whatever the currency",
		comparisons: map[string]string{
			"<": "below {}", "<=": "at most {}", ">": "above {}", ">=": "at least {}", "==": "equal to {}", "!=": "other than {}",
		},
		ends:  map[string]string{"low": "lower end ", "high": "upper end "},
		until: "until {}", untilValue: "until the value is {}", untilHolds: "until {}",
		over: "over %s", day: "on the business day", today: "on the business day so far",
		since: "since %s", sinceFor: "since %s, for %s", from: "%s to %s, for %s", seen: "as of %s, %s before this was sent",
		page: "Open the page", runbook: "Runbook",
	},
}

var length = regexp.MustCompile(`^(\d+)([smhd])$`)

// window is a window in words.
func (w *vocabulary) window(name string, l Language) string {
	switch name {
	case kpi.Day.String():
		return w.day
	case kpi.Today.String():
		return w.today
	}
	if m := length.FindStringSubmatch(name); m != nil {
		for _, unit := range lengths {
			if unit.letter == m[2] {
				name = m[1] + " " + l.of(unit.name)
			}
		}
	}
	return fmt.Sprintf(w.over, name)
}

const (
	moment = "2006-01-02 15:04:05"
	offset = " -07:00"
)

// status is what becomes of the alert.
func (w *vocabulary) status(n *alerts.Notification) string {
	switch {
	case n.Status != alerts.Resolved:
		return w.firing
	case n.Corrected:
		return w.corrected
	}
	return w.resolved
}

// span is since when the condition holds, or from when to when it held.
func (w *vocabulary) span(n *alerts.Notification, zone *time.Location, l Language) string {
	begin, now := n.ActiveAt, time.UnixMilli(max(n.WindowEnd, n.StandsAt))
	if begin.IsZero() { // of an older release
		begin = n.StartsAt
	}
	shown := begin.In(zone).Format(moment + offset)
	switch {
	case n.Status == alerts.Resolved:
		return fmt.Sprintf(w.from, begin.In(zone).Format(moment), n.EndsAt.In(zone).Format(moment+offset), duration(n.EndsAt.Sub(begin), l))
	case now.Sub(begin) < time.Second:
		return fmt.Sprintf(w.since, shown)
	}
	return fmt.Sprintf(w.sinceFor, shown, duration(now.Sub(begin), l))
}

// asOf is until when the data reaches, and how long ago that is.
func (w *vocabulary) asOf(n *alerts.Notification, now time.Time, l Language) string {
	age := n.Annotations["freshness"]
	if d, err := time.ParseDuration(age); err == nil || age == "" {
		if age == "" {
			d = Freshness(n, now)
		}
		age = duration(d, l)
	}
	return fmt.Sprintf(w.seen, time.UnixMilli(n.AsOf()).In(now.Location()).Format(moment+offset), age)
}
