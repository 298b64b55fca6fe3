package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/delivery"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// TestErrors: every way to be refused, with its exact words.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name, method, target string
		err, notReady        error
		code                 int
		kind, text           string
	}{
		{name: "unknown path", target: "/api/v1/nothing", code: 404, kind: "not_found",
			text: "GET /api/v1/nothing does not exist: / is the live page, /api/v1/kpis lists the KPIs, docs/api.md all paths"},
		{name: "unknown path at v1", method: "POST", target: "/v1/nothing", code: 404, kind: "not_found",
			text: "POST /v1/nothing does not exist: / is the live page, /api/v1/kpis lists the KPIs, docs/api.md all paths"},
		{name: "unknown page", target: "/nope", code: 404, kind: "not_found", text: "GET /nope does not exist: / is the live page, /api/v1/kpis lists the KPIs, docs/api.md all paths"},
		{name: "trailing slash", target: "/api/v1/kpis/plays/", code: 404, kind: "not_found", text: "GET /api/v1/kpis/plays/ does not exist: did you mean /api/v1/kpis/plays?"},
		{name: "misspelt path", target: "/api/v1/kpi", code: 404, kind: "not_found", text: "GET /api/v1/kpi does not exist: did you mean /api/v1/kpis?"},
		{name: "misspelt path of a KPI", target: "/api/v1/kpis/plays/rnage", code: 404, kind: "not_found", text: "GET /api/v1/kpis/plays/rnage does not exist: did you mean /api/v1/kpis/plays/range?"},
		{name: "wrong method", method: "DELETE", target: "/api/v1/kpis", code: 405, kind: "bad_data",
			text: "DELETE is not for /api/v1/kpis: use GET, HEAD"},
		{name: "ingest by GET", target: "/v1/events", code: 405, kind: "bad_data", text: "GET is not for /v1/events: use POST"},
		{name: "page by POST", method: "POST", target: "/", code: 405, kind: "bad_data", text: "POST is not for /: use GET, HEAD"},
		{name: "unknown KPI", target: "/api/v1/kpis/none", code: 404, kind: "not_found",
			text: `KPI "none" does not exist: GET /api/v1/kpis lists those that do`},
		{name: "misspelt KPI", target: "/api/v1/kpis/Share_b", code: 404, kind: "not_found",
			text: `KPI "Share_b" does not exist: did you mean share_a? GET /api/v1/kpis lists those that do`},
		{name: "no window", target: "/api/v1/kpis/share_a?window=soon", code: 400, kind: "bad_data",
			text: `window "soon" is no window: write "today", "day" or a length in s, m, h and d, such as 5m, 24h or 7d`},
		{name: "window not kept", target: "/api/v1/kpis/share_a?window=7d", code: 400, kind: "bad_data",
			text: "window 7d is not kept for share_a: use 5m, 1h, day"},
		{name: "set not kept", target: "/api/v1/kpis/share_a?by=device", code: 400, kind: "bad_data",
			text: "by device is not kept for share_a: use total or channel or channel,device"},
		{name: "misspelt set", target: "/api/v1/kpis/share_a?by=chanel", code: 400, kind: "bad_data",
			text: "by chanel is not kept for share_a: did you mean channel? Use total or channel or channel,device"},
		{name: "set misspelt in part", target: "/api/v1/kpis/share_a?by=devise,channel", code: 400, kind: "bad_data",
			text: "by channel,devise is not kept for share_a: did you mean channel,device? Use total or channel or channel,device"},
		{name: "matcher not kept", target: "/api/v1/kpis/share_a?device=ios", code: 400, kind: "bad_data",
			text: "by device is not kept for share_a: use total or channel or channel,device"},
		{name: "no total", target: "/api/v1/kpis/top_d?by=total", code: 400, kind: "bad_data",
			text: "by total is not kept for top_d: use content_id"},
		{name: "unknown parameter", target: "/api/v1/kpis/share_a?colour=red", code: 400, kind: "bad_data",
			text: `parameter "colour" is unknown for share_a: use at, by, compare, cursor, format, lang, limit, order, top, window and the fields channel, device`},
		{name: "misspelt field", target: "/api/v1/kpis/share_a?chanel=a", code: 400, kind: "bad_data",
			text: `parameter "chanel" is unknown for share_a: did you mean channel? Use at, by, compare, cursor, format, lang, limit, order, top, window and the fields channel, device`},
		{name: "misspelt parameter", method: "POST", target: "/v1/events?verbos=1", code: 400, kind: "bad_data",
			text: `parameter "verbos" is unknown for /v1/events: did you mean verbose? Use verbose`},
		{name: "two unknown parameters", target: "/api/v1/kpis/money_b?shade=dark&colour=red", code: 400, kind: "bad_data",
			text: `parameter "colour" is unknown for money_b: use at, by, compare, cursor, format, lang, limit, order, top, window`},
		{name: "unknown parameter of the ledger", target: "/api/v1/ledger?at=2026-11-22", code: 400, kind: "bad_data",
			text: `parameter "at" is unknown for /api/v1/ledger: use none`},
		{name: "unknown parameter of the alerts", target: "/api/v1/alerts?state=firing", code: 400, kind: "bad_data",
			text: `parameter "state" is unknown for /api/v1/alerts: use none`},
		{name: "unknown parameter of the list", target: "/api/v1/kpis?name=share_a", code: 400, kind: "bad_data",
			text: `parameter "name" is unknown for /api/v1/kpis: use none`},
		{name: "unknown parameter of events", method: "POST", target: "/v1/events?sync=1", code: 400, kind: "bad_data",
			text: `parameter "sync" is unknown for /v1/events: use verbose`},
		{name: "verbose", method: "POST", target: "/v1/events?verbose=maybe", code: 400, kind: "bad_data",
			text: `verbose "maybe" is neither 1 nor 0: give one of them`},
		{name: "unknown parameter of a close", method: "POST", target: "/v1/close?to=1763776800000", code: 400, kind: "bad_data",
			text: `parameter "to" is unknown for /v1/close: use none`},
		{name: "empty window", target: "/api/v1/kpis/share_a?window=", code: 400, kind: "bad_data", text: "window is empty: give a value, or leave it out"},
		{name: "empty by", target: "/api/v1/kpis/share_a?by=", code: 400, kind: "bad_data", text: "by is empty: give a value, or leave it out"},
		{name: "by of commas", target: "/api/v1/kpis/share_a?by=channel&by=,", code: 400, kind: "bad_data", text: "by is empty: give a value, or leave it out"},
		{name: "empty at", target: "/api/v1/kpis/share_a?at", code: 400, kind: "bad_data", text: "at is empty: give a value, or leave it out"},
		{name: "empty from", target: "/api/v1/kpis/share_a/range?from=", code: 400, kind: "bad_data", text: "from is empty: give a value, or leave it out"},
		{name: "empty to", target: "/api/v1/kpis/share_a/range?from=2026-11-22&to=", code: 400, kind: "bad_data", text: "to is empty: give a value, or leave it out"},
		{name: "empty step", target: "/api/v1/kpis/share_a/range?from=2026-11-22&step=", code: 400, kind: "bad_data", text: "step is empty: give a value, or leave it out"},
		{name: "empty verbose", method: "POST", target: "/v1/events?verbose=", code: 400, kind: "bad_data", text: "verbose is empty: give a value, or leave it out"},
		{name: "unknown parameter of the live updates", target: "/api/v1/live?x=1", code: 400, kind: "bad_data",
			text: `parameter "x" is unknown for /api/v1/live: use none`},
		{name: "bad escape", target: "/api/v1/kpis/share_a?at=%zz", code: 400, kind: "bad_data",
			text: `query string cannot be read: invalid URL escape "%zz": put & between parameters, and write %25 for %, %3B for ;`},
		{name: "semicolon", target: "/api/v1/kpis/share_a?window=5m;by=channel", code: 400, kind: "bad_data",
			text: `query string cannot be read: invalid semicolon separator in query: put & between parameters, and write %25 for %, %3B for ;`},
		{name: "parameter of the range", target: "/api/v1/kpis/money_b?from=2026-11-22", code: 400, kind: "bad_data",
			text: `parameter "from" is unknown for money_b: use at, by, compare, cursor, format, lang, limit, order, top, window`},
		{name: "twice", target: "/api/v1/kpis/share_a?window=5m&window=1h", code: 400, kind: "bad_data",
			text: "window is given 2 times: give it once"},
		{name: "two expressions", target: "/api/v1/kpis/share_a?channel=~a&channel=b", code: 400, kind: "bad_data",
			text: "channel is given 2 times, with a regular expression: give one, with | between what it may be"},
		{name: "no expression", target: "/api/v1/kpis/share_a?channel=~(", code: 400, kind: "bad_data",
			text: "channel=~( is no regular expression: error parsing regexp: missing closing ): `(`: it is RE2, and matches the whole value"},
		{name: "no expression by itself", target: "/api/v1/kpis/share_a?channel=~a)|(b", code: 400, kind: "bad_data",
			text: "channel=~a)|(b is no regular expression: error parsing regexp: unexpected ): `a)|(b`: it is RE2, and matches the whole value"},
		{name: "empty format", target: "/api/v1/kpis/share_a?format=", code: 400, kind: "bad_data", text: "format is empty: give a value, or leave it out"},
		{name: "two formats", target: "/api/v1/kpis/share_a?format=csv&format=json", code: 400, kind: "bad_data", text: "format is given 2 times: give it once"},
		{name: "order", target: "/api/v1/kpis/share_a?by=channel&order=size", code: 400, kind: "bad_data",
			text: `order "size" is none: use labels, value, -value`},
		{name: "top and limit", target: "/api/v1/kpis/share_a?by=channel&top=3&limit=2", code: 400, kind: "bad_data",
			text: "top does not go with order, limit and cursor: it is order=-value and a limit"},
		{name: "limit", target: "/api/v1/kpis/share_a?by=channel&limit=0", code: 400, kind: "bad_data",
			text: `limit "0" is no whole number from 1 to 10000: give one`},
		{name: "cursor without limit", target: "/api/v1/kpis/share_a?by=channel&cursor=x", code: 400, kind: "bad_data",
			text: "cursor goes on with a list in the order of labels that has a limit: give limit, and no other order"},
		{name: "cursor of another list", target: "/api/v1/kpis/share_a?by=channel&limit=2&cursor=W10", code: 400, kind: "bad_data",
			text: `cursor "W10" is not one of this list: give that which an answer to the same question had as next`},
		{name: "compare", target: "/api/v1/kpis/share_a?compare=tomorrow", code: 400, kind: "bad_data",
			text: `compare "tomorrow" is none: use previous, yesterday, last_week`},
		{name: "format", target: "/api/v1/kpis/share_a?format=xlsx", code: 400, kind: "bad_data",
			text: `format "xlsx" is none: use json, csv or ndjson`},
		{name: "length back", target: "/api/v1/kpis/share_a?at=-soon", code: 400, kind: "bad_data",
			text: `at "-soon" is no length of time to go back: give one such as -30m, -1h or -7d`},
		{name: "too far back", target: "/api/v1/kpis/share_a?at=-65535d", code: 400, kind: "bad_data",
			text: "at -65535d is outside 1973 to 2105: give a time in between"},
		{name: "one of several", target: "/api/v1/kpis/share_a,shar_b", code: 404, kind: "not_found",
			text: `KPI "shar_b" does not exist: did you mean share_a? GET /api/v1/kpis lists those that do`},
		{name: "the same twice", target: "/api/v1/kpis/share_a,share_a", code: 400, kind: "bad_data",
			text: "share_a is asked for twice: name it once"},
		{name: "seconds", target: "/api/v1/kpis/share_a?at=1700000000", code: 400, kind: "bad_data",
			text: "at 1700000000 looks like seconds: give RFC 3339 (2026-11-22T10:00:00+08:00), integer epoch milliseconds, a date (2026-11-22), now, today, yesterday or a length back (-1h, -7d)"},
		{name: "no time", target: "/api/v1/kpis/share_a?at=noon", code: 400, kind: "bad_data",
			text: `at "noon" is no time: give RFC 3339 (2026-11-22T10:00:00+08:00), integer epoch milliseconds, a date (2026-11-22), now, today, yesterday or a length back (-1h, -7d)`},
		{name: "too old", target: "/api/v1/kpis/share_a?at=1969-07-20", code: 400, kind: "bad_data",
			text: "at 1969-07-20 is outside 1973 to 2105: give a time in between"},
		{name: "no from", target: "/api/v1/kpis/share_a/range", code: 400, kind: "bad_data",
			text: "from is missing: give RFC 3339 (2026-11-22T10:00:00+08:00), integer epoch milliseconds, a date (2026-11-22), now, today, yesterday or a length back (-1h, -7d)"},
		{name: "from after to", target: "/api/v1/kpis/share_a/range?from=2026-11-23&to=2026-11-21", code: 400, kind: "bad_data",
			text: "from 2026-11-22T16:00:00.000Z is not before to 2026-11-21T16:00:00.000Z: exchange them"},
		{name: "step", target: "/api/v1/kpis/share_a/range?from=2026-11-22&window=1h&step=90s", code: 400, kind: "bad_data",
			text: "step 90s is no multiple of 1m, the distance between the kept windows of 1h: give 1m or a multiple"},
		{name: "step of days", target: "/api/v1/kpis/daily_c/range?from=2026-11-22&step=1h", code: 400, kind: "bad_data",
			text: "step 1h does not go with window=day: leave it out, there is a point for each day"},
		{name: "too many points", target: "/api/v1/kpis/share_a/range?from=2026-11-01", code: 400, kind: "bad_data",
			text: "the range has 370080 points, more than 11000: ask for less, or with step=170s"},
		{name: "not kept any more", target: "/api/v1/kpis/share_a?at=2020-01-01", err: NotFound("oldest is X"), code: 404, kind: "not_found", text: "oldest is X"},
		{name: "wrapped", target: "/api/v1/kpis/share_a", err: fmt.Errorf("query: %w", Unavailable("catching up")), code: 503, kind: "unavailable", text: "catching up"},
		{name: "internal", target: "/api/v1/kpis/share_a", err: errors.New("secret path"), code: 500, kind: "internal",
			text: "internal error: the service's log has the details"},
		{name: "not ready", target: "/api/v1/kpis/share_a", notReady: errors.New("recovering: 3 of 10 shards"), code: 503, kind: "unavailable", text: "recovering: 3 of 10 shards"},
		{name: "range not ready", target: "/api/v1/kpis/share_a/range", notReady: errors.New("recovering"), code: 503, kind: "unavailable", text: "recovering"},
		{name: "ledger not ready", target: "/api/v1/ledger", notReady: errors.New("recovering"), code: 503, kind: "unavailable", text: "recovering"},
		{name: "alerts not ready", target: "/api/v1/alerts", notReady: errors.New("recovering"), code: 503, kind: "unavailable", text: "recovering"},
		{name: "readiness", target: "/-/ready", notReady: errors.New("recovering"), code: 503, kind: "unavailable", text: "recovering"},
		{name: "reload", method: "POST", target: "/-/reload", code: 501, kind: "unavailable",
			text: "there is nothing to reload here: restart the service"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake()
			f.err, f.notReady = c.err, c.notReady
			got := ask(New(f.deps(t)), or(c.method, "GET"), c.target, "")
			e := got.envelope(t)
			if got.code != c.code || e.Status != "error" || e.ErrorType != c.kind || e.Error != c.text {
				t.Errorf("got %d %s %q\nwant %d %s %q", got.code, e.ErrorType, e.Error, c.code, c.kind, c.text)
			}
			if retry := got.header.Get("Retry-After"); (retry == "1") != (c.code == 503 || c.kind == "unavailable") {
				t.Errorf("Retry-After = %q", retry)
			}
			if got.header.Get("Content-Type") != "application/json" || got.header.Get("Cache-Control") != "no-store" {
				t.Errorf("headers = %v", got.header)
			}
			if c.code != 404 && c.target != "/" { // of which a path may not exist
				got.described(t, or(c.method, "GET"), c.target)
			}
		})
	}
}

