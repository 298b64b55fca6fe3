package jetstream

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidewatch/tidewatch/stream"
)

// The headers of a message.
const (
	headerType     = "Content-Type"
	headerEncoding = "Content-Encoding"
	headerTick     = "Tidewatch-Tick"
	headerErasure  = "Tidewatch-Erase"
	headerID       = "Tidewatch-Id"
)

// ErrNoMessage says that a stream holds no message at a sequence.
var ErrNoMessage = errors.New("no such message")

// Message reads one event message.
func (b *Broker) Message(ctx context.Context, sequence uint64) (stream.Raw, error) {
	s, err := b.readJS.Stream(ctx, Events)
	if err != nil {
		return stream.Raw{}, fmt.Errorf("look up stream %s: %w", Events, err)
	}
	m, err := s.GetMsg(ctx, sequence)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		err = ErrNoMessage
	}
	if err != nil {
		return stream.Raw{}, fmt.Errorf("read message %d of %s: %w", sequence, Events, err)
	}
	r := raw(m.Header, m.Data)
	r.Sequence, r.Stamp = m.Sequence, m.Time.UnixMilli()
	return r, nil
}

// raw is a message by its headers: a subject is anybody's, also that of ticks.
func raw(h nats.Header, data []byte) stream.Raw {
	return stream.Raw{
		Data: data, ContentType: h.Get(headerType), ContentEncoding: stream.Encoding(h.Get(headerEncoding)), Tick: h.Get(headerTick) != "", Erasure: h.Get(headerErasure) != "",
	}
}

// decode reads a delivered message, whose reply subject holds its place:
//
//	$JS.ACK.<stream>.<consumer>.<delivered>.<sequence>.<consumer sequence>.<time>.<pending>
//
// with <domain>.<account> before the stream, and a token behind, by servers
// that have those. A reply that does not read so gives sequence 0, a gap.
func decode(m *nats.Msg) (r stream.Raw, pending uint64) {
	r = raw(m.Header, m.Data)
	at := 5
	if strings.Count(m.Reply, ".") > 8 {
		at = 7
	}
	rest := m.Reply
	var token string
	for i := 0; rest != ""; i++ {
		token, rest, _ = strings.Cut(rest, ".")
		switch i {
		case at:
			r.Sequence = number(token)
		case at + 2:
			r.Stamp = int64(number(token) / 1e6)
		case at + 3:
			pending = number(token)
		}
	}
	return r, pending
}

func number(s string) (n uint64) {
	for i := range len(s) {
		d := s[i] - '0'
		if d > 9 {
			return 0
		}
		n = n*10 + uint64(d)
	}
	return n
}
