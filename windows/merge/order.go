package merge

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
)

// inOrder brings cells into the order of their labels, those of one combination in that of
// what is hidden.
func inOrder(cells []cell) {
	if slices.IsSortedFunc(cells, byLabels) {
		return
	}
	if len(cells) < manyCells || len(cells[0].labels) == 0 {
		slices.SortFunc(cells, byLabels)
		return
	}
	// Most comparisons are of eight bytes that are at hand, those behind what all have in
	// common, and not of texts that are all over the memory.
	label, skip := common(cells)
	type placed struct {
		key uint64
		at  uint32
	}
	order := make([]placed, len(cells))
	for i := range cells {
		order[i] = placed{prefix(cells[i].labels[label][skip:]), uint32(i)}
	}
	slices.SortFunc(order, func(a, b placed) int {
		if a.key != b.key {
			return cmp.Compare(a.key, b.key)
		}
		return byLabels(cells[a.at], cells[b.at])
	})
	// Each goes to its place, and what stood there to its own, until one comes to where the
	// first was.
	for i := range order {
		first := cells[i]
		for to := i; order[to].at != uint32(to); {
			from := int(order[to].at)
			order[to].at = uint32(to)
			if from == i {
				cells[to] = first
				break
			}
			cells[to] = cells[from]
			to = from
		}
	}
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
