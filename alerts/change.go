package alerts

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

// A Change is what the KPI of a notification was before, and which values of other
// dimensions the difference comes from.
type Change struct {
	// Since is when the window ended that it is compared with, Until the newer one.
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	// Before is its value, Currency that of an amount, "" where it was in none.
	Before   float64 `json:"before"`
	Currency string  `json:"currency,omitempty"`
	// Parts are what contributes most, the larger shares first.
	Parts []Contribution `json:"parts,omitempty"`
}

// A Contribution is the part of one value of a dimension in a change.
type Contribution struct {
	Field string `json:"field"`
	Value string `json:"value"`
	// Share is its part of the difference: 1 is all of it, more is offset by others.
	Share float64 `json:"share"`
	// Before and Now are the KPI's own values of it, nil where there is none.
	Before *float64 `json:"before"`
	Now    *float64 `json:"now"`
	// BeforeN and N are what these rest on, of a ratio: what it divides by.
	BeforeN int64 `json:"before_n,omitempty"`
	N       int64 `json:"n,omitempty"`
}

// An Asked is the KPI that an alert is about, in the window that ended last at a time.
type Asked struct {
	KPI    string
	Series map[string]string // the values of the fields of its dimension set
	Window kpi.Window
	At     int64 // Unix milliseconds
	// Comparison is that of the rule, "" for none.
	Comparison string
}

// About says which KPI an alert that was notified at the last evaluation is about: ok is
// false where it is about something else, such as what is computed of several.
func (e *Engine) About(n *Notification) (asked Asked, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	a := e.lately[n.Alert]
	if a == nil || a.state != Firing {
		return Asked{}, false
	}
	asked = Asked{Series: map[string]string{}, At: n.WindowEnd}
	r := a.rule
	if !r.queried() {
		asked.KPI, asked.Window, asked.Comparison = r.kpi.Name, r.selector.window, r.selector.op.String()
		for i, f := range r.by {
			asked.Series[f] = a.series[i]
		}
		return asked, r.part == kpi.ValuePart
	}
	bare := r.query.bare
	if bare == nil || r.query.kpi == nil {
		return Asked{}, false
	}
	var err error
	if asked.Window, err = kpi.ParseWindow(equalTo(bare, "window")); err != nil || nameOf(bare) != r.query.kpi.Series(kpi.ValuePart) {
		return Asked{}, false
	}
	asked.KPI, asked.Comparison, asked.At = r.query.kpi.Name, r.query.comparison, n.WindowEnd-r.offset
	by := ""
	for i, f := range a.fields {
		if f == "by" {
			by = a.series[i]
		}
	}
	for i, f := range a.fields {
		if slices.Contains(strings.Split(by, ","), f) {
			asked.Series[f] = a.series[i]
		}
	}
	return asked, by != ""
}

// Explain has an alert that was notified at the last evaluation say what has changed, in its
// notification and wherever it is shown from then on.
func (e *Engine) Explain(n *Notification, c *Change) {
	e.mu.Lock()
	defer e.mu.Unlock()
	n.Change = c
	c.annotate(n.Annotations)
	if a := e.lately[n.Alert]; a != nil {
		a.change, e.saved = c, nil
		a.annotations = maps.Clone(a.annotations)
		c.annotate(a.annotations)
	}
}

// annotate says it in annotations. Those that the rule names itself stay.
func (c *Change) annotate(annotations map[string]string) {
	say := func(name, text string) {
		if _, own := annotations[name]; !own {
			annotations[name] = text
		}
	}
	if c.Currency != "" && annotations["value"] == "0" {
		say("currency", c.Currency) // an amount of nothing has none of its own
	}
	if c.Currency != annotations["currency"] && c.Currency != "" {
		say("before_currency", c.Currency)
	}
	say("before", formatFloat(c.Before))
	say("before_at", c.Since.UTC().Format(timeFormat))
	var parts []string
	for _, p := range c.Parts {
		part := p.Field + "=" + p.Value + " " + strconv.FormatFloat(100*p.Share, 'f', 0, 64) + "%"
		if p.BeforeN > 0 || p.N > 0 {
			part += fmt.Sprintf(" (n=%d)", p.N)
		}
		parts = append(parts, part)
	}
	if len(parts) > 0 {
		say("contributions", strings.Join(parts, ", "))
	}
}

// leave takes out of annotations what was said of it: that is of an alert that fires.
func (c *Change) leave(annotations map[string]string) {
	if c == nil {
		return
	}
	said := map[string]string{"value": annotations["value"], "currency": annotations["currency"]}
	c.annotate(said)
	for _, name := range []string{"before", "before_at", "before_currency", "contributions"} {
		if annotations[name] == said[name] {
			delete(annotations, name)
		}
	}
}
