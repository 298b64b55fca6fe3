package api

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"

	"github.com/tidewatch/tidewatch/stream"
)

// event is a good event.
func event(id int) string {
	return fmt.Sprintf(`{"id":"e%d","time":1700000000000,"type":"play","user_id":"u"}`, id)
}

// counts is the data of an ingest answer.
type counts struct {
	Accepted    int      `json:"accepted"`
	Duplicate   int      `json:"duplicate"`
	Quarantined int      `json:"quarantined"`
	Results     []result `json:"results"`
}

type result struct {
	Index  int    `json:"index"`
	Status string `json:"status"`
	ID     string `json:"id"`
	Reason string `json:"reason"`
	Error  string `json:"error"`
}

func (r reply) counts(t *testing.T) counts {
	t.Helper()
	var c counts
	if err := json.Unmarshal(r.envelope(t).Data, &c); err != nil {
		t.Fatalf("%s: %v", r.body, err)
	}
	return c
}

// TestIngestPseudonyms: what is published has pseudonyms, what is answered is about what
// was sent.
func TestIngestPseudonyms(t *testing.T) {
	f := newFake()
	d := f.deps(t)
	d.NewPseudonymiser = func() *stream.Pseudonymiser {
		p, err := stream.NewPseudonymiser([]byte("sixteen letters!"))
		if err != nil {
			t.Error(err)
		}
		return p
	}
	h := New(d)
	full := func(rest int) string {
		head := `{"id":"f","time":1700000000000,"type":"play","user_id":"u","x":"`
		return head + strings.Repeat("x", stream.MaxEvent-rest-len(head)-2) + `"}`
	}
	got := ask(h, "POST", "/v1/events", full(0)+"\n"+event(1)+"\nbroken by u\n"+event(1))
	want := counts{Accepted: 1, Duplicate: 1, Quarantined: 2, Results: []result{
		{0, "quarantined", "f", "too_large", "event exceeds 262144 bytes once its ids are pseudonyms: send less in it"},
		{2, "quarantined", "", "not_json", "event is not JSON at byte 1: invalid character 'b' looking for beginning of value"},
		{3, "duplicate", "e1", "", ""},
	}}
	if diff := cmp.Diff(want, got.counts(t)); diff != "" || got.code != 207 {
		t.Errorf("%d, -want +got:\n%s", got.code, diff)
	}
	id := d.NewPseudonymiser().User("u")
	lines := f.lines
	if other := strings.Replace(event(1), `"u"`, `"`+id+`"`, 1); len(lines) != 4 || lines[1] != other || lines[2] != "redacted" || lines[3] != other || !strings.Contains(lines[0], id) {
		t.Errorf("published %.300q", lines)
	}
	many := strings.Repeat(event(1)+"\n", MaxBody/(len(event(1))+1))
	if got := ask(h, "POST", "/v1/events", many); got.code != 413 || !strings.Contains(string(got.body), "once its ids are pseudonyms: send the events in several requests") {
		t.Errorf("%d %.300s", got.code, got.body)
	}
}

func TestIngest(t *testing.T) {
	seconds := `{"id":"s","time":1700000000,"type":"play","user_id":"u"}`
	looks := "time 1700000000 looks like seconds: give integer epoch milliseconds or RFC 3339"
	for _, c := range []struct {
		name, query, body string
		code              int
		want              counts
		lines             []string
	}{
		{name: "one", body: event(1), code: 200, want: counts{Accepted: 1, Results: []result{}}, lines: []string{event(1)}},
		{name: "lines", body: event(1) + "\n\n" + event(2) + "\r\n", code: 200, want: counts{Accepted: 2, Results: []result{}}, lines: []string{event(1), event(2)}},
		{name: "array", body: "[" + event(1) + ",\n" + event(2) + "]", code: 200, want: counts{Accepted: 2, Results: []result{}}, lines: []string{event(1), event(2)}},
		{name: "empty array", body: "[]", code: 200, want: counts{Results: []result{}}},
		{name: "twice in one", body: event(1) + "\n" + event(1), code: 200,
			want: counts{Accepted: 1, Duplicate: 1, Results: []result{{1, "duplicate", "e1", "", ""}}}, lines: []string{event(1), event(1)}},
		{name: "some bad", body: seconds + "\n" + event(1), code: 207,
			want: counts{Accepted: 1, Quarantined: 1, Results: []result{{0, "quarantined", "s", "time_in_seconds", looks}}}, lines: []string{seconds, event(1)}},
		{name: "all bad", body: seconds, code: 207,
			want: counts{Quarantined: 1, Results: []result{{0, "quarantined", "s", "time_in_seconds", looks}}}, lines: []string{seconds}},
		{name: "verbose", query: "?verbose=1", body: event(1), code: 200,
			want: counts{Accepted: 1, Results: []result{{0, "accepted", "e1", "", ""}}}, lines: []string{event(1)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake()
			got := ask(New(f.deps(t)), "POST", "/v1/events"+c.query, c.body)
			if diff := cmp.Diff(c.want, got.counts(t)); diff != "" || got.code != c.code {
				t.Errorf("%d, want %d, -want +got:\n%s", got.code, c.code, diff)
			}
			if diff := cmp.Diff(c.lines, f.lines); diff != "" {
				t.Errorf("published, -want +got:\n%s", diff)
			}
		})
	}
}

