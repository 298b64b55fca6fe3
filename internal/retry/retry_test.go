package retry

import (
	"testing"
	"time"
)

func TestAfter(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for h, want := range map[string]time.Duration{
		"": 0, "3": 3 * time.Second, "-3": 0, "soon": 0, "99999999999": 0, "86400": 24 * time.Hour,
		"Thu, 01 Jan 2026 00:00:30 GMT": 30 * time.Second, "Wed, 31 Dec 2025 00:00:30 GMT": 0,
	} {
		if got := After(h, now); got != want {
			t.Errorf("%q: got %s, want %s", h, got, want)
		}
	}
}

func TestBackOff(t *testing.T) {
	for failures, ms := range map[int]int{1: 50, 2: 100, 4: 400, 7: 3200, 8: 5000, 9: 5000, 1000: 5000} {
		want := time.Duration(ms) * time.Millisecond
		for range 100 {
			if got := BackOff(failures, 50*time.Millisecond, 5*time.Second); got < want/2 || got >= want {
				t.Fatalf("%d failures: got %s, want between %s and %s", failures, got, want/2, want)
			}
		}
	}
}
