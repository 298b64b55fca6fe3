package kpi

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/internal/document"
)

// MaxWindow is the longest window that can be kept.
const MaxWindow = 92 * day

const day = 24 * time.Hour

// lengthUnits are the units of a window's length.
var lengthUnits = map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': day}

// ParseWindow reads "today", "day" or a length such as "5m", "24h", "1h30m" or "7d": at
// most MaxWindow, and a multiple of its Step.
func ParseWindow(s string) (Window, error) {
	switch s {
	case "day":
		return Day, nil
	case "today":
		return Today, nil
	}
	length, ok := parseLength(s)
	if !ok {
		return Window{}, &document.Problem{Value: strconv.Quote(s), Rule: "is no window", Remedy: `write "today", "day" or a length in s, m, h and d, such as 5m, 24h or 7d`}
	}
	w := Window{Length: length}
	switch {
	case length == 0:
		return Window{}, &document.Problem{Value: s, Rule: "is empty", Remedy: "give a length of at least 1s"}
	case length > MaxWindow:
		return Window{}, &document.Problem{Value: s, Rule: "is longer than 92d", Remedy: "give a length of at most 92d"}
	case length%w.Step() != 0:
		down := FormatLength(length.Truncate(w.Step()))
		return Window{}, &document.Problem{Value: s, Rule: fmt.Sprintf("is no multiple of %s, the step of windows of its length", FormatLength(w.Step())), Remedy: fmt.Sprintf("give %s, for example", down)}
	}
	return w, nil
}

// parseLength reads numbers with units. A length beyond MaxWindow is answered
// as some length beyond it.
func parseLength(s string) (time.Duration, bool) {
	if s == "" {
		return 0, false
	}
	var total time.Duration
	for s != "" {
		digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
		if digits == 0 || digits == len(s) {
			return 0, false
		}
		unit, ok := lengthUnits[s[digits]]
		if !ok {
			return 0, false
		}
		n, err := strconv.ParseInt(s[:digits], 10, 64)
		if err != nil || n > int64(MaxWindow/unit) {
			n = int64(MaxWindow/unit) + 1
		}
		total = min(total+time.Duration(n)*unit, 2*MaxWindow)
		s = s[digits+1:]
	}
	return total, true
}

// FormatLength writes a length of whole seconds in its largest unit that
// divides it: "90s", "5m", "24h", and in days from "2d" on.
func FormatLength(d time.Duration) string {
	switch {
	case d >= 2*day && d%day == 0:
		return strconv.FormatInt(int64(d/day), 10) + "d"
	case d >= time.Hour && d%time.Hour == 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	case d >= time.Minute && d%time.Minute == 0:
		return strconv.FormatInt(int64(d/time.Minute), 10) + "m"
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + "s"
}

// compareWindows orders windows shortest first, the business day and today last.
func compareWindows(a, b Window) int {
	rank := func(w Window) time.Duration {
		if w.Length > 0 {
			return w.Length
		}
		return MaxWindow + 1 - w.Length
	}
	return cmp.Compare(rank(a), rank(b))
}
