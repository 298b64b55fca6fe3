package jetstream

import (
	"bytes"
	"slices"
	"sync"

	"github.com/klauspost/compress/s2"
	"github.com/nats-io/nats.go"

	"github.com/tidewatch/tidewatch/stream"
)

// packBytes is where compressing a body costs less than it saves: the server
// copies, syncs and reads back a third of the bytes.
const packBytes = 4 << 10

// scratch are buffers to compress into.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// eventMessage wraps lines. It says that they are lines where they could be
// taken for an array, or for one event over several lines.
func eventMessage(body []byte) *nats.Msg {
	m := &nats.Msg{Subject: eventSubject, Data: body}
	first, _, _ := bytes.Cut(body, []byte{'\n'})
	if first = bytes.TrimRight(first, " \t\r"); first[0] != '{' || first[len(first)-1] != '}' {
		m.Header = nats.Header{headerType: {"application/x-ndjson"}}
	}
	if len(body) < packBytes {
		return m
	}
	if packed, ok := pack(body); ok {
		if m.Header == nil {
			m.Header = nats.Header{}
		}
		m.Data = packed
		m.Header.Set(headerEncoding, stream.S2Block)
	}
	return m
}

// pack compresses; ok is false when nothing is won.
func pack(body []byte) (packed []byte, ok bool) {
	buf := scratch.Get().(*[]byte)
	defer scratch.Put(buf)
	*buf = slices.Grow((*buf)[:0], s2.MaxEncodedLen(len(body)))
	packed = s2.Encode((*buf)[:cap(*buf)], body)
	if len(packed) >= len(body) {
		return nil, false
	}
	return bytes.Clone(packed), true
}
