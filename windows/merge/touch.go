package merge

import (
	"encoding/binary"
	"slices"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/windows/page"
)

// A touch is what a late row changed of some KPIs at one label combination: the
// windows of a length that are numbered from lo to hi, the business day lo, or all
// that hold the second lo.
type touch struct {
	labels []string
	kpis   []int // places
	length int   // place, aDay or covering
	lo, hi int64
}

// Touches of no length.
const (
	aDay     = -1
	covering = -2
)

func (t *touch) append(b []byte) []byte {
	b = codec.AppendTexts(b, t.labels)
	b = binary.AppendUvarint(b, uint64(len(t.kpis)))
	for _, k := range t.kpis {
		b = binary.AppendUvarint(b, uint64(k))
	}
	b = binary.AppendVarint(b, int64(t.length))
	b = binary.AppendVarint(b, t.lo)
	return binary.AppendVarint(b, t.hi-t.lo)
}

func readTouch(r *codec.Reader) touch {
	t := touch{labels: r.Texts()}
	for range r.Count(1) {
		t.kpis = append(t.kpis, int(r.Uvarint()))
	}
	t.length, t.lo = int(r.Varint()), r.Varint()
	t.hi = t.lo + r.Varint()
	return t
}

// crossings are the touches of each crossing until they are written, and the
// crossings whose pages an epoch has, until their windows are sealed.
type crossings struct {
	open    []byte // since the last crossing
	unsaved []crossing
	saved   []int64 // heads
}

// A crossing is what it touched, encoded; head is that before it.
type crossing struct {
	head int64
	data []byte
}

func (c *crossings) add(t touch) { c.open = t.append(c.open) }

// end ends the crossing at a head. What no unsealed window has is let go.
func (c *crossings) end(head, sealed int64) {
	if c.open != nil {
		c.forget(sealed)
		c.unsaved, c.open = append(c.unsaved, crossing{head, c.open}), nil
	}
}

func (c *crossings) forget(sealed int64) {
	c.unsaved = slices.DeleteFunc(c.unsaved, func(v crossing) bool { return v.head <= sealed })
}

func (c *crossings) checkpoint(pages []page.Page, target int, sealed int64) []page.Page {
	c.saved = slices.DeleteFunc(c.saved, func(head int64) bool {
		if head <= sealed {
			pages = append(pages, page.Page{Kind: page.Revisions, A: uint32(target), B: uint64(head)})
		}
		return head <= sealed
	})
	c.forget(sealed)
	for _, v := range c.unsaved {
		pages = append(pages, page.Page{Kind: page.Revisions, A: uint32(target), B: uint64(v.head), Data: v.data})
		c.saved = append(c.saved, v.head)
	}
	c.unsaved = nil
	return pages
}
