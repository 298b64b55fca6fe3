package state

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/tidewatch/tidewatch/internal/codec"
)

// PageID names a page. The engine gives the numbers their meaning.
type PageID struct {
	Kind uint16
	A    uint32
	B    uint64
}

func (id PageID) compare(other PageID) int {
	return cmp.Or(cmp.Compare(id.Kind, other.Kind), cmp.Compare(id.A, other.A), cmp.Compare(id.B, other.B))
}

// A Page is the unit that an epoch writes, of any length.
type Page struct {
	ID   PageID
	Data []byte
}

// chunkSize is the length of a slot. Longer pages take several.
const chunkSize = 64 << 10

// A ref says where bytes are and what they must hash to. It is never changed,
// so tables share it.
type ref struct {
	slots  []uint32
	length int
	sum    uint64
}

// check reports whether data is what was written.
func (r ref) check(data []byte) bool {
	return len(data) == r.length && xxh3.Hash(data) == r.sum
}

// A table says where every page of an epoch is. Pages hash to buckets; a
// bucket is written as one index page, and only when it changed. Epochs share
// the buckets in which they agree.
type table [256]*bucket

type bucket struct {
	ref     ref
	entries []entry // ascending by id
}

type entry struct {
	id PageID
	ref
}

var noBucket bucket

func (t *table) bucket(n int) *bucket {
	if t[n] == nil {
		return &noBucket
	}
	return t[n]
}

// bucketOf is part of the format.
func bucketOf(id PageID) int {
	var b [14]byte
	binary.LittleEndian.PutUint16(b[:], id.Kind)
	binary.LittleEndian.PutUint32(b[2:], id.A)
	binary.LittleEndian.PutUint64(b[6:], id.B)
	return int(xxh3.Hash(b[:]) & 255)
}

func (t *table) find(id PageID) (ref, bool) {
	b := t.bucket(bucketOf(id))
	i, ok := b.search(id)
	if !ok {
		return ref{}, false
	}
	return b.entries[i].ref, true
}

// refs calls yield for all that the table consists of: pages and index pages.
func (t *table) refs(yield func(ref) bool) {
	for _, b := range t {
		if b == nil {
			continue
		}
		if !yield(b.ref) {
			return
		}
		for _, e := range b.entries {
			if !yield(e.ref) {
				return
			}
		}
	}
}

func (b *bucket) search(id PageID) (int, bool) {
	return slices.BinarySearchFunc(b.entries, id, func(e entry, id PageID) int { return e.id.compare(id) })
}

func (b *bucket) encode() []byte {
	out := binary.AppendUvarint(nil, uint64(len(b.entries)))
	for _, e := range b.entries {
		out = binary.AppendUvarint(out, uint64(e.id.Kind))
		out = binary.AppendUvarint(out, uint64(e.id.A))
		out = binary.AppendUvarint(out, e.id.B)
		out = e.ref.append(out)
	}
	return out
}

func decodeBucket(data []byte, r ref) (*bucket, error) {
	in := codec.NewReader(data)
	b := &bucket{ref: r, entries: make([]entry, in.Count(12))}
	for i := range b.entries {
		e := &b.entries[i]
		e.id = PageID{Kind: uint16(in.Uvarint()), A: uint32(in.Uvarint()), B: in.Uvarint()}
		e.ref = decodeRef(in)
	}
	if err := ended(in); err != nil {
		return nil, fmt.Errorf("decode index page: %w", err)
	}
	return b, nil
}

func (r ref) append(out []byte) []byte {
	out = binary.AppendUvarint(out, uint64(r.length))
	out = binary.LittleEndian.AppendUint64(out, r.sum)
	last := int64(-1) // a page's slots mostly follow each other
	for _, s := range r.slots {
		out = binary.AppendVarint(out, int64(s)-last)
		last = int64(s)
	}
	return out
}

func decodeRef(in *codec.Reader) ref {
	r := ref{length: int(in.Uvarint()), sum: in.Uint64()}
	n := chunks(r.length)
	if r.length < 0 || n > in.Len() { // at least a byte each
		in.Fail()
		return ref{}
	}
	r.slots = make([]uint32, n)
	last := int64(-1)
	for i := range r.slots {
		last += in.Varint()
		r.slots[i] = uint32(last)
	}
	return r
}

// chunks is the number of slots that n bytes take.
func chunks(n int) int { return (n + chunkSize - 1) / chunkSize }
