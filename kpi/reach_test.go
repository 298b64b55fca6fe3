package kpi

import (
	"testing"
	"time"
)

func TestReach(t *testing.T) {
	c, err := Load(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		kpi, window string
		want        time.Duration
		ever        bool
	}{
		{"ctr", "5m", 5*time.Minute + 5*time.Second, false},
		{"completion_rate", "1m", 6*time.Hour + 61*time.Second, false}, // a play may be told in parts
		{"sessions", "1h", 7*time.Hour + time.Minute, false},
		{"plays", "today", 32 * time.Hour, false},
		{"spend", "day", 5 * 26 * time.Hour, false}, // it is told up to three days late
		{"mau", "day", 0, true},
	} {
		k := c.KPI(tt.kpi)
		w, err := ParseWindow(tt.window)
		if err != nil || k == nil || !k.Keeps(w) {
			t.Fatalf("%s of %s: %v", tt.window, tt.kpi, err)
		}
		got, ever := k.Reach(w)
		if ever != tt.ever || !ever && got != tt.want {
			t.Errorf("%s of %s: got %s, %v, want %s, %v", tt.window, tt.kpi, got, ever, tt.want, tt.ever)
		}
	}
}

func TestSince(t *testing.T) {
	c, err := Load(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	day := NewCalendar(time.UTC).Day(time.Date(2026, 1, 7, 0, 0, 0, 0, time.UTC).UnixMilli()) // a Wednesday
	for _, tt := range []struct {
		kpi    string
		before int32
	}{
		{"dau", 0}, {"lifecycle", 0}, {"retention_d7", 0}, {"signal_recall_d7", 0}, {"at_risk_users", 0},
		{"wau", 6}, {"mau", 29}, {"stickiness", 29}, {"churn_rate", 30}, {"l_ness", 27}, {"wau_cal", 2}, {"mau_cal", 6}, {"repurchase_rate", 29},
	} {
		if got := day - c.KPI(tt.kpi).Since(day); got != tt.before {
			t.Errorf("%s tells of the %d days before, want %d", tt.kpi, got, tt.before)
		}
	}
}
