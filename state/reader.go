package state

import (
	"encoding/binary"
	"fmt"
)

// A reader takes values off the front of data. After the first one that is not
// there it answers zeros, and end tells.
type reader struct {
	data   []byte
	broken bool
}

func (r *reader) fail() { r.broken, r.data = true, nil }

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.data)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.data = r.data[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.data)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.data = r.data[n:]
	return v
}

func (r *reader) uint64() uint64 {
	if b := r.bytes(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// bytes is the next n bytes, nil when there are fewer.
func (r *reader) bytes(n int) []byte {
	if n < 0 || n > len(r.data) {
		r.fail()
		return nil
	}
	b := r.data[:n:n]
	r.data = r.data[n:]
	return b
}

func (r *reader) string() string { return string(r.bytes(r.count(1))) }

// count is a number of things of at least size bytes each that must still
// follow: it bounds what is allocated for them.
func (r *reader) count(size int) int {
	n := r.uvarint()
	if n > uint64(len(r.data)/size) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) end() error {
	switch {
	case r.broken:
		return fmt.Errorf("%w: it ends early", ErrDamaged)
	case len(r.data) > 0:
		return fmt.Errorf("%w: %d bytes too many", ErrDamaged, len(r.data))
	}
	return nil
}
