package endtoend

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// unpacking is a message that takes little room until it is unpacked.
func unpacking(t *testing.T, size int, line func() string) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < size; {
		l := line()
		if n += len(l) + 1; n > size {
			break
		}
		if _, err := io.WriteString(z, l+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestUnpackingMessages: messages that are far larger unpacked than the memory
// budget has room for are worked off, in this process and after a restart, and a
// pause that they cause ends.
func TestUnpackingMessages(t *testing.T) {
	t.Parallel()
	nats := freeAddr(t)
	s := serving(t, "memory_budget: 400MiB\n", "--nats-listen", nats)
	_, js := dial(t, nats)
	now := time.Now()
	message := unpacking(t, 64<<20, func() string { return event("same", now, "play", "watch_ms", 1) })
	if len(message) > 1<<20 {
		t.Fatalf("the message takes %d bytes", len(message))
	}
	const messages = 5
	for range messages - 1 {
		publish(t, js, message, "Content-Encoding", "gzip")
	}
	s.settled(t, js)
	publish(t, js, message, "Content-Encoding", "gzip")
	s.kill(t)
	s.start(t)
	l := s.settled(t, js)
	if x := l.Total; x.Counted != 1 || x.Duplicate != x.Received-1 {
		t.Errorf("ledger: %+v", x)
	}
	// It takes events again.
	eventually(t, "the end of the pause", func() bool {
		r, err := s.do("POST", "/v1/events", event("after", time.Now(), "play", "watch_ms", 1))
		return err == nil && r.code == 200
	}, func() any { return s.text() })
}

// TestSilentConnections: more connections than the process may open files keep
// nobody out, and harm neither the store nor the stream.
func TestSilentConnections(t *testing.T) {
	t.Parallel()
	s := newService(t, "", "--nats-listen", freeAddr(t))
	s.opens = 512
	s.start(t)
	for range 600 {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	for i := range 5 {
		s.post(t, event(fmt.Sprint("e", i), time.Now(), "play", "watch_ms", 1))
	}
	s.awaitReceived(t, 5)
	if said := s.text(); strings.Contains(said, "too many open files") {
		t.Errorf("connections took every file:\n%s", said)
	}
	s.kill(t)
	s.start(t)
	s.awaitReceived(t, 5)
}

// A long lateness and many labels cost what is in them: not their product.
func TestLongLatenessOfManyLabels(t *testing.T) {
	t.Parallel()
	s := serving(t, "memory_budget: 400MiB\nlateness: 7d\n")
	begin := time.Now().Add(-6*24*time.Hour - 12*time.Hour)
	const events = 1600
	for first := 0; first < events; first += 100 {
		var lines []string
		for i := first; i < first+100; i++ {
			at := begin.Add(time.Duration(i) * (6*24 + 12) * time.Hour / events)
			lines = append(lines, event(fmt.Sprint("e", i), at, "play", "user_id", fmt.Sprint("u", i%50), "region", fmt.Sprint("r", i), "watch_ms", 1))
		}
		s.post(t, lines...) // a 429 would say that the budget is spent
	}
	s.awaitReceived(t, events)
	match(t, s.ready(t), `"warnings":[]`)
	if a := s.kpi(t, "plays", "window", "24h", "by", "region"); len(a.Samples) < events/8 {
		t.Errorf("%d regions in the last 24 hours", len(a.Samples))
	}
}