// TestPaused: what is in is told while nothing is consumed, and why is told by
// the readiness.
func TestPaused(t *testing.T) {
	f := newFake()
	f.paused = errors.New("memory_budget is spent")
	h := New(f.deps(t))
	for _, target := range []string{"/api/v1/kpis/share_a", "/api/v1/kpis/share_a/range?from=2026-11-22", "/api/v1/ledger", "/api/v1/alerts"} {
		if got := ask(h, "GET", target, ""); got.code != 200 {
			t.Errorf("GET %s: %d %s, want 200", target, got.code, got.body)
		}
	}
	f.notReady = errors.New("recovering")
	if got := ask(h, "GET", "/-/ready", ""); got.code != 503 || got.envelope(t).Error != "memory_budget is spent" {
		t.Errorf("GET /-/ready: %d %s, want 503 with the reason of the pause", got.code, got.body)
	}
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// TestSelection: what the parameters come to.
func TestSelection(t *testing.T) {
	day := func(date string) time.Time {
		d, err := time.ParseInLocation(time.DateOnly, date, shanghai)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct {
		target string
		want   Query
	}{
		{"share_a", Query{KPI: ratio, Window: five, By: kpi.Set{}}},
		{"money_b", Query{KPI: money, Window: hour, By: kpi.Set{}}},
		{"daily_c", Query{KPI: daily, Window: kpi.Day, By: kpi.Set{}}},
		{"top_d", Query{KPI: top, Window: hour, By: kpi.Set{"content_id"}}},
		{"share_a?window=1h&by=total", Query{KPI: ratio, Window: hour, By: kpi.Set{}}},
		{"share_a?window=60m", Query{KPI: ratio, Window: hour, By: kpi.Set{}}},
		{"share_a?by=channel", Query{KPI: ratio, Window: five, By: channel}},
		{"share_a?by=device,channel", Query{KPI: ratio, Window: five, By: kpi.Set{"channel", "device"}}},
		{"share_a?by=device&by=channel", Query{KPI: ratio, Window: five, By: kpi.Set{"channel", "device"}}},
		{"share_a?channel=douyin", Query{KPI: ratio, Window: five, By: channel, Match: map[string]string{"channel": "douyin"}}},
		{"share_a?by=channel&channel=", Query{KPI: ratio, Window: five, By: channel, Match: map[string]string{"channel": ""}}},
		{"share_a?by=channel&device=ios", Query{KPI: ratio, Window: five, By: kpi.Set{"channel", "device"}, Match: map[string]string{"device": "ios"}}},
		{"share_a?at=1700000000123", Query{KPI: ratio, Window: five, By: kpi.Set{}, At: time.UnixMilli(1700000000123)}},
		{"share_a?at=2026-11-22T10:00:00.5%2B08:00", Query{KPI: ratio, Window: five, By: kpi.Set{}, At: now.Add(500 * time.Millisecond)}},
		{"share_a?at=2026-11-22t02:00:00.5z", Query{KPI: ratio, Window: five, By: kpi.Set{}, At: now.Add(500 * time.Millisecond)}},
		{"share_a?at=2026-11-22T10:00:00.5+08:00", Query{KPI: ratio, Window: five, By: kpi.Set{}, At: now.Add(500 * time.Millisecond)}},
		{"share_a?window=day&at=2026-11-21", Query{KPI: ratio, Window: kpi.Day, By: kpi.Set{}, At: day("2026-11-22")}},
	} {
		f := newFake()
		got := ask(New(f.deps(t)), "GET", "/api/v1/kpis/"+c.target, "")
		if got.code != 200 {
			t.Errorf("%s: %d %s", c.target, got.code, got.body)
			continue
		}
		if !f.query.At.Equal(c.want.At) {
			t.Errorf("%s: at = %v, want %v", c.target, f.query.At, c.want.At)
		}
		f.query.At, c.want.At = time.Time{}, time.Time{}
		if diff := cmp.Diff(c.want, f.query); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.target, diff)
		}
	}
}

