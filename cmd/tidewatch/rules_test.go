package main

import (
	"strings"
	"testing"
	"time"
)

// One alert is no alerts, and its time names its zone.
func TestBacktested(t *testing.T) {
	b := backtested{From: "a", To: "b", Step: 60, Notifications: 1}
	var out strings.Builder
	if err := b.print(&out); err != nil || !strings.Contains(out.String(), "in the end: 0 alerts, 1 notification\n") {
		t.Errorf("%v: %s", err, &out)
	}
	at := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	b.Alerts = append(b.Alerts, struct {
		Rule       string
		Labels     map[string]string
		Annotate   map[string]string `json:"annotations"`
		FiredAt    time.Time         `json:"fired_at"`
		ResolvedAt *time.Time        `json:"resolved_at"`
	}{Rule: "Low", FiredAt: at})
	out.Reset()
	if err := b.print(&out); err != nil || !strings.Contains(out.String(), ": 1 alert, 1 notification\n") || !strings.Contains(out.String(), at.Local().Format("2006-01-02 15:04:05 -07:00")) {
		t.Errorf("%v: %s", err, &out)
	}
}