// TestEveryLineIsPublished: bad ones too, and none holds a line break.
func TestEveryLineIsPublished(t *testing.T) {
	f := newFake()
	body := strings.Join([]string{event(1), "{nonsense", `{"id":1}`, event(2), `"text"`, `{"id":"big","x":"` + strings.Repeat("x", 2<<20) + `"}`}, "\n")
	got := ask(New(f.deps(t)), "POST", "/v1/events", body)
	if c := got.counts(t); got.code != 207 || c.Accepted != 2 || c.Quarantined != 4 || c.Results[3].Reason != "too_large" {
		t.Errorf("got %d %.500s", got.code, got.body)
	}
	if len(f.lines) != 6 || strings.Contains(strings.Join(f.lines, ""), "\n") {
		t.Errorf("published %d lines", len(f.lines))
	}
	pretty := "[\n{\n\"id\": 1,\n\"time\": 1700000000000, \"type\": \"play\",\n\"user_id\": \"u\"\n}\n]"
	f.lines = nil
	if got := ask(New(f.deps(t)), "POST", "/v1/events", pretty); got.code != 200 || len(f.lines) != 1 || strings.Contains(f.lines[0], "\n") {
		t.Errorf("got %d %s, published %q", got.code, got.body, f.lines)
	}
}

// TestDuplicateHint: it is given across requests, and only for what the stream
// has acknowledged.
func TestDuplicateHint(t *testing.T) {
	f := newFake()
	h := New(f.deps(t))
	f.full = errors.New("connection lost")
	if got := ask(h, "POST", "/v1/events", event(1)); got.code != 503 ||
		got.envelope(t).Error != "the stream did not acknowledge the events: send them again (connection lost)" {
		t.Errorf("got %d %s", got.code, got.body)
	}
	f.full = nil
	for i, want := range []counts{{Accepted: 1}, {Duplicate: 1}} {
		if got := ask(h, "POST", "/v1/events", event(1)); got.code != 200 || got.counts(t).Duplicate != want.Duplicate {
			t.Errorf("time %d: got %d %s", i, got.code, got.body)
		}
	}
	other := strings.Replace(event(1), `"u"`, `"v"`, 1)
	if got := ask(h, "POST", "/v1/events", other); got.counts(t).Accepted != 1 {
		t.Errorf("same id of another user: got %s", got.body)
	}
}

