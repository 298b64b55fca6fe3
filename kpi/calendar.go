package kpi

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/tidewatch/tidewatch/internal/document"
)

// A Calendar cuts event time into the business days of a zone. A day is
// numbered by its date: the days since 1970-01-01. It lasts from the first
// instant whose local date is that date to the first instant of the next; 23 or
// 25 hours where clocks change. A date that the zone skipped has no length. Any
// number of goroutines may share a Calendar.
type Calendar struct {
	zone *time.Location
	near atomic.Pointer[span]
}

// A span is the starts of consecutive days, in Unix milliseconds.
type span struct {
	first  int32
	starts [33]int64
}

// NewCalendar is the calendar of the zone.
func NewCalendar(zone *time.Location) *Calendar { return &Calendar{zone: zone} }

const dayMillis = int64(day / time.Millisecond)

// Day is the business day of an instant in Unix milliseconds.
func (c *Calendar) Day(ms int64) int32 {
	s := c.near.Load()
	if s == nil || ms < s.starts[0] || ms >= s.starts[len(s.starts)-1] {
		s = c.around(ms)
		c.near.Store(s)
	}
	// Days last about 24 hours, so the guess is off by one at most, or by the
	// dates that were skipped.
	i := min(int((ms-s.starts[0])/dayMillis), len(s.starts)-2)
	for ms < s.starts[i] {
		i--
	}
	for ms >= s.starts[i+1] {
		i++
	}
	return s.first + int32(i)
}

// around is the span with the instant in its middle: the local date is at most
// a day off the one in UTC.
func (c *Calendar) around(ms int64) *span {
	s := &span{first: int32(ms/dayMillis) - 16}
	for i := range s.starts {
		s.starts[i] = c.start(s.first + int32(i))
	}
	return s
}

// Start is the first instant, in Unix milliseconds, whose local date is the
// day's; of a date that the zone skipped, the start of the next.
func (c *Calendar) Start(n int32) int64 {
	if s := c.near.Load(); s != nil && n >= s.first && int(n-s.first) < len(s.starts) {
		return s.starts[n-s.first]
	}
	return c.start(n)
}

// start is Start of any day.
//
// time.Date would answer the day before where midnight does not exist, so this
// looks at the stretches of constant offset in which the date can begin.
func (c *Calendar) start(n int32) int64 {
	midnight := int64(n) * 86400
	for t := time.Unix(midnight-86400, 0).In(c.zone); ; {
		from, to := t.ZoneBounds()
		if !to.IsZero() && !to.After(t) {
			to = t.Add(day) // Go's bounds leave out the last day of a leap year under a zone's rule
		}
		_, offset := t.Zone()
		start := midnight - int64(offset)
		if !from.IsZero() {
			start = max(start, from.Unix())
		}
		if start < midnight-int64(offset)+86400 && (to.IsZero() || start < to.Unix()) {
			return start * 1000
		}
		if to.IsZero() || to.Unix() > midnight+2*86400 {
			return c.start(n + 1)
		}
		t = to
	}
}

// WeeksBefore is the same time of the day by the clock, so many weeks before.
func (c *Calendar) WeeksBefore(ms int64, n int) int64 {
	return time.UnixMilli(ms).In(c.zone).AddDate(0, 0, -7*n).UnixMilli()
}

// Before is the day before, over dates that the zone skipped.
func (c *Calendar) Before(n int32) int32 {
	n--
	for c.Start(n) == c.Start(n+1) {
		n--
	}
	return n
}

// after is the day after, over dates that the zone skipped.
func (c *Calendar) after(n int32) int32 {
	n++
	for c.Start(n) == c.Start(n+1) {
		n++
	}
	return n
}

// Clock is the instant of a day at which clocks show what they show at another one, in Unix
// milliseconds. Where they jump over it, it is about an hour off, and on the day.
func (c *Calendar) Clock(n int32, ms int64) int64 {
	shown := time.UnixMilli(ms).In(c.zone)
	date := time.Unix(int64(n)*86400, 0).UTC()
	at := time.Date(date.Year(), date.Month(), date.Day(), shown.Hour(), shown.Minute(), shown.Second(), shown.Nanosecond(), c.zone).UnixMilli()
	start, end := c.Start(n), c.Start(n+1)
	if at < start { // its clocks began later
		at = start + int64(shown.Hour()*3600+shown.Minute()*60+shown.Second())*1000 + int64(shown.Nanosecond()/1e6)
	}
	return min(at, end)
}

// Format writes the day's date, "2026-11-22".
func (c *Calendar) Format(n int32) string {
	return time.Unix(int64(n)*86400, 0).UTC().Format(time.DateOnly)
}

// ParseDay reads a date.
func (c *Calendar) ParseDay(date string) (int32, error) {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return 0, &document.Problem{Value: strconv.Quote(date), Rule: "is no date", Remedy: "write it as 2026-11-22"}
	}
	return int32(t.Unix() / 86400), nil
}

// PerDay keeps what Make answers of days. Any number of goroutines may share one.
type PerDay[T any] struct {
	Make  func(day int32) T
	known [64]atomic.Pointer[ofDay[T]]
}

type ofDay[T any] struct {
	day int32
	is  T
}

// Of is what Make answers of a day.
func (p *PerDay[T]) Of(day int32) *T {
	known := &p.known[uint32(day)%uint32(len(p.known))]
	of := known.Load()
	if of == nil || of.day != day {
		of = &ofDay[T]{day, p.Make(day)}
		known.Store(of)
	}
	return &of.is
}
