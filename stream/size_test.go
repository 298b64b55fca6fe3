package stream

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

func zipped(parts ...string) []byte {
	var b bytes.Buffer
	for _, part := range parts {
		z := gzip.NewWriter(&b)
		_, _ = z.Write([]byte(part))
		_ = z.Close()
	}
	return b.Bytes()
}

// TestSize: a message is known by what it unpacks to, before it is.
func TestSize(t *testing.T) {
	text := strings.Repeat(good+"\n", 5000)
	var streamed, framed bytes.Buffer
	z, _ := zstd.NewWriter(&streamed)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	w := s2.NewWriter(&framed)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	for _, c := range []struct {
		name, encoding string
		data           []byte
		want, most     int
	}{
		{"plain", "", []byte(text), len(text), len(text)},
		{"gzip", "gzip", zipped(text), len(text), len(text)},
		{"gzip of two members", "gzip", zipped(text, text), 2 * len(text), 2 * len(text)},
		{"zstd with its size", "zstd", z.EncodeAll([]byte(text), nil), len(text), len(text)},
		{"zstd of two frames", "zstd", z.EncodeAll([]byte(text), z.EncodeAll([]byte(text), nil)), 2 * len(text), 2 * len(text)},
		{"zstd without", "zstd", streamed.Bytes(), len(text), len(text) + 256<<10},
		{"s2", "s2", framed.Bytes(), len(text), len(text)},
		{"s2 block", S2Block, s2.Encode(nil, []byte(text)), len(text), len(text)},
	} {
		m := Raw{Data: c.data, ContentEncoding: c.encoding}
		if got := m.Size(); got < c.want || got > c.most {
			t.Errorf("%s: counts as %d bytes, want %d to %d", c.name, got, c.want, c.most)
		}
		var u unpacker
		if got, reason := u.append(nil, m); reason != ReasonNone || len(got) != c.want {
			t.Errorf("%s: %d bytes, %v", c.name, len(got), reason)
		}
	}
}

// TestWrongSize: unpacking stops where a message is larger than it says.
func TestWrongSize(t *testing.T) {
	text := strings.Repeat("x", MaxMessage/2)
	short := zipped(text)
	binary.LittleEndian.PutUint32(short[len(short)-4:], 1000)
	var u unpacker
	if got, reason := u.append(nil, Raw{Data: short, ContentEncoding: "gzip"}); reason != ReasonBadEncoding || cap(got) > 1<<20 {
		t.Errorf("%v after %d bytes", reason, len(got))
	}
	if _, reason := u.append(nil, Raw{Data: []byte(text[:5000]), ContentEncoding: "gzip"}); reason != ReasonBadEncoding {
		t.Errorf("no gzip: %v", reason)
	}
	// What says that it is too large is not unpacked.
	large := zipped(text, text, "x")
	if got, reason := u.append(nil, Raw{Data: large, ContentEncoding: "gzip"}); reason != ReasonTooLarge || cap(got) > 0 {
		t.Errorf("%v after %d bytes", reason, len(got))
	}
}

// FuzzSize: no message unpacks to more than it counts as.
func FuzzSize(f *testing.F) {
	z, _ := zstd.NewWriter(nil)
	text := []byte(strings.Repeat(good, 10))
	var framed bytes.Buffer
	w := s2.NewWriter(&framed)
	_, _ = w.Write(text)
	_ = w.Close()
	f.Add(zipped(string(text), "more"), uint8(0))
	f.Add(z.EncodeAll(text, nil), uint8(1))
	f.Add(framed.Bytes(), uint8(2))
	f.Add(s2.Encode(nil, text), uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, encoding uint8) {
		m := Raw{Data: data, ContentEncoding: []string{"gzip", "zstd", "s2", S2Block}[encoding%4]}
		var u unpacker
		if got, reason := u.append(nil, m); reason == ReasonNone && len(got) > m.Size() {
			t.Errorf("%s of %d bytes counts as %d", m.ContentEncoding, len(got), m.Size())
		}
	})
}
