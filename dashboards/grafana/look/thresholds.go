package look

import "github.com/tidewatch/tidewatch/kpi"

// Thresholds colour values, as Grafana reads them.
type Thresholds struct {
	Mode  string `json:"mode"`
	Steps []Step `json:"steps"`
}

// A Step colours values from its own on; the first has none.
type Step struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"`
}

// Steps are thresholds in the values' own unit.
func Steps(list ...Step) Thresholds { return Thresholds{"absolute", list} }

// Neutral calls nothing good or bad.
var Neutral = Steps(Step{Color: "blue"})

// Fresh are those of seconds by which the watermark is behind the clock.
var Fresh = func() Thresholds {
	seconds, minute := 30.0, 120.0
	return Steps(Step{Color: "green"}, Step{Color: "orange", Value: &seconds}, Step{Color: "red", Value: &minute})
}()

// Targets are levels as colours; each is divided by per, such as the minor units of what
// is shown in major ones.
func Targets(t *kpi.Targets, per float64) Thresholds {
	if t == nil {
		return Neutral
	}
	shown := func(level *float64) *float64 {
		if level == nil {
			return nil
		}
		divided := *level / per
		return &divided
	}
	good, bad := shown(t.Good), shown(t.Bad)
	switch {
	case bad == nil:
		return Steps(Step{Color: "orange"}, Step{"green", good})
	case good == nil:
		return Steps(Step{Color: "red"}, Step{"green", bad})
	case *good > *bad:
		return Steps(Step{Color: "red"}, Step{"orange", bad}, Step{"green", good})
	}
	return Steps(Step{Color: "green"}, Step{"orange", good}, Step{"red", bad})
}

// Better is where higher values are better, what is said without any levels.
func Better(t *kpi.Targets, said string) string {
	switch {
	case t == nil:
		return said
	case t.Good != nil && t.Bad != nil && *t.Good < *t.Bad:
		return "lower"
	}
	return "higher"
}

// Change colours relative changes, where higher, lower or neither is better: what is
// within a twentieth is nothing.
func Change(better string) Thresholds {
	down, up := -0.05, 0.05
	switch better {
	case "higher":
		return Steps(Step{Color: "red"}, Step{"text", &down}, Step{"green", &up})
	case "lower":
		return Steps(Step{Color: "green"}, Step{"text", &down}, Step{"red", &up})
	}
	return Steps(Step{Color: "text"})
}
