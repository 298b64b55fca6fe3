package oracle

import "time"

// A calendar cuts time into the business days of a zone. A day has the number
// of its date, counted from 1970-01-01; it begins at the first instant whose
// local date is that date. A date that the zone skipped begins, and ends, with
// the next.
type calendar struct {
	zone   *time.Location
	starts map[int32]int64 // by day, Unix seconds
}

func newCalendar(zone *time.Location) *calendar { return &calendar{zone, map[int32]int64{}} }

// start is the first second of the day. Zones are at most 16 hours off, and
// change at whole minutes.
func (c *calendar) start(day int32) int64 {
	if s, ok := c.starts[day]; ok {
		return s
	}
	midnight := int64(day) * 86_400
	for s := midnight - 16*3600; s <= midnight+16*3600; s += 60 {
		if c.date(s) == day {
			c.starts[day] = s
			return s
		}
	}
	c.starts[day] = c.start(day + 1)
	return c.starts[day]
}

// date is the local date of a second.
func (c *calendar) date(second int64) int32 {
	y, m, d := time.Unix(second, 0).In(c.zone).Date()
	return int32(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86_400)
}

// day is the business day of a time in milliseconds. Where clocks go back over
// midnight, a date that comes again is still the day that has begun.
func (c *calendar) day(ms int64) int32 {
	second := floorDiv(ms, 1000)
	day := c.date(second) + 1
	for c.start(day) > second || c.start(day) == c.start(day+1) {
		day--
	}
	return day
}

// monthOf is the month of a day.
func monthOf(day int32) time.Month { return time.Unix(int64(day)*86_400, 0).UTC().Month() }

// before is the last day that is over at a time in milliseconds.
func (c *calendar) before(ms int64) int32 {
	day := c.day(ms) - 1
	for c.start(day) == c.start(day+1) {
		day--
	}
	return day
}