func TestRangeSelection(t *testing.T) {
	midnight := time.Date(2026, 11, 21, 0, 0, 0, 0, shanghai)
	for _, c := range []struct {
		target   string
		from, to time.Time
		step     time.Duration
		window   kpi.Window
	}{
		{"share_a/range?from=2026-11-21&to=2026-11-21&window=1h", midnight, midnight.AddDate(0, 0, 1), time.Minute, hour},
		{"share_a/range?from=2026-11-21&to=2026-11-22&window=day", midnight, midnight.AddDate(0, 0, 2), 0, kpi.Day},
		{"share_a/range?from=2026-11-22T00:00:00Z&step=605s", now.Add(-2 * time.Hour), time.Time{}, 605 * time.Second, five},
		{"share_a/range?from=2026-11-21&window=1h&step=2d", midnight, time.Time{}, 48 * time.Hour, hour},
		{"share_a/range?from=2026-11-22T01:00:00Z", now.Add(-time.Hour), time.Time{}, 5 * time.Second, five},
	} {
		f := newFake()
		got := ask(New(f.deps(t)), "GET", "/api/v1/kpis/"+c.target, "")
		q := f.ranged
		if got.code != 200 || !q.From.Equal(c.from) || !q.To.Equal(c.to) || q.Step != c.step || q.Window != c.window {
			t.Errorf("%s: %d %s\nasked %v to %v step %v window %v", c.target, got.code, got.body, q.From, q.To, q.Step, q.Window)
		}
	}
}

