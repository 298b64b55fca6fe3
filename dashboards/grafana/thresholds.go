package grafana

import (
	"github.com/tidewatch/tidewatch/dashboards/grafana/look"
	"github.com/tidewatch/tidewatch/kpi"
)

// targets are the levels that values are held to: of what is more the longer its window
// they are meant for a day.
func (c cut) targets() *kpi.Targets {
	if c.kpi.Ratio() || c.window == kpi.Day {
		return c.kpi.Targets
	}
	return nil
}

// thresholds are the targets as colours.
func (c cut) thresholds() look.Thresholds {
	per := 1.0
	if c.kpi.Unit == kpi.UnitMoney {
		per = 100
	}
	return look.Targets(c.targets(), per)
}

// thresholds of a limit.
func (l limit) thresholds() look.Thresholds {
	switch {
	case !l.set:
		return look.Neutral
	case l.below:
		return look.Steps(look.Step{Color: "red"}, look.Step{Color: "green", Value: &l.level})
	}
	return look.Steps(look.Step{Color: "green"}, look.Step{Color: "red", Value: &l.level})
}
