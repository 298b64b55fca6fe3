package kpi

import (
	"math/rand/v2"
	"testing"
	"time"
	_ "time/tzdata"
)

var zones = []string{
	"UTC", "Asia/Shanghai", "America/New_York", "America/Sao_Paulo", "America/Havana", "America/Santiago",
	"Pacific/Apia", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "Africa/Cairo", "Asia/Gaza",
	"Pacific/Kiritimati", "Antarctica/Troll",
}

func calendar(t testing.TB, zone string) *Calendar {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	return NewCalendar(loc)
}

func TestDaysPartitionTime(t *testing.T) {
	from := time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC).Unix() / 86400
	to := time.Date(2060, 12, 31, 0, 0, 0, 0, time.UTC).Unix() / 86400
	for _, zone := range zones {
		t.Run(zone, func(t *testing.T) {
			t.Parallel()
			c, random := calendar(t, zone), rand.New(rand.NewPCG(1, 2))
			for d := int32(from); d <= int32(to); d++ {
				start, end := c.Start(d), c.Start(d+1)
				if start == end { // a skipped date
					if day := c.Day(start); day != d+1 {
						t.Fatalf("the start of skipped %s is on %s", c.Format(d), c.Format(day))
					}
					continue
				}
				if h := (end - start) / 3_600_000; h < 22 || h > 26 {
					t.Fatalf("%s lasts %d h", c.Format(d), h)
				}
				if got := c.local(start); got != c.Format(d) {
					t.Fatalf("%s starts on %s", c.Format(d), got)
				}
				if before := c.local(start - 1); before == c.Format(d) {
					t.Fatalf("%s starts too late", c.Format(d))
				}
				for _, ms := range []int64{start, end - 1, start + random.Int64N(end-start)} {
					if day := c.Day(ms); day != d {
						t.Fatalf("%d lies on %s, not on %s", ms, c.Format(d), c.Format(day))
					}
				}
			}
		})
	}
}

// TestClock: it is the same time of the day, in days in which clocks are not put.
func TestClock(t *testing.T) {
	from := time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC).Unix() / 86400
	for _, zone := range zones {
		c, random := calendar(t, zone), rand.New(rand.NewPCG(3, 4))
		for d := int32(from); d < int32(from)+12*365; d++ {
			day, start, end := c.Before(d), c.Start(d), c.Start(d+1)
			if start == end {
				continue
			}
			ms := start + random.Int64N(end-start)
			got := c.Clock(day, ms)
			first, last := c.Start(day), c.Start(day+1)
			if got < first || got > last {
				t.Fatalf("%s: %s of %s is %s", zone, c.clock(ms), c.Format(day), time.UnixMilli(got).In(c.zone))
			}
			if last-first == dayMillis && c.clock(got) != c.clock(ms) {
				t.Fatalf("%s: %s of %s is %s", zone, c.clock(ms), c.Format(day), c.clock(got))
			}
		}
	}
}

// clock is the time of the day by package time.
func (c *Calendar) clock(ms int64) string {
	return time.UnixMilli(ms).In(c.zone).Format("15:04:05.000")
}

// local is the local date by package time.
func (c *Calendar) local(ms int64) string { return time.UnixMilli(ms).In(c.zone).Format(time.DateOnly) }

func TestDayAtRandom(t *testing.T) {
	for _, zone := range zones {
		c, random := calendar(t, zone), rand.New(rand.NewPCG(3, 4))
		for range 2_000 {
			ms := random.Int64N(4_200_000_000_000)
			d := c.Day(ms)
			if ms < c.Start(d) || ms >= c.Start(d+1) {
				t.Fatalf("%s: %d is not on %s", zone, ms, c.Format(d))
			}
		}
	}
}

func TestStart(t *testing.T) {
	for _, tt := range []struct{ zone, day, start string }{
		{"Asia/Shanghai", "2026-11-22", "2026-11-22T00:00:00+08:00"},
		{"America/Sao_Paulo", "2018-11-04", "2018-11-04T01:00:00-02:00"}, // no midnight
		{"America/Havana", "2026-03-08", "2026-03-08T01:00:00-04:00"},    // no midnight
		{"America/Havana", "2026-11-01", "2026-11-01T00:00:00-04:00"},    // two midnights
		{"Pacific/Apia", "2011-12-30", "2011-12-31T00:00:00+14:00"},      // skipped
		{"America/St_Johns", "2010-11-07", "2010-11-07T00:00:00-02:30"},  // clocks go back at 00:01
		{"America/New_York", "2026-03-09", "2026-03-09T00:00:00-04:00"},
	} {
		c := calendar(t, tt.zone)
		d, err := c.ParseDay(tt.day)
		if err != nil {
			t.Fatal(err)
		}
		if got := time.UnixMilli(c.Start(d)).In(c.zone).Format(time.RFC3339); got != tt.start {
			t.Errorf("%s in %s starts at %s, want %s", tt.day, tt.zone, got, tt.start)
		}
	}
	if _, err := calendar(t, "UTC").ParseDay("22.11.2026"); err == nil || err.Error() != `"22.11.2026" is no date: write it as 2026-11-22` {
		t.Errorf("got %v", err)
	}
}

func TestBefore(t *testing.T) {
	for _, tt := range []struct{ zone, day, want string }{
		{"Asia/Shanghai", "2026-03-01", "2026-02-28"},
		{"Pacific/Apia", "2011-12-31", "2011-12-29"}, // the 30th was skipped
	} {
		zone, err := time.LoadLocation(tt.zone)
		if err != nil {
			t.Fatal(err)
		}
		c := NewCalendar(zone)
		day, err := c.ParseDay(tt.day)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Format(c.Before(day)); got != tt.want {
			t.Errorf("before %s in %s: %s, want %s", tt.day, tt.zone, got, tt.want)
		}
	}
}

func TestDayAllocates(t *testing.T) {
	c := calendar(t, "Asia/Shanghai")
	ms := int64(1_795_312_800_000)
	if n := testing.AllocsPerRun(1_000, func() { ms += 1_000; c.Day(ms) }); n != 0 {
		t.Errorf("Day allocates %v times", n)
	}
}

func BenchmarkDay(b *testing.B) {
	c := calendar(b, "America/New_York")
	ms := int64(1_795_312_800_000)
	for b.Loop() {
		ms += 997
		c.Day(ms)
	}
}
