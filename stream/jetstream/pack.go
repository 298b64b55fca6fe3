package jetstream

import (
	"bytes"
	"sync"

	"github.com/klauspost/compress/s2"
	"github.com/nats-io/nats.go"
)

// packBytes is where compressing a body costs less than it saves: the server
// copies, syncs and reads back a third of the bytes.
const packBytes = 4 << 10

var packers = sync.Pool{New: func() any {
	return s2.NewWriter(nil, s2.WriterConcurrency(1), s2.WriterBlockSize(256<<10))
}}

// eventMessage wraps lines. It says that they are lines where they could be
// taken for an array, or for one event over several lines.
func eventMessage(body []byte) *nats.Msg {
	m := &nats.Msg{Subject: eventSubject, Data: body}
	if first, _, _ := bytes.Cut(body, []byte{'\n'}); first[0] != '{' || first[len(first)-1] != '}' {
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
		m.Header.Set(headerEncoding, "s2")
	}
	return m
}

// pack compresses; ok is false when nothing is won.
func pack(body []byte) (packed []byte, ok bool) {
	w := packers.Get().(*s2.Writer)
	defer packers.Put(w)
	var out bytes.Buffer
	out.Grow(len(body) / 2)
	w.Reset(&out)
	if _, err := w.Write(body); err != nil {
		return nil, false
	}
	if err := w.Close(); err != nil {
		return nil, false
	}
	return out.Bytes(), out.Len() < len(body)
}
