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
type Reading struct{ halves [2]halfReading }

type halfReading struct {
	*half
	hash  func(text string) uint64
	seed  maphash.Seed
	known hashmap.Map // numbers, by a hash of what append wrote
	read  hashmap.Map // places of texts met, by a hash of their bytes
	met   []Text
	room  []Text
}

// NewReading reads into the combinations. hash is that of a text.
func NewReading(t *Texts, hash func(text string) uint64) *Reading {
	d := new(Reading)
	for i := range d.halves {
		d.halves[i] = halfReading{half: &t.halves[i], hash: hash, seed: maphash.MakeSeed()}
	}
	return d
}

// Read reads what Append wrote.
func (d *Reading) Read(r *codec.Reader) Number {
	var of [2]uint32
	for i := range d.halves {
		if h := &d.halves[i]; len(h.columns) > 0 {
			of[i] = h.number(r)
		}
	}
	return Number{of[0], of[1]}
}

// number reads what append wrote.
func (d *halfReading) number(r *codec.Reader) uint32 {
	rest := r.Rest()
	width := r.Count(1)
	for range width {
		r.Bytes(r.Uvarint())
	}
	if width != len(d.columns) && width != 0 {
		r.Fail()
	}
	if r.Err() != nil || width == 0 {
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
		d.room = append(d.room, d.text(in.Bytes(in.Uvarint())))
	}
	n := d.half.number(d.room)
	d.known.Set(key, n)
	return n
}

// text is one behind its mark, or none.
func (d *halfReading) text(written []byte) Text {
	if len(written) == 0 {
		return Text{}
	}
	key := maphash.Bytes(d.seed, written)
	if at, known := d.read.Get(key); known {
		return d.met[at]
	}
	text := string(written[1:])
	d.read.Set(key, uint32(len(d.met)))
	d.met = append(d.met, Text{d.hash(text), text})
	return d.met[len(d.met)-1]
}

// Places lead to the combinations of a table, half by half; nil of one without columns.
type Places [2][]uint32

// Table reads what Table.Append wrote.
func (d *Reading) Table(r *codec.Reader) (out Places) {
	for i := range d.halves {
		h := &d.halves[i]
		if len(h.columns) == 0 {
			continue
		}
		n := r.Count(1)
		out[i] = slices.Grow([]uint32{0}, n)
		for range n {
			out[i] = append(out[i], h.number(r))
		}
	}
	return out
}

// Number reads what Table.AppendPlace wrote.
func (p *Places) Number(r *codec.Reader) Number {
	var of [2]uint32
	for i, numbers := range p {
		if numbers == nil {
			continue
		}
		if place := r.Uvarint(); place < uint64(len(numbers)) {
			of[i] = numbers[place]
		} else {
			r.Fail()
		}
	}
	return Number{of[0], of[1]}
}
