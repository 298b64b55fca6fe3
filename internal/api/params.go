package api

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/internal/spelling"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
)

// wellFormed refuses a query string that would be read in part.
func wellFormed(r *http.Request) error {
	if _, err := url.ParseQuery(r.URL.RawQuery); err != nil {
		return BadData("query string cannot be read: %v: put & between parameters, and write %%25 for %%, %%3B for ;", err)
	}
	return nil
}

// takes refuses parameters other than the known ones.
func takes(r *http.Request, known ...string) error {
	for _, name := range slices.Sorted(maps.Keys(r.URL.Query())) {
		if !slices.Contains(known, name) {
			return BadData("parameter %q is unknown for %s: %s", name, r.URL.Path,
				spelling.Meant(spelling.Nearest(name, known), "use "+cmp.Or(strings.Join(known, ", "), "none")))
		}
	}
	return nil
}

// A selection is what the parameters of a query select.
type selection struct {
	values url.Values
	kpi    *kpi.KPI
	zone   *kpi.Calendar
	// reserved are the parameters that are no fields.
	reserved []string

	window kpi.Window
	by     kpi.Set
	match  map[string]string
}

// selectFrom reads window, by and the label matchers of a query for k.
func selectFrom(values url.Values, k *kpi.KPI, zone *kpi.Calendar, reserved ...string) (*selection, error) {
	s := &selection{values: values, kpi: k, zone: zone, reserved: append(reserved, "by", "window")}
	slices.Sort(s.reserved)
	for _, read := range []func() error{s.readWindow, s.readMatch, s.readBy} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// one is the value of a parameter that may be given once; "" without it. Of the
// fields, "" is a value like any other.
func (s *selection) one(name string) (string, error) {
	values := s.values[name]
	switch {
	case len(values) > 1:
		return "", BadData("%s is given %d times: give it once", name, len(values))
	case len(values) == 1 && values[0] == "" && slices.Contains(s.reserved, name):
		return "", empty(name)
	}
	return s.values.Get(name), nil
}

func empty(name string) *Error { return BadData("%s is empty: give a value, or leave it out", name) }

func (s *selection) readWindow() error {
	text, err := s.one("window")
	if err != nil {
		return err
	}
	if text == "" {
		s.window = defaultWindow(s.kpi)
		return nil
	}
	window, err := kpi.ParseWindow(text)
	if err != nil {
		return BadData("window %v", err)
	}
	if !s.kpi.Keeps(window) {
		return BadData("window %s is not kept for %s: use %s", window, s.kpi.Name, windowList(s.kpi))
	}
	s.window = window
	return nil
}

// defaultWindow is 5m where it is kept, else the shortest, else day.
func defaultWindow(k *kpi.KPI) kpi.Window {
	if five := (kpi.Window{Length: 5 * time.Minute}); k.Keeps(five) {
		return five
	}
	return k.Windows[0]
}

// readMatch takes every parameter that is a field of the KPI as a matcher.
func (s *selection) readMatch() error {
	fields := fieldsOf(s.kpi)
	for _, name := range slices.Sorted(maps.Keys(s.values)) {
		if slices.Contains(s.reserved, name) && !s.names(name) {
			continue
		}
		if !slices.Contains(fields, name) {
			known := strings.Join(s.reserved, ", ")
			if len(fields) > 0 {
				known += " and the fields " + strings.Join(fields, ", ")
			}
			return BadData("parameter %q is unknown for %s: %s", name, s.kpi.Name,
				spelling.Meant(spelling.Nearest(name, slices.Concat(fields, s.reserved)), "use "+known))
		}
		value, err := s.one(name)
		if err != nil {
			return err
		}
		if s.match == nil {
			s.match = make(map[string]string)
		}
		s.match[name] = value
	}
	return nil
}

// names reports whether step, which is the distance between points, names one of a
// funnel: its field of that name has no lengths.
func (s *selection) names(parameter string) bool {
	if parameter != kpi.StepField || !slices.Contains(fieldsOf(s.kpi), parameter) {
		return false
	}
	_, err := parseStep(s.values.Get(parameter))
	return err != nil && s.values.Get(parameter) != ""
}

// readBy finds the set that holds the fields of by and of the matchers.
func (s *selection) readBy() error {
	var fields []string
	add := func(field string) {
		if field != "" && field != "total" && !slices.Contains(fields, field) {
			fields = append(fields, field)
		}
	}
	for _, list := range s.values["by"] {
		if strings.Trim(list, ", ") == "" {
			return empty("by")
		}
		for field := range strings.SplitSeq(list, ",") {
			add(strings.TrimSpace(field))
		}
	}
	for field := range s.match {
		add(field)
	}
	if len(fields) == 0 && !s.values.Has("by") {
		s.by = s.kpi.By[0] // the total, or what a top list ranks
		return nil
	}
	set, ok := s.kpi.SetOf(fields...)
	if !ok {
		slices.Sort(fields)
		if len(fields) == 0 {
			fields = []string{"total"}
		}
		return BadData("by %s is not kept for %s: %s", strings.Join(fields, ","), s.kpi.Name, spelling.Meant(s.near(fields), "use "+setList(s.kpi)))
	}
	s.by = set
	return nil
}

// near is the set that fields, misspelt, may have been meant to be, "" without one.
func (s *selection) near(fields []string) string {
	known := fieldsOf(s.kpi)
	near := slices.Clone(fields)
	for i, field := range fields {
		if !slices.Contains(known, field) {
			near[i] = spelling.Nearest(field, known)
		}
	}
	set, _ := s.kpi.SetOf(near...)
	return set.Key()
}

// instant reads a parameter that is a point in time; zero without it. Of a
// date it takes the start, or with end the end.
func (s *selection) instant(name string, end bool) (time.Time, error) {
	text, err := s.one(name)
	if text == "" || err != nil {
		return time.Time{}, err
	}
	return parseDated(name, text, s.zone, end)
}

// Times that are taken, in Unix milliseconds: 1973 to 2105. A smaller integer
// is rather seconds.
const (
	minMillis = 100_000_000_000
	maxMillis = 4_291_747_200_000 - 1
)

// parseInstant reads a point in time.
func parseInstant(name, text string) (time.Time, error) {
	return parsePoint(name, text, "RFC 3339 (2026-11-22T10:00:00+08:00) or integer epoch milliseconds")
}

// parseDated reads a point in time or a date, of which it takes the start, or
// with end the end.
func parseDated(name, text string, zone *kpi.Calendar, end bool) (time.Time, error) {
	day, err := zone.ParseDay(text)
	if err != nil {
		return parsePoint(name, text, "RFC 3339 (2026-11-22T10:00:00+08:00), integer epoch milliseconds or a date (2026-11-22)")
	}
	start, next := zone.Start(day), zone.Start(day+1)
	if start == next {
		return time.Time{}, BadData("%s %s is a date that the time zone skipped: give the day before or after", name, text)
	}
	if end {
		start = next
	}
	return within(name, text, start)
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

// fieldsOf lists the fields of all sets of a KPI.
func fieldsOf(k *kpi.KPI) []string {
	var fields []string
	for _, set := range k.By {
		for _, field := range set {
			if !slices.Contains(fields, field) {
				fields = append(fields, field)
			}
		}
	}
	slices.Sort(fields)
	return fields
}

func windowList(k *kpi.KPI) string {
	names := make([]string, len(k.Windows))
	for i, w := range k.Windows {
		names[i] = w.String()
	}
	return strings.Join(names, ", ")
}

func setList(k *kpi.KPI) string {
	names := make([]string, len(k.By))
	for i, set := range k.By {
		if names[i] = strings.Join(set, ","); len(set) == 0 {
			names[i] = "total"
		}
	}
	return strings.Join(names, " or ")
}