// Of a range only what is kept counts against the most points.
func TestRangeOfWhatIsKept(t *testing.T) {
	f := newFake()
	f.oldest = now.Add(-10 * time.Hour) // 7,200 points of 5 s
	h := New(f.deps(t))
	for _, target := range []string{"from=2026-01-01", "from=2026-11-22T01:00:00Z&to=2030-01-01", "from=2026-01-01&to=2026-02-01", "from=2027-01-01&to=2027-02-01"} {
		if got := ask(h, "GET", "/api/v1/kpis/share_a/range?"+target, ""); got.code != 200 {
			t.Errorf("%s: %d %s", target, got.code, got.body)
		}
	}
	f.oldest = now.Add(-20 * time.Hour)
	const want = "the range has 14400 points, more than 11000: ask for less, or with step=10s"
	if got := ask(h, "GET", "/api/v1/kpis/share_a/range?from=2026-01-01", ""); got.envelope(t).Error != want {
		t.Errorf("%s, want %s", got.body, want)
	}
}

// A window that begins after all events is not passed off as empty.
func TestAhead(t *testing.T) {
	const ahead = "the window begins after 2026-11-22T02:00:00.000Z, as far as events reach: ask for an earlier at"
	for _, c := range []struct {
		kpi    *kpi.KPI
		window kpi.Window
		start  time.Time
		want   []string
	}{
		{ratio, five, now.Add(time.Second), []string{ahead + ", or for a whole day with window=day"}},
		{ratio, kpi.Day, now.Add(time.Second), []string{ahead}},
		{money, hour, now.Add(time.Second), []string{ahead}},
		{ratio, five, now, []string{}},
	} {
		f := newFake()
		f.answer = &sample.Answer{KPI: c.kpi, Window: c.window, Start: c.start, End: c.start.Add(time.Minute), AsOf: now}
		if diff := cmp.Diff(c.want, ask(New(f.deps(t)), "GET", "/api/v1/kpis/share_a", "").envelope(t).Warnings); diff != "" {
			t.Errorf("%s from %s: -want +got:\n%s", c.window, c.start, diff)
		}
	}
}

