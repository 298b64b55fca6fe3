package app

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/config"
)

// noon is when the replicas' events happen.
var noon = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)

// replicaAt is a replica with a play at noon, others before, and the watermark a
// minute later.
func replicaAt(t *testing.T, before ...time.Time) *Replica {
	t.Helper()
	return replicaPlaying(t, append(before, noon, noon.Add(time.Minute+config.Default().Disorder))...)
}

// replicaPlaying is a replica with plays.
func replicaPlaying(t *testing.T, plays ...time.Time) *Replica {
	t.Helper()
	c := config.Default()
	c.Data = t.TempDir()
	events := NewLog()
	for i, at := range plays {
		events.Append(at.UnixMilli(), fmt.Appendf(nil, `{"id":%d,"time":%d,"type":"play","user_id":"u","watch_ms":1}`, i, at.UnixMilli()))
	}
	r, err := OpenReplica(c, events, ReplicaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Crash() })
	return r
}

// asked is what a query is answered.
type asked struct {
	Error    string
	Warnings []string
	Data     struct {
		AsOf    time.Time `json:"as_of"`
		Samples []struct{ N int }
		Series  []struct{ Points []struct{ N int } }
	}
}

func (r *Replica) get(t *testing.T, path string) (code int, a asked) {
	t.Helper()
	w := httptest.NewRecorder()
	req := httptest.NewRequest("GET", "/api/v1/kpis/"+path, nil)
	req.Host = "localhost"
	r.Handler().ServeHTTP(w, req)
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatalf("GET %s: %v: %s", path, err, w.Body)
	}
	return w.Code, a
}

// TestRangeOutside: a range without any kept window is refused with what is
// kept, one that overlaps it answers with a warning.
func TestRangeOutside(t *testing.T) {
	r := replicaAt(t, noon.AddDate(-2, 0, 0))
	const kept = "1m windows are kept from 2026-11-21T22:01:00Z to 2026-11-22T04:01:00Z: "
	const before = "1m windows are kept from 2026-11-21T22:01:00Z: nothing before"
	for _, c := range []struct {
		name, window, from, to string
		code                   int
		text                   string // error or warning
	}{
		{"before", "1m", "2026-11-21T20:00:00Z", "2026-11-21T21:00:00Z", 404, kept + "the range lies outside"},
		{"up to the oldest", "1m", "2026-11-21T20:00:00Z", "2026-11-21T22:01:00Z", 404, kept + "the range lies outside"},
		{"partly before", "1m", "2026-11-21T22:00:00Z", "2026-11-21T22:01:01Z", 200, before},
		{"within", "1m", "2026-11-22T03:59:00Z", "2026-11-22T04:01:00Z", 200, ""},
		{"long before", "1m", "2024-11-22", "2024-12-22", 404, kept + "the range lies outside"},
		{"all", "5m", "2024-11-22", "", 400, "the range has 51840 points, more than 11000: ask for less, or with step=25s"},
		{"between two windows", "1m", "2026-11-22T03:59:00.1Z", "2026-11-22T03:59:00.9Z", 200, ""},
		{"to the future", "1m", "2026-11-22T04:00:00Z", "2026-11-22T05:00:00Z", 200, ""},
		{"ahead", "1m", "2026-11-22T04:01:00Z", "", 404, kept + "the range lies outside"},
		{"today", "day", "2026-11-22", "", 200, ""},
		{"tomorrow", "day", "2026-11-23", "", 404, "day windows are kept from 2025-10-18T04:01:00Z to 2026-11-22T04:01:00Z: the range lies outside"},
	} {
		path := fmt.Sprintf("plays/range?window=%s&from=%s", c.window, c.from)
		if c.to != "" {
			path += "&to=" + c.to
		}
		code, a := r.get(t, path)
		got := a.Error
		if len(a.Warnings) > 0 {
			got = a.Warnings[0]
		}
		if code != c.code || got != c.text {
			t.Errorf("%s: got %d %q, want %d %q", c.name, code, got, c.code, c.text)
		}
	}
}

// TestBeforeFirst: what lies before the first event is not known: a window is
// refused with the oldest, one that begins before it is answered with a warning.
func TestBeforeFirst(t *testing.T) {
	r := replicaAt(t)
	const kept = " windows are kept from 2026-11-22T04:00:00Z to 2026-11-22T04:01:00Z: "
	const partly = "nothing is known of the time before the first event, 2026-11-22T04:00:00Z"
	for _, c := range []struct {
		path string
		code int
		text string // error or warning
	}{
		{"plays?window=1m&at=2026-11-22T04:00:00Z", 404, "1m" + kept + "the one at 2026-11-22T04:00:00Z ends before the first event"},
		{"plays?window=1h&at=2026-11-22T04:00:30Z", 404, "1h" + kept + "the one at 2026-11-22T04:00:30Z ends before the first event"},
		{"plays?window=day&at=2026-11-21", 404, "day" + kept + "the one at 2026-11-21T16:00:00Z ends before the first event"},
		{"plays?window=1m&at=2026-11-22T04:00:01Z", 200, partly},
		{"plays?window=1m&at=2026-11-22T04:01:00Z", 200, ""},
		{"plays?window=1h", 200, partly},
		{"dau", 200, partly},
		{"plays/range?window=1m&from=2026-11-22T03:00:00Z&to=2026-11-22T04:00:00Z", 404, "1m" + kept + "the range lies outside"},
		{"plays/range?window=1m&from=2026-11-22T03:00:00Z", 200, partly},
		{"plays/range?window=1m&from=2025-11-22", 200, partly},
		{"plays/range?window=1m&from=2026-11-22T04:00:58Z", 200, partly},
		{"plays/range?window=1m&from=2026-11-22T04:00:59Z", 200, ""},
		{"dau/range?from=2026-11-22", 200, partly},
	} {
		code, a := r.get(t, c.path)
		got := a.Error
		if len(a.Warnings) > 0 {
			got = a.Warnings[0]
		}
		if code != c.code || got != c.text {
			t.Errorf("%s: got %d %q, want %d %q", c.path, code, got, c.code, c.text)
		}
	}
}

// TestBegun: behind the first event no window is over, and none is said to be kept.
func TestBegun(t *testing.T) {
	r := replicaPlaying(t, noon)
	const none = " windows: none is over yet, the first event is of 2026-11-22T04:00:00Z: "
	for _, c := range []struct{ path, text string }{
		{"plays?window=1m&at=2026-11-22T03:00:00Z", "1m" + none + "the one at 2026-11-22T03:00:00Z ends before the first event"},
		{"plays/range?window=1m&from=2026-11-22T03:00:00Z&to=2026-11-22T03:30:00Z", "1m" + none + "the range lies outside"},
		{"plays/range?window=1m&from=2026-11-22T04:00:00Z", "1m" + none + "the range lies outside"},
	} {
		if code, a := r.get(t, c.path); code != 404 || a.Error != c.text {
			t.Errorf("%s: got %d %q, want 404 %q", c.path, code, a.Error, c.text)
		}
	}
}
