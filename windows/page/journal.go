package page

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/tidewatch/tidewatch/internal/codec"
)

// Journals are the pages that grow at the end: each checkpoint adds a section,
// and a page goes once none of its sections is needed. A page is named by the
// first checkpoint that it has a section of.
type Journals struct {
	pages []*journal
}

type journal struct {
	kind   Kind
	a      uint32
	b      uint64
	number uint64 // of the last section
	until  int64  // of all sections
	data   []byte // nil once it takes no more
}

// journalFull is how long a page grows: what is written again at a checkpoint
// that adds little.
const journalFull = 64 << 10

// Add appends the section of checkpoint number and answers the page with it.
func (j *Journals) Add(number uint64, s Section) Page {
	i := slices.IndexFunc(j.pages, func(p *journal) bool { return p.data != nil && p.kind == s.Kind && p.a == s.A })
	if i < 0 {
		i = len(j.pages)
		j.pages = append(j.pages, &journal{kind: s.Kind, a: s.A, b: number, until: s.Until})
	}
	p := j.pages[i]
	p.number, p.until = number, max(p.until, s.Until)
	p.data = appendSection(p.data, number, s)
	out := Page{p.kind, p.a, p.b, p.data}
	if len(p.data) >= journalFull {
		p.data = nil
	}
	return out
}

// Trim forgets the pages below the floor and answers which they are, without data.
func (j *Journals) Trim(kind Kind, f Floor) (gone []Page) {
	j.pages = slices.DeleteFunc(j.pages, func(p *journal) bool {
		if p.kind != kind || p.number > f.Number || p.until > f.Until {
			return false
		}
		gone = append(gone, Page{Kind: p.kind, A: p.a, B: p.b})
		return true
	})
	return gone
}

// HeadRoom is for what stands before the bytes of a section.
const HeadRoom = 3 * binary.MaxVarintLen64

// appendSection: number, until, number of bytes, the bytes.
func appendSection(b []byte, number uint64, s Section) []byte {
	data := s.Data[s.Room:]
	head := binary.AppendUvarint(make([]byte, 0, HeadRoom), number)
	head = binary.AppendVarint(head, s.Until)
	head = binary.AppendUvarint(head, uint64(len(data)))
	if b == nil && len(head) <= s.Room {
		b = s.Data[s.Room-len(head):]
		copy(b, head)
		return b
	}
	return append(append(slices.Grow(b, len(head)+len(data)), head...), data...)
}

// An Entry is a section as an epoch has it.
type Entry struct {
	Number uint64
	A      uint32
	Data   []byte
}

// A Loaded is a journal as an epoch has it.
type Loaded struct {
	// Entries are in the order in which they were added.
	Entries []Entry
	pages   []*journal
}

// Load reads the pages of a journal.
func Load(kind Kind, pages Pages) (l Loaded, err error) {
	err = pages.Each(kind, func(a uint32, b uint64, data []byte) error {
		p := &journal{kind: kind, a: a, b: b}
		for r := codec.NewReader(data); r.Len() > 0; {
			number, until := r.Uvarint(), r.Varint()
			section := r.Bytes(r.Uvarint())
			if r.Err() != nil {
				return r.Err()
			}
			if p.number == 0 || until > p.until {
				p.until = until
			}
			p.number = number
			l.Entries = append(l.Entries, Entry{number, a, section})
		}
		l.pages = append(l.pages, p)
		return nil
	})
	slices.SortStableFunc(l.Entries, func(a, b Entry) int { return cmp.Compare(a.Number, b.Number) })
	return l, err
}

// Resume goes on with a journal that was loaded.
func (j *Journals) Resume(l Loaded) { j.pages = append(j.pages, l.pages...) }

// Pages gives back the pages of a kind that an epoch holds, ascending.
type Pages interface {
	Each(kind Kind, visit func(a uint32, b uint64, data []byte) error) error
	// Get is one of them, nil if it is not there.
	Get(kind Kind, a uint32, b uint64) ([]byte, error)
}