func TestIngestErrors(t *testing.T) {
	for _, c := range []struct {
		name, body, encoding string
		full                 error
		code                 int
		kind, text, retry    string
	}{
		{name: "empty", code: 400, kind: "bad_data", text: "body is empty: send one JSON object a line, or a JSON array of objects"},
		{name: "binary", body: "\x00\x01\xff", code: 400, kind: "bad_data", text: "body is binary: send JSON text, and name its Content-Encoding if it is compressed"},
		{name: "encoding", body: "x", encoding: "br", code: 415, kind: "bad_data", text: `Content-Encoding "br" is unknown: use gzip, zstd or s2`},
		{name: "no gzip", body: event(1), encoding: "gzip", code: 400, kind: "bad_data", text: "body cannot be read as gzip: gzip: invalid header: compress the whole of it, or send it plain without Content-Encoding"},
		{name: "too large", body: strings.Repeat("\n", MaxBody+1), code: 413, kind: "too_large", text: "body exceeds 16 MiB: send the events in several requests"},
		{name: "bomb", body: packed("gzip", strings.Repeat("\n", MaxBody+1)), encoding: "gzip", code: 413, kind: "too_large", text: "unpacked body exceeds 16 MiB: send the events in several requests"},
		{name: "zstd bomb", body: packed("zstd", strings.Repeat("\n", MaxBody+1)), encoding: "zstd", code: 413, kind: "too_large", text: "unpacked body exceeds 16 MiB: send the events in several requests"},
		{name: "cut gzip", body: packed("gzip", event(1))[:30], encoding: "gzip", code: 400, kind: "bad_data", text: "body cannot be read as gzip: unexpected EOF: compress the whole of it, or send it plain without Content-Encoding"},
		{name: "lines", body: packed("gzip", strings.Repeat("1\n", maxEvents+1)), encoding: "gzip", code: 413, kind: "too_large", text: "body has 349526 lines, more than 349525: send the events in several requests"},
		{name: "full", body: event(1), full: RateLimited("the stream is full"), code: 429, kind: "rate_limited", text: "the stream is full", retry: "1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake()
			f.full = c.full
			d := f.deps(t)
			got := ask(New(d), "POST", "/v1/events", c.body, "Content-Encoding", c.encoding)
			if e := got.envelope(t); got.code != c.code || e.ErrorType != c.kind || e.Error != c.text || got.header.Get("Retry-After") != c.retry {
				t.Errorf("got %d %s %q retry %q", got.code, e.ErrorType, e.Error, got.header.Get("Retry-After"))
			}
			if len(f.lines) > 0 {
				t.Errorf("published %q", f.lines)
			}
			if n := newRefusals(d.Metrics)[limitLargeBody].Get(); (n == 1) != (c.code == 413) {
				t.Errorf("%d bodies are counted as too large", n)
			}
		})
	}
}

// TestCrowdedBodies: what is refused for its number of events is not framed.
func TestCrowdedBodies(t *testing.T) {
	for _, c := range []struct {
		name, body string
		code       int
		text       string
	}{
		{"lines", strings.Repeat("1\n", MaxBody/2), 413, "body has 8388608 lines, more than 349525: send the events in several requests"},
		{"array", "\n[1" + strings.Repeat(",1", MaxBody/2-2) + "]", 413, "body has 8388607 lines, more than 349525: send the events in several requests"},
		{"arrays", strings.Repeat("[1]\n", MaxBody/4), 413, "body has 4194304 lines, more than 349525: send the events in several requests"},
		{"blank lines", strings.Repeat("\n", MaxBody-100) + event(1), 200, ""},
		{"nested", "[" + event(1) + `,{"x":["]\"` + strings.Repeat(",", maxEvents) + `"` + strings.Repeat(",1", maxEvents) + `]}]`, 207, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := New(newFake().deps(t))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got := ask(h, "POST", "/v1/events", c.body)
			runtime.ReadMemStats(&after)
			if e := got.envelope(t); got.code != c.code || e.Error != c.text {
				t.Errorf("got %d %q", got.code, e.Error)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 8*MaxBody {
				t.Errorf("took %d MiB for a body of 16", took>>20)
			}
		})
	}
}

func packed(encoding, text string) string {
	var b bytes.Buffer
	var w io.WriteCloser
	switch encoding {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "zstd":
		w, _ = zstd.NewWriter(&b)
	case "s2":
		w = s2.NewWriter(&b)
	}
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.String()
}

func TestPacked(t *testing.T) {
	for _, encoding := range []string{"gzip", "zstd", "s2"} {
		f := newFake()
		got := ask(New(f.deps(t)), "POST", "/v1/events", packed(encoding, event(1)+"\n"+event(2)), "Content-Encoding", encoding)
		if got.code != 200 || got.counts(t).Accepted != 2 || len(f.lines) != 2 {
			t.Errorf("%s: got %d %s", encoding, got.code, got.body)
		}
	}
}

// TestResultsAreBounded: 1000 rows unless all are asked for.
func TestResultsAreBounded(t *testing.T) {
	h := New(newFake().deps(t))
	body := strings.Repeat("{}\n", 1500)
	if c := ask(h, "POST", "/v1/events", body).counts(t); c.Quarantined != 1500 || len(c.Results) != 1000 {
		t.Errorf("got %d, %d rows", c.Quarantined, len(c.Results))
	}
	if c := ask(h, "POST", "/v1/events?verbose=1", body).counts(t); len(c.Results) != 1500 {
		t.Errorf("verbose: %d rows", len(c.Results))
	}
}

