package state

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/zeebo/xxh3"
)

// A Commit is what changes from the current epoch to the next. Drop is done
// first; dropping what is not there is no error.
type Commit struct {
	Manifest Manifest
	Write    []Page
	Drop     []PageID
}

// Commit makes the next epoch: what changed is written to free slots and
// synced, then the manifest is written over the older of the two and synced.
// After an error the store is on the epoch it was on, and Commit may be called
// again; a crash then finds this epoch or, if only its last sync failed,
// perhaps the one refused. ErrFull says that there is no room.
func (s *Store) Commit(c Commit) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.commit(c); err != nil {
		return fmt.Errorf("commit epoch: %w", err)
	}
	// From the first commit of a run on, so that short runs tidy too.
	if s.commits++; s.commits%s.options.TidyEvery == 1%s.options.TidyEvery {
		select {
		case s.tidy <- struct{}{}:
		default: // still at it
		}
	}
	return nil
}

func (s *Store) commit(c Commit) (err error) {
	if s.closed {
		return ErrClosed
	}
	if len(c.Manifest.Root) > maxRoot {
		return fmt.Errorf("root of %d bytes must be at most %d: keep it in pages", len(c.Manifest.Root), maxRoot)
	}
	if err := s.beginLocked(); err != nil {
		return err
	}
	if err := s.putBackManifest(); err != nil {
		return err
	}

	if err := s.witness(); err != nil {
		return err
	}

	s.number++
	next := &Epoch{disk: s.epochs, manifest: c.Manifest.clone()}
	next.manifest.Epoch = s.number
	if s.current != nil {
		next.table, next.at = s.current.table, 1-s.current.at
	}
	pages, taken := s.extents.take()
	defer func() {
		if err != nil {
			s.extents.giveBack(taken)
		}
	}()
	c.Write = slices.Concat(c.Write, pages)
	d := draft{slots: &s.slots, table: &next.table}
	if s.blank {
		d.clear()
	}
	d.apply(c)
	raw, err := encodeManifest(&next.manifest, &next.table)
	if err == nil {
		d.pairs = append(d.pairs, pair{numberKey, binary.LittleEndian.AppendUint64(nil, s.number)})
		err = s.epochs.write("pages", d.pairs)
	}
	if err == nil {
		err = s.epochs.sync("pages")
	}
	if err != nil {
		s.slots.free = append(s.slots.free, d.taken...)
		return err
	}

	s.doubt = &doubt{at: next.at, slots: d.taken}
	if err := s.epochs.write("manifest", []pair{{manifestKeys[next.at], raw}}); err != nil {
		return err
	}
	if err := s.epochs.sync("manifest"); err != nil {
		return err
	}
	s.doubt = nil
	s.raw[next.at] = raw
	s.kept = []*Epoch{next}
	if s.current != nil {
		s.kept = append(s.kept, s.current)
	}
	s.current, s.blank = next, false
	s.slots.free = append(s.slots.free, s.slots.retired...)
	s.slots.retired = d.retired
	if err := s.witness(); err != nil { // the next commit tries again
		s.options.Log("warn", fmt.Sprintf("bear witness of epochs: %v", err))
	}
	return nil
}

// A draft is the next epoch before it is written.
type draft struct {
	slots   *slots
	table   *table
	dirty   [len(table{})]bool
	pairs   []pair
	taken   []uint32 // named by the draft only
	retired []uint32 // named by the current epoch, no longer by the draft
}

// clear retires all that the current epoch names.
func (d *draft) clear() {
	for r := range d.table.refs {
		d.retired = append(d.retired, r.slots...)
	}
	*d.table = table{}
}

func (d *draft) apply(c Commit) {
	for _, id := range c.Drop {
		if _, ok := d.table.find(id); ok {
			b := d.open(bucketOf(id))
			i, _ := b.search(id)
			d.retired = append(d.retired, b.entries[i].slots...)
			b.entries = slices.Delete(b.entries, i, i+1)
		}
	}
	for _, p := range c.Write {
		b := d.open(bucketOf(p.ID))
		i, ok := b.search(p.ID)
		if ok {
			d.retired = append(d.retired, b.entries[i].slots...)
		} else {
			b.entries = slices.Insert(b.entries, i, entry{id: p.ID})
		}
		b.entries[i].ref = d.place(p.Data)
	}
	for n, dirty := range d.dirty {
		if !dirty {
			continue
		}
		b := d.table[n]
		d.retired = append(d.retired, b.ref.slots...)
		if b.ref = (ref{}); len(b.entries) > 0 {
			b.ref = d.place(b.encode())
		} else {
			d.table[n] = nil
		}
	}
}

// open is a bucket to change; the current epoch keeps its own.
func (d *draft) open(n int) *bucket {
	if !d.dirty[n] {
		old := d.table.bucket(n)
		d.table[n] = &bucket{ref: old.ref, entries: slices.Clone(old.entries)}
		d.dirty[n] = true
	}
	return d.table[n]
}

// place gives data its slots.
func (d *draft) place(data []byte) ref {
	r := ref{slots: make([]uint32, 0, chunks(len(data))), length: len(data), sum: xxh3.Hash(data)}
	for chunk := range slices.Chunk(data, chunkSize) {
		slot := d.slots.take()
		r.slots = append(r.slots, slot)
		d.pairs = append(d.pairs, pair{slotKey(slot), chunk})
	}
	d.taken = append(d.taken, r.slots...)
	return r
}
