package merge

import (
	"math/bits"
	"slices"
)

// A table holds rows of width values by number. A share of it has the same blocks;
// whoever writes first copies the block. So a share costs a pointer a block, and
// writing costs what is touched.
type table[T any] struct {
	width  int
	shift  int // a block has 1 << shift rows
	blocks []*tableBlock[T]
	owner  *byte // of the blocks that may be written in place
}

type tableBlock[T any] struct {
	owner *byte
	vals  []T
}

// blockValues is about how many values are copied together: few enough that a
// small table is not copied for one row, enough that a large one is few blocks.
const blockValues = 256

func newTable[T any](width int) table[T] {
	return table[T]{width: width, shift: max(2, bits.Len(uint(blockValues/max(width, 1)))-1), owner: new(byte)}
}

// len is the number behind the last row that there may be.
func (t *table[T]) len() int { return len(t.blocks) << t.shift }

// row is the values of a row, nil if there are none. They are not to be written.
func (t *table[T]) row(id uint32) []T {
	b := int(id >> t.shift)
	if b >= len(t.blocks) || t.blocks[b] == nil {
		return nil
	}
	return t.blocks[b].vals[t.place(id):][:t.width]
}

// edit is the values of a row, to be written.
func (t *table[T]) edit(id uint32) []T {
	b := int(id >> t.shift)
	if b >= len(t.blocks) {
		t.blocks = append(t.blocks, make([]*tableBlock[T], b+1-len(t.blocks))...)
	}
	switch block := t.blocks[b]; {
	case block == nil:
		t.blocks[b] = &tableBlock[T]{t.owner, make([]T, t.width<<t.shift)}
	case block.owner != t.owner:
		t.blocks[b] = &tableBlock[T]{t.owner, slices.Clone(block.vals)}
	}
	return t.blocks[b].vals[t.place(id):][:t.width]
}

// place is where a row begins in its block.
func (t *table[T]) place(id uint32) int { return int(id&(1<<t.shift-1)) * t.width }

// share is the table as it is: neither sees what is written to the other.
func (t *table[T]) share() table[T] {
	t.owner = new(byte)
	return table[T]{t.width, t.shift, slices.Clone(t.blocks), new(byte)}
}
