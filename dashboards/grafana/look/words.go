package look

import "github.com/tidewatch/tidewatch/kpi"

// Delta begins the name of a change: behind a long one it would be cut off.
const Delta = "Δ "

// What values are held against, between which bounds they lie, and what else panels and
// columns are called.
var (
	Previous  = kpi.Text{EN: "Window before", ZH: "上一窗口"}
	Yesterday = kpi.Text{EN: "Yesterday", ZH: "昨日"}
	LastWeek  = kpi.Text{EN: "Last week", ZH: "上周同日"}
	Lower     = kpi.Text{EN: "lower bound", ZH: "下限"}
	Upper     = kpi.Text{EN: "upper bound", ZH: "上限"}
	Size      = kpi.Text{EN: "Users", ZH: "用户数"}
	Freshness = kpi.Text{EN: "Freshness", ZH: "数据延迟"}
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
	return l.Of(kpi.FieldTitle(label))
}

// fields are those that no dimension set has.
var fields = map[string]kpi.Text{
	"cohort": {EN: "First seen on", ZH: "首次出现日"},

	// Of users.
	"user_id":                {EN: "User", ZH: "用户"},
	"anonymous_id":           {EN: "Anonymous id", ZH: "匿名标识"},
	"segments":               {EN: "Segments", ZH: "人群"},
	"since":                  {EN: "Since", ZH: "状态起始日"},
	"first_seen":             {EN: "First seen", ZH: "首次出现日"},
	"last_seen":              {EN: "Last seen", ZH: "最近活跃日"},
	"first_event":            {EN: "First event", ZH: "首个事件"},
	"days_away":              {EN: "Days away", ZH: "未活跃天数"},
	"usual_gap_days":         {EN: "Usual gap, days", ZH: "惯常间隔天数"},
	"active_days_28":         {EN: "Active days of 28", ZH: "近 28 天活跃天数"},
	"rfm_segment":            {EN: "RFM segment", ZH: "RFM 分层"},
	"rfm_r":                  {EN: "Recency, 1 to 5", ZH: "最近消费(1–5)"},
	"rfm_f":                  {EN: "Frequency, 1 to 5", ZH: "消费频次(1–5)"},
	"rfm_m":                  {EN: "Amount, 1 to 5", ZH: "消费金额(1–5)"},
	"rfm_days_since_payment": {EN: "Days since payment", ZH: "距上次支付天数"},
	"rfm_paid_orders":        {EN: "Paid orders", ZH: "支付订单数"},
	"rfm_net_paid":           {EN: "Net paid", ZH: "净支付额"},
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
		"active":       {EN: "Active", ZH: "活跃"},
		"loyal":        {EN: "Loyal", ZH: "忠诚"},
		"pending":      {EN: "Pending", ZH: "待触发"},
		"firing":       {EN: "Firing", ZH: "触发中"},
		"resolved":     {EN: "Resolved", ZH: "已恢复"},
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
