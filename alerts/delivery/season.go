package delivery

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/tidewatch/tidewatch/kpi"
)

// An Interval is days that routes may name as a time interval.
type Interval struct {
	Name string
	// Days are in the terms of Alertmanager's files.
	Days []any
}

// Any stands for whatever intervals there may be, where that is not known.
var Any = Interval{}

// SeasonsOf are the seasons of a catalogue, by the clock of its zone.
func SeasonsOf(c *kpi.Catalogue) (out []Interval) {
	for _, s := range c.Seasons {
		one := Interval{Name: s.Name}
		for _, d := range s.Months() {
			days := map[string]any{
				"months": []string{strconv.Itoa(int(d.Month))}, "days_of_month": []string{fmt.Sprintf("%d:%d", d.From, d.To)},
				"location": c.Location.String(),
			}
			if d.Year != 0 {
				days["years"] = []string{strconv.Itoa(d.Year)}
			}
			one.Days = append(one.Days, days)
		}
		out = append(out, one)
	}
	return out
}

// define adds those intervals that the file's routes name and it does not define, as elements
// of its time_intervals.
func (s *sifter) define() {
	var named []string
	for _, n := range s.timed {
		named = append(named, n.Value())
	}
	beside := s.beside
	if slices.ContainsFunc(beside, func(one Interval) bool { return one.Name == Any.Name }) {
		for _, name := range named {
			beside = append(beside, Interval{Name: name})
		}
	}
	for _, one := range beside {
		if one.Name == Any.Name || slices.Contains(s.intervals, one.Name) {
			continue
		}
		s.intervals = append(s.intervals, one.Name)
		if slices.Contains(named, one.Name) {
			s.defined = append(s.defined, map[string]any{"name": one.Name, "time_intervals": one.Days})
		}
	}
}
