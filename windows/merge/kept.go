package merge

import (
	"encoding/binary"
	"slices"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/windows/page"
)

// A kept quantity is one of each kept window that is not sealed yet, as changes:
// the value of a window is that of the sealed ones plus all changes up to it.
// Windows are numbered by their end in steps.
type kept struct {
	base    int64
	changes []change // ascending
}

type change struct{ number, n int64 }

// add changes the windows from a number on.
func (k *kept) add(number, n int64) {
	i := len(k.changes)
	if i > 0 && k.changes[i-1].number >= number {
		var ok bool
		i, ok = slices.BinarySearchFunc(k.changes, number, func(c change, number int64) int { return int(c.number - number) })
		if ok {
			k.changes[i].n += n
			return
		}
	}
	k.changes = slices.Insert(k.changes, i, change{number, n})
}

// value is the quantity of a window.
func (k *kept) value(number int64) int64 {
	v := k.base
	for _, c := range k.changes {
		if c.number > number {
			break
		}
		v += c.n
	}
	return v
}

// seal moves the base on to the window and reports whether that changed it.
func (k *kept) seal(number int64) (changed bool) {
	n := 0
	for n < len(k.changes) && k.changes[n].number <= number {
		changed = changed || k.changes[n].n != 0
		k.base += k.changes[n].n
		n++
	}
	if n > 0 {
		k.changes = slices.Delete(k.changes, 0, n)
	}
	return changed
}

// revisions are what each crossing restated, until it is written, and the
// crossings whose pages an epoch has, until their windows are sealed.
type revisions struct {
	unsaved []revision
	saved   []int64 // heads
}

// A revision is what one crossing restated, encoded; head is that before it.
type revision struct {
	head int64
	data []byte
}

// note keeps a revision until it is written. Those that no unsealed window has
// are let go.
func (r *revisions) note(head, sealed int64, data []byte) {
	r.forget(sealed)
	r.unsaved = append(r.unsaved, revision{head, data})
}

func (r *revisions) forget(sealed int64) {
	r.unsaved = slices.DeleteFunc(r.unsaved, func(v revision) bool { return v.head <= sealed })
}

func (r *revisions) checkpoint(pages []page.Page, target int, sealed int64) []page.Page {
	for len(r.saved) > 0 && r.saved[0] <= sealed {
		pages = append(pages, page.Page{Kind: page.Revisions, A: uint32(target), B: uint64(r.saved[0])})
		r.saved = r.saved[1:]
	}
	r.forget(sealed)
	for _, v := range r.unsaved {
		pages = append(pages, page.Page{Kind: page.Revisions, A: uint32(target), B: uint64(v.head), Data: v.data})
		r.saved = append(r.saved, v.head)
	}
	r.unsaved = nil
	return pages
}

// A touch notes that a late row fell into a closed slice and which KPIs of the
// set it touches.
type touch struct {
	slice int64
	kpis  uint64
}

func appendTouches(b []byte, head int64, touches []touch) []byte {
	b = binary.AppendUvarint(b, uint64(len(touches)))
	for _, t := range touches {
		b = binary.AppendVarint(b, head-t.slice)
		b = binary.AppendUvarint(b, t.kpis)
	}
	return b
}

func readTouches(head int64, r *codec.Reader) []touch {
	out := make([]touch, r.Count(2))
	for i := range out {
		out[i] = touch{head - r.Varint(), r.Uvarint()}
	}
	return out
}