// TestInFlight: bodies that wait for the stream are bounded, and give back
// what they held.
func TestInFlight(t *testing.T) {
	f := newFake()
	f.entered, f.appends = make(chan struct{}), make(chan struct{})
	d := f.deps(t)
	d.Limits.Bodies = int64(3*len(event(1)) + behind + eventBytes) // one, and a body
	h := New(d)
	first := make(chan reply)
	go func() { first <- ask(h, "POST", "/v1/events", event(1)) }()
	<-f.entered
	got := ask(h, "POST", "/v1/events", event(2))
	if e := got.envelope(t); got.code != 429 || e.ErrorType != "rate_limited" || got.header.Get("Retry-After") != "1" {
		t.Errorf("got %d %s", got.code, got.body)
	}
	f.appends <- struct{}{}
	if got := <-first; got.code != 200 {
		t.Errorf("first: %d %s", got.code, got.body)
	}
	f.appends = nil
	if got := ask(h, "POST", "/v1/events", event(2)); got.code != 200 {
		t.Errorf("afterwards: %d %s", got.code, got.body)
	}
}

// TestAnnouncedIsNotTaken: what a request announces and does not send leaves
// room for others.
func TestAnnouncedIsNotTaken(t *testing.T) {
	f := newFake()
	d := f.deps(t)
	d.Limits.Bodies = 1 << 20
	server := httptest.NewServer(New(d))
	defer server.Close()
	idle, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	fmt.Fprintf(idle, "POST /v1/events HTTP/1.1\r\nHost: %s\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", server.Listener.Addr(), MaxBody)
	if line, err := bufio.NewReader(idle).ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("the body is not being read: %q, %v", line, err)
	}
	res, err := http.Post(server.URL+"/v1/events", "", strings.NewReader(event(1)))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 200 {
		t.Errorf("got %s", res.Status)
	}
}

// TestRefusalIsRead: a client that sends all of a body before it reads sees why
// it was refused.
func TestRefusalIsRead(t *testing.T) {
	server := httptest.NewServer(New(newFake().deps(t)))
	defer server.Close()
	body := bytes.Repeat([]byte("x"), 3*MaxBody)
	for _, head := range []string{
		fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)),
		fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n", len(body)),
	} {
		eager, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer eager.Close()
		fmt.Fprintf(eager, "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n%s", head)
		if _, err := eager.Write(body); err != nil {
			t.Fatalf("send: %v", err)
		}
		if strings.HasPrefix(head, "Transfer") {
			fmt.Fprint(eager, "\r\n0\r\n\r\n")
		}
		res, err := http.ReadResponse(bufio.NewReader(eager), nil)
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		if res.StatusCode != 413 {
			t.Errorf("got %s, want 413", res.Status)
		}
	}
}

// TestDrainIsBounded: a body without an end is given up.
func TestDrainIsBounded(t *testing.T) {
	sent := 0
	r := httptest.NewRequest("POST", "/v1/events", readerFunc(func(b []byte) (int, error) {
		sent += len(b)
		return len(b), nil
	}))
	r.Host = "127.0.0.1"
	w := httptest.NewRecorder()
	New(newFake().deps(t)).ServeHTTP(w, r)
	if most := MaxBody + maxDrained + 1<<20; w.Code != 413 || sent > most {
		t.Errorf("got %d and read %d bytes, want 413 and at most %d", w.Code, sent, most)
	}
}

