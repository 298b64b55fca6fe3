package carry

import "encoding/binary"

// A Table writes each combination once, by place.
type Table struct {
	texts  *Texts
	halves [2]halfTable
}

type halfTable struct {
	places []uint32 // by number, 0 for none
	met    []uint32
}

// Reset empties the table, which is of these combinations from then on. Its room is used
// again.
func (w *Table) Reset(t *Texts) {
	w.texts = t
	for i := range w.halves {
		h := &w.halves[i]
		for _, n := range h.met {
			h.places[n] = 0
		}
		h.met = h.met[:0]
	}
}

// Place gives a combination its places.
func (w *Table) Place(n Number) {
	w.halves[0].place(n.about)
	w.halves[1].place(n.rest)
}

// place is that of a number, from 1 on; 0 for none.
func (h *halfTable) place(number uint32) uint32 {
	if number == 0 {
		return 0
	}
	if more := int(number) + 1 - len(h.places); more > 0 {
		h.places = append(h.places, make([]uint32, more)...)
	}
	place := &h.places[number]
	if *place == 0 {
		h.met = append(h.met, number)
		*place = uint32(len(h.met))
	}
	return *place
}

// AppendPlace writes the places of a combination: of each half that has columns a uvarint,
// from 1 on, 0 for none.
func (w *Table) AppendPlace(b []byte, n Number) []byte {
	for i, number := range [2]uint32{n.about, n.rest} {
		if len(w.texts.halves[i].columns) > 0 {
			b = binary.AppendUvarint(b, uint64(w.halves[i].place(number)))
		}
	}
	return b
}

// Append writes of each half that has columns a list of those that have a place.
func (w *Table) Append(b []byte) []byte {
	for i := range w.halves {
		of := &w.texts.halves[i]
		if len(of.columns) == 0 {
			continue
		}
		b = binary.AppendUvarint(b, uint64(len(w.halves[i].met)))
		for _, n := range w.halves[i].met {
			b = of.append(b, n)
		}
	}
	return b
}
