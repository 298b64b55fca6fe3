package grafana

import "github.com/tidewatch/tidewatch/kpi"

// units are Grafana's words. That of amounts has no sign: titles name the currency.
var units = map[kpi.Unit]string{
	kpi.UnitCount: "short", kpi.UnitNumber: "short", kpi.UnitPercent: "percentunit", kpi.UnitSeconds: "s", kpi.UnitMoney: "currency:",
}

type thresholds struct {
	Mode  string `json:"mode"`
	Steps []step `json:"steps"`
}

// A step colours values from its own on; the first has none.
type step struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"`
}

func steps(list ...step) thresholds { return thresholds{"absolute", list} }

// neutral calls nothing good or bad.
var neutral = steps(step{Color: "blue"})

// targets are the levels that values are held to: of what is more the longer its window
// they are meant for a day.
func (c cut) targets() *kpi.Targets {
	if c.kpi.Ratio() || c.window == kpi.Day {
		return c.kpi.Targets
	}
	return nil
}

// thresholds are the targets as colours.
func (c cut) thresholds() thresholds {
	t := c.targets()
	if t == nil {
		return neutral
	}
	shown := func(level *float64) *float64 {
		if level == nil || c.kpi.Unit != kpi.UnitMoney {
			return level
		}
		major := *level / 100
		return &major
	}
	good, bad := shown(t.Good), shown(t.Bad)
	switch {
	case bad == nil:
		return steps(step{Color: "orange"}, step{"green", good})
	case good == nil:
		return steps(step{Color: "red"}, step{"green", bad})
	case *good > *bad:
		return steps(step{Color: "red"}, step{"orange", bad}, step{"green", good})
	}
	return steps(step{Color: "green"}, step{"orange", good}, step{"red", bad})
}

// better is where higher values are better, "" where neither is known to be.
func (c cut) better(said string) string {
	switch t := c.kpi.Targets; {
	case t == nil:
		return said
	case t.Good != nil && t.Bad != nil && *t.Good < *t.Bad:
		return "lower"
	}
	return "higher"
}

// change colours relative changes: what is within a twentieth is nothing.
func change(better string) thresholds {
	down, up := -0.05, 0.05
	switch better {
	case "higher":
		return steps(step{Color: "red"}, step{"text", &down}, step{"green", &up})
	case "lower":
		return steps(step{Color: "green"}, step{"text", &down}, step{"red", &up})
	}
	return steps(step{Color: "text"})
}

// thresholds of a limit.
func (l limit) thresholds() thresholds {
	switch {
	case !l.set:
		return neutral
	case l.below:
		return steps(step{Color: "red"}, step{"green", &l.level})
	}
	return steps(step{Color: "green"}, step{"red", &l.level})
}
