// Package carry numbers the texts that facts carry of the events that they began
// with: combinations of a few fields, of which there are far fewer than events.
package carry

import (
	"encoding/binary"

	"github.com/tidewatch/tidewatch/internal/hashmap"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// Texts are the combinations met, numbered from 1 on.
type Texts struct {
	columns []int // of the events
	numbers hashmap.Map
	keys    []uint64 // by number
	parts   []uint32 // by number and column: places among the words
	free    []uint32
	swept   int // how many there were when those that nobody has were forgotten

	words  []Text      // that the combinations are made of, each once; the first is none
	places hashmap.Map // of them, by their hash
	room   []Text
}

// A Text has hash 0 where the event did not carry the field.
type Text struct {
	Hash uint64
	Text string
}

// New returns no combinations of these columns of the events.
func New(columns []int) *Texts {
	n := len(columns)
	return &Texts{columns: columns, keys: make([]uint64, 1), parts: make([]uint32, n), words: make([]Text, 1), room: make([]Text, n)}
}

// Width is how many texts a combination has.
func (t *Texts) Width() int { return len(t.columns) }

// At is the combination with a number, until it is asked for another; nil of 0.
func (t *Texts) At(number uint32) []Text {
	if number == 0 {
		return nil
	}
	for i, place := range t.partsOf(number) {
		t.room[i] = t.words[place]
	}
	return t.room
}

// Text is one text of the combination with a number.
func (t *Texts) Text(number uint32, column int) Text { return t.words[t.partsOf(number)[column]] }

func (t *Texts) partsOf(number uint32) []uint32 {
	return t.parts[int(number)*len(t.columns):][:len(t.columns)]
}

// Key is what the combination of an event is looked up by.
func (t *Texts) Key(b *stream.Batch, row int) (key uint64) {
	for _, c := range t.columns {
		key = plan.Mix(key, b.Text[c].Hash[row])
	}
	return key
}

// Touch brings what a key leads to into the cache. What it answers means nothing.
func (t *Texts) Touch(key uint64) uint32 { return t.numbers.Touch(key) }

// Of is the number of the combination of an event.
func (t *Texts) Of(b *stream.Batch, row int) uint32 { return t.OfKey(t.Key(b, row), b, row) }

// OfKey is Of for who has the key.
func (t *Texts) OfKey(key uint64, b *stream.Batch, row int) uint32 {
	if n, ok := t.numbers.Get(key); ok {
		return n
	}
	n := t.add(key)
	for i, column := range t.columns {
		c := &b.Text[column]
		place, known := t.place(c.Hash[row])
		if !known {
			s := c.Span[row]
			place = t.meet(Text{c.Hash[row], string(b.Payload[s.Off : s.Off+s.Len])})
		}
		t.partsOf(n)[i] = place
	}
	return n
}

// Number is that of a combination.
func (t *Texts) Number(texts []Text) uint32 {
	var key uint64
	for _, text := range texts {
		key = plan.Mix(key, text.Hash)
	}
	if n, ok := t.numbers.Get(key); ok {
		return n
	}
	n := t.add(key)
	for i, text := range texts {
		t.partsOf(n)[i] = t.word(text)
	}
	return n
}

// add numbers a combination, whose parts are to be filled in.
func (t *Texts) add(key uint64) (n uint32) {
	if last := len(t.free) - 1; last >= 0 {
		n, t.free = t.free[last], t.free[:last]
		t.keys[n] = key
	} else {
		n = uint32(len(t.keys))
		t.keys, t.parts = append(t.keys, key), append(t.parts, make([]uint32, len(t.columns))...)
	}
	t.numbers.Set(key, n)
	return n
}

// word is the place of a text among the words.
func (t *Texts) word(text Text) uint32 {
	if place, known := t.place(text.Hash); known {
		return place
	}
	return t.meet(text)
}

func (t *Texts) place(hash uint64) (place uint32, known bool) {
	if hash == 0 {
		return 0, true
	}
	return t.places.Get(hash)
}

// meet takes in a text that is not known.
func (t *Texts) meet(text Text) uint32 {
	place := uint32(len(t.words))
	t.words = append(t.words, text)
	t.places.Set(text.Hash, place)
	return place
}

// fewTexts are not worth a look whether anybody has them.
const fewTexts = 1024

// Full reports whether there are twice as many combinations as were left when those
// were forgotten last that nobody has.
func (t *Texts) Full() bool { return t.numbers.Len() > max(fewTexts, 2*t.swept) }

// Keep forgets all combinations but those that are used, by number, and the words that
// these have not. It pauses now and then, if it can.
func (t *Texts) Keep(used []bool, pause func(work uint32)) {
	before := t.free
	words := t.words
	t.words, t.places = make([]Text, 1), hashmap.Map{}
	work := uint32(0)
	for _, n := range t.numbers.All() {
		if work++; pause != nil {
			pause(work)
		}
		if !used[n] {
			t.free = append(t.free, n)
			continue
		}
		parts := t.partsOf(n)
		for i, place := range parts {
			parts[i] = t.word(words[place])
		}
	}
	for _, n := range t.free[len(before):] {
		t.numbers.Delete(t.keys[n])
	}
	t.swept = t.numbers.Len()
}

// Numbers is how many numbers have been given.
func (t *Texts) Numbers() int { return len(t.keys) }

// Append writes a combination: texts, with a mark before those that are there, or no list
// of them for number 0.
func (t *Texts) Append(b []byte, number uint32) []byte {
	texts := t.At(number)
	b = binary.AppendUvarint(b, uint64(len(texts)))
	for _, text := range texts {
		if text.Hash == 0 {
			b = append(b, 0)
			continue
		}
		b = append(binary.AppendUvarint(b, uint64(len(text.Text))+1), '=')
		b = append(b, text.Text...)
	}
	return b
}

// A Table writes each combination once, by place.
type Table struct {
	places []uint32 // by number, 0 for none
	met    []uint32
}

// Reset empties the table. Its room is used again.
func (w *Table) Reset() {
	for _, n := range w.met {
		w.places[n] = 0
	}
	w.met = w.met[:0]
}

// Place is that of a combination, from 1 on; 0 for none.
func (w *Table) Place(number uint32) uint32 {
	if number == 0 {
		return 0
	}
	if more := int(number) + 1 - len(w.places); more > 0 {
		w.places = append(w.places, make([]uint32, more)...)
	}
	place := &w.places[number]
	if *place == 0 {
		w.met = append(w.met, number)
		*place = uint32(len(w.met))
	}
	return *place
}

// Append writes a list of those that have a place.
func (w *Table) Append(b []byte, t *Texts) []byte {
	b = binary.AppendUvarint(b, uint64(len(w.met)))
	for _, n := range w.met {
		b = t.Append(b, n)
	}
	return b
}
