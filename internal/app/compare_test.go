package app

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/config"
)

// TestCompare holds windows against those before, and relative times against absolute
// ones, over the real engine.
func TestCompare(t *testing.T) {
	c := config.Default()
	c.Data = t.TempDir()
	events := NewLog()
	begin := noon.AddDate(0, 0, -8)
	id := 0
	say := func(at time.Time, channel string) {
		events.Append(at.UnixMilli(), fmt.Appendf(nil, `{"id":%d,"time":%d,"type":"play","user_id":"u","channel":%q,"watch_ms":1}`, id, at.UnixMilli(), channel))
		id++
	}
	// On day n from the end there are n + 1 plays on a at noon, and later one on b.
	for day := 8; day >= 0; day-- {
		at := begin.AddDate(0, 0, 8-day)
		for i := range day + 1 {
			say(at.Add(time.Duration(i)*time.Second), "a")
		}
		if day > 0 {
			say(at.Add(2*time.Hour), "b")
		}
	}
	say(noon.Add(10*time.Minute+c.Disorder), "c")
	r, err := OpenReplica(c, events, ReplicaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Crash() })
	get := func(path string, into any) {
		t.Helper()
		w := httptest.NewRecorder()
		req := httptest.NewRequest("GET", "/api/v1/kpis/"+path, nil)
		req.Host = "localhost"
		r.Handler().ServeHTTP(w, req)
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil || w.Code != 200 {
			t.Fatalf("%s: %d %v %s", path, w.Code, err, w.Body)
		}
	}
	type held struct {
		Value, Change *float64
		End           time.Time
		Complete      bool
		Part          *struct {
			Value *float64
			End   time.Time
		}
	}
	var a struct {
		Warnings []string
		Data     struct {
			End     time.Time
			Samples []struct {
				Labels  map[string]string
				Value   float64
				Compare map[string]*held
			}
			Series []struct {
				Labels map[string]string
				Points []struct{ Value float64 }
			}
			Compare map[string]struct {
				Series []struct {
					Labels map[string]string
					Points []struct{ Value float64 }
				}
			}
		}
	}
	show := func(h *held) string {
		if h == nil {
			return "null"
		}
		change := "null"
		if h.Change != nil {
			change = fmt.Sprintf("%+.2f", *h.Change)
		}
		part := ""
		if h.Part != nil {
			part = fmt.Sprintf(" (%v until %s)", *h.Part.Value, h.Part.End.UTC().Format("02 15:04"))
		}
		return fmt.Sprintf("%v %s %s", *h.Value, change, h.End.UTC().Format("02 15:04")) + part
	}
	for _, tt := range []struct{ path, want string }{
		// An hour around noon: 1 play, 2 the day before, 8 the week before, none the hour before.
		{"plays?window=1h&channel=a&at=2026-11-22T04:05:00Z&compare=previous,yesterday,last_week", "1: previous 0 null 22 03:05, yesterday 2 -0.50 21 04:05, last_week 8 -0.88 15 04:05"},
		// What moves on is held against whole windows by the newest one that is over.
		{"plays?window=1h&channel=a&compare=yesterday", "1: yesterday 2 -0.50 21 04:10 (1 until 22 04:10)"},
		{"plays?window=24h&channel=a&compare=previous", "1: previous 2 -0.50 21 04:10 (1 until 22 04:10)"},
		{"plays?window=1h&channel=a&at=-5m&compare=yesterday", "1: yesterday 2 -0.50 21 04:05"},
		{"plays?window=day&channel=b&at=yesterday&compare=previous,last_week", "1: previous 1 +0.00 20 16:00, last_week 1 +0.00 14 16:00"},
		// Until 10 minutes past noon there was 1 play, on the day before 2; another one came since.
		{"plays?window=today&by=total&compare=yesterday", "2: yesterday 2 -0.50 21 04:10 (1 until 22 04:10)"},
		{"plays?window=today&by=channel&compare=yesterday", "1: yesterday 2 -0.50 21 04:10 (1 until 22 04:10)1: yesterday null"},
		{"plays?window=day&by=total&at=2026-11-21&compare=previous", "3: previous 4 -0.25 20 16:00"},
		// What has not begun is held against the whole of what was so much earlier.
		{"plays?window=1h&by=total&at=2026-11-22T06:30:00Z&compare=previous,yesterday", "0: previous 0 null 22 05:30, yesterday 1 -1.00 21 06:30"},
		{"plays?window=today&by=total&at=2026-11-23T04:10:00Z&compare=yesterday", "0: yesterday 1 -1.00 22 04:10"},
	} {
		a.Data.Samples = nil
		get(tt.path, &a)
		got := ""
		for _, s := range a.Data.Samples {
			got += fmt.Sprint(s.Value, ":")
			for i, name := range []string{"previous", "yesterday", "last_week"} {
				if h, asked := s.Compare[name]; asked {
					if got[len(got)-1] != ':' && i > 0 {
						got += ","
					}
					got += " " + name + " " + show(h)
				}
			}
		}
		if got != tt.want {
			t.Errorf("%s\ngot  %s %q\nwant %s", tt.path, got, a.Warnings, tt.want)
		}
	}

	a.Warnings = nil
	get("plays?window=day&by=total&compare=yesterday", &a)
	if want := "the day is not over, the one of yesterday is: ask window=today, where it is kept, for the same part of both"; len(a.Warnings) != 1 || a.Warnings[0] != want {
		t.Errorf("warnings %q", a.Warnings)
	}
	a.Warnings = nil
	get("plays?window=1h&by=total&at=2026-11-14T05:00:00Z&compare=last_week", &a)
	if len(a.Warnings) == 0 || a.Data.Samples[0].Compare["last_week"] != nil {
		t.Errorf("before the first event: %q %v", a.Warnings, a.Data.Samples)
	}

	get("plays/range?window=day&channel=a&from=-3d&to=yesterday&compare=last_week", &a)
	// A week before there were events on the last of these days alone.
	points := func(list []struct{ Value float64 }) (out []float64) {
		for _, p := range list {
			out = append(out, p.Value)
		}
		return out
	}
	if got := fmt.Sprint(points(a.Data.Series[0].Points), points(a.Data.Compare["last_week"].Series[0].Points)); got != "[4 3 2] [9]" {
		t.Errorf("range: got %s", got)
	}
}

