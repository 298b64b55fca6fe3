package endtoend

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

var client = &http.Client{Timeout: patience}

// A reply is what the service answers.
type reply struct {
	code   int
	status string
	err    string
	kind   string
	data   json.RawMessage
	body   string
}

// do asks the service.
func (s *service) do(method, path, body string) (*reply, error) {
	req, err := http.NewRequest(method, s.url(path), strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	return send(req)
}

func send(req *http.Request) (*reply, error) {
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	var e struct {
		Status, Error, ErrorType string
		Data                     json.RawMessage
	}
	_ = json.Unmarshal(text, &e) // some answers are no JSON
	return &reply{res.StatusCode, e.Status, e.Error, e.ErrorType, e.Data, string(text)}, nil
}

// get asks for data; again while the service recovers.
func (s *service) get(t *testing.T, path string, into any) {
	t.Helper()
	var r *reply
	eventually(t, "an answer to "+path, func() (ok bool) {
		s.alive(t)
		var err error
		r, err = s.do("GET", path, "")
		return err == nil && r.code != http.StatusServiceUnavailable
	}, func() any { return r })
	if r.code != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, r.code, r.body)
	}
	if err := json.Unmarshal(r.data, into); err != nil {
		t.Fatalf("GET %s: %v: %s", path, err, r.body)
	}
}

// A taken is the answer to events.
type taken struct {
	Accepted, Duplicate, Quarantined int
	Results                          []struct {
		Index                     int
		Status, ID, Reason, Error string
	}
}

// post sends events and expects that the service takes them into its stream.
func (s *service) post(t *testing.T, lines ...string) taken {
	t.Helper()
	r, err := s.do("POST", "/v1/events", strings.Join(lines, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	if r.code != http.StatusOK && r.code != http.StatusMultiStatus {
		t.Fatalf("POST /v1/events: %d %.500s", r.code, r.body)
	}
	var out taken
	if err := json.Unmarshal(r.data, &out); err != nil {
		t.Fatalf("POST /v1/events: %v: %s", err, r.body)
	}
	return out
}

// close states that all before a time is in, and waits until it is closed.
func (s *service) close(t *testing.T, to time.Time) {
	t.Helper()
	r, err := s.do("POST", "/v1/close", fmt.Sprintf(`{"to":%d}`, to.UnixMilli()))
	if err != nil || r.code != http.StatusOK {
		t.Fatalf("POST /v1/close: %v %+v", err, r)
	}
	s.await(t, "the watermark to reach "+to.String(), func(l ledger) bool { return !l.Watermark.Before(to) })
}

// A ledger is the account of all events.
type ledger struct {
	Total struct {
		Received, Counted, Duplicate, Late, Quarantined, Future, Filtered int64
	}
	Quarantined map[string]int64
	Watermark   time.Time
	Position    uint64
}

func (s *service) ledger(t *testing.T) (l ledger) {
	t.Helper()
	s.get(t, "/api/v1/ledger", &l)
	x := l.Total
	if sum := x.Counted + x.Duplicate + x.Late + x.Quarantined + x.Future + x.Filtered; x.Received != sum {
		t.Fatalf("received %d, but the verdicts add up to %d", x.Received, sum)
	}
	return l
}

// await waits until the ledger is as wanted.
func (s *service) await(t *testing.T, what string, ok func(ledger) bool) ledger {
	t.Helper()
	var l ledger
	eventually(t, what, func() bool { l = s.ledger(t); return ok(l) }, func() any { return l })
	return l
}

// awaitReceived waits until n events stand in the ledger.
func (s *service) awaitReceived(t *testing.T, n int64) ledger {
	t.Helper()
	return s.await(t, fmt.Sprintf("%d events", n), func(l ledger) bool { return l.Total.Received >= n })
}

// eventually asks again and again until ok.
func eventually(t *testing.T, what string, ok func() bool, state func() any) {
	t.Helper()
	limit := time.After(patience)
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for !ok() {
		select {
		case <-limit:
			t.Fatalf("waited %s for %s; it is\n%+v", patience, what, state())
		case <-poll.C:
		}
	}
}

// A sample is one value of a KPI.
type sample struct {
	Labels                 map[string]string
	Value                  *float64
	Numerator, Denominator int64
	N                      int64
	Start, End             time.Time
	Complete               bool
	Revision               int64
	Exactness, Currency    string
}

// An answer is what a KPI is in one window.
type answer struct {
	Start, End time.Time
	Complete   bool
	Samples    []sample
}

// kpi asks for a KPI, with pairs of parameters.
func (s *service) kpi(t *testing.T, name string, pairs ...string) (a answer) {
	t.Helper()
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	s.get(t, "/api/v1/kpis/"+name+"?"+v.Encode(), &a)
	return a
}

// event is a JSON event; fields are pairs and win over the usual ones.
func event(id string, at time.Time, kind string, fields ...any) string {
	e := map[string]any{"id": id, "time": at.UnixMilli(), "type": kind, "user_id": "u1"}
	for i := 0; i < len(fields); i += 2 {
		if e[fields[i].(string)] = fields[i+1]; fields[i+1] == nil {
			delete(e, fields[i].(string))
		}
	}
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(e); err != nil {
		panic(err) // fields are of the test
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// match fails the test for every text that is not part of got.
func match(t *testing.T, got string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("%q is missing in:\n%s", w, got)
		}
	}
}
