package kpi

import "time"

// A Comparison is a window that another one is held against: so much earlier.
type Comparison struct {
	Name string
	back time.Duration // 0 for the window's own length
	days int           // the same in business days, for those
}

// Comparisons are those that there are.
var Comparisons = []Comparison{{"previous", 0, 1}, {"yesterday", 24 * time.Hour, 1}, {"last_week", 7 * 24 * time.Hour, 7}}

// Before is an instant so far before another: local midnights before those of days, and
// the same time of the day by the clock in between.
func (c Comparison) Before(at time.Time, w Window, days *Calendar) time.Time {
	switch {
	case w.IsDay() || w == Today:
		return days.moved(at, -c.days)
	case c.back == 0:
		return at.Add(-w.Length)
	}
	return at.Add(-c.back)
}

// After is an instant so far after another: where the window stands that one which ends
// there is held against.
func (c Comparison) After(at time.Time, w Window, days *Calendar) time.Time {
	switch {
	case w.IsDay() || w == Today:
		return days.moved(at, c.days)
	case c.back == 0:
		return at.Add(w.Length)
	}
	return at.Add(c.back)
}

// moved is an instant by so many days, as the end of a window: midnight ends a day.
func (c *Calendar) moved(at time.Time, by int) time.Time {
	day := c.Day(at.UnixMilli() - 1)
	whole := at.UnixMilli() == c.Start(day+1)
	for range by {
		day = c.after(day)
	}
	for range -by {
		day = c.Before(day)
	}
	if whole { // a day may be an hour shorter
		return time.UnixMilli(c.Start(day + 1))
	}
	return time.UnixMilli(c.Clock(day, at.UnixMilli()))
}
