// Package look says how KPIs look in Grafana, wherever they are shown: in which unit, in
// which colours, by which words. Dashboards and the data source share it.
package look

import "github.com/tidewatch/tidewatch/kpi"

// A Language is one that people read.
type Language string

// The languages.
const (
	English Language = "en"
	Chinese Language = "zh"
)

// Of is the text in the language.
func (l Language) Of(t kpi.Text) string {
	if l == Chinese {
		return t.ZH
	}
	return t.EN
}

// Plain is the unit of numbers that have none of their own.
const Plain = "short"

// Unit is Grafana's word for a unit. That of amounts has no sign: titles name the
// currency.
func Unit(u kpi.Unit) string {
	switch u {
	case kpi.UnitPercent:
		return "percentunit"
	case kpi.UnitSeconds:
		return "s"
	case kpi.UnitMoney:
		return "currency:"
	case kpi.UnitCount, kpi.UnitNumber:
	}
	return Plain
}