// Where nobody is told of alerts, the list of alerts says so.
func TestUnheard(t *testing.T) {
	for _, tt := range []struct {
		rules     []alerts.RuleStatus
		receivers []delivery.Receiver
		want      string
	}{
		{[]alerts.RuleStatus{{Name: "Low"}}, nil, `"warnings":["` + delivery.Unheard.Error() + `"]`},
		{[]alerts.RuleStatus{{Name: "Low"}}, []delivery.Receiver{{Name: "ops"}}, `"warnings":[]`},
		{nil, nil, `"warnings":[]`},
	} {
		f := newFake()
		f.alerts.Rules, f.alerts.Receivers = tt.rules, tt.receivers
		if got := ask(New(f.deps(t)), "GET", "/api/v1/alerts", ""); !strings.Contains(string(got.body), tt.want) {
			t.Errorf("%v, %v: %s, want %s", tt.rules, tt.receivers, got.body, tt.want)
		}
	}
}

// Where more alerts are in force than are listed, the list says so.
func TestMoreAlertsThanListed(t *testing.T) {
	f := newFake()
	f.alerts.Alerts = []alerts.Alert{{Rule: "Low", State: alerts.Firing}, {Rule: "Low", State: alerts.Firing}}
	f.alerts.Firing, f.alerts.Pending = 3, 4
	got := ask(New(f.deps(t)), "GET", "/api/v1/alerts", "")
	want := "2 of 7 alerts are listed, firing ones first, the oldest first: 3 are firing, 4 pending"
	if e := got.envelope(t); len(e.Warnings) != 1 || e.Warnings[0] != want {
		t.Errorf("warnings %q, want %q", e.Warnings, want)
	}
}

