package api

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// A web is a server in virtual time, with connections in memory.
type web struct {
	t     *testing.T
	deps  Deps
	conns chan net.Conn
	done  chan struct{}
}

func (w *web) Accept() (net.Conn, error) {
	select {
	case c := <-w.conns:
		return c, nil
	case <-w.done:
		return nil, net.ErrClosed
	}
}

func (w *web) Close() error   { close(w.done); return nil }
func (w *web) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080} }

func (w *web) dial() net.Conn {
	c, s := net.Pipe()
	w.conns <- s
	return c
}

// send writes a request and returns the connection.
func (w *web) send(text string) net.Conn {
	head, body, _ := strings.Cut(text, "\n\n")
	c := w.dial()
	go io.WriteString(c, strings.ReplaceAll(head+"\n\n", "\n", "\r\n")+body)
	return c
}

// reads is the answer that comes.
func (w *web) reads(c net.Conn) reply {
	w.t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, body}
}

// limited counts what met a limit.
func (w *web) limited(l limit) uint64 { return newRefusals(w.deps.Metrics)[l].Get() }

// serve runs a test against a server with limits.
func serve(t *testing.T, f *fake, l Limits, test func(w *web)) {
	t.Helper()
	New(newFake().deps(t)) // starts what turns summaries, once, outside
	synctest.Test(t, func(t *testing.T) {
		d := f.deps(t)
		d.Limits = l
		w := &web{t, d, make(chan net.Conn), make(chan struct{})}
		s := NewServer(d)
		served := make(chan error)
		go func() { served <- s.Serve(w) }()
		test(w)
		s.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
		time.Sleep(time.Minute) // connections linger
	})
}

const (
	get  = "GET /-/healthy HTTP/1.1\nHost: 127.0.0.1\n\n"
	post = "POST /v1/events HTTP/1.1\nHost: 127.0.0.1\nContent-Length: %d\n\n"
)

// TestConnections: one without a request makes way, one that is busy does not.
func TestConnections(t *testing.T) {
	f := newFake()
	serve(t, f, Limits{Connections: 3}, func(w *web) {
		var silent []net.Conn
		for range 5 {
			silent = append(silent, w.dial())
			synctest.Wait()
		}
		if got := w.reads(w.send(get)); got.code != 200 || w.limited(limitSilent) != 3 {
			t.Errorf("got %d, %d made way", got.code, w.limited(limitSilent))
		}
		for i, c := range silent {
			_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
			if _, err := c.Read(make([]byte, 1)); errors.Is(err, io.EOF) != (i < 3) {
				t.Errorf("connection %d: %v", i, err)
			}
		}
		f.entered, f.appends = make(chan struct{}), make(chan struct{})
		var busy []net.Conn
		for i := range 3 {
			busy = append(busy, w.send(fmt.Sprintf(post, len(event(i)))+event(i)))
			<-f.entered
			synctest.Wait() // they go on in this order
		}
		got := w.reads(w.send(get))
		if want := "3 connections are open and busy, which is the most: close some, or raise limits.connections"; got.code != 503 ||
			got.envelope(t).Error != want || got.header.Get("Retry-After") != "1" || w.limited(limitConnections) != 1 {
			t.Errorf("got %d %.200s", got.code, got.body)
		}
		for _, c := range busy {
			f.appends <- struct{}{}
			if got := w.reads(c); got.code != 200 {
				t.Errorf("busy: got %d %.200s", got.code, got.body)
			}
		}
	})
}

