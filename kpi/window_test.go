package kpi

import (
	"testing"
	"time"
)

func TestParseWindow(t *testing.T) {
	for _, tt := range []struct{ in, want, err string }{
		{in: "1m", want: "1m"},
		{in: "60s", want: "1m"},
		{in: "90s", want: "90s"},
		{in: "1h30m", want: "90m"},
		{in: "24h", want: "24h"},
		{in: "1d", want: "24h"},
		{in: "36h", want: "36h"},
		{in: "48h", want: "2d"},
		{in: "7d", want: "7d"},
		{in: "92d", want: "92d"},
		{in: "day", want: "day"},
		{in: "today", want: "today"},
		{in: "0s", err: `0s is empty: give a length of at least 1s`},
		{in: "93d", err: `93d is longer than 92d: give a length of at most 92d`},
		{in: "99999999999999999999h", err: `99999999999999999999h is longer than 92d: give a length of at most 92d`},
		{in: "3601s", err: `3601s is no multiple of 1m, the step of windows of its length: give 1h, for example`},
		{in: "", err: `"" is no window: write "today", "day" or a length in s, m, h and d, such as 5m, 24h or 7d`},
		{in: "1.5h", err: `"1.5h" is no window: write "today", "day" or a length in s, m, h and d, such as 5m, 24h or 7d`},
		{in: "-5m", err: `"-5m" is no window: write "today", "day" or a length in s, m, h and d, such as 5m, 24h or 7d`},
		{in: "500ms", err: `"500ms" is no window: write "today", "day" or a length in s, m, h and d, such as 5m, 24h or 7d`},
		{in: "5", err: `"5" is no window: write "today", "day" or a length in s, m, h and d, such as 5m, 24h or 7d`},
	} {
		w, err := ParseWindow(tt.in)
		if tt.err != "" {
			if err == nil || err.Error() != tt.err {
				t.Errorf("%s: got %v, want %s", tt.in, err, tt.err)
			}
			continue
		}
		if err != nil || w.String() != tt.want {
			t.Errorf("%s: got %v, %v, want %s", tt.in, w, err, tt.want)
		}
	}
}

func TestStep(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"1m": time.Second, "5m": 5 * time.Second, "10m": 10 * time.Second, "30m": 30 * time.Second, "1h": time.Minute,
		"5h": 5 * time.Minute, "10h": 10 * time.Minute, "24h": 10 * time.Minute, "60h": time.Hour, "7d": time.Hour, "today": 10 * time.Minute,
	} {
		w, err := ParseWindow(in)
		if err != nil || w.Step() != want {
			t.Errorf("step of %s: got %v, %v, want %v", in, w.Step(), err, want)
		}
	}
}
