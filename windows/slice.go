package windows

import "github.com/tidewatch/tidewatch/stream"

// An accumulator holds what one partition adds up for one slice: for each
// dimension set a small hash table of keys with their columns. It is written
// row by row until the slice closes; one for a slice that is closed already
// holds a correction.
type accumulator struct {
	slice int64
	sets  []groupTable
}

// A groupTable maps keys to rows of columns.
type groupTable struct {
	slots []uint32 // group + 1, by hash
	keys  []uint64 // by group
	vals  []int64  // by group and column
	// labels are the texts of each group's fields, each with its length before
	// it in two bytes; at says where a group's begin.
	labels []byte
	at     []uint32
}

func newAccumulator(p *Plan) *accumulator {
	return &accumulator{sets: make([]groupTable, len(p.sums))}
}

func (a *accumulator) reset(slice int64) {
	a.slice = slice
	for i := range a.sets {
		t := &a.sets[i]
		clear(t.slots)
		t.keys, t.vals, t.labels, t.at = t.keys[:0], t.vals[:0], t.labels[:0], t.at[:0]
	}
}

// noLabel is the length of a label that is missing.
const noLabel = 0xffff

// group is the number of the group with the key, a new one if the row is its
// first.
func (t *groupTable) group(s *sumPlan, k uint64, b *stream.Batch, row int) int {
	g, fresh := t.find(k, len(s.columns))
	if !fresh {
		return g
	}
	for _, f := range s.fields {
		c := &b.Text[f]
		if c.Hash[row] == 0 {
			t.labels = append(t.labels, noLabel&0xff, noLabel>>8)
			continue
		}
		sp := c.Span[row]
		t.labels = append(t.labels, byte(sp.Len), byte(sp.Len>>8))
		t.labels = append(t.labels, b.Payload[sp.Off:sp.Off+sp.Len]...)
	}
	return g
}

// find is the number of the group with the key. A fresh one has zeros, and its
// labels are still to be added.
func (t *groupTable) find(k uint64, width int) (g int, fresh bool) {
	if 4*(len(t.keys)+1) > 3*len(t.slots) {
		t.grow()
	}
	mask := uint64(len(t.slots) - 1)
	i := (k >> 20) & mask
	for ; t.slots[i] != 0; i = (i + 1) & mask {
		if g := t.slots[i] - 1; t.keys[g] == k {
			return int(g), false
		}
	}
	g = len(t.keys)
	t.slots[i] = uint32(g + 1)
	t.keys = append(t.keys, k)
	for range width {
		t.vals = append(t.vals, 0)
	}
	t.at = append(t.at, uint32(len(t.labels)))
	return g, true
}

func (t *groupTable) grow() {
	t.slots = make([]uint32, max(16, 2*len(t.slots)))
	mask := uint64(len(t.slots) - 1)
	for g, k := range t.keys {
		i := (k >> 20) & mask
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = uint32(g + 1)
	}
}
