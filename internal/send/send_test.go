package send

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
)

// fakeService keeps to the service's HTTP contract: events count once by id.
type fakeService struct {
	mu     sync.Mutex
	ids    map[string]bool
	lines  []string
	ledger Ledger
	closed int64
	posts  int
	most   int                                        // events in one post
	fail   func(post int, w http.ResponseWriter) bool // answers a post in its place
	lag    int64                                      // events that never reach the ledger
}

func (f *fakeService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	var data any
	switch r.Method + " " + r.URL.Path {
	case "POST /v1/events":
		f.posts++
		if f.fail != nil && f.fail(f.posts, w) {
			return
		}
		data = f.take(body)
	case "POST /v1/close":
		var c struct{ To int64 }
		if err := json.Unmarshal(body, &c); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		f.closed = c.To
	case "GET /api/v1/ledger":
		shown := f.ledger
		shown.Received -= f.lag
		data = map[string]any{"total": shown}
	default:
		w.WriteHeader(http.StatusNotFound)
	}
	json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": data})
}

func (f *fakeService) take(body []byte) Answer {
	var a Answer
	lines := strings.Split(strings.TrimSpace(string(body)), "\n")
	f.most = max(f.most, len(lines))
	for i, line := range lines {
		var e struct{ ID string }
		err := json.Unmarshal([]byte(line), &e)
		f.ledger.Received++
		switch {
		case err != nil:
			a.Quarantined++
			f.ledger.Quarantined++
			a.Results = append(a.Results, Result{i, "quarantined", "", "not_json", "event is not JSON"})
		case f.ids[e.ID]:
			a.Duplicate++
			f.ledger.Duplicate++
		default:
			a.Accepted++
			f.ledger.Counted++
			f.ids[e.ID] = true
			f.lines = append(f.lines, line)
		}
	}
	return a
}

func start(t *testing.T) (*fakeService, *Client) {
	t.Helper()
	f := &fakeService{ids: map[string]bool{}}
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return f, &Client{URL: s.URL}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"id":"e%d","time":%d,"type":"play","user_id":"u"}`+"\n", i, 1600000000000+i)
	}
	return b.String()
}

func TestNoAddress(t *testing.T) {
	for _, address := range []string{"foo", "localhost:8080", "ftp://127.0.0.1", "http://"} {
		err := Run(t.Context(), Options{Files: []string{"-"}, Service: &Client{URL: address}, Out: io.Discard, Log: io.Discard})
		if want := fmt.Sprintf("--url %q is no address of a service: give http://HOST:PORT", address); fmt.Sprint(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestRun(t *testing.T) {
	f, c := start(t)
	path := write(t, "events.ndjson", numbered(4500)+"broken\n")
	var out bytes.Buffer
	run := func() error {
		return Run(context.Background(), Options{Files: []string{path}, Service: c, Close: true, Out: &out, Log: io.Discard})
	}
	if err := run(); !errors.Is(err, ErrRejected) {
		t.Errorf("with a broken line: got %v, want ErrRejected", err)
	}
	want := "     received  4501\n      counted  4500\n    duplicate     0\n         late     0\n  quarantined     1\n       future     0\n     filtered     0\n" +
		"1 event was quarantined:\n  events.ndjson:4501: not_json: event is not JSON\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	if f.most > batchEvents || f.closed != 1600000005000 {
		t.Errorf("%d events in one post, closed at %d; want at most %d, closed at the end of the last second", f.most, f.closed, batchEvents)
	}
	if got := strings.Join(f.lines, "\n") + "\n"; got != numbered(4500) {
		t.Error("events arrived changed or in another order")
	}
	if err := run(); !errors.Is(err, ErrRejected) {
		t.Errorf("sent twice: got %v, want ErrRejected", err)
	}
	if f.ledger.Counted != 4500 || f.ledger.Duplicate != 4500 {
		t.Errorf("sent twice: %+v, want each event counted once", f.ledger)
	}
}

// A time in any spelling that the service takes is the one that is closed.
func TestCloseReadsTimesAsTheServiceDoes(t *testing.T) {
	f, c := start(t)
	path := write(t, "e", `{"id":"1","time":"2024-01-01T02:00:00z","type":"play","user_id":"a"}`+"\n"+`{"id":"2","t\u0069me":"2024-01-01t03:00:00.5z","type":"play","user_id":"b"}`+"\n")
	if err := Run(t.Context(), Options{Files: []string{path}, Service: c, Close: true, Out: io.Discard, Log: io.Discard}); err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2024, 1, 1, 3, 0, 1, 0, time.UTC).UnixMilli(); f.closed != want {
		t.Errorf("closed at %d, want %d", f.closed, want)
	}
}

func TestRunRetries(t *testing.T) {
	f, c := start(t)
	f.fail = func(post int, w http.ResponseWriter) bool {
		switch post {
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 2:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		case 3: // taken, but the answer is lost
			f.take([]byte(numbered(10)))
			panic(http.ErrAbortHandler)
		default:
			return false
		}
		return true
	}
	var waits []time.Duration
	c.Retrying = func(_ error, wait time.Duration) { waits = append(waits, wait) }
	err := Run(context.Background(), Options{Files: []string{write(t, "e", numbered(10))}, Service: c, Out: io.Discard, Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	if len(waits) != 3 || waits[1] != time.Second || waits[0] > 50*time.Millisecond {
		t.Errorf("waits %v, want three, the second as Retry-After says", waits)
	}
	if f.ledger.Counted != 10 {
		t.Errorf("counted %d, want 10", f.ledger.Counted)
	}
}

func TestRunGivesUp(t *testing.T) {
	f, c := start(t)
	f.fail = func(_ int, w http.ResponseWriter) bool {
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"status":"error","errorType":"bad_data","error":"frame body: no"}`)
		return true
	}
	o := Options{Files: []string{write(t, "e", numbered(1))}, Service: c, Out: io.Discard, Log: io.Discard}
	if err := Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), "answered 400 Bad Request: frame body: no") || f.posts != 1 {
		t.Errorf("400: got %v after %d posts, want no second try", err, f.posts)
	}
	f.fail = func(_ int, w http.ResponseWriter) bool {
		w.Header().Set("Retry-After", "300")
		w.WriteHeader(http.StatusTooManyRequests)
		io.WriteString(w, `{"status":"error","error":"the stream is full"}`)
		return true
	}
	const asked = "post events: gave up: the service asked to wait 5m0s, beyond the 2m0s that a request is tried: send again later: answered 429 Too Many Requests: the stream is full"
	if err := Run(context.Background(), o); err == nil || !strings.HasPrefix(err.Error(), asked) {
		t.Errorf("a wait that is too long: got %v, want %s", err, asked)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close() // nobody listens here now
	o.Service = &Client{URL: "http://" + l.Addr().String(), Patience: 200 * time.Millisecond}
	var said bytes.Buffer
	o.Log = &said
	if err := Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), "gave up after 200ms") {
		t.Errorf("nobody listens: got %v", err)
	}
	if want := fmt.Sprintf("Get \"%[1]s/api/v1/ledger\": dial tcp %s: connect: connection refused: trying again for up to 200ms\n", o.Service.URL, l.Addr()); said.String() != want {
		t.Errorf("nobody listens: it says %q, want once %q", said.String(), want)
	}
}