// TestAnswers: the exact text of every success.
func TestAnswers(t *testing.T) {
	value := func(n int64) sample.Number { return sample.Number{N: sample.Of(n), Scale: 1} }
	f := newFake()
	f.alerts.Alerts = []alerts.Alert{{ID: "a1", Rule: "Low", Group: "g", State: alerts.Firing, Labels: map[string]string{}, Annotations: map[string]string{}, ActiveAt: alerts.Time{Time: now}, Hold: alerts.Hold{SilencedBy: []string{}, InhibitedBy: []string{}, MutedBy: []string{}}}}
	f.alerts.Firing = 1
	f.alerts.Rules, f.alerts.Receivers, f.alerts.Deliveries = []alerts.RuleStatus{}, []delivery.Receiver{{Name: "ops", Owed: 2}}, []delivery.Delivery{}
	h := New(f.deps(t))
	f.answer = &sample.Answer{
		KPI: ratio, Window: five, By: channel, Start: now.Add(-5 * time.Minute), End: now, AsOf: now.Add(-time.Second),
		Watermark: now.Add(-2 * time.Second), Warnings: []string{`engine's "warning"`},
		Samples: []sample.Sample{
			{Labels: []string{"douyin"}, Numerator: value(1), Denominator: value(4), Revision: 2, Bound: value(9)},
			{Labels: []string{"抖音\n"}, Null: true, Numerator: value(0), Denominator: value(0)},
			{Labels: []string{"(none)"}, Numerator: value(5), Denominator: value(4)},
		},
	}
	f.series = &RangeAnswer{KPI: money, Window: hour, By: kpi.Set{}, Start: now.Add(-time.Hour), End: now.Add(2 * time.Minute), AsOf: now.Add(90 * time.Second), Watermark: now.Add(89 * time.Second), Series: []sample.Series{{Points: []sample.Point{
		{End: now, Complete: true, Sample: sample.Sample{Numerator: sample.Number{N: sample.Of(2_500_000), Scale: kpi.Scale}, Currency: "CNY", Revision: 1}},
		{End: now.Add(time.Minute), Sample: sample.Sample{Null: true, Mixed: true}},
		{End: now.Add(2 * time.Minute), Sample: sample.Sample{Numerator: sample.Number{N: sample.Of(-9_000_000_000_000_000_001), Scale: kpi.Scale}, Bound: sample.Number{N: sample.Of(2_500_000), Scale: kpi.Scale}}},
	}}}}
	span := `"start":"2026-11-22T01:55:00.000Z","end":"2026-11-22T02:00:00.000Z","as_of":"2026-11-22T01:59:59.000Z","watermark":"2026-11-22T01:59:58.000Z","complete":false`
	interval := `"low":0.045587260809700575,"high":0.6993581574175981`
	for target, want := range map[string]string{
		"/api/v1/kpis/share_a?by=channel": `{"status":"success","data":{"kpi":"share_a","definition":"share_a@1","window":"5m","by":["channel"],` + span + `,"samples":[` +
			`{"labels":{"channel":"douyin"},"value":0.25,"numerator":1,"denominator":4,"n":4,` + interval + `,"window":"5m",` + span + `,"revision":2,"exactness":"within 9","definition":"share_a@1"},` +
			`{"labels":{"channel":"抖音\n"},"value":null,"numerator":0,"denominator":0,"n":0,"window":"5m",` + span + `,"revision":0,"exactness":"exact","definition":"share_a@1"},` +
			`{"labels":{"channel":"(none)"},"value":1.25,"numerator":5,"denominator":4,"n":4,"window":"5m",` + span + `,"revision":0,"exactness":"exact","definition":"share_a@1"}]},` +
			`"warnings":["engine's \"warning\"","share_a exceeds 1 in 1 series: what it divides by lies outside the window"]}`,
		"/api/v1/kpis/money_b/range?from=2026-11-22": `{"status":"success","data":{"kpi":"money_b","definition":"money_b@1","window":"1h","by":[],"start":"2026-11-22T01:00:00.000Z","end":"2026-11-22T02:02:00.000Z","as_of":"2026-11-22T02:01:30.000Z","watermark":"2026-11-22T02:01:29.000Z","series":[{"labels":{},"points":[` +
			`{"end":"2026-11-22T02:00:00.000Z","value":2.5,"numerator":2.5,"n":2,"complete":true,"revision":1,"currency":"CNY"},` +
			`{"end":"2026-11-22T02:01:00.000Z","value":null,"numerator":null,"n":0,"complete":false,"revision":0},` +
			`{"end":"2026-11-22T02:02:00.000Z","value":-9000000000000.000001,"numerator":-9000000000000.000001,"n":-9000000000000,"complete":false,"revision":0,"exactness":"within 2.5"}]}]},"warnings":[]}`,
		"/api/v1/ledger": `{"status":"success","data":{"total":{"received":4,"counted":3,"duplicate":0,"late":0,"quarantined":1,"future":0,"filtered":0},` +
			`"lanes":{"0":{"received":4,"counted":3,"duplicate":0,"late":0,"quarantined":1,"future":0,"filtered":0}},` +
			`"quarantined":{"bad_time":1},"watermark":"2026-11-22T02:00:00.000Z","begins":"2026-11-22T01:00:00.000Z","timezone":"Asia/Shanghai","position":7,"backlog":2},"warnings":[]}`,
		"/api/v1/alerts": `{"status":"success","data":{"alerts":[{"id":"a1","rule":"Low","group":"g","state":"firing","labels":{},"annotations":{},"value":null,` +
			`"active_at":"2026-11-22T02:00:00.000Z","fired_at":null,"stale_since":null,"fingerprint":"","silenced_by":[],"inhibited_by":[],"muted_by":[]}],"firing":1,"pending":0,"rules":[],"receivers":[{"name":"ops","owed":2}],"deliveries":[],"reload":{"succeeded_at":null,"failed_at":null,"error":""}},"warnings":[]}`,
		"/-/healthy": `{"status":"success","data":"healthy","warnings":[]}`,
		"/-/ready":   `{"status":"success","data":"ready","warnings":[]}`,
	} {
		got := ask(h, "GET", target, "")
		if diff := cmp.Diff(want+"\n", string(got.body)); diff != "" || got.code != 200 {
			t.Errorf("%s: %d -want +got:\n%s", target, got.code, diff)
		}
	}
}

