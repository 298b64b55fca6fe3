package users

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/windows/page"
)

// SegmentRows is how many users have their names in one page.
const SegmentRows = 1024

// names are the ids of a shard's users, by row. Memory holds those that are in no
// page, or were put into one last: it may not be committed yet.
type names struct {
	first int // row of the first that is here
	paged int // rows before it are in pages
	text  []byte
	ends  []uint32 // of each in text
}

func (n *names) add(name []byte) {
	n.text = append(n.text, name...)
	n.ends = append(n.ends, uint32(len(n.text)))
}

// of is the name of a row, nil if only a page has it.
func (n *names) of(row int) []byte {
	i := row - n.first
	if i < 0 || i >= len(n.ends) {
		return nil
	}
	from := uint32(0)
	if i > 0 {
		from = n.ends[i-1]
	}
	return n.text[from:n.ends[i]:n.ends[i]]
}

// pages are those of a shard that hold what none does. Those before them are committed
// by then: there is no checkpoint without the one before.
func (n *names) pages(shard int) (out []page.Page) {
	n.forget(n.paged / SegmentRows * SegmentRows) // also where there is no name since
	end := n.first + len(n.ends)
	if n.paged == end {
		return nil
	}
	for row := n.first; row < end; row += SegmentRows {
		count := min(SegmentRows, end-row)
		data := binary.AppendUvarint(nil, uint64(count))
		for r := range count {
			name := n.of(row + r)
			data = append(binary.AppendUvarint(data, uint64(len(name))), name...)
		}
		out = append(out, page.Page{Kind: page.Names, A: uint32(shard), B: uint64(row / SegmentRows), Data: data})
	}
	n.paged = end
	return out
}

// forget lets go of the rows before one.
func (n *names) forget(row int) {
	gone := row - n.first
	if gone <= 0 {
		return
	}
	from := n.ends[gone-1]
	n.text = slices.Clone(n.text[from:])
	n.ends = slices.Clone(n.ends[gone:])
	for i := range n.ends {
		n.ends[i] -= from
	}
	n.first = row
}

// load goes on behind the rows that pages have; segment is the last of those, if
// names that belong into it are still to come.
func (n *names) load(rows int, segment func(number uint64) ([]string, error)) error {
	*n = names{first: rows / SegmentRows * SegmentRows, paged: rows}
	if n.first == rows {
		return nil
	}
	list, err := segment(uint64(rows / SegmentRows))
	if err == nil && len(list) != rows-n.first {
		err = fmt.Errorf("%d where there are %d users", len(list), rows-n.first)
	}
	if err != nil {
		return err
	}
	for _, name := range list {
		n.add([]byte(name))
	}
	return nil
}

// ReadNames reads a page of names.
func ReadNames(data []byte) ([]string, error) {
	r := codec.NewReader(data)
	list := r.Texts()
	return list, r.Err()
}

// segment reads the names of a shard's segment.
func segment(pages page.Pages, shard int, number uint64) ([]string, error) {
	data, err := pages.Get(page.Names, uint32(shard), number)
	if err != nil {
		return nil, err
	}
	return ReadNames(data)
}
