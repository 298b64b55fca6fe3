package state

import (
	"bytes"
	"fmt"
	"iter"
	"slices"
)

// An Epoch is one committed state. Its pages may be read until two later
// epochs were committed.
type Epoch struct {
	disk     *disk
	manifest Manifest
	table    table
	at       int // its manifest key
}

// Manifest is the epoch's head.
func (e *Epoch) Manifest() Manifest { return e.manifest.clone() }

// Page is the content of a page, and whether there is one.
func (e *Epoch) Page(id PageID) ([]byte, bool, error) {
	r, ok := e.table.find(id)
	if !ok {
		return nil, false, nil
	}
	data, err := readRef(e.disk, r)
	if err != nil {
		return nil, false, fmt.Errorf("read page %v of epoch %d: %w", id, e.manifest.Epoch, err)
	}
	return data, true, nil
}

// Pages are the pages of a kind, ascending by id. It stops at the first error.
func (e *Epoch) Pages(kind uint16) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		var entries []entry
		for _, b := range e.table {
			if b == nil {
				continue
			}
			for _, entry := range b.entries {
				if entry.id.Kind == kind {
					entries = append(entries, entry)
				}
			}
		}
		slices.SortFunc(entries, func(a, b entry) int { return a.id.compare(b.id) })
		for len(entries) > 0 {
			n, size := 0, 0
			for n < len(entries) && (n == 0 || size+entries[n].length <= gatherRoom) {
				size += entries[n].length
				n++
			}
			read := make([][]byte, n)
			gather(e.disk, entries[:n], func(i int, data []byte) { read[i] = bytes.Clone(data) })
			for i, entry := range entries[:n] {
				data, err := read[i], error(nil)
				if read[i] = nil; data == nil {
					data, _, err = e.Page(entry.id)
				}
				if !yield(Page{ID: entry.id, Data: data}, err) || err != nil {
					return
				}
			}
			entries = entries[n:]
		}
	}
}

// load reads the index pages and verifies every page, those that a verified
// epoch has as well only once.
func (e *Epoch) load(refs []ref, verified []*Epoch) error {
	var fresh []entry
	for n, r := range refs {
		if r.length == 0 {
			continue
		}
		data, err := readRef(e.disk, r)
		if err != nil {
			return fmt.Errorf("index page %d: %w", n, err)
		}
		b, err := decodeBucket(data, r)
		if err != nil {
			return fmt.Errorf("index page %d: %w", n, err)
		}
		e.table[n] = b
		for _, entry := range b.entries {
			if !known(entry, verified) {
				fresh = append(fresh, entry)
			}
		}
	}
	whole := make([]bool, len(fresh))
	gather(e.disk, fresh, func(i int, _ []byte) { whole[i] = true })
	for i, entry := range fresh {
		if whole[i] {
			continue
		}
		if _, err := readRef(e.disk, entry.ref); err != nil {
			return fmt.Errorf("page %v: %w", entry.id, err)
		}
	}
	return nil
}

func known(e entry, verified []*Epoch) bool {
	for _, v := range verified {
		if r, ok := v.table.find(e.id); ok && r.sum == e.sum && r.length == e.length && slices.Equal(r.slots, e.slots) {
			return true
		}
	}
	return false
}

// readRef reads and verifies.
func readRef(d *disk, r ref) ([]byte, error) {
	data := make([]byte, 0, r.length)
	if err := d.view("page", slotKeys(r), func(chunk []byte) { data = append(data, chunk...) }); err != nil {
		return nil, err
	}
	if !r.check(data) {
		return nil, ErrDamaged
	}
	return data, nil
}

func slotKeys(r ref) [][]byte {
	keys := make([][]byte, len(r.slots))
	for i, slot := range r.slots {
		keys[i] = slotKey(slot)
	}
	return keys
}
