package plan

import (
	"math"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

// TestLength checks tail and exit against their definitions.
func TestLength(t *testing.T) {
	for _, length := range []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, time.Hour, 24 * time.Hour} {
		l := lengthOf(kpi.Window{Length: length}, nil)
		for head := int64(1_700_000_000); head < 1_700_000_000+2*l.Step+3; head++ {
			end := l.Tail(head) + l.Seconds
			if end < head || end-head >= l.Step || end%l.Step != 0 {
				t.Errorf("%s: live window at %d ends at %d", length, head, end)
			}
			slice := head - 1
			if at := l.Exit(slice); l.Tail(at-1) > Floor(slice, l.Step) || l.Tail(at) <= Floor(slice, l.Step) {
				t.Errorf("%s: slice %d leaves at %d", length, slice, at)
			}
		}
	}
	if got := Floor(-1, 5); got != -5 {
		t.Errorf("Floor(-1, 5) = %d, want -5", got)
	}
	if got := Ceil(-4, 5); got != 0 {
		t.Errorf("Ceil(-4, 5) = %d, want 0", got)
	}
}

// TestSaturation: numbers of filters end at the bounds.
func TestSaturation(t *testing.T) {
	const most = math.MaxInt64
	for _, c := range []struct {
		op         kpi.ExprOp
		x, y, want int64
	}{
		{kpi.Add, most, 1, most}, {kpi.Add, -most, -most, -most}, {kpi.Sub, -most, 2, -most}, {kpi.Sub, 1, 2, -1},
		{kpi.Mul, most, 2 * kpi.Scale, most}, {kpi.Mul, -most, 2 * kpi.Scale, -most}, {kpi.Mul, -3, kpi.Scale / 2, -1}, {kpi.Mul, most, most, most},
		{kpi.Min, 1, 2, 1}, {kpi.Max, 1, 2, 2},
	} {
		if got := arithmetic(c.op, c.x, c.y); got != c.want {
			t.Errorf("arithmetic(%d, %d, %d) = %d, want %d", c.op, c.x, c.y, got, c.want)
		}
	}
}

// TestToday checks the length of today against its definition, around days that
// begin between two steps, last 23 to 26 hours, or are skipped.
func TestToday(t *testing.T) {
	for _, c := range []struct{ zone, from string }{
		{"Asia/Shanghai", "2026-03-14T22:00:00"}, {"Asia/Kathmandu", "2026-07-01T22:00:00"}, {"Pacific/Chatham", "2026-04-04T22:00:00"},
		{"Europe/Berlin", "2026-03-28T22:00:00"}, {"America/Havana", "2026-10-31T22:00:00"}, {"America/Sao_Paulo", "2018-11-03T22:00:00"},
		{"Pacific/Apia", "2011-12-29T22:00:00"}, {"Antarctica/Troll", "2026-10-24T22:00:00"}, {"Africa/Monrovia", "1971-12-31T22:00:00"},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		from, err := time.ParseInLocation("2006-01-02T15:04:05", c.from, zone)
		if err != nil {
			t.Fatal(err)
		}
		days := kpi.NewCalendar(zone)
		l := lengthOf(kpi.Today, days)
		for head := from.Unix(); head < from.Unix()+30*3600; head += 29 {
			tail, end := l.Tail(head), Ceil(head, l.Step)
			if day := days.Day(end*1000 - 1); days.Day(tail*1000) != day || days.Day(tail*1000-1) == day {
				t.Errorf("%s: today at %d begins at %d", c.zone, head, tail)
			}
			if end-tail > l.Seconds {
				t.Errorf("%s: today at %d has %d s", c.zone, head, end-tail)
			}
			slice := head - 1
			if at := l.Exit(slice); l.Tail(at-1) > slice || l.Tail(at) <= slice {
				t.Errorf("%s: slice %d leaves at %d", c.zone, slice, at)
			}
			if pane := l.Pane(slice); pane > slice || pane <= slice-l.Step || days.Day(pane*1000) != days.Day(slice*1000) || pane != l.Pane(pane) {
				t.Errorf("%s: the pane of %d begins at %d", c.zone, slice, pane)
			}
		}
	}
}
