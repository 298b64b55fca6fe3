package main

import (
	"strings"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/backtest"
)

// A report says how each rule was judged, and of an alert what it rests on, with the zone
// of its time.
func TestPrintReport(t *testing.T) {
	begin := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	at := func(d time.Duration) alerts.Time { return alerts.Time{Time: begin.Add(d)} }
	r := backtest.NewReport(begin, begin.Add(time.Hour), 5*time.Second)
	r.Rules = []backtest.Verdict{{Rule: "Known", KnownFrom: at(0)}}
	r.Notifications = 1
	written := func() string {
		t.Helper()
		var out strings.Builder
		if err := printReport(&out, r); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	want := func(has bool, got string, texts ...string) {
		t.Helper()
		for _, text := range texts {
			if strings.Contains(got, text) != has {
				t.Errorf("%q in it: %v, want %v:\n%s", text, !has, has, got)
			}
		}
	}
	got := written()
	want(true, got, "From 2026-11-22T04:00:00Z to 2026-11-22T05:00:00Z: 0 alerts, 1 notification\n", "Known  0      0s   as known then")
	want(false, got, "sealed values")

	r.Rules = append(r.Rules,
		backtest.Verdict{Rule: "Later", Fired: 1, Seconds: 619.186, KnownFrom: at(30 * time.Minute), Because: "it looks back 1h"},
		backtest.Verdict{Rule: "Never", Because: "it looks back for ever", LastError: "broken"})
	r.Alerts = []backtest.Incident{
		{Rule: "Later", FiredAt: at(time.Minute), ResolvedAt: at(2 * time.Minute), Corrected: true, Annotations: map[string]string{"value": "0.17857142857142858"}, Judged: backtest.BySealedValues, Labels: map[string]string{"alertname": "Later", "channel": "a"}},
		{Rule: "Later", FiredAt: at(40 * time.Minute), Judged: backtest.AsKnownThen},
	}
	want(true, written(), ": 2 alerts, 1 notification\n", "By sealed values: every 5s",
		"as known then from 2026-11-22T04:30:00Z on, before by sealed values: it looks back 1h", "by sealed values: it looks back for ever", "broken", "10m19s", "0.17857 ",
		begin.Add(time.Minute).Local().Format("2006-01-02 15:04:05 -07:00"), "1m0s, corrected", "still firing", "channel=a")
}
