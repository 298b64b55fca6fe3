package kpi

import (
	"slices"
	"testing"
	"time"
)

// TestComparisons: what is so far before and after, by the clock of the zone.
func TestComparisons(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	c := NewCalendar(zone)
	at := func(text string) time.Time {
		when, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	for _, tt := range []struct {
		name   string
		window Window
		at     string
		want   string
	}{
		{"previous", Window{Length: time.Hour}, "2026-11-22 10:00", "2026-11-22 09:00"},
		{"yesterday", Window{Length: time.Hour}, "2026-11-22 10:00", "2026-11-21 10:00"},
		{"last_week", Window{Length: time.Hour}, "2026-11-22 10:00", "2026-11-15 10:00"},
		{"previous", Day, "2026-11-22 00:00", "2026-11-21 00:00"},
		{"last_week", Day, "2026-11-22 00:00", "2026-11-15 00:00"},
		{"yesterday", Day, "2026-11-03 00:00", "2026-11-02 00:00"}, // before it is a day of 25 hours
		{"yesterday", Today, "2026-11-22 10:20", "2026-11-21 10:20"},
		{"yesterday", Today, "2026-11-22 00:00", "2026-11-21 00:00"},
		{"yesterday", Today, "2026-11-02 08:00", "2026-11-01 08:00"}, // after, in, and a week behind 25 hours
		{"yesterday", Today, "2026-11-01 23:30", "2026-10-31 23:30"},
		{"last_week", Today, "2026-11-08 08:00", "2026-11-01 08:00"},
		{"yesterday", Today, "2026-03-09 00:30", "2026-03-08 00:30"},
		{"yesterday", Today, "2026-03-08 08:00", "2026-03-07 08:00"},
	} {
		i := slices.IndexFunc(Comparisons, func(c Comparison) bool { return c.Name == tt.name })
		if got := Comparisons[i].Before(at(tt.at), tt.window, c); !got.Equal(at(tt.want)) {
			t.Errorf("%s of %s %s: got %s, want %s", tt.name, tt.window, tt.at, got.In(zone), tt.want)
		}
		if got := Comparisons[i].After(at(tt.want), tt.window, c); !got.Equal(at(tt.at)) {
			t.Errorf("what %s of %s %s is for: got %s, want %s", tt.name, tt.window, tt.want, got.In(zone), tt.at)
		}
	}
}
