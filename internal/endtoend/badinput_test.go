package endtoend

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Whatever comes, every line has its place in the ledger, the process lives,
// and the good events around count.
func TestBadInput(t *testing.T) {
	t.Parallel()
	nats := freeAddr(t)
	s := serving(t, "", "--nats-listen", nats)
	_, js := dial(t, nats)
	now := time.Now().Truncate(time.Millisecond)
	good := 0
	next := func() string { good++; return event(fmt.Sprint("good", good), now, "play", "watch_ms", 1) }
	var quarantined int64
	reasons := map[string]int64{}

	// Over HTTP: among two good events, with the reason in the answer.
	for _, c := range []struct{ name, line, reason string }{
		{"malformed JSON", `{"id":"x","time":`, "not_json"},
		{"no JSON", "hello, world", "not_json"},
		{"no object", `[1,2]`, "not_an_object"},
		{"a number", `17`, "not_an_object"},
		{"id of a wrong type", event("x", now, "play", "id", true), "wrong_type"},
		{"nested id", event("x", now, "play", "id", map[string]any{"a": 1}), "wrong_type"},
		{"number as text", event("x", now, "play", "watch_ms", "much"), "wrong_type"},
		{"channel a list", event("x", now, "play", "channel", []int{1}), "wrong_type"},
		{"no id", event("x", now, "play", "id", nil), "missing_id"},
		{"empty id", event("x", now, "play", "id", ""), "missing_id"},
		{"no time", event("x", now, "play", "time", nil), "missing_time"},
		{"no type", event("x", now, "play", "type", nil), "missing_type"},
		{"no user", event("x", now, "play", "user_id", nil), "missing_user"},
		{"seconds", event("x", now, "play", "time", now.Unix()), "time_in_seconds"},
		{"no date", event("x", now, "play", "time", "yesterday"), "bad_time"},
		{"29 February 2025", event("x", now, "play", "time", "2025-02-29T00:00:00Z"), "bad_time"},
		{"year 7000", event("x", now.AddDate(5000, 0, 0), "play"), "bad_time"},
		{"number too large", event("x", now, "pay", "amount_minor", 1e30), "bad_number"},
		{"a bad currency", event("x", now, "pay", "amount_minor", 1, "currency", "RMB"), "bad_currency"},
		{"no currency", event("x", now, "pay", "amount_minor", 1), "no_currency"},
		{"2 MB", event("x", now, "play", "props", map[string]any{"text": strings.Repeat("x", 2<<20)}), "too_large"},
	} {
		quarantined++
		reasons[c.reason]++
		got := s.post(t, next(), c.line, next())
		if got.Accepted != 2 || got.Quarantined != 1 || len(got.Results) != 1 {
			t.Errorf("%s: %d accepted, %d quarantined, results %+v", c.name, got.Accepted, got.Quarantined, got.Results)
			continue
		}
		if r := got.Results[0]; r.Index != 1 || r.Reason != c.reason || r.Error == "" || len(r.Error) > 1000 {
			t.Errorf("%s: %.1200v, want reason %s", c.name, r, c.reason)
		}
	}
	// Taken, and set apart by its time.
	s.post(t, next(), event("old", now.AddDate(-10, 0, 0), "play"), event("tomorrow", now.Add(24*time.Hour), "play"), next())

	// What is no event at all is refused as a whole.
	for _, c := range []struct {
		name, body, says string
		code             int
	}{
		{"no end of a list", "[" + event("x", now, "play"), "", http.StatusBadRequest},
		{"17 MB", strings.Repeat(" ", 17<<20), "16", http.StatusRequestEntityTooLarge},
	} {
		r, err := s.do("POST", "/v1/events", c.body)
		if err != nil {
			t.Fatal(err)
		}
		if r.code != c.code || r.err == "" || !strings.Contains(r.err, c.says) {
			t.Errorf("%s: %d %.500s", c.name, r.code, r.body)
		}
	}

	// Over NATS, where nobody checks before.
	blob := make([]byte, 100_000)
	rand.Read(blob)
	blob[0] = 0
	blob = bytes.ReplaceAll(blob, []byte{'\n'}, []byte{0}) // one row in the ledger
	for _, c := range []struct {
		name, reason string
		data         []byte
		headers      []string
	}{
		{"binary", "binary", blob, nil},
		{"zeros", "binary", make([]byte, 1000), nil},
		{"claims gzip", "bad_encoding", blob, []string{"Content-Encoding", "gzip"}},
		{"claims zstd", "bad_encoding", []byte(event("x", now, "play")), []string{"Content-Encoding", "zstd"}},
		{"unknown encoding", "bad_encoding", []byte(event("x", now, "play")), []string{"Content-Encoding", "rot13"}},
	} {
		before := s.awaitReceived(t, quarantined+int64(good)+2)
		publish(t, js, c.data, c.headers...)
		quarantined++
		reasons[c.reason]++
		after := s.awaitReceived(t, before.Total.Received+1)
		if got := after.Quarantined[c.reason] - before.Quarantined[c.reason]; got != 1 {
			t.Errorf("%s: quarantined %v, before %v, want one more %s", c.name, after.Quarantined, before.Quarantined, c.reason)
		}
	}
	publish(t, js, []byte(next()))
	publish(t, js, []byte(next()+"\n"+next()+"\n\n"))

	want := quarantined + int64(good) + 2
	l := s.awaitReceived(t, want)
	if x := l.Total; x.Received != want || x.Counted != int64(good) || x.Quarantined != quarantined || x.Late != 1 || x.Future != 1 {
		t.Errorf("ledger %+v; want received %d, counted %d, quarantined %d, late 1, future 1", x, want, good, quarantined)
	}
	if !maps.Equal(l.Quarantined, reasons) {
		t.Errorf("quarantined %v, want %v", l.Quarantined, reasons)
	}
	s.close(t, now.Add(time.Minute))
	if a := s.kpi(t, "plays", "window", "5m", "at", fmt.Sprint(now.Add(time.Minute).UnixMilli())); len(a.Samples) != 1 || a.Samples[0].Numerator != int64(good) {
		t.Errorf("plays %+v, want %d", a, good)
	}
	s.alive(t)
}

