// Package carry numbers the texts that facts carry of the events that they began
// with: combinations of a few fields, of which there are far fewer than events.
package carry

import (
	"encoding/binary"
	"slices"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/internal/hashmap"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// Texts are the combinations met, numbered from 1 on.
type Texts struct {
	columns []int // of the events
	numbers hashmap.Map
	keys    []uint64 // by number, as everything below
	texts   [][]Text
	free    []uint32
	swept   int // how many there were when those that nobody has were forgotten
}

// A Text has hash 0 where the event did not carry the field.
type Text struct {
	Hash uint64
	Text string
}

// New returns no combinations of these columns of the events.
func New(columns []int) *Texts {
	return &Texts{columns: columns, keys: make([]uint64, 1), texts: make([][]Text, 1)}
}

// Width is how many texts a combination has.
func (t *Texts) Width() int { return len(t.columns) }

// At is the combination with a number; nil of 0.
func (t *Texts) At(number uint32) []Text { return t.texts[number] }

// Of is the number of the combination of an event.
func (t *Texts) Of(b *stream.Batch, row int) uint32 {
	var key uint64
	for _, c := range t.columns {
		key = plan.Mix(key, b.Text[c].Hash[row])
	}
	if n, ok := t.numbers.Get(key); ok {
		return n
	}
	texts := make([]Text, len(t.columns))
	for i, column := range t.columns {
		c := &b.Text[column]
		if texts[i].Hash = c.Hash[row]; texts[i].Hash != 0 {
			s := c.Span[row]
			texts[i].Text = string(b.Payload[s.Off : s.Off+s.Len])
		}
	}
	return t.add(key, texts)
}

func (t *Texts) number(texts []Text) uint32 {
	var key uint64
	for _, text := range texts {
		key = plan.Mix(key, text.Hash)
	}
	if n, ok := t.numbers.Get(key); ok {
		return n
	}
	return t.add(key, texts)
}

func (t *Texts) add(key uint64, texts []Text) (n uint32) {
	if last := len(t.free) - 1; last >= 0 {
		n, t.free = t.free[last], t.free[:last]
		t.keys[n], t.texts[n] = key, texts
	} else {
		n = uint32(len(t.texts))
		t.keys, t.texts = append(t.keys, key), append(t.texts, texts)
	}
	t.numbers.Set(key, n)
	return n
}

// fewTexts are not worth a look whether anybody has them.
const fewTexts = 1024

// Full reports whether there are twice as many combinations as were left when those
// were forgotten last that nobody has.
func (t *Texts) Full() bool { return len(t.texts)-len(t.free) > max(fewTexts, 2*t.swept) }

// Keep forgets all combinations but those that are used, by number.
func (t *Texts) Keep(used []bool) {
	for n := 1; n < len(t.texts); n++ {
		if t.texts[n] != nil && !used[n] {
			t.numbers.Delete(t.keys[n])
			t.texts[n] = nil
			t.free = append(t.free, uint32(n))
		}
	}
	t.swept = len(t.texts) - len(t.free)
}

// Numbers is how many numbers have been given.
func (t *Texts) Numbers() int { return len(t.texts) }

// Append writes a combination: texts, with a mark before those that are there.
func (t *Texts) Append(b []byte, number uint32) []byte {
	texts := make([]string, len(t.columns))
	for i, text := range t.texts[number] {
		if text.Hash != 0 {
			texts[i] = "=" + text.Text
		}
	}
	return codec.AppendTexts(b, texts)
}

// Read reads what Append wrote. hash is that of a text.
func (t *Texts) Read(r *codec.Reader, hash func(text string) uint64) uint32 {
	list := r.Texts()
	if len(list) != len(t.columns) {
		r.Fail()
		return 0
	}
	texts := make([]Text, len(list))
	for i, text := range list {
		if text != "" {
			texts[i] = Text{hash(text[1:]), text[1:]}
		}
	}
	return t.number(texts)
}

// A Table writes each combination once, by place.
type Table struct {
	places map[uint32]int
	met    []uint32
}

// Place is that of a combination, from 1 on; 0 for none.
func (w *Table) Place(number uint32) int {
	if number == 0 {
		return 0
	}
	place, known := w.places[number]
	if !known {
		if w.places == nil {
			w.places = map[uint32]int{}
		}
		w.met = append(w.met, number)
		place = len(w.met)
		w.places[number] = place
	}
	return place
}

// Append writes a list of those that have a place.
func (w *Table) Append(b []byte, t *Texts) []byte {
	b = binary.AppendUvarint(b, uint64(len(w.met)))
	for _, n := range w.met {
		b = t.Append(b, n)
	}
	return b
}

// ReadTable reads the list; the numbers are by place.
func (t *Texts) ReadTable(r *codec.Reader, hash func(text string) uint64) []uint32 {
	numbers := make([]uint32, 1, 8)
	for range r.Count(1) {
		numbers = append(numbers, t.Read(r, hash))
	}
	return slices.Clip(numbers)
}
