package windows

import (
	"encoding/binary"
	"fmt"
)

// A Page is a part of the engine's state as an epoch keeps it. Data is nil for
// a page that is no longer needed.
type Page struct {
	Kind PageKind
	A    uint32
	B    uint64
	Data []byte
}

// A Section is what one checkpoint adds to a journal: pages that are read in
// the order in which they were written. Sections of one kind and A belong
// together.
type Section struct {
	Kind PageKind
	A    uint32
	// Until is the event time in seconds from which on it is not needed.
	Until int64
	Data  []byte
}

// A Floor says which sections of a journal are no longer needed: those of
// checkpoint Number or before whose Until is at most Until.
type Floor struct {
	Number uint64
	Until  int64
}

// pageFormat counts the formats of pages so far: an epoch of another is as one of
// other definitions.
const pageFormat = 2

// PageKind says what a page holds.
type PageKind uint16

// The kinds of pages. Format: each kind's encoder.
const (
	PageUsers       PageKind = iota + 1 // a shard's users; A shard
	PageUserDelta                       // journal: what changed in users; A partition
	PageOpen                            // what is not closed; A partition
	PageLabels                          // labels of a keyed user set; A slot
	PageGroups                          // keys and labels of a sum set; A set, B part
	PagePane                            // sums of one pane; A set and lens, B pane
	PageSlice                           // sums of one unsealed slice; A set, B slice
	PageCorrections                     // journal: what came late into such slices
	PageDay                             // sums and fresh users of one day; A set, B day
	PageBlock                           // an unfinished block of history; A set and lens
	PageRevisions                       // restated windows by one crossing; B head
	PageIDs                             // journal: ids that are remembered
)

// A reader reads what the encoders wrote; the first thing amiss sticks.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail() {
	if r.err == nil {
		r.err = fmt.Errorf("page is cut short")
	}
	r.b = nil
}

func (r *reader) u32() uint32 {
	if len(r.b) < 4 {
		r.fail()
		return 0
	}
	v := binary.LittleEndian.Uint32(r.b)
	r.b = r.b[4:]
	return v
}

func (r *reader) skip(n uint64) {
	if n > uint64(len(r.b)) {
		r.fail()
		return
	}
	r.b = r.b[n:]
}

func (r *reader) u64() uint64 { lo := r.u32(); return uint64(lo) | uint64(r.u32())<<32 }

func (r *reader) uvarint() uint64 {
	if len(r.b) > 0 && r.b[0] < 0x80 {
		v := r.b[0]
		r.b = r.b[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v := r.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

func (r *reader) text() string {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail()
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
