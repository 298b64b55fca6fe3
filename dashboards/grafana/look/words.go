package look

import "github.com/tidewatch/tidewatch/kpi"

// What values are held against, and between which bounds they lie.
var (
	Previous  = kpi.Text{EN: "Window before", ZH: "上一窗口"}
	Yesterday = kpi.Text{EN: "Yesterday", ZH: "昨日"}
	LastWeek  = kpi.Text{EN: "Last week", ZH: "上周同日"}
	Lower     = kpi.Text{EN: "lower bound", ZH: "下限"}
	Upper     = kpi.Text{EN: "upper bound", ZH: "上限"}
	Changed   = kpi.Text{EN: "change", ZH: "变化"}
)

// Compared is what something is called that a value is held against, by the API's name.
func (l Language) Compared(name string) string {
	switch name {
	case "previous":
		return l.Of(Previous)
	case "yesterday":
		return l.Of(Yesterday)
	case "last_week":
		return l.Of(LastWeek)
	}
	return name
}

// Field is how a label is called: its name where it has no other.
func (l Language) Field(label string) string {
	if t, ok := fields[label]; ok {
		return l.Of(t)
	}
	return label
}

var fields = map[string]kpi.Text{
	"channel":     {EN: "Channel", ZH: "渠道"},
	"region":      {EN: "Region", ZH: "地区"},
	"campaign_id": {EN: "Campaign", ZH: "推广计划"},
	"creator_id":  {EN: "Creator", ZH: "创作者"},
	"content_id":  {EN: "Content", ZH: "内容"},
	"cohort":      {EN: "First seen on", ZH: "首次出现日"},
}

// Value is how a value of a label is called: itself, but for those that the service gives.
func (l Language) Value(label, value string) string {
	if t, ok := Given[label][value]; ok {
		return l.Of(t)
	}
	return value
}

// Given are the values that the service itself gives to labels.
var Given = map[string]map[string]kpi.Text{
	"state": {
		"new":          {EN: "New", ZH: "新增"},
		"returning":    {EN: "Returning", ZH: "留存"},
		"resurrecting": {EN: "Resurrecting", ZH: "回流"},
		"dormant":      {EN: "Dormant", ZH: "沉睡"},
		"at_risk":      {EN: "At risk", ZH: "流失风险"},
		"churned":      {EN: "Churned", ZH: "已流失"},
		"declining":    {EN: "In decline", ZH: "活跃下降"},
	},
	"holdout": {
		"no":  {EN: "not held out", ZH: "非对照组"},
		"yes": {EN: "held out", ZH: "对照组"},
	},
	"step": {
		"impression":  {EN: "Impression", ZH: "曝光"},
		"click":       {EN: "Click", ZH: "点击"},
		"add_to_cart": {EN: "Add to cart", ZH: "加购"},
		"order":       {EN: "Order", ZH: "下单"},
		"pay":         {EN: "Payment", ZH: "支付"},
	},
	"segment": {
		"important_value":       {EN: "Important value", ZH: "重要价值"},
		"important_development": {EN: "Important development", ZH: "重要发展"},
		"important_keeping":     {EN: "Important keeping", ZH: "重要保持"},
		"important_recall":      {EN: "Important recall", ZH: "重要挽留"},
		"general_value":         {EN: "General value", ZH: "一般价值"},
		"general_development":   {EN: "General development", ZH: "一般发展"},
		"general_keeping":       {EN: "General keeping", ZH: "一般保持"},
		"general_recall":        {EN: "General recall", ZH: "一般挽留"},
	},
}