// How late events are avoided is told without what was done already.
func TestSooner(t *testing.T) {
	for _, tt := range []struct {
		options Options
		want    string
	}{
		{Options{}, "Send old events to an empty --data and in the order of time (--sort), or as events of now (--shift-to-now)"},
		{Options{Sort: true}, "Send old events to an empty --data, or as events of now (--shift-to-now)"},
		{Options{Sort: true, ShiftToNow: true}, "With --shift-to-now the last event is now, and the others as long before as in the file: " +
			"send what spans more than the lateness to an empty --data, or raise lateness"},
	} {
		s := &sending{Options: tt.options}
		if got := s.sooner(); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.options, got, tt.want)
		}
	}
}

// A few late events are told; when most are late, or of the future, it failed.
func TestMostlyLate(t *testing.T) {
	for _, tt := range []struct {
		late, future int64
		err          string
		said         []string
	}{
		{late: 0},
		{late: 5, said: []string{"5 events were late:", "--sort", "--shift-to-now"}},
		{late: 6, err: "not everything was taken: 6 of 10 events late", said: []string{"6 events were late:"}},
		{future: 5, said: []string{"5 events were of the future: more than 10 minutes ahead"}},
		{late: 1, future: 9, err: "not everything was taken: 9 of 10 events of the future", said: []string{"1 events were late", "9 events were of the future"}},
	} {
		f, c := start(t)
		f.ledger.Late, f.ledger.Future = 1000, 1000 // of others, before
		f.fail = func(int, http.ResponseWriter) bool {
			f.ledger.Late += tt.late
			f.ledger.Future += tt.future
			return false
		}
		var out bytes.Buffer
		err := Run(t.Context(), Options{Files: []string{write(t, "e", numbered(10))}, Service: c, Out: &out, Log: io.Discard})
		if got := fmt.Sprint(err); got != tt.err && (err != nil || tt.err != "") || err != nil && !errors.Is(err, ErrRejected) {
			t.Errorf("%d late, %d of the future: got %v, want %s", tt.late, tt.future, err, tt.err)
		}
		if strings.Contains(out.String(), "events were") != (tt.said != nil) {
			t.Errorf("%d late, %d of the future: it says %s", tt.late, tt.future, out.String())
		}
		for _, said := range tt.said {
			if !strings.Contains(out.String(), said) {
				t.Errorf("%d late, %d of the future: it does not say %q: %s", tt.late, tt.future, said, out.String())
			}
		}
	}
}