// A hundred thousand values of a dimension are bounded: the total stays exact,
// the excess is in one series, and all series add up to the total.
func TestManyLabels(t *testing.T) {
	t.Parallel()
	s := serving(t, "")
	const labels = 100_000
	now := time.Now().Add(-time.Minute).Truncate(time.Second)
	var lines []string
	for i := range labels {
		lines = append(lines, event(fmt.Sprint(i), now, "play", "watch_ms", 1, "user_id", fmt.Sprint("u", i%1000), "channel", fmt.Sprint("channel ", i)))
		if len(lines) == 10_000 {
			s.post(t, lines...)
			lines = lines[:0]
		}
	}
	if got := s.awaitReceived(t, labels).Total; got.Counted != labels {
		t.Errorf("ledger %+v", got)
	}
	end := now.Add(5 * time.Second)
	s.close(t, end)
	at := fmt.Sprint(end.UnixMilli())
	if a := s.kpi(t, "plays", "window", "5m", "at", at); len(a.Samples) != 1 || a.Samples[0].Numerator != labels {
		t.Errorf("plays %+v, want %d", a, labels)
	}
	a := s.kpi(t, "plays", "window", "5m", "at", at, "by", "channel")
	var sum, other int64
	for _, x := range a.Samples {
		sum += x.Numerator
		if x.Labels["channel"] == "__other__" {
			other = x.Numerator
		}
	}
	if sum != labels || other < labels-10_000-1 || len(a.Samples) > 10_001 {
		t.Errorf("%d series of plays add up to %d, %d of them in __other__; want %d, at most 10,001 series", len(a.Samples), sum, other, labels)
	}
	if a := s.kpi(t, "active_users", "window", "5m", "at", at); len(a.Samples) != 1 || a.Samples[0].Numerator != 1000 {
		t.Errorf("active users %+v, want 1000", a)
	}
	r, err := s.do("GET", "/metrics", "")
	if err != nil || r.code != http.StatusOK || bytes.Count([]byte(r.body), []byte("\nkpi_")) > 5_000 {
		t.Errorf("/metrics: %v, %d lines of KPIs", err, bytes.Count([]byte(r.body), []byte("\nkpi_")))
	}
}

// Nine years without an event cost nothing, and who was active before is in no stock: users
// are known for 400 days.
func TestNineYearsApart(t *testing.T) {
	t.Parallel()
	s := serving(t, "")
	now := time.Now().Truncate(time.Second)
	then := now.AddDate(-9, 0, 0)
	s.post(t, event("then", then, "play", "watch_ms", 1, "user_id", "a"))
	s.awaitReceived(t, 1)
	began := time.Now()
	s.post(t, event("now", now, "play", "watch_ms", 1, "user_id", "b"))
	if l := s.awaitReceived(t, 2).Total; l.Counted != 2 {
		t.Fatalf("ledger %+v", l)
	}
	a := s.kpi(t, "plays", "window", "5m")
	t.Logf("answered after %s", time.Since(began))
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the second event was answered after %s", took)
	}
	if len(a.Samples) != 1 || a.Samples[0].Numerator != 1 || a.End.Before(now) {
		t.Errorf("plays %+v, want the last event", a)
	}
	if a := s.kpi(t, "churned_users"); len(a.Samples) != 1 || a.Samples[0].Numerator != 0 {
		t.Errorf("churned %+v, want none: the first user is forgotten", a)
	}
	s.stopsInTime(t, "after nine years")
	s.start(t)
	if a := s.kpi(t, "active_users", "window", "24h"); len(a.Samples) != 1 || a.Samples[0].Numerator != 1 {
		t.Errorf("active users %+v after a restart, want one", a)
	}
}
