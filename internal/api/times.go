package api

import (
	"strconv"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
)

// Times that are taken, in Unix milliseconds: 1973 to 2105. A smaller integer
// is rather seconds.
const (
	minMillis = 100_000_000_000
	maxMillis = 4_291_747_200_000 - 1
)

// datedForms are how a parameter says a time.
const datedForms = "RFC 3339 (2026-11-22T10:00:00+08:00), integer epoch milliseconds, a date (2026-11-22), now, today, yesterday or a length back (-1h, -7d)"

// A clock says which time it is for those who ask, and which business day.
type clock struct {
	zone *kpi.Calendar
	// newest is the event time up to which the input is believed complete.
	newest func() time.Time
}

// clockOf is an engine's.
func clockOf(e Engine) clock {
	return clock{kpi.NewCalendar(e.Catalogue().Location), func() time.Time {
		if at := e.Ledger().Watermark; !at.IsZero() {
			return at
		}
		return time.Now()
	}}
}

// today is the business day that is not over.
func (c clock) today() int32 { return c.zone.Day(c.newest().UnixMilli()) }

// parse reads a point in time or a business day, of which it takes the start, or with
// end the end.
func (c clock) parse(name, text string, end bool) (time.Time, error) {
	switch {
	case text == "now":
		return c.newest(), nil
	case text == "today", text == "yesterday":
		day := c.today()
		if text == "yesterday" {
			day = c.zone.Before(day)
		}
		return c.day(name, text, day, end)
	case strings.HasPrefix(text, "-"):
		length, err := parseStep(text[1:])
		if number, ok := strings.CutSuffix(text[1:], "d"); ok { // further than any window is long
			var days uint64
			days, err = strconv.ParseUint(number, 10, 16)
			length = time.Duration(days) * 24 * time.Hour
		}
		if err != nil || length <= 0 {
			return time.Time{}, BadData("%s %q is no length of time to go back: give one such as -30m, -1h or -7d", name, text)
		}
		return within(name, text, c.newest().Add(-length).UnixMilli())
	}
	if day, err := c.zone.ParseDay(text); err == nil {
		return c.day(name, text, day, end)
	}
	return parsePoint(name, text, datedForms)
}

func (c clock) day(name, text string, day int32, end bool) (time.Time, error) {
	start, next := c.zone.Start(day), c.zone.Start(day+1)
	if start == next {
		return time.Time{}, BadData("%s %s is a date that the time zone skipped: give the day before or after", name, text)
	}
	if end {
		start = next
	}
	return within(name, text, start)
}

// parseInstant reads a point in time.
func parseInstant(name, text string) (time.Time, error) {
	return parsePoint(name, text, "RFC 3339 (2026-11-22T10:00:00+08:00) or integer epoch milliseconds")
}

// parsePoint reads a point in time; forms are what may be given.
func parsePoint(name, text, forms string) (time.Time, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if n < minMillis {
			return time.Time{}, BadData("%s %d looks like seconds: give %s", name, n, forms)
		}
		return within(name, text, n)
	}
	t, ok := stream.ParseTime(strings.Replace(text, " ", "+", 1)) // a URL's + is a space
	if !ok {
		return time.Time{}, BadData("%s %q is no time: give %s", name, text, forms)
	}
	return within(name, text, t.UnixMilli())
}

func within(name, text string, ms int64) (time.Time, error) {
	if ms < minMillis || ms > maxMillis {
		return time.Time{}, BadData("%s %s is outside 1973 to 2105: give a time in between", name, text)
	}
	return time.UnixMilli(ms), nil
}