func TestRunSaysWhenTheLedgerLags(t *testing.T) {
	f, c := start(t)
	f.lag = 3
	f.ledger.Received = 3
	var log bytes.Buffer
	err := Run(context.Background(), Options{Files: []string{write(t, "e", numbered(5))}, Service: c, Wait: 10 * time.Millisecond, Out: io.Discard, Log: &log})
	f.lag = 4
	if err != nil {
		t.Fatal(err)
	}
	if log.Len() != 0 {
		t.Errorf("nothing lags: %s", log.String())
	}
	f.fail = func(int, http.ResponseWriter) bool { f.lag = 6; return false }
	err = Run(context.Background(), Options{Files: []string{write(t, "e", numbered(5))}, Service: c, Wait: 10 * time.Millisecond, Out: io.Discard, Log: &log})
	if err != nil || !strings.Contains(log.String(), "shows 3 of the 5 events sent") {
		t.Errorf("got %v and %q", err, log.String())
	}
}

func TestRunShiftsToNow(t *testing.T) {
	for _, sorted := range []bool{false, true} {
		var out bytes.Buffer
		before := time.Now().UnixMilli()
		err := Run(context.Background(), Options{Files: []string{write(t, "e", numbered(3))}, ShiftToNow: true, Sort: sorted, Print: true, Out: &out, Log: io.Discard})
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		first, _, _, _ := newTimes().TimeOf([]byte(lines[0]))
		last, _, _, _ := newTimes().TimeOf([]byte(lines[2]))
		if last < before || last > time.Now().UnixMilli() || last-first != 2 {
			t.Errorf("sorted=%t: times %d to %d, want the last to be now (%d)", sorted, first, last, before)
		}
	}
	const twice = " cannot be read twice: add --sort, or give a file"
	pipe := pipe(t)
	for path, want := range map[string]string{
		"-":      "shift to now: standard input" + twice,
		pipe:     "shift to now: " + pipe + twice,
		"absent": "absent: does not exist: correct the name, or go to the folder that has the file",
	} {
		err := Run(context.Background(), Options{Files: []string{path}, ShiftToNow: true, Print: true, Out: io.Discard, Log: io.Discard})
		if fmt.Sprint(err) != want {
			t.Errorf("%s: got %v, want %s", path, err, want)
		}
	}
}

// pipe is the path of a pipe that is empty and ended.
func pipe(t *testing.T) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() { r.Close() })
	return fmt.Sprintf("/dev/fd/%d", r.Fd())
}

func TestRunKeepsToTheRate(t *testing.T) {
	_, c := start(t)
	began := time.Now()
	err := Run(context.Background(), Options{Files: []string{write(t, "e", numbered(60))}, Service: c, Rate: 200, Out: io.Discard, Log: io.Discard})
	if took := time.Since(began); err != nil || took < 150*time.Millisecond {
		t.Errorf("60 events at 200/s took %s (%v)", took, err)
	}
}

func TestRunOverNATS(t *testing.T) {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("NATS server is not ready")
	}
	probe, err := Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer probe.Disconnect()
	ctx := t.Context()
	stream, err := probe.js.CreateStream(ctx, jetstream.StreamConfig{Name: "EVENTS", Subjects: []string{"events.>"}})
	if err != nil {
		t.Fatal(err)
	}
	err = Run(ctx, Options{Files: []string{write(t, "e", numbered(2500))}, NATS: s.ClientURL(), Close: true, Out: io.Discard, Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	var body string
	seq := uint64(1)
	for ; len(body) < len(numbered(2500)); seq++ {
		m, err := stream.GetMsg(ctx, seq)
		if err != nil {
			t.Fatal(err)
		}
		if m.Subject != "events.send" || m.Header.Get("Content-Type") != "application/x-ndjson" {
			t.Errorf("message %d: subject %s, header %v", seq, m.Subject, m.Header)
		}
		body += string(m.Data)
	}
	if body != numbered(2500) {
		t.Error("events were published changed or in another order")
	}
	m, err := stream.GetMsg(ctx, seq)
	if err != nil {
		t.Fatal(err)
	}
	if m.Subject != "events.tick" || m.Header.Get("Tidewatch-Tick") == "" || string(m.Data) != `{"to":1600000003000}` {
		t.Errorf("tick: %s %v %s", m.Subject, m.Header, m.Data)
	}
}

// An event of the far future does not say which time is complete.
func TestCloseWithFuture(t *testing.T) {
	const future = `{"id":"f","time":4102444800000,"type":"play","user_id":"u"}` + "\n"
	for _, tt := range []struct {
		name, events string
		want         int64
	}{
		{"among others", numbered(1) + future, 1600000001000},
		{"alone", future, 0},
	} {
		f, c := start(t)
		err := Run(context.Background(), Options{Files: []string{write(t, "e", tt.events)}, Service: c, Close: true, Out: io.Discard, Log: io.Discard})
		if err != nil || f.closed != tt.want {
			t.Errorf("%s: closed at %d, want %d: %v", tt.name, f.closed, tt.want, err)
		}
	}
}

func TestCloseTime(t *testing.T) {
	for last, want := range map[int64]int64{0: 1000, 999: 1000, 1000: 2000, -1: 0, -1000: 0, -1001: -1000} {
		if got := closeTime(last); got != want {
			t.Errorf("closeTime(%d) = %d, want %d", last, got, want)
		}
	}
}