type readerFunc func(b []byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// deadlines records the read deadlines that are set; hasty ones are over.
type deadlines struct {
	http.ResponseWriter
	hasty bool
	set   *[]time.Time
}

func (d deadlines) SetReadDeadline(at time.Time) error {
	*d.set = append(*d.set, at)
	if d.hasty {
		at = time.Unix(1, 0)
	}
	return http.NewResponseController(d.ResponseWriter).SetReadDeadline(at)
}

// TestSlowBody: a body that stands still ends its request, and gives back its
// room. One that is in has no deadline any more.
func TestSlowBody(t *testing.T) {
	d := newFake().deps(t)
	d.Limits.Bodies = largerPiece // of one such body
	h := New(d)
	var set []time.Time
	hasty := true
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(deadlines{w, hasty, &set}, r)
	}))
	defer server.Close()
	for _, head := range []string{
		"POST /v1/events HTTP/1.1\r\nContent-Length: 100000\r\n",
		"POST /v1/events HTTP/1.1\r\nContent-Length: 100000\r\nContent-Encoding: gzip\r\n",
		"POST /v1/close HTTP/1.1\r\nTransfer-Encoding: chunked\r\n",
	} {
		slow, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer slow.Close()
		set = nil
		from := time.Now()
		fmt.Fprintf(slow, "%sHost: 127.0.0.1\r\n\r\n", head)
		res, err := http.ReadResponse(bufio.NewReader(slow), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		got := reply{res.StatusCode, res.Header, body}
		const want = "body came at less than 32 KiB a second for 10s, or was the slowest as room for bodies was short: send it faster, or less at a time"
		if e := got.envelope(t); got.code != 408 || e.ErrorType != "bad_data" || e.Error != want {
			t.Errorf("%s: got %d %s", head, got.code, got.body)
		}
		if len(set) == 0 || set[0].Before(from.Add(10*time.Second)) || set[0].After(time.Now().Add(10*time.Second)) {
			t.Errorf("%s: deadlines %v, want one in 10 s", head, set)
		}
	}
	set, hasty = nil, false
	res, err := http.Post(server.URL+"/v1/events", "", strings.NewReader(event(1)))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 200 || len(set) == 0 || !set[len(set)-1].IsZero() {
		t.Errorf("got %s, deadlines %v; want 200 and none in the end", res.Status, set)
	}
}

func TestClose(t *testing.T) {
	ahead := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	shape := `body is not {"to": TIME}: give the time before which every event is in, as integer epoch milliseconds or RFC 3339`
	for _, c := range []struct {
		body string
		want int64
		text string
	}{
		{body: `{"to":1700000000000}`, want: 1700000000000},
		{body: `{"to":"1700000000000"}`, want: 1700000000000},
		{body: `{"to":"2017-12-03T00:00:00+08:00"}`, want: 1512230400000},
		{body: `{"to":"2017-12-02"}`, text: `to "2017-12-02" is no time: give RFC 3339 (2026-11-22T10:00:00+08:00) or integer epoch milliseconds`},
		{body: `{"to":1700000000}`, text: "to 1700000000 looks like seconds: give RFC 3339 (2026-11-22T10:00:00+08:00) or integer epoch milliseconds"},
		{body: `{"to":"` + ahead + `"}`, text: "to " + ahead + " is more than 10 minutes ahead: give the time before which every event is in"},
		{body: ``, text: shape}, {body: `[]`, text: shape}, {body: `null`, text: shape}, {body: `{}`, text: shape}, {body: `{"to":1700000000000,"from":1}`, text: shape},
	} {
		f := newFake()
		got := ask(New(f.deps(t)), "POST", "/v1/close", c.body)
		if e := got.envelope(t); f.closed != c.want || e.Error != c.text || (got.code == 200) != (c.text == "") {
			t.Errorf("%s: %d %s, closed %d", c.body, got.code, got.body, f.closed)
		}
	}
}

func TestRecent(t *testing.T) {
	var r recent
	key := func(i int) uint64 { return uint64(i+1) * 0x9e3779b97f4a7c15 >> 1 }
	const n = 1 << 18
	keys := make([]uint64, n)
	known := func(from int) (known int) {
		for i := range keys {
			keys[i] = key(from + i)
		}
		r.see(keys)
		for _, k := range keys {
			if k == 0 {
				known++
			}
		}
		return known
	}
	for i := range 12 {
		if got := known(i * n); got > 0 {
			t.Fatalf("%d keys were never seen", got)
		}
	}
	if got := known(11 * n); got != n {
		t.Errorf("%d of %d are known", got, n)
	}
	if got := known(10 * n); got < n/100*95 {
		t.Errorf("%d of the %d before them are known", got, n)
	}
	if got := known(0); got > 0 {
		t.Errorf("%d of the first are still known", got)
	}
	again := []uint64{7, 0, 7, 0}
	if r.see(again); !slices.Equal(again, []uint64{7, 0, 0, 0}) {
		t.Errorf("got %v", again)
	}
}
