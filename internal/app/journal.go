package app

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/tidewatch/tidewatch/state"
	"github.com/tidewatch/tidewatch/windows"
)

// journals are the pages that grow at the end: each checkpoint adds a section,
// and a page goes once none of its sections is needed.
type journals struct {
	pages []*journalPage
}

type journalPage struct {
	id     state.PageID
	number uint64 // of the last section
	until  int64  // of all sections
	data   []byte // nil once it takes no more
}

// journalFull is how long a page grows: what is written again at a checkpoint
// that adds little.
const journalFull = 64 << 10

// add appends the section of checkpoint number and answers the page with it.
func (j *journals) add(number uint64, s windows.Section) state.Page {
	i := slices.IndexFunc(j.pages, func(p *journalPage) bool {
		return p.data != nil && p.id.Kind == uint16(s.Kind) && p.id.A == s.A
	})
	if i < 0 {
		i = len(j.pages)
		j.pages = append(j.pages, &journalPage{id: state.PageID{Kind: uint16(s.Kind), A: s.A, B: number}, until: s.Until})
	}
	p := j.pages[i]
	p.number, p.until = number, max(p.until, s.Until)
	p.data = appendSection(p.data, number, s.Until, s.Data)
	out := state.Page{ID: p.id, Data: p.data}
	if len(p.data) >= journalFull {
		p.data = nil
	}
	return out
}

// trim forgets the pages below the floor and answers which they are.
func (j *journals) trim(kind windows.PageKind, f windows.Floor) (gone []state.PageID) {
	j.pages = slices.DeleteFunc(j.pages, func(p *journalPage) bool {
		if p.id.Kind != uint16(kind) || p.number > f.Number || p.until > f.Until {
			return false
		}
		gone = append(gone, p.id)
		return true
	})
	return gone
}

// A section is what a checkpoint added to a journal.
type section struct {
	number uint64
	a      uint32
	data   []byte
}

// appendSection: number, until, number of bytes, the bytes.
func appendSection(b []byte, number uint64, until int64, data []byte) []byte {
	b = slices.Grow(b, 3*binary.MaxVarintLen64+len(data))
	b = binary.AppendUvarint(b, number)
	b = binary.AppendVarint(b, until)
	b = binary.AppendUvarint(b, uint64(len(data)))
	return append(b, data...)
}

// restore reads the journals of a kind from an epoch. The sections are in the
// order in which they were added.
func (j *journals) restore(e *state.Epoch, kind windows.PageKind) ([]section, error) {
	var out []section
	for page, err := range e.Pages(uint16(kind)) {
		if err != nil {
			return nil, err
		}
		p := &journalPage{id: page.ID}
		for b := page.Data; len(b) > 0; {
			number, k := binary.Uvarint(b)
			until, l := binary.Varint(b[max(k, 0):])
			if k <= 0 || l <= 0 {
				return nil, fmt.Errorf("journal page %v is cut short", page.ID)
			}
			b = b[k+l:]
			n, k := binary.Uvarint(b)
			if k <= 0 || n > uint64(len(b)-k) {
				return nil, fmt.Errorf("journal page %v is cut short", page.ID)
			}
			if p.number == 0 || until > p.until {
				p.until = until
			}
			p.number = number
			out = append(out, section{number, page.ID.A, b[k:][:n]})
			b = b[k:][n:]
		}
		j.pages = append(j.pages, p)
	}
	slices.SortStableFunc(out, func(a, b section) int { return cmp.Compare(a.number, b.number) })
	return out, nil
}
