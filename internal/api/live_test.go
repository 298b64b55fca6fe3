package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
)

// A wire records what a live client is sent.
type wire struct {
	*httptest.ResponseRecorder
	mu   sync.Mutex
	text strings.Builder
}

func (w *wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(b)
}

// take is what was sent since the last take.
func (w *wire) take() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.text.Reset()
	return w.text.String()
}

const livePath = "/api/v1/live"

// follow connects a live client.
func follow(h http.Handler, target string) (w *wire, leave func()) {
	ctx, cancel := context.WithCancel(context.Background())
	r := httptest.NewRequestWithContext(ctx, "GET", target, nil)
	r.Host = "localhost"
	w = &wire{ResponseRecorder: httptest.NewRecorder()}
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.ServeHTTP(w, r)
	}()
	return w, func() { cancel(); <-done }
}

const firstUpdate = "event: update\nid: 7\n" +
	`data: {"watermark":"2026-11-22T02:00:00.000Z","position":7,"backlog":2,"ledger":{"received":4,"counted":3,"duplicate":0,"late":0,"quarantined":1,"future":0,"filtered":0},"alerts":{"firing":1,"pending":2}}` + "\n\n"

func updateAt(position int) string {
	return strings.NewReplacer("id: 7", fmt.Sprint("id: ", position), `"position":7`, fmt.Sprintf(`"position":%d`, position)).Replace(firstUpdate)
}

func TestLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.alerts = AlertView{Status: alerts.Status{Alerts: []alerts.Alert{{State: alerts.Pending}, {State: alerts.Firing}, {State: alerts.Pending}}}}
		w, leave := follow(newLive(withLimits(f.deps(t)), newRouter(f.deps(t))), livePath)
		expect := func(wait time.Duration, want string) {
			t.Helper()
			time.Sleep(wait)
			synctest.Wait()
			if got := w.take(); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		expect(0, "retry: 2000\n\n"+firstUpdate)
		if got := w.Header().Get("Content-Type"); got != "text/event-stream" {
			t.Errorf("content type %s", got)
		}
		expect(2*time.Second, "") // nothing changed
		f.change()
		expect(0, updateAt(8)) // at once
		for range 5 {
			f.change()
		}
		expect(999*time.Millisecond, "") // but one a second
		expect(time.Millisecond, updateAt(13))
		expect(11*time.Second, "")
		expect(time.Second, ": still here\n\n")
		leave()
	})
}

// TestKPILiveCloses: a window that closed is told half a second later at most, whatever was
// told before, and what else changed once a second.
func TestKPILiveCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		d := withLimits(f.deps(t))
		h := http.NewServeMux()
		h.Handle(livePath+"/{name}", &kpiLive{newLive(d, newRouter(d)), &queries{engine: f, reads: newReads(d.Limits, d.Metrics)}})
		w, leave := follow(h, livePath+"/share_a?window=1h")
		at := time.Duration(0)
		expect := func(until time.Duration, want string) {
			t.Helper()
			time.Sleep(until - at)
			at = until
			synctest.Wait()
			var got []string
			for line := range strings.Lines(w.take()) {
				if event, ok := strings.CutPrefix(line, "event: "); ok {
					got = append(got, strings.TrimSpace(event))
				}
			}
			if text := strings.Join(got, " "); text != want {
				t.Errorf("up to %s: got %q, want %q", until, text, want)
			}
		}
		expect(100*time.Millisecond, "closed live")
		f.change()
		expect(999*time.Millisecond, "")
		expect(1000*time.Millisecond, "live")
		f.mu.Lock()
		f.ledger.Watermark = f.ledger.Watermark.Add(time.Minute)
		f.mu.Unlock()
		f.change()
		expect(1500*time.Millisecond, "closed live")
		f.change()
		expect(2499*time.Millisecond, "")
		expect(2500*time.Millisecond, "live")
		leave()
	})
}

// TestLiveWaits: before recovery is done there is nothing to say, but the
// connection stays.
func TestLiveWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.notReady = errors.New("recovering")
		stopping := make(chan struct{})
		d := withLimits(f.deps(t))
		d.Stopping = stopping
		w, leave := follow(newLive(d, newRouter(d)), livePath)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if got := w.take(); got != "retry: 2000\n\n" {
			t.Errorf("got %q", got)
		}
		f.mu.Lock()
		f.notReady = nil
		f.mu.Unlock()
		time.Sleep(time.Second)
		synctest.Wait()
		if got := w.take(); !strings.HasPrefix(got, "event: update\n") {
			t.Errorf("got %q", got)
		}
		close(stopping) // ends it without the client
		synctest.Wait()
		leave()
	})
}

func TestLiveHead(t *testing.T) {
	h := New(newFake().deps(t))
	for _, path := range []string{"/api/v1/live", "/api/v1/kpis/share_a/live"} {
		if got := ask(h, "HEAD", path, ""); got.code != 200 || got.header.Get("Content-Type") != "text/event-stream" || len(got.body) > 0 {
			t.Errorf("%s: got %d %v %s", path, got.code, got.header, got.body)
		}
	}
}

func TestLiveClientsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := withLimits(newFake().deps(t))
		d.MaxLive = 1
		r := newRouter(d)
		h := newLive(d, r)
		_, leave := follow(h, livePath)
		synctest.Wait()
		got := ask(h, "GET", "/api/v1/live", "")
		if e := got.envelope(t); got.code != 429 || e.Error != "1 live clients are connected, which is the most: close one" {
			t.Errorf("got %d %s", got.code, got.body)
		}
		if n := r.refusals[limitLive].Get(); n != 1 || got.header.Get("Retry-After") != "10" {
			t.Errorf("counted %d times, Retry-After %q, want 1 and 10", n, got.header.Get("Retry-After"))
		}
		leave()
		_, leave = follow(h, livePath)
		synctest.Wait()
		leave()
	})
}

func withLimits(d Deps) Deps {
	d.MaxLive = 10
	return d
}

// TestLiveOverHTTP: through the whole handler and a real connection.
func TestLiveOverHTTP(t *testing.T) {
	f := newFake()
	server := httptest.NewUnstartedServer(nil)
	server.Config = &NewServer(f.deps(t)).Server
	server.Start()
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/api/v1/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	for want := 7; want < 9; {
		if !lines.Scan() {
			t.Fatal(lines.Err())
		}
		if strings.Contains(lines.Text(), `"position":`) {
			if !strings.Contains(lines.Text(), []string{`"position":7`, `"position":8`}[want-7]) {
				t.Errorf("update %d: %s", want, lines.Text())
			}
			want++
			f.change()
		}
	}
}
