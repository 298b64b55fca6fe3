package carry

import (
	"hash/maphash"
	"slices"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/internal/hashmap"
)

// A Reading reads combinations, most of which come again and again, of words that do so
// even more: from the second time on both are known by their bytes. It ends when
// combinations are forgotten.
type Reading struct {
	texts *Texts
	hash  func(text string) uint64
	seed  maphash.Seed
	known hashmap.Map // numbers, by a hash of what Append wrote
	words hashmap.Map // places of texts, by a hash of their bytes
	met   []Text
	room  []Text
}

// NewReading reads into the combinations. hash is that of a text.
func NewReading(t *Texts, hash func(text string) uint64) *Reading {
	return &Reading{texts: t, hash: hash, seed: maphash.MakeSeed()}
}

// Read reads what Append wrote.
func (d *Reading) Read(r *codec.Reader) uint32 {
	rest := r.Rest()
	width := r.Count(1)
	for range width {
		r.Bytes(r.Uvarint())
	}
	if width != len(d.texts.columns) && width != 0 {
		r.Fail()
	}
	if r.Err() != nil || width == 0 && len(d.texts.columns) > 0 {
		return 0
	}
	written := rest[:len(rest)-r.Len()]
	key := maphash.Bytes(d.seed, written)
	if n, known := d.known.Get(key); known {
		return n
	}
	d.room = d.room[:0]
	in := codec.NewReader(written)
	for range in.Count(1) {
		d.room = append(d.room, d.word(in.Bytes(in.Uvarint())))
	}
	n := d.texts.Number(d.room)
	d.known.Set(key, n)
	return n
}

// word is a text behind its mark, or none.
func (d *Reading) word(written []byte) Text {
	if len(written) == 0 {
		return Text{}
	}
	key := maphash.Bytes(d.seed, written)
	if at, known := d.words.Get(key); known {
		return d.met[at]
	}
	text := string(written[1:])
	d.words.Set(key, uint32(len(d.met)))
	d.met = append(d.met, Text{d.hash(text), text})
	return d.met[len(d.met)-1]
}

// Table reads what Table.Append wrote; the numbers are by place.
func (d *Reading) Table(r *codec.Reader) []uint32 {
	n := r.Count(1)
	numbers := slices.Grow([]uint32{0}, n)
	for range n {
		numbers = append(numbers, d.Read(r))
	}
	return numbers
}
