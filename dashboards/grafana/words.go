package grafana

import (
	"strings"

	"github.com/tidewatch/tidewatch/dashboards/grafana/look"
	"github.com/tidewatch/tidewatch/kpi"
)

// A language is one that dashboards are in.
type language look.Language

var languages = []language{"en", "zh"}

func (l language) of(t kpi.Text) string { return look.Language(l).Of(t) }

// other is the language that a dashboard has a link to.
func (l language) other() language {
	if l == "zh" {
		return "en"
	}
	return "zh"
}

// with is a title with the fields by which it is, and with what it is of.
func (l language) with(title string, by []string, of string) string {
	if l == "zh" {
		return title + "(" + strings.Join(append(by, of), ",") + ")"
	}
	if len(by) > 0 {
		title += " by " + strings.ToLower(strings.Join(by, " and "))
	}
	return title + ", " + of
}

// listed are words behind each other.
func (l language) listed(words []string) string {
	if l == "zh" {
		return strings.Join(words, ",")
	}
	return strings.Join(words, ", ")
}

// sentences are put behind each other.
func (l language) sentences(list ...string) string {
	between := " "
	if l == "zh" {
		between = ""
	}
	return strings.Join(list, between)
}

// Data sources are called so, and have these uids, as deploy/grafana names them. Those of
// the plugin have their titles in a language.
const (
	source, sourceUID   = "Tidewatch", "tidewatch"
	scraper, scraperUID = "Prometheus", "prometheus"
)

var plugged = map[language]current{
	"en": {"Tidewatch plugin", "tidewatch-plugin"},
	"zh": {"Tidewatch 插件", "tidewatch-plugin-zh"},
}

var names = map[language]string{"en": "English", "zh": "中文"}

// Texts that panels of any catalogue have.
var (
	empty         = kpi.Text{EN: "No data yet", ZH: "暂无数据"}
	elsewhere     = kpi.Text{EN: "Tidewatch dashboards", ZH: "Tidewatch 看板"}
	fresh         = kpi.Text{EN: "How far the watermark, up to which all numbers are computed, is behind the clock: seconds while events arrive.", ZH: "水位线(全部指标已计算到的时间)落后于当前时间的时长;有事件到达时为数秒。"}
	stalled       = kpi.Text{EN: "Over 6 hours", ZH: "超过 6 小时"}
	today         = kpi.Text{EN: "today", ZH: "今日"}
	soFar         = kpi.Text{EN: "Today", ZH: "今日"}
	toDay         = kpi.Text{EN: "against the day before", ZH: "较前一日"}
	toWeek        = kpi.Text{EN: "against a week before", ZH: "较上周同日"}
	fullDays      = kpi.Text{EN: "%d full days", ZH: "最近 %d 个整日"}
	since         = kpi.Text{EN: "Since", ZH: "开始"}
	until         = kpi.Text{EN: "Until", ZH: "结束"}
	ruleName      = kpi.Text{EN: "Rule", ZH: "规则"}
	said          = kpi.Text{EN: "Summary", ZH: "说明"}
	tagged        = kpi.Text{EN: "Labels", ZH: "标签"}
	state         = kpi.Text{EN: "State", ZH: "状态"}
	group         = kpi.Text{EN: "Group", ZH: "规则组"}
	amount        = kpi.Text{EN: "Value", ZH: "数值"}
	changesOfWeek = kpi.Text{EN: "The changes are relative, to the same day a week before.", ZH: "变化为相对值,与上周同日比较。"}
	fullDay       = kpi.Text{EN: "last full day", ZH: "最近整日"}
	byDay         = kpi.Text{EN: "by day", ZH: "按日"}
	alerted       = kpi.Text{EN: "Alerts", ZH: "告警"}
	holding       = kpi.Text{EN: "Pending and firing", ZH: "待触发与告警中"}
	touching      = kpi.Text{EN: "Alerts of the time shown", ZH: "所示时间内的告警"}
	managed       = kpi.Text{EN: `The alerts of the data source that is named Tidewatch. "Manage alerts via Alerting UI" must be on there, which it is by default.`, ZH: `名为 Tidewatch 的数据源中的告警;须开启其 "Manage alerts via Alerting UI"(默认开启)。`}
	known         = kpi.Text{EN: "Pending and firing alerts, and those that are resolved, as far as they touch the time shown.", ZH: "所示时间内待触发、触发中与已恢复的告警。"}
	interval      = kpi.Text{EN: "The band is the 95 % interval.", ZH: "色带为 95% 区间。"}
	changes       = kpi.Text{EN: "The changes are relative, to the same time a day and a week before.", ZH: "变化为相对值,与一日前、一周前的同一时刻比较。"}
	minorUnits    = kpi.Text{EN: "Minor units / 100: of currencies with two decimals.", ZH: "最小货币单位 / 100,适用于两位小数的币种。"}
	oneCurrency   = kpi.Text{EN: "It has no value where there are several currencies.", ZH: "存在多个币种时没有数值。"}
	atStart       = kpi.Text{EN: "Each day stands at its beginning, once it is over.", ZH: "每日数据在该日结束后显示于当日零点。"}
	condition     = kpi.Text{EN: "Condition", ZH: "条件"}
	bound         = kpi.Text{EN: "Bound", ZH: "界限"}
)

// lengths are the units of windows.
var lengths = map[byte]kpi.Text{
	's': {EN: " s", ZH: " 秒"}, 'm': {EN: " min", ZH: " 分钟"}, 'h': {EN: " h", ZH: " 小时"}, 'd': {EN: " days", ZH: " 天"},
}

// window says a length of windows.
func (l language) window(w kpi.Window) string {
	switch w {
	case kpi.Day:
		return l.of(fullDay)
	case kpi.Today:
		return l.of(today)
	}
	text := w.String()
	last := len(text) - 1
	if unit, ok := lengths[text[last]]; ok && strings.Trim(text[:last], "0123456789") == "" {
		return text[:last] + l.of(unit)
	}
	return text
}
