package kpi

import (
	"fmt"
	"time"
)

// ForgetAfter is that of a Catalogue by default.
const ForgetAfter = 400

// activityDays is on how many days up to the last active one it is known whether a user
// was active.
const activityDays = 64

// LeastForgetAfter is the least that ForgetAfter can be, in days, and what looks as far
// back.
func (c *Catalogue) LeastForgetAfter() (days int, what string) {
	days, what = activityDays, "the rhythm of a user"
	need := func(n int, format string, args ...any) {
		if n > days {
			days, what = n, fmt.Sprintf(format, args...)
		}
	}
	for _, k := range c.KPIs {
		for _, w := range k.Windows {
			need(int((w.Length+day-time.Nanosecond)/day), "window %s of %s", w, k.Name)
		}
		for _, o := range []*Operator{k.From, k.Also} {
			if o != nil {
				need(o.remembers(), "operator %s", o.Name)
			}
		}
	}
	return days, what
}

// remembers is for how many days behind what a user did it makes a difference.
func (o *Operator) remembers() int {
	switch j := o.Journey.(type) {
	case *RFM:
		return RFMDays
	case *Retention:
		if j.First {
			return StartDays
		}
	}
	return o.horizon()
}
