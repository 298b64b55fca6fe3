package merge

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"sync"
)

// A room has cells while they are brought into their order. It is used again.
type room struct {
	cells, sorted []cell
	order         []placed
}

// A placed cell stands by the bytes that its label begins with.
type placed struct {
	key uint64
	at  uint32
}

var rooms = sync.Pool{New: func() any { return new(room) }}

// free lets others use the room, which keeps nobody's labels in memory.
func (r *room) free() {
	clear(r.cells)
	clear(r.sorted)
	r.cells, r.sorted = r.cells[:0], r.sorted[:0]
	rooms.Put(r)
}

// inOrder brings the cells into the order of their labels, those of one combination in that
// of what is hidden.
func (r *room) inOrder() []cell {
	cells := r.cells
	if slices.IsSortedFunc(cells, byLabels) {
		return cells
	}
	if len(cells) < manyCells || len(cells[0].labels) == 0 {
		slices.SortFunc(cells, byLabels)
		return cells
	}
	// Most comparisons are of eight bytes that are at hand, those behind what all have in
	// common, and not of texts that are all over the memory.
	label, skip := common(cells)
	r.order = r.order[:0]
	for i := range cells {
		r.order = append(r.order, placed{prefix(cells[i].labels[label][skip:]), uint32(i)})
	}
	slices.SortFunc(r.order, func(a, b placed) int {
		if a.key != b.key {
			return cmp.Compare(a.key, b.key)
		}
		return byLabels(cells[a.at], cells[b.at])
	})
	for _, o := range r.order {
		r.sorted = append(r.sorted, cells[o.at])
	}
	return r.sorted
}

// manyCells are worth keys of their own.
const manyCells = 64

func byLabels(a, b cell) int {
	if c := slices.Compare(a.labels, b.labels); c != 0 {
		return c
	}
	return strings.Compare(a.hidden, b.hidden)
}

// common is the first label in which cells differ, and how many bytes of it they have in
// common. There are cells, with labels.
func common(cells []cell) (label, bytes int) {
	first := cells[0].labels
	for label = range first {
		bytes = len(first[label])
		same := true
		for i := range cells {
			if text := cells[i].labels[label]; text != first[label] {
				same, bytes = false, shared(first[label][:bytes], text)
			}
		}
		if !same {
			break
		}
	}
	return label, bytes
}

// shared is how many bytes two texts begin with in common.
func shared(a, b string) (n int) {
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// prefix orders texts by the bytes that they begin with.
func prefix(text string) uint64 {
	if len(text) >= 8 {
		return binary.BigEndian.Uint64([]byte(text[:8]))
	}
	var b [8]byte
	copy(b[:], text)
	return binary.BigEndian.Uint64(b[:])
}