func TestCatalogue(t *testing.T) {
	got := ask(New(newFake().deps(t)), "GET", "/api/v1/kpis", "").envelope(t)
	var list []map[string]any
	if err := json.Unmarshal(got.Data, &list); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"name": "share_a", "title": map[string]any{"en": "Share", "zh": "比例"}, "description": map[string]any{"en": "", "zh": ""},
		"group": map[string]any{"en": "Shares", "zh": "比例类"}, "place": 7.0,
		"unit": "percent", "definition": "share_a@1", "by": []any{[]any{}, []any{"channel"}, []any{"channel", "device"}},
		"windows": []any{"5m", "1h", "day"}, "top": 0.0, "ratio": true, "targets": map[string]any{"good": 0.25},
	}
	if diff := cmp.Diff(want, list[2]); diff != "" || len(list) != 4 {
		t.Errorf("%d KPIs, -want +got:\n%s", len(list), diff)
	}
}

// TestSplit: what a breakdown tells apart is listed in the order of the operator, where
// samples come in that of their labels.
func TestSplit(t *testing.T) {
	own := "keep: [funnel_step_rate]\noperators: [{name: funnel, funnel: {steps: [{name: watch, where: 'type == \"play\"'}, 'type == \"pay\"']}}]"
	c, err := kpi.Load(shanghai, kpi.File{Name: "x.yaml", Data: []byte(own)})
	if err != nil {
		t.Fatal(err)
	}
	f := newFake()
	f.kpis = c.KPIs
	type split struct {
		Split []string
		Texts map[string][]string
	}
	var list []split
	if err := json.Unmarshal(ask(New(f.deps(t)), "GET", "/api/v1/kpis", "").envelope(t).Data, &list); err != nil {
		t.Fatal(err)
	}
	want := []split{{[]string{"step"}, map[string][]string{"step": {"watch", "2"}}}}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestOperators: an operator is shown with all that its definition says, and who reads it.
func TestOperators(t *testing.T) {
	own := "keep: [rfm]\noperators: [{name: rfm, rfm: {monetary: {JPY: [100, 200, 300, 400]}, hysteresis: 10%}}, {name: visits, sessions: {where: 'type == \"play\"'}}]"
	c, err := kpi.Load(shanghai, kpi.File{Name: "x.yaml", Data: []byte(own)})
	if err != nil {
		t.Fatal(err)
	}
	f := newFake()
	f.kpis, f.facts = c.KPIs, c.Operators
	var list []map[string]any
	if err := json.Unmarshal(ask(New(f.deps(t)), "GET", "/api/v1/operators", "").envelope(t).Data, &list); err != nil {
		t.Fatal(err)
	}
	cuts := func(a, b, c, d float64) []any { return []any{a, b, c, d} }
	want := map[string]map[string]any{
		"rfm": {"name": "rfm", "kind": "rfm", "kpis": []any{"rfm"}, "parameters": map[string]any{
			"recency": cuts(7, 14, 30, 90), "frequency": cuts(2, 3, 5, 10), "monetary": map[string]any{"JPY": cuts(100, 200, 300, 400)}, "hysteresis": "10%",
		}},
		"visits": {"name": "visits", "kind": "sessions", "kpis": []any{}, "parameters": map[string]any{"gap": "30m", "end": `type == "session_end"`, "where": `type == "play"`}},
	}
	for _, o := range list {
		name := o["name"].(string)
		if diff := cmp.Diff(want[name], o); want[name] != nil && diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		delete(want, name)
	}
	if len(want) > 0 || len(list) < 9 {
		t.Errorf("of %d operators %d are missing", len(list), len(want))
	}
}

// TestEncoding: appended text reads back as what encoding/json would write.
func TestEncoding(t *testing.T) {
	for _, s := range []string{"", "a", "a\"b\\c\n\x00", "抖音", "\xff", "<&>", "\u2028", "\x7f"} {
		want, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var a, b string
		if json.Unmarshal(appendString(nil, s), &a) != nil || json.Unmarshal(want, &b) != nil || a != b {
			t.Errorf("%q: got %s, want %s", s, appendString(nil, s), want)
		}
	}
	for _, f := range []float64{0, 1, -0.1, 1.0 / 3, 1e-7, 1e21, 123456789.5} {
		var got float64
		if json.Unmarshal(appendFloat(nil, f), &got) != nil || got != f {
			t.Errorf("%v: got %s", f, appendFloat(nil, f))
		}
	}
}

func TestGzip(t *testing.T) {
	f := newFake()
	f.answer = &sample.Answer{KPI: ratio, By: channel, Samples: make([]sample.Sample, 100)}
	h := New(f.deps(t))
	plain := ask(h, "GET", "/api/v1/kpis/share_a", "")
	for accept, want := range map[string]bool{
		"gzip": true, "br, gzip;q=0.5": true, "deflate, GZIP": true, "gzip;q=0": false, "": false, "gzip;q=0.0": false, "*": false,
	} {
		got := ask(h, "GET", "/api/v1/kpis/share_a", "", "Accept-Encoding", accept)
		if zipped := got.header.Get("Content-Encoding") == "gzip"; zipped != want {
			t.Errorf("%q: compressed = %v, want %v", accept, zipped, want)
			continue
		}
		if want {
			z, err := gzip.NewReader(bytes.NewReader(got.body))
			if err != nil {
				t.Fatal(err)
			}
			if got.body, err = io.ReadAll(z); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got.body, plain.body) {
			t.Errorf("%q: other body", accept)
		}
	}
	if small := ask(h, "GET", "/-/healthy", "", "Accept-Encoding", "gzip"); small.header.Get("Content-Encoding") != "" {
		t.Error("a small answer is compressed")
	}
}

func TestPanic(t *testing.T) {
	d := newFake().deps(t)
	d.Page = pageOf(func(http.ResponseWriter, *http.Request) { panic("boom") })
	got := ask(New(d), "GET", "/", "")
	if e := got.envelope(t); got.code != 500 || e.ErrorType != "internal" || strings.Contains(e.Error, "boom") {
		t.Errorf("got %d %s", got.code, got.body)
	}
}

func TestMetricsPage(t *testing.T) {
	h := New(newFake().deps(t))
	ask(h, "GET", "/api/v1/kpis/share_a", "")
	ask(h, "GET", "/api/v1/kpis/none", "")
	ask(h, "BREW", "/api/v1/kpis", "")
	ask(h, "GET", "/", "", "Host", "evil.example")
	got := ask(h, "GET", "/metrics", "")
	for _, line := range []string{
		`tidewatch_http_requests_total{path="/api/v1/kpis/{name}",method="GET",code="200"} 1`,
		`tidewatch_http_requests_total{path="/api/v1/kpis/{name}",method="GET",code="404"} 1`,
		`tidewatch_http_requests_total{path="/api/v1/kpis",method="other",code="405"} 1`,
		`tidewatch_http_requests_total{path="(refused)",method="GET",code="403"} 1`,
		`tidewatch_http_request_duration_seconds_count{path="/api/v1/kpis/{name}"} 2`,
		`tidewatch_live_clients 0`,
		`kpi_share_a{by="total"} 0.5`,
		"process_cpu_seconds_total",
	} {
		if !strings.Contains(string(got.body), line) {
			t.Errorf("%s is missing", line)
		}
	}
}

func TestReload(t *testing.T) {
	d := newFake().deps(t)
	var restart []string
	var result error
	d.Reload = func(context.Context) ([]string, error) { return restart, result }
	h := New(d)
	if got := ask(h, "POST", "/-/reload", ""); got.code != 200 || len(got.envelope(t).Warnings) > 0 {
		t.Errorf("got %d %s", got.code, got.body)
	}
	restart = []string{"lateness", "users.forget_after"}
	if got := ask(h, "POST", "/-/reload", ""); got.code != 200 || !slices.Equal(got.envelope(t).Warnings, []string{"what has changed of these keys of the configuration takes a restart: lateness, users.forget_after"}) {
		t.Errorf("got %d %s", got.code, got.body)
	}
	result = errors.New("rules[0] is bad")
	if got := ask(h, "POST", "/-/reload", ""); got.code != 400 || got.envelope(t).Error != "the old configuration stays: rules[0] is bad" {
		t.Errorf("got %d %s", got.code, got.body)
	}
}

func BenchmarkSamples(b *testing.B) {
	a := &sample.Answer{KPI: ratio, Window: five, By: channel, Start: now, End: now, AsOf: now, Watermark: now}
	for i := range 10_000 {
		a.Samples = append(a.Samples, sample.Sample{
			Labels:    []string{fmt.Sprintf("channel-%d", i)},
			Numerator: sample.Number{N: sample.Of(int64(i)), Scale: 1}, Denominator: sample.Number{N: sample.Of(int64(3*i + 1)), Scale: 1},
		})
	}
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		w.Body.Reset()
		e := newEncoder(&transfer{w: w, c: http.NewResponseController(w), pace: newPace(1)})
		(&sampleJSON{Answer: a}).writeJSON(e)
		e.finish()
		e.free()
	}
	b.SetBytes(int64(w.Body.Len()))
}
