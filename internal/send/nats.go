package send

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidewatch/tidewatch/internal/redact"
)

// The subjects of the stream EVENTS that this package publishes to.
const (
	eventSubject = "events.send"
	tickSubject  = "events.tick"
)

// tickHeader marks a message that only moves time.
const tickHeader = "Tidewatch-Tick"

// A Stream publishes straight into the stream of a service. Every message is
// acknowledged before the next one leaves.
type Stream struct {
	conn *nats.Conn
	js   jetstream.JetStream
}

// Connect connects to the NATS server of a service.
func Connect(url string) (*Stream, error) {
	conn, err := nats.Connect(url, nats.Name("tidewatch send"), nats.MaxReconnects(-1))
	if err != nil {
		return nil, fmt.Errorf("connect to NATS at %s: %w", redact.URL(url), redact.Error(err, url))
	}
	js, err := jetstream.New(conn)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("use JetStream at %s: %w", redact.URL(url), redact.Error(err, url))
	}
	return &Stream{conn, js}, nil
}

// MaxBatch is the largest batch that the server takes.
func (s *Stream) MaxBatch() int { return int(s.conn.MaxPayload()) - 4096 }

// Publish publishes n lines of NDJSON as one message.
func (s *Stream) Publish(ctx context.Context, batch []byte, n int) (Answer, error) {
	m := nats.NewMsg(eventSubject)
	m.Header.Set("Content-Type", "application/x-ndjson")
	m.Data = batch
	if err := s.publish(ctx, m); err != nil {
		return Answer{}, err
	}
	return Answer{Accepted: int64(n)}, nil
}

// Close states that every event before the time (Unix milliseconds) is in.
func (s *Stream) Close(ctx context.Context, to int64) error {
	m := nats.NewMsg(tickSubject)
	m.Header.Set(tickHeader, "1")
	m.Data, _ = json.Marshal(map[string]int64{"to": to})
	return s.publish(ctx, m)
}

func (s *Stream) publish(ctx context.Context, m *nats.Msg) error {
	// A message that is not acknowledged is published again, in its place:
	// the events' ids make up for one that was stored and not acknowledged.
	const tries = 8
	_, err := s.js.PublishMsg(ctx, m, jetstream.WithRetryAttempts(tries), jetstream.WithExpectStream("EVENTS"))
	for try := 0; err != nil && ctx.Err() == nil && try < tries; try++ {
		select {
		case <-ctx.Done():
		case <-time.After(backOff(try)):
			_, err = s.js.PublishMsg(ctx, m, jetstream.WithExpectStream("EVENTS"))
		}
	}
	if err != nil {
		return fmt.Errorf("publish to %s: %w", m.Subject, err)
	}
	return nil
}

// Disconnect ends the connection.
func (s *Stream) Disconnect() { s.conn.Close() }
