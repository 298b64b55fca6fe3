package kpi

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// Seasons are days of each year, over its end too, or of one.
func TestSeason(t *testing.T) {
	c, err := Load(time.UTC, File{Name: "x.yaml", Data: []byte(`
seasons:
  - {name: turn, title: {en: Turn, zh: 跨年}, days: ["12-30..01-02"]}
  - {name: "1111", title: {en: Longer, zh: 更长}, days: ["11-01..11-11", "2027-10-31"]}
`)})
	if err != nil {
		t.Fatal(err)
	}
	for date, want := range map[string]string{
		"2026-12-29": "", "2026-12-30": "Turn", "2027-01-02": "Turn", "2027-01-03": "",
		"2026-10-31": "", "2027-10-31": "Longer", "2026-11-01": "Longer", "2026-11-12": "", // the embedded one is replaced
		"2028-01-26": "Spring festival", "2028-02-29": "", "2026-06-18": "Mid-year sale",
	} {
		day, err := NewCalendar(time.UTC).ParseDay(date)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if s := c.Season(day); s != nil {
			got = s.Title.EN
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", date, got, want)
		}
	}
	for text, want := range map[string]string{
		`{name: a, days: ["13-01"]}`:                             `seasons[0].days[0]: "13-01" is no range of days`,
		`{name: a, days: ["2027-02-02..2027-02-01"]}`:            "is no range of days",
		`{name: a, days: ["02-02..2027-02-03"]}`:                 "is no range of days",
		`{name: a}`:                                              "has no days",
		`{days: ["01-01"]}`:                                      "has no name",
		`{name: a, days: ["01-01"]}, {name: a, days: ["01-02"]}`: "a is defined twice",
	} {
		if _, err := Load(time.UTC, File{Name: "x.yaml", Data: []byte("seasons: [" + text + "]")}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// TestMonths: a season's days month by month are its days.
func TestMonths(t *testing.T) {
	c, err := Load(time.UTC, File{Name: "x.yaml", Data: []byte(`
seasons:
  - {name: turn, title: {en: Turn, zh: 跨年}, days: ["11-29..01-02", "2026-11-28..2027-03-01", "02-28..02-29"]}
`)})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range c.Seasons {
		for at := time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2037; at = at.AddDate(0, 0, 1) {
			want := slices.ContainsFunc(s.days, func(in dates) bool { return in.has(at) })
			got := slices.ContainsFunc(s.Months(), func(m MonthDays) bool {
				return (m.Year == 0 || m.Year == at.Year()) && m.Month == at.Month() && m.From <= at.Day() && at.Day() <= m.To
			})
			if got != want {
				t.Fatalf("%s has %s: got %t, want %t, of %+v", s.Name, at.Format(time.DateOnly), got, want, s.Months())
			}
		}
	}
}
