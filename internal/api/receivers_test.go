package api

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/alerts/history"
)

// TestAlertHistoryQuery: what is asked for is what the history is asked.
func TestAlertHistoryQuery(t *testing.T) {
	for _, c := range []struct {
		query, refusal string
		want           history.Query
	}{
		{"", "", history.Query{Limit: 100}},
		{"?from=-1h&to=now&rule=Low&limit=5&cursor=az", "", history.Query{From: now.Add(-time.Hour), To: now, Rule: "Low", Limit: 5, Before: 35}},
		{"?from=now&to=-1h", "is not before to", history.Query{}},
		{"?rules=Low", "did you mean rule?", history.Query{}},
		{"?rule=", "rule is empty", history.Query{}},
		{"?cursor=u5", "is none of this list", history.Query{}},
		{"?limit=0", "no whole number from 1 to 1000", history.Query{}},
	} {
		f := newFake()
		got := ask(New(f.deps(t)), http.MethodGet, "/api/v1/alerts/history"+c.query, "")
		if e := got.envelope(t); c.refusal != "" {
			if got.code != http.StatusBadRequest || !strings.Contains(e.Error, c.refusal) {
				t.Errorf("%s: %d %s, want %q", c.query, got.code, e.Error, c.refusal)
			}
			continue
		}
		if !f.asked.From.Equal(c.want.From) || !f.asked.To.Equal(c.want.To) {
			t.Errorf("%s: from %v to %v", c.query, f.asked.From, f.asked.To)
		}
		f.asked.From, f.asked.To = c.want.From, c.want.To
		if got.code != http.StatusOK || f.asked != c.want {
			t.Errorf("%s: %d, asked %+v, want %+v", c.query, got.code, f.asked, c.want)
		}
		if f.views > 0 {
			t.Errorf("%s: looks at all alerts, which takes their templates", c.query)
		}
	}
}

// TestOneTestAtATime: who tests receivers without a pause floods nobody.
func TestOneTestAtATime(t *testing.T) {
	f := newFake()
	f.trial, f.trying = make(chan struct{}), make(chan struct{})
	h := New(f.deps(t))
	const target = "/api/v1/receivers/on%2Fcall/test"
	first := make(chan reply)
	go func() { first <- ask(h, http.MethodPost, target, "") }()
	<-f.trying
	if got := ask(h, http.MethodPost, target, ""); got.code != http.StatusTooManyRequests {
		t.Errorf("beside another: %d %s", got.code, got.body)
	}
	close(f.trial)
	if got := <-first; got.code != http.StatusOK {
		t.Errorf("the first: %d %s", got.code, got.body)
	}
	f.notReady = errors.New("recovering")
	if got := ask(h, http.MethodPost, target, ""); got.code != http.StatusServiceUnavailable {
		t.Errorf("while it recovers: %d %s", got.code, got.body)
	}
}
