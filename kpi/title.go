package kpi

// FieldTitle is how a field of dimension sets is called; its name in both languages where it
// has no other.
func FieldTitle(field string) Text {
	if t, ok := fieldTitles[field]; ok {
		return t
	}
	return Text{EN: field, ZH: field}
}

var fieldTitles = map[string]Text{
	"channel":             {EN: "Channel", ZH: "渠道"},
	"region":              {EN: "Region", ZH: "地区"},
	"campaign_id":         {EN: "Campaign", ZH: "推广计划"},
	"creator_id":          {EN: "Creator", ZH: "创作者"},
	"content_id":          {EN: "Content", ZH: "内容"},
	"device":              {EN: "Device", ZH: "设备"},
	"variant":             {EN: "Variant", ZH: "实验组"},
	CurrencyField:         {EN: "Currency", ZH: "币种"},
	StepField:             {EN: "Step", ZH: "步骤"},
	"state":               {EN: "State", ZH: "状态"},
	"segment":             {EN: "Segment", ZH: "分层"},
	"holdout":             {EN: "Held out", ZH: "对照组"},
	"acquisition_channel": {EN: "Acquisition channel", ZH: "获客渠道"},
}
