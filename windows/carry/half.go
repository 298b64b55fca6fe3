package carry

import (
	"encoding/binary"

	"github.com/tidewatch/tidewatch/internal/hashmap"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// A half has the combinations met of some columns, numbered from 1 on.
type half struct {
	columns []int // of the events
	numbers hashmap.Map
	keys    []uint64 // by number
	parts   []uint32 // by number and column: places among the words
	free    []uint32
	swept   int // how many there were when those that nobody has were forgotten

	words  []Text      // that the combinations are made of, each once; the first is none
	places hashmap.Map // of them, by their hash
}

func newHalf() half { return half{keys: make([]uint64, 1), words: make([]Text, 1)} }

// text is one text of the combination with a number, none of 0.
func (t *half) text(number uint32, place int) Text { return t.words[t.partsOf(number)[place]] }

func (t *half) partsOf(number uint32) []uint32 {
	return t.parts[int(number)*len(t.columns):][:len(t.columns)]
}

// of is the number of the combination of an event, 0 without columns.
func (t *half) of(b *stream.Batch, row int) uint32 {
	if len(t.columns) == 0 {
		return 0
	}
	var key uint64
	for _, c := range t.columns {
		key = plan.Mix(key, b.Text[c].Hash[row])
	}
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

// number is that of a combination.
func (t *half) number(texts []Text) uint32 {
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
func (t *half) add(key uint64) (n uint32) {
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
func (t *half) word(text Text) uint32 {
	if place, known := t.place(text.Hash); known {
		return place
	}
	return t.meet(text)
}

func (t *half) place(hash uint64) (place uint32, known bool) {
	if hash == 0 {
		return 0, true
	}
	return t.places.Get(hash)
}

// meet takes in a text that is not known.
func (t *half) meet(text Text) uint32 {
	place := uint32(len(t.words))
	t.words = append(t.words, text)
	t.places.Set(text.Hash, place)
	return place
}

// fewTexts are not worth a look whether anybody has them.
const fewTexts = 1024

// full reports whether there are twice as many combinations as were left when those
// were forgotten last that nobody has.
func (t *half) full() bool { return t.numbers.Len() > max(fewTexts, 2*t.swept) }

// keep forgets all combinations but those that are used, by number, and the words that
// these have not. It pauses now and then, if it can.
func (t *half) keep(used []bool, pause func(work uint32)) {
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

// append writes a combination: texts, with a mark before those that are there, or no list
// of them for number 0.
func (t *half) append(b []byte, number uint32) []byte {
	if number == 0 {
		return append(b, 0)
	}
	parts := t.partsOf(number)
	b = binary.AppendUvarint(b, uint64(len(parts)))
	for _, place := range parts {
		text := t.words[place]
		if text.Hash == 0 {
			b = append(b, 0)
			continue
		}
		b = append(binary.AppendUvarint(b, uint64(len(text.Text))+1), '=')
		b = append(b, text.Text...)
	}
	return b
}
