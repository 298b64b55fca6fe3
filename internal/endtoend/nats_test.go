package endtoend

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// dial connects to the service's own NATS server.
func dial(t *testing.T, addr string) (*nats.Conn, jetstream.JetStream) {
	t.Helper()
	nc, err := nats.Connect("nats://"+addr, nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return nc, js
}

// settled waits until all that is in EVENTS stands in the ledger.
func (s *service) settled(t *testing.T, js jetstream.JetStream) ledger {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var last uint64
	eventually(t, "the end of EVENTS", func() bool { // a service that just started takes a moment
		if events, err := js.Stream(ctx, "EVENTS"); err == nil {
			last = events.CachedInfo().State.LastSeq
		}
		return last > 0
	}, func() any { return last })
	return s.await(t, fmt.Sprint("position ", last), func(l ledger) bool { return l.Position >= last })
}

// publish puts a message into EVENTS as a client of NATS does.
func publish(t *testing.T, js jetstream.JetStream, data []byte, headers ...string) {
	t.Helper()
	m := &nats.Msg{Subject: "events.test", Data: data, Header: nats.Header{}}
	for i := 0; i < len(headers); i += 2 {
		m.Header.Set(headers[i], headers[i+1])
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := js.PublishMsg(ctx, m); err != nil {
		t.Fatalf("publish: %v", err)
	}
}

// A letter is a message on the stream of late events or dead letters.
type letter struct{ subject, reason, id, data string }

// letters are all messages of a stream.
func letters(t *testing.T, js jetstream.JetStream, stream string) []letter {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := js.Stream(ctx, stream)
	if err != nil {
		t.Fatalf("look up stream %s: %v", stream, err)
	}
	info, err := s.Info(ctx)
	if err != nil {
		t.Fatalf("look up stream %s: %v", stream, err)
	}
	var out []letter
	for seq := info.State.FirstSeq; seq != 0 && seq <= info.State.LastSeq; seq++ {
		m, err := s.GetMsg(ctx, seq)
		if err != nil {
			t.Fatalf("read message %d of %s: %v", seq, stream, err)
		}
		out = append(out, letter{m.Subject, m.Header.Get("Tidewatch-Reason"), m.Header.Get("Tidewatch-Id"), string(m.Data)})
	}
	return out
}

// awaitLetters waits until a stream has n messages.
func awaitLetters(t *testing.T, js jetstream.JetStream, stream string, n int) (out []letter) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d messages in %s", n, stream), func() bool {
		out = letters(t, js, stream)
		return len(out) >= n
	}, func() any { return out })
	return out
}

// forget lets JetStream forget the ids of messages at once: what it would
// refuse as sent twice now shows, as after an absence of minutes.
func forget(t *testing.T, js jetstream.JetStream, streams ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, name := range streams {
		s, err := js.Stream(ctx, name)
		if err != nil {
			t.Fatalf("look up stream %s: %v", name, err)
		}
		c := s.CachedInfo().Config
		c.Duplicates = 100 * time.Millisecond
		if _, err := js.UpdateStream(ctx, c); err != nil {
			t.Fatalf("change stream %s: %v", name, err)
		}
	}
}
