package kpi

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/tidewatch/tidewatch/internal/document"
)

// readHorizon reads for how many days after it a business day stays open.
func (k *KPI) readHorizon(m document.Mapping) {
	if k.Horizon = m.Integer("horizon", 1, maxHorizon, 0); k.Horizon == 0 && m.Has("horizon") {
		k.Horizon = maxHorizon // what is wrong with it was said
	}
}

// checkOpen holds a KPI of events whose days stay open to what can be kept of them.
func (k *KPI) checkOpen(m document.Mapping) {
	at, ok := m.Get("horizon")
	if !ok {
		return
	}
	switch {
	case !k.Keeps(Day):
		at.Fail("horizon", "goes with the window day", "leave it out, or keep day, too")
	case k.Top > 0:
		at.Fail("horizon", "does not go with top", "leave one of them out")
	case m.Has("also"):
		at.Fail("horizon", "does not go with also", "leave one of them out")
	case slices.ContainsFunc(k.Measures(), func(measure *Measure) bool { return measure.Op == Distinct }):
		at.Fail("horizon", "does not go with distinct", "leave it out: what comes late is no activity of a user")
	}
}

// AcceptsLate reports whether what counts beyond the allowed lateness is in the KPI's
// business days, as long as these are open.
func (k *KPI) AcceptsLate() bool { return k.Keeps(Day) && (k.Horizon > 0 || k.From != nil) }

// ofType reports whether a part of the KPI that is of events counts those of the type,
// and, if named, says so.
func (k *KPI) ofType(name string, named bool) bool {
	return slices.ContainsFunc(k.Measures(), func(m *Measure) bool {
		types := m.Where.Texts("type")
		return (k.From == nil || m.Events) && m.Op != Distinct && (types == nil && !named || slices.Contains(types, name))
	})
}

// SetAcceptLate has the types of events count beyond the allowed lateness, each up to so
// far behind the watermark. The IDs of the KPIs follow; it warns of those whose business
// days are over before.
func (c *Catalogue) SetAcceptLate(types map[string]time.Duration) {
	c.AcceptLate = types
	c.identify()
	for _, k := range c.KPIs {
		m, own := c.own[k]
		for _, name := range slices.Sorted(maps.Keys(types)) {
			days := daysOf(types[name])
			if !own || !k.Keeps(Day) || k.Horizon >= days || !k.ofType(name, true) {
				continue
			}
			remedy := fmt.Sprintf("write horizon: %d to have days open for as long", days)
			if at, ok := m.Get("horizon"); ok {
				at.Warn(strconv.Itoa(k.Horizon), fmt.Sprintf("is less than the %s that %s may come late", FormatLength(types[name]), name), remedy)
				continue
			}
			at, ok := m.Get("windows")
			if !ok {
				at = m.Node
			}
			at.Warn("day", fmt.Sprintf("is over before all %s is in, which may come %s late", name, FormatLength(types[name])), remedy)
		}
	}
	c.Warnings = nil
	for _, file := range c.documents {
		c.Warnings = append(c.Warnings, file.Warnings()...)
	}
}
