package users

import (
	"encoding/binary"
	"fmt"
	"maps"
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
	// renamed are those of rows that are here which are others than in text: to move all
	// names behind one would take longer the more there are.
	renamed map[int]string
	// changed are those of rows in pages that are others since the last checkpoint, last
	// those that it wrote.
	changed, last map[int]string
}

// set gives a row, of which the next may be one, a name, or none. It reports whether a
// page has another.
func (n *names) set(row int, name []byte) (paged bool) {
	if row < n.paged {
		if n.changed == nil {
			n.changed = map[int]string{}
		}
		n.changed[row] = string(name)
	}
	switch i := row - n.first; {
	case i >= len(n.ends):
		n.text = append(n.text, name...)
		n.ends = append(n.ends, uint32(len(n.text)))
	case i >= 0:
		if n.renamed == nil {
			n.renamed = map[int]string{}
		}
		n.renamed[row] = string(name)
		clear(n.text[n.begin(i):n.ends[i]]) // it may be that of who was erased
	}
	return row < n.paged
}

// begin is where the name of the i-th row that is here begins.
func (n *names) begin(i int) uint32 {
	if i == 0 {
		return 0
	}
	return n.ends[i-1]
}

// of is the name of a row, nil if only a page has it.
func (n *names) of(row int) []byte {
	i := row - n.first
	switch {
	case i >= len(n.ends):
		return nil
	case i >= 0:
		if name, is := n.renamed[row]; is {
			return []byte(name)
		}
		return n.text[n.begin(i):n.ends[i]:n.ends[i]]
	}
	for _, changed := range [...]map[int]string{n.changed, n.last} {
		if name, is := changed[row]; is {
			return []byte(name)
		}
	}
	return nil
}

// turn goes on behind a checkpoint that writes what changed: what the one before wrote is
// committed.
func (n *names) turn() { n.changed, n.last = nil, n.changed }

// A Name is one that a user has, "" for none.
type Name struct {
	Ref  uint32
	Name string
}

// rename gives a row a name in place of another's.
func (p *Partition) rename(ref uint32, name []byte) {
	if p.facts != nil && p.shards[ref>>24].names.set(int(ref&0xffffff), name) {
		p.renamed = append(p.renamed, ref)
	}
}

// takeRenamed are the names that are others than at the last checkpoint, which is over.
func (p *Partition) takeRenamed() (out []Name) {
	for _, ref := range distinct(p.renamed) {
		out = append(out, Name{ref, string(p.shards[ref>>24].names.of(int(ref & 0xffffff)))})
	}
	p.renamed = p.renamed[:0]
	for _, sh := range p.shards {
		if sh != nil {
			sh.names.turn()
		}
	}
	return out
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
	maps.DeleteFunc(n.renamed, func(renamed int, _ string) bool { return renamed < row })
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
	for i, name := range list {
		n.set(rows/SegmentRows*SegmentRows+i, []byte(name))
	}
	return nil
}

// ReadNames reads a page of names.
func ReadNames(data []byte) ([]string, error) {
	r := codec.NewReader(data)
	list := r.Texts()
	return list, r.Err()
}

// Rename puts names into a page of them, by their places in it.
func Rename(data []byte, names map[int]string) ([]byte, error) {
	list, err := ReadNames(data)
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		if i < len(list) {
			list[i] = name
		}
	}
	return codec.AppendTexts(nil, list), nil
}

// segment reads the names of a shard's segment.
func segment(pages page.Pages, shard int, number uint64) ([]string, error) {
	data, err := pages.Get(page.Names, uint32(shard), number)
	if err != nil {
		return nil, err
	}
	return ReadNames(data)
}
