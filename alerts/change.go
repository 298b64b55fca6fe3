package alerts

import (
	"strconv"
	"strings"
	"time"
)

// A Change is what the KPI of a notification was before, and which values of other
// dimensions the difference comes from.
type Change struct {
	// Since is when the window ended that it is compared with, Until the newer one.
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	// Before is its value.
	Before float64 `json:"before"`
	// Parts are what contributes most, the larger shares first.
	Parts []Contribution `json:"parts,omitempty"`
}

// A Contribution is the part of one value of a dimension in a change.
type Contribution struct {
	Field string `json:"field"`
	Value string `json:"value"`
	// Share is its part of the difference: 1 is all of it.
	Share float64 `json:"share"`
	// Before and Now are the KPI's own values of it, nil where there is none.
	Before *float64 `json:"before"`
	Now    *float64 `json:"now"`
}

// Explain has the notification say what has changed.
func (n *Notification) Explain(c *Change) {
	n.Change = c
	say := func(name, text string) {
		if _, own := n.Annotations[name]; !own {
			n.Annotations[name] = text
		}
	}
	say("before", formatFloat(c.Before))
	say("before_at", c.Since.UTC().Format(timeFormat))
	var parts []string
	for _, p := range c.Parts {
		parts = append(parts, p.Field+"="+p.Value+" "+strconv.FormatFloat(100*p.Share, 'f', 0, 64)+"%")
	}
	if len(parts) > 0 {
		say("contributions", strings.Join(parts, ", "))
	}
}
