package kpi

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/internal/document"
)

// A Season is days on which nothing is usual: a sale, a holiday. What is usual is not
// told on them, nor by them.
type Season struct {
	Name  string
	Title Text
	days  []dates
}

// dates are those from one to another, both among them: of each year in the form 1231,
// else in the form 20261231.
type dates struct {
	from, to int
	yearly   bool
}

// has reports whether a date is among them. Those of each year may go over its end.
func (s dates) has(t time.Time) bool {
	at := int(t.Month())*100 + t.Day()
	if !s.yearly {
		at += t.Year() * 10_000
	}
	if s.to < s.from {
		return at >= s.from || at <= s.to
	}
	return at >= s.from && at <= s.to
}

// MonthDays are days of a month, one to another, both among them: of each year, or of one.
type MonthDays struct {
	Year     int // 0: each
	Month    time.Month
	From, To int // the 31st stands for a shorter month's last
}

// Months are the season's days, month by month.
func (s *Season) Months() (out []MonthDays) {
	for _, in := range s.days {
		if in.to < in.from { // over the end of the year
			out = append(append(out, dates{in.from, 1231, true}.months()...), dates{101, in.to, true}.months()...)
		} else {
			out = append(out, in.months()...)
		}
	}
	return out
}

// months are dates of which those of each year do not go over its end.
func (s dates) months() (out []MonthDays) {
	for at := s.from; at <= s.to; {
		d := MonthDays{Year: at / 10_000, Month: time.Month(at / 100 % 100), From: at % 100, To: 31}
		if at/100 == s.to/100 {
			d.To = s.to % 100
		}
		out = append(out, d)
		if at = at/100*100 + 101; d.Month == time.December {
			at += 10_000 - 1200
		}
	}
	return out
}

// Season is the one that a business day is in, nil for none.
func (c *Catalogue) Season(day int32) *Season {
	t := time.Unix(int64(day)*86400, 0).UTC()
	for _, s := range c.Seasons {
		if slices.ContainsFunc(s.days, func(in dates) bool { return in.has(t) }) {
			return s
		}
	}
	return nil
}

func readSeason(n document.Node) *Season {
	m := n.Mapping("name", "title", "days")
	s := &Season{Name: m.Text("name")}
	s.Title = readText(m, "title", s.Name)
	if s.Name == "" {
		m.Missing("has no name", "add name: some_word")
	}
	list := m.List("days")
	if len(list) == 0 {
		m.Missing("has no days", `add days: ["11-09..11-12"], or with a year, ["2027-02-05..2027-02-12"]`)
	}
	for _, at := range list {
		if in, ok := parseDates(at.Text()); ok {
			s.days = append(s.days, in)
		} else {
			at.Fail(strconv.Quote(at.Text()), "is no range of days", "write 11-09..11-12, of each year, or 2027-02-05..2027-02-12")
		}
	}
	return s
}

// parseDates reads MM-DD..MM-DD or the same with years; one alone is from it to it.
func parseDates(text string) (s dates, ok bool) {
	from, to, ranged := strings.Cut(text, "..")
	if !ranged {
		to = from
	}
	s.yearly = len(from) == len("01-02")
	if len(from) != len(to) {
		return s, false
	}
	for _, end := range []struct {
		text string
		into *int
	}{{from, &s.from}, {to, &s.to}} {
		year := ""
		if s.yearly {
			year = "2000-" // has a 29th of February
		}
		t, err := time.Parse(time.DateOnly, year+end.text)
		if err != nil {
			return s, false
		}
		*end.into = int(t.Month())*100 + t.Day()
		if !s.yearly {
			*end.into += t.Year() * 10_000
		}
	}
	return s, s.yearly || s.from <= s.to
}