// TestHeaders: a header that is late or too large is counted.
func TestHeaders(t *testing.T) {
	serve(t, newFake(), Limits{}, func(w *web) {
		_ = w.dial().Close() // asks nothing
		if got := w.reads(w.send(get)); got.code != 200 {
			t.Errorf("got %d", got.code)
		}
		late := w.dial()
		if _, err := io.WriteString(late, "GET /-/healthy HTTP/1.1\r\nHost: 127.0.0.1\r\n"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(readHeaderTimeout - time.Millisecond)
		synctest.Wait()
		if n := w.limited(limitHeader); n != 0 {
			t.Errorf("%d are counted before their time", n)
		}
		_, err := late.Read(make([]byte, 1))
		synctest.Wait()
		if !errors.Is(err, io.EOF) || w.limited(limitHeader) != 1 {
			t.Errorf("late: %v, %d are counted", err, w.limited(limitHeader))
		}
		large := strings.Replace(get, "\n\n", "\nCookie: "+strings.Repeat("c", 2*maxHeader)+"\n\n", 1)
		if got := w.reads(w.send(large)); got.code != 431 {
			t.Errorf("large: got %d", got.code)
		}
		time.Sleep(time.Second)
		if n := w.limited(limitHeader); n != 2 {
			t.Errorf("%d are counted, want 2", n)
		}
	})
}

// TestStalledBodies: bodies that stand still leave their room to others.
func TestStalledBodies(t *testing.T) {
	serve(t, newFake(), Limits{Bodies: 2 << 20, BodyRate: 32 << 10}, func(w *web) {
		stalled := make(chan reply)
		for range 4 {
			c := w.send(fmt.Sprintf(post, 520<<10) + strings.Repeat(" ", 500<<10))
			go func() { stalled <- w.reads(c); c.Close() }()
		}
		synctest.Wait()
		body := strings.Repeat(event(1)+"\n", 5000)
		ask := func() reply { return w.reads(w.send(fmt.Sprintf(post, len(body)) + body)) }
		if got := ask(); got.code != 429 || w.limited(limitBodies) != 1 {
			t.Errorf("at once: got %d %.200s", got.code, got.body)
		}
		time.Sleep(2 * time.Second)
		got := ask()
		synctest.Wait()
		if cut := w.limited(limitSlowBody); got.code != 200 || cut == 0 || cut == 4 {
			t.Errorf("later: got %d %.200s, %d were cut", got.code, got.body, cut)
		}
		for range 4 {
			if got := <-stalled; got.code != 408 {
				t.Errorf("stalled: got %d %.200s", got.code, got.body)
			}
		}
		if w.limited(limitSlowBody) != 4 {
			t.Errorf("%d were cut", w.limited(limitSlowBody))
		}
	})
}

// TestPace: a body may be slow, and not slower; what came fast before counts not.
func TestPace(t *testing.T) {
	for _, c := range []struct{ first, every, code int }{
		{0, 40 << 10, 200},
		{0, 20 << 10, 408},
		{500 << 10, 20 << 10, 408},
	} {
		serve(t, newFake(), Limits{BodyRate: 32 << 10}, func(w *web) {
			const size = 1 << 20
			body := strings.Repeat(" ", size-len(event(1))) + event(1)
			conn := w.dial()
			go func() {
				_, err := io.WriteString(conn, strings.ReplaceAll(fmt.Sprintf(post, size), "\n", "\r\n")+body[:c.first])
				for body := body[c.first:]; err == nil && body != ""; {
					n := min(c.every, len(body))
					time.Sleep(time.Second)
					_, err = io.WriteString(conn, body[:n])
					body = body[n:]
				}
			}()
			if got := w.reads(conn); got.code != c.code {
				t.Errorf("%+v: got %d %s", c, got.code, got.body)
			}
			conn.Close()
		})
	}
}

// TestSlowReader: who does not read an answer is given up, and its room is free.
func TestSlowReader(t *testing.T) {
	f := newFake()
	k := *ratio
	k.Budget = 10_000 // so much room is taken before the answer is there
	f.kpis = []*kpi.KPI{&k}
	f.answer = &sample.Answer{KPI: &k, Window: five, By: channel}
	for i := range 10_000 {
		f.answer.Samples = append(f.answer.Samples, sample.Sample{Labels: []string{fmt.Sprint("channel-", i)}})
	}
	for range alerts.Listed {
		f.alerts.Alerts = append(f.alerts.Alerts, alerts.Alert{Rule: "Low", Annotations: map[string]string{"summary": strings.Repeat("low ", 300)}})
	}
	for _, path := range []string{"/api/v1/kpis/share_a?by=channel", "/api/v1/alerts"} {
		t.Run(path, func(t *testing.T) { slowReader(t, f, path) })
	}
}

func slowReader(t *testing.T, f *fake, path string) {
	serve(t, f, Limits{Reads: 16 << 20}, func(w *web) {
		ask := "GET " + path + " HTTP/1.1\nHost: 127.0.0.1\n\n"
		var idle []net.Conn
		for range 8 {
			idle = append(idle, w.send(ask))
		}
		synctest.Wait()
		if got := w.reads(w.send(get)); got.code != 200 {
			t.Errorf("meanwhile: got %d", got.code)
		}
		time.Sleep(3 * paceSpan)
		if got := w.limited(limitSlowReader) + w.limited(limitReads); got != uint64(len(idle)) || w.limited(limitReads) == 0 {
			t.Errorf("%d readers were given up and %d not let in, of %d", w.limited(limitSlowReader), w.limited(limitReads), len(idle))
		}
		if got := w.reads(w.send(ask)); got.code != 200 || len(got.body) < 1<<20 {
			t.Errorf("afterwards: got %d, %d bytes", got.code, len(got.body))
		}
		for _, c := range idle {
			c.Close()
		}
	})
}

// TestSlowLiveClient: who follows and does not read is dropped.
func TestSlowLiveClient(t *testing.T) {
	for _, path := range []string{"/api/v1/live", "/api/v1/kpis/share_a/live?window=1h"} {
		serve(t, newFake(), Limits{}, func(w *web) {
			clients := func() float64 {
				synctest.Wait()
				return w.deps.Metrics.GetOrCreateGauge("tidewatch_live_clients", nil).Get()
			}
			c := w.send("GET " + path + " HTTP/1.1\nHost: 127.0.0.1\n\n")
			if n := clients(); n != 1 {
				t.Errorf("%s: %g clients, want 1", path, n)
			}
			time.Sleep(livePatience + time.Second)
			if n := clients(); n != 0 {
				t.Errorf("%s: %g clients after %s without reading", path, n, livePatience)
			}
			c.Close()
		})
	}
}

// TestWideRange: a range that is too large ends when that is known.
func TestWideRange(t *testing.T) {
	wide := &kpi.KPI{Name: "share_a", ID: "share_a@1", Denominator: &kpi.Measure{}, By: []kpi.Set{{}, channel}, Windows: []kpi.Window{hour}, Budget: 10_000}
	f := newFake()
	f.kpis = []*kpi.KPI{wide}
	f.answer = &sample.Answer{KPI: wide, Window: hour, By: channel, Samples: make([]sample.Sample, 2000)}
	d := f.deps(t)
	h := New(d)
	from := now.Add(-7*24*time.Hour - 12*time.Hour)
	ranged := "/api/v1/kpis/share_a/range?from=" + url.QueryEscape(from.Format(time.RFC3339))
	got := ask(h, "GET", ranged+"&by=channel", "")
	want := "the range holds about 21600000 values, 10800 points of 2000 series, more than 524288, which half of limits.reads has room for: " +
		"name a channel, give step=42m, or ask for less time"
	if e := got.envelope(t); got.code != 422 || e.ErrorType != "too_large" || e.Error != want {
		t.Errorf("got %d %.200s", got.code, got.body)
	}
	if f.windows != 524288/2000+1 {
		t.Errorf("%d windows were read", f.windows)
	}
	for _, narrower := range []string{"&by=channel&step=42m", "&channel=douyin", ""} {
		f.windows = 0
		if narrower != "&by=channel&step=42m" {
			f.answer.Samples = f.answer.Samples[:1]
		}
		if got := ask(h, "GET", ranged+narrower, ""); got.code != 200 {
			t.Errorf("%q: got %d %s", narrower, got.code, got.body)
		}
	}
}

// TestRoom: who finds the room full waits for it, a while.
func TestRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &room{max: 160}
		took := func(size int64) chan bool {
			done := make(chan bool, 1)
			go func() { done <- r.take(t.Context(), size) }()
			synctest.Wait()
			return done
		}
		if !<-took(100) {
			t.Fatal("no room in an empty one")
		}
		large := took(100)
		if !<-took(10) || !<-took(40) {
			t.Error("what fits waits for what does not")
		}
		if small := took(10); !<-small {
			t.Error("large answers leave nothing to small ones")
		}
		r.give(110)
		if !<-large {
			t.Error("what waited got no room")
		}
		began := time.Now()
		if <-took(150) || time.Since(began) != roomPatience {
			t.Errorf("after %s", time.Since(began))
		}
		if r.used != 150 || len(r.waiting) != 0 {
			t.Errorf("%d used, %d wait", r.used, len(r.waiting))
		}
	})
}

// TestVerboseTakesNoList: what is told of many events is made as it is written.
func TestVerboseTakesNoList(t *testing.T) {
	f := newFake()
	d := f.deps(t)
	d.Limits.Bodies = 64 << 20
	h := New(d)
	body := bytes.Repeat([]byte("x\n"), maxEvents)
	got := ask(h, "POST", "/v1/events?verbose=1", packed("gzip", string(body)), "Content-Encoding", "gzip")
	if rows := bytes.Count(got.body, []byte(`"reason":"not_json","error":"event is not JSON at byte 1`)); got.code != 207 || rows != maxEvents {
		t.Errorf("got %d, %d rows", got.code, rows)
	}
	// Two of them at a time have room, and each gives it back.
	held := newBodies(d.Limits.withDefaults(), d.Metrics)
	if n := int64(len(body) + eventBytes*(maxEvents+1) + len(body)); 2*n > held.max || 3*n < held.max {
		t.Errorf("a request is counted as %d bytes", n)
	}
}
