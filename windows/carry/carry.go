// Package carry numbers the texts that facts carry of the events that they began with:
// combinations of a few fields, of which there are far fewer than events. What an event is
// about, of which there is much, and all else are numbered apart: together they are nearly
// another combination each time.
package carry

import "github.com/tidewatch/tidewatch/stream"

// A Number is that of a combination of texts: of what an event is about, and of the rest.
// The zero Number is that of none.
type Number struct{ about, rest uint32 }

// Texts are the combinations met.
type Texts struct {
	halves  [2]half
	columns []place
	room    []Text
}

// A place is where the texts of a column stand: in which half, and there.
type place struct{ half, at int }

// A Text has hash 0 where the event did not carry the field.
type Text struct {
	Hash uint64
	Text string
}

// New returns no combinations of these columns of the events. about says of which the
// events are.
func New(columns []int, about func(column int) bool) *Texts {
	t := &Texts{halves: [2]half{newHalf(), newHalf()}, room: make([]Text, len(columns))}
	for _, c := range columns {
		in := 1
		if about(c) {
			in = 0
		}
		h := &t.halves[in]
		t.columns = append(t.columns, place{in, len(h.columns)})
		h.columns = append(h.columns, c)
	}
	for i := range t.halves {
		t.halves[i].parts = make([]uint32, len(t.halves[i].columns))
	}
	return t
}

// Width is how many texts a combination has.
func (t *Texts) Width() int { return len(t.columns) }

// At is the combination with a number, until it is asked for another; nil of none.
func (t *Texts) At(n Number) []Text {
	if n == (Number{}) {
		return nil
	}
	for i := range t.columns {
		t.room[i] = t.Text(n, i)
	}
	return t.room
}

// Text is one text of the combination with a number.
func (t *Texts) Text(n Number, column int) Text {
	p := t.columns[column]
	if p.half == 0 {
		return t.halves[0].text(n.about, p.at)
	}
	return t.halves[1].text(n.rest, p.at)
}

// Of is the number of the combination of an event.
func (t *Texts) Of(b *stream.Batch, row int) Number {
	return Number{t.halves[0].of(b, row), t.halves[1].of(b, row)}
}

// Number is that of a combination.
func (t *Texts) Number(texts []Text) Number {
	var parts [2][]Text
	for i, text := range texts {
		in := &parts[t.columns[i].half]
		*in = append(*in, text)
	}
	var of [2]uint32
	for i, texts := range parts {
		if len(texts) > 0 {
			of[i] = t.halves[i].number(texts)
		}
	}
	return Number{of[0], of[1]}
}

// Numbers is how many numbers have been given.
func (t *Texts) Numbers() int { return len(t.halves[0].keys) + len(t.halves[1].keys) }

// Full reports whether there are twice as many combinations as were left when those
// were forgotten last that nobody has.
func (t *Texts) Full() bool { return t.halves[0].full() || t.halves[1].full() }

// Used are combinations that somebody has.
type Used [2][]bool

// Used are none yet.
func (t *Texts) Used() (out Used) {
	for i := range out {
		out[i] = make([]bool, len(t.halves[i].keys))
	}
	return out
}

// Mark says that somebody has a combination.
func (u *Used) Mark(n Number) { u[0][n.about], u[1][n.rest] = true, true }

// Keep forgets all combinations but those that are used, and the words that these have not.
// It pauses now and then, if it can.
func (t *Texts) Keep(used Used, pause func(work uint32)) {
	for i := range t.halves {
		t.halves[i].keep(used[i], pause)
	}
}

// Append writes a combination, half by half, but for one without columns.
func (t *Texts) Append(b []byte, n Number) []byte {
	for i, number := range [2]uint32{n.about, n.rest} {
		if h := &t.halves[i]; len(h.columns) > 0 {
			b = h.append(b, number)
		}
	}
	return b
}
