package state

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// lookUpCost is how many keys can be gone over in the time in which one is looked up.
const lookUpCost = 32

// gatherRoom is how many bytes of pages may be in memory that are not whole yet, and of those
// that wait for the ones before them.
const gatherRoom = 64 << 20

// gather reads pages as they lie on disk, which is much faster than one after the other
// where there are many. It calls found for those that verify, in no order; data is valid
// during the call only. The others are left to readRef, which says what is amiss.
func gather(d *disk, pages []entry, found func(i int, data []byte)) {
	type piece struct {
		slot     uint32
		page, at int32
	}
	var pieces []piece
	for i := range pages {
		for at, slot := range pages[i].slots {
			pieces = append(pieces, piece{slot, int32(i), int32(at)})
		}
	}
	if len(pieces) == 0 {
		return
	}
	slices.SortFunc(pieces, func(a, b piece) int { return cmp.Compare(a.slot, b.slot) })
	first, last := pieces[0].slot, pieces[len(pieces)-1].slot
	if uint64(len(pieces))*lookUpCost < uint64(last-first) {
		return
	}
	wanted := func(key []byte) bool {
		slot := binary.BigEndian.Uint32(key[1:])
		for len(pieces) > 0 && pieces[0].slot < slot {
			pieces = pieces[1:]
		}
		return len(pieces) > 0 && pieces[0].slot == slot
	}
	unfinished := map[int32]*assembly{} // nil for one that is left to readRef
	var spare []*assembly
	held := 0 // bytes of those that are not finished
	// What cannot be read is read again, by readRef.
	_ = d.scan("pages", slotKey(first), slotKey(last), wanted, func(chunk []byte) {
		p := pieces[0]
		r := pages[p.page].ref
		if len(r.slots) == 1 {
			if r.check(chunk) {
				found(int(p.page), chunk)
			}
			return
		}
		a, known := unfinished[p.page]
		if !known {
			if held+r.length > gatherRoom {
				unfinished[p.page] = nil
				return
			}
			if a = new(assembly); len(spare) > 0 {
				a, spare = spare[len(spare)-1], spare[:len(spare)-1]
			}
			a.begin(r)
			unfinished[p.page] = a
			held += r.length
		}
		if a == nil || !a.put(int(p.at), chunk) {
			return
		}
		held -= r.length
		if r.check(a.data) {
			found(int(p.page), a.data)
		}
		delete(unfinished, p.page)
		spare = append(spare, a)
	})
}

// An assembly is a page of several chunks, as far as it is read.
type assembly struct {
	data    []byte
	missing int // chunks
}

func (a *assembly) begin(r ref) {
	a.data, a.missing = slices.Grow(a.data[:0], r.length)[:r.length], len(r.slots)
}

// put takes in a chunk and reports whether that was the last one. One of another length
// than it should have is as none.
func (a *assembly) put(at int, chunk []byte) bool {
	begin := at * chunkSize
	if len(chunk) != min(chunkSize, len(a.data)-begin) {
		return false
	}
	copy(a.data[begin:], chunk)
	a.missing--
	return a.missing == 0
}
