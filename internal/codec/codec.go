// Package codec reads and writes the product's own bytes: pages of epochs,
// blocks of history, what partitions hand to the merger. Integers are varints
// or little endian, texts have their length before them.
package codec

import (
	"encoding/binary"
	"errors"
)

// ErrShort is what a Reader says of bytes that end too early.
var ErrShort = errors.New("data is cut short")

// A Reader reads what the appenders wrote. The first thing amiss sticks; what is
// read after it is zero.
type Reader struct {
	b   []byte
	err error
}

// NewReader returns a reader of b, which is not copied.
func NewReader(b []byte) *Reader { return &Reader{b: b} }

// Err is the first thing that was amiss.
func (r *Reader) Err() error { return r.err }

// Fail has the reader say that its bytes are not what they should be.
func (r *Reader) Fail() {
	if r.err == nil {
		r.err = ErrShort
	}
	r.b = nil
}

// Len is how many bytes are left.
func (r *Reader) Len() int { return len(r.b) }

// Rest is what is left, without reading it.
func (r *Reader) Rest() []byte { return r.b }

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if b := r.Bytes(1); b != nil {
		return b[0]
	}
	return 0
}

// Bytes reads n bytes, which are those of the reader; nil if there are fewer.
func (r *Reader) Bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.Fail()
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

// Uint32 reads 4 bytes.
func (r *Reader) Uint32() uint32 {
	if len(r.b) < 4 {
		r.Fail()
		return 0
	}
	v := binary.LittleEndian.Uint32(r.b)
	r.b = r.b[4:]
	return v
}

// Uint64 reads 8 bytes.
func (r *Reader) Uint64() uint64 {
	if len(r.b) < 8 {
		r.Fail()
		return 0
	}
	v := binary.LittleEndian.Uint64(r.b)
	r.b = r.b[8:]
	return v
}

// Uvarint reads an unsigned varint.
func (r *Reader) Uvarint() uint64 {
	if len(r.b) > 0 && r.b[0] < 0x80 {
		v := r.b[0]
		r.b = r.b[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.Fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

// Varint reads a signed varint.
func (r *Reader) Varint() int64 {
	v := r.Uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

// Count reads how many things follow of which each takes at least size bytes,
// so that damage cannot ask for more room than its bytes.
func (r *Reader) Count(size int) int {
	n := r.Uvarint()
	if n > uint64(len(r.b)/max(size, 1)) {
		r.Fail()
		return 0
	}
	return int(n)
}

// Text reads a text with its length before it.
func (r *Reader) Text() string { return string(r.Bytes(r.Uvarint())) }

// Texts reads as many texts as stand before them.
func (r *Reader) Texts() []string {
	out := make([]string, r.Count(1))
	for i := range out {
		out[i] = r.Text()
	}
	return out
}

// AppendText writes a text with its length before it.
func AppendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// AppendTexts writes texts with their number before them.
func AppendTexts(b []byte, s []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	for _, t := range s {
		b = AppendText(b, t)
	}
	return b
}
