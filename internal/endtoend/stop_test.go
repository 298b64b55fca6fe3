package endtoend

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"

	"github.com/tidewatch/tidewatch/internal/generate"
)

// stopLimit is what an orderly stop may take.
const stopLimit = 5 * time.Second

func (s *service) stopsInTime(t *testing.T, when string) {
	t.Helper()
	if took := s.stop(t); took > stopLimit {
		t.Errorf("stopped %s after %s, at most %s is right", when, took, stopLimit)
	} else {
		t.Logf("stopped %s after %s", when, took)
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	begin := time.Date(2025, 3, 10, 10, 0, 0, 0, time.UTC)
	lines := generated(generate.Options{Seed: 1, Start: begin, Events: 10_000, Rate: 20, Steady: true, Users: 500, Contents: 100})
	nats := freeAddr(t)
	s := serving(t, "", "--nats-listen", nats)
	_, js := dial(t, nats)
	f := feed(t, s, lines)
	f.progress(50)
	s.stopsInTime(t, "under load")
	s.start(t)
	f.finish(t)
	all := facts(t, lines)
	end := all[len(all)-1].At.Truncate(10 * time.Minute).Add(10 * time.Minute)
	s.close(t, end)
	before := s.settled(t, js)
	if got := before.Total.Counted + before.Total.Filtered; got != int64(len(all)) {
		t.Errorf("counted or filtered %d of %d different events", got, len(all))
	}
	s.stopsInTime(t, "idle")

	s.start(t)
	if after := s.settled(t, js); after.Total != before.Total || after.Watermark.Before(before.Watermark) {
		t.Errorf("after the restart %+v, before %+v", after, before)
	}
	agreesAll(t, s, all, end)
}

// Nobody who holds a connection open keeps the service from stopping, and it
// keeps what it has taken.
func TestStopWithOpenConnections(t *testing.T) {
	t.Parallel()
	s := serving(t, "")
	now := time.Now()
	s.post(t, event("a", now, "play", "watch_ms", 1))
	s.awaitReceived(t, 1)

	live, err := http.Get(s.url("/api/v1/live"))
	if err != nil {
		t.Fatal(err)
	}
	defer live.Body.Close()
	if !bufio.NewScanner(live.Body).Scan() {
		t.Fatal("the live stream is silent")
	}
	for _, text := range []string{
		"",
		"GET /-/healthy HTTP/1.1\r\nHost: " + s.addr + "\r\n",
		fmt.Sprintf("POST /v1/events HTTP/1.1\r\nHost: %s\r\nContent-Length: 1000\r\n\r\n%s\n", s.addr, event("half", now, "play")),
	} {
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	s.stopsInTime(t, "with open connections")
	s.start(t)
	if got := s.ledger(t).Total; got.Counted != 1 || got.Received != 1 {
		t.Errorf("ledger %+v, one event was taken", got)
	}
}

// A service that is told to stop before it serves has not failed.
func TestStopWhileStarting(t *testing.T) {
	t.Parallel()
	nats, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	nats.Start()
	t.Cleanup(nats.Shutdown)
	nc, _ := dial(t, nats.Addr().String())
	asked := make(chan struct{}, 100)
	if _, err := nc.Subscribe("$JS.API.>", func(*natsgo.Msg) { asked <- struct{}{} }); err != nil { // and never answers
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	s := newService(t, "", "--nats-url", nats.ClientURL())
	s.launch(t)
	select {
	case <-asked:
	case <-time.After(patience):
		t.Fatalf("the service asks for no stream:\n%s", s.text())
	}
	s.stopsInTime(t, "while it starts")
	match(t, s.text(), `"reason":"terminated signal received","time":`, `"message":"stopping"`)
}
