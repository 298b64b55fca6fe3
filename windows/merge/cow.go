package merge

import "slices"

// A table holds rows of width values by number. A share of it has the same blocks;
// whoever writes first copies the block. So a share costs a pointer a block, and
// writing costs what is touched.
type table[T any] struct {
	width  int
	blocks []*tableBlock[T]
	owner  *byte // of the blocks that may be written in place
}

type tableBlock[T any] struct {
	owner *byte
	vals  []T
}

// blockRows is how many rows are copied together.
const blockRows = 256

func newTable[T any](width int) table[T] { return table[T]{width: width, owner: new(byte)} }

// len is the number behind the last row that there may be.
func (t *table[T]) len() int { return len(t.blocks) * blockRows }

// row is the values of a row, nil if there are none. They are not to be written.
func (t *table[T]) row(id uint32) []T {
	b := id / blockRows
	if int(b) >= len(t.blocks) || t.blocks[b] == nil {
		return nil
	}
	return t.blocks[b].vals[int(id%blockRows)*t.width:][:t.width]
}

// edit is the values of a row, to be written.
func (t *table[T]) edit(id uint32) []T {
	b := int(id / blockRows)
	if b >= len(t.blocks) {
		t.blocks = append(t.blocks, make([]*tableBlock[T], b+1-len(t.blocks))...)
	}
	switch block := t.blocks[b]; {
	case block == nil:
		t.blocks[b] = &tableBlock[T]{t.owner, make([]T, blockRows*t.width)}
	case block.owner != t.owner:
		t.blocks[b] = &tableBlock[T]{t.owner, slices.Clone(block.vals)}
	}
	return t.blocks[b].vals[int(id%blockRows)*t.width:][:t.width]
}

// share is the table as it is: neither sees what is written to the other.
func (t *table[T]) share() table[T] {
	t.owner = new(byte)
	return table[T]{t.width, slices.Clone(t.blocks), new(byte)}
}
