package api

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/internal/spelling"
	"github.com/tidewatch/tidewatch/kpi"
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
	clock  clock
	// reserved are the parameters that are no fields.
	reserved []string

	window kpi.Window
	by     kpi.Set
	match  map[string]string
	// filters choose further among the series.
	filters labelFilters
}

// selectFrom reads window, by and the label matchers of a query for k.
func selectFrom(values url.Values, k *kpi.KPI, c clock, reserved ...string) (*selection, error) {
	s := &selection{values: values, kpi: k, clock: c, reserved: append(reserved, "by", "window")}
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
		f, err := readLabelFilter(name, s.values[name])
		if err != nil {
			return err
		}
		value, one := f.one()
		if !one {
			s.filters = append(s.filters, f)
			continue
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
	for _, f := range s.filters {
		add(f.field)
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
	return s.clock.parse(name, text, end)
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