// TestCompareLateDay: where clocks jump over midnight, nothing is known of a day before its
// first part is kept, which is not the day before it.
func TestCompareLateDay(t *testing.T) {
	c := config.Default()
	c.Data, c.Timezone = t.TempDir(), "Africa/Cairo"
	var err error
	if c.Location, err = time.LoadLocation(c.Timezone); err != nil {
		t.Fatal(err)
	}
	events := NewLog()
	begins := time.Date(2026, 4, 24, 1, 0, 0, 0, c.Location) // as the day does
	for i, hours := range []int{-20, 0, 25} {
		at := begins.Add(time.Duration(hours) * time.Hour)
		events.Append(at.UnixMilli(), fmt.Appendf(nil, `{"id":%d,"time":%d,"type":"play","user_id":"u","watch_ms":1}`, i, at.UnixMilli()))
	}
	r, err := OpenReplica(c, events, ReplicaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Crash() })
	for at, want := range map[string]string{
		"2026-04-25T01:00:00%2B03:00": `today is kept every 10m: of the same part of yesterday there is nothing yet`,
		"2026-04-25T01:10:00%2B03:00": `"compare":{"yesterday":{"value":1,`,
	} {
		w := httptest.NewRecorder()
		req := httptest.NewRequest("GET", "/api/v1/kpis/plays?window=today&compare=yesterday&at="+at, nil)
		req.Host = "localhost"
		r.Handler().ServeHTTP(w, req)
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: got %s, want %s", at, w.Body, want)
		}
	}
}
