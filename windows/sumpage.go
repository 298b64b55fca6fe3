package windows

import (
	"encoding/binary"
	"math"
	"slices"
)

func (s *sums) checkpoint(pages []Page, set uint32, number uint64) []Page {
	for part := range s.groups.dirty {
		pages = append(pages, Page{PageGroups, set, uint64(part), s.groups.encode(part)})
	}
	clear(s.groups.dirty)
	for _, at := range s.gone {
		pages = append(pages, Page{Kind: PageSlice, A: set, B: uint64(at)})
	}
	s.gone = s.gone[:0]
	for _, v := range s.slices {
		if v.stale {
			v.saved = true
			data := v.encode(s.width)
			pages = append(pages, Page{PageSlice, set, uint64(v.at), append(binary.LittleEndian.AppendUint64(make([]byte, 0, 8+len(data)), number), data...)})
		}
	}
	for j, w := range s.windows {
		a := set<<8 | uint32(j)
		for _, v := range w.stale {
			if !v.stale {
				continue
			}
			v.stale, v.saved = false, true
			page := Page{Kind: PagePane, A: a, B: uint64(v.at)}
			if len(v.ids) > 0 { // it did not leave
				page.Data = v.encode(s.width)
			}
			pages = append(pages, page)
		}
		clear(w.stale)
		w.stale = w.stale[:0]
		pages = w.block.checkpoint(pages, a)
	}
	for day, d := range s.days {
		if d.dirty {
			d.dirty = false
			pages = append(pages, Page{PageDay, set, uint64(day), s.encodeDay(d)})
		}
	}
	return pages
}

// encodeLate: by slice to which something was added since it was written the set,
// the slice and what was added. It ends the round in which slices are stale.
func (s *sums) encodeLate(b []byte, set int) []byte {
	for _, v := range s.late {
		if i, ok := slices.BinarySearchFunc(s.slices, v.at, (*vector).compare); ok && !s.slices[i].stale {
			b = binary.AppendUvarint(b, uint64(set))
			b = binary.AppendVarint(b, v.at)
			b = append(b, v.encode(s.width)...)
		}
	}
	for _, v := range s.slices {
		v.stale = false
	}
	clear(s.late)
	s.late = s.late[:0]
	return b
}

// encode: by group of the part its key, whether it is in use, since when it is
// kept (a head), its labels.
func (g *groups) encode(part uint32) []byte {
	lo, hi := int(part*groupPart), min(int((part+1)*groupPart), len(g.keys))
	b := binary.AppendUvarint(nil, uint64(hi-lo))
	for id := lo; id < hi; id++ {
		b = binary.LittleEndian.AppendUint64(b, g.keys[id])
		switch {
		case g.labels[id] == nil:
			b = append(b, 0)
			continue
		case g.kept[id]:
			b = append(b, 1)
			b = binary.AppendVarint(b, g.since[id])
		default:
			b = append(b, 2) // folded into kpi.Other, its end not yet noted
		}
		for _, t := range g.labels[id] {
			b = appendText(b, t)
		}
	}
	return b
}

func (g *groups) load(part uint32, fields int, r *reader) {
	for i := range r.uvarint() {
		id := int(part)*groupPart + int(i)
		for len(g.keys) <= id {
			g.grow()
		}
		g.keys[id] = r.u64()
		if r.err != nil || len(r.b) == 0 {
			r.fail()
			return
		}
		use := r.b[0]
		r.b = r.b[1:]
		if use == 0 {
			continue
		}
		if use == 1 {
			g.kept[id] = true
			g.index.set(g.keys[id], uint32(id))
			g.since[id] = r.varint()
		}
		g.labels[id] = make([]string, fields)
		for f := range fields {
			g.labels[id][f] = r.text()
		}
	}
}

// encode: groups as differences, then their columns.
func (v *vector) encode(width int) []byte {
	b := binary.AppendUvarint(make([]byte, 0, 8+3*len(v.ids)), uint64(len(v.ids)))
	last := uint32(0)
	for i, id := range v.ids {
		b = binary.AppendUvarint(b, uint64(id-last))
		last = id
		for _, n := range v.vals[i*width:][:width] {
			b = binary.AppendVarint(b, n)
		}
	}
	return b
}

func (v *vector) load(width int, r *reader) {
	n := r.uvarint()
	last := uint32(0)
	for range n {
		if r.err != nil {
			return
		}
		last += uint32(r.uvarint())
		v.ids = append(v.ids, last)
		for range width {
			v.vals = append(v.vals, r.varint())
		}
	}
}

// encodeDay: groups with their final columns; revisions by group and KPI.
func (s *sums) encodeDay(d *sumDay) []byte {
	v := vector{}
	for id, in := range d.member {
		if !in {
			continue
		}
		v.ids = append(v.ids, uint32(id))
		for c := range s.width {
			v.vals = append(v.vals, at(d.final, id*s.width+c))
		}
	}
	b := binary.AppendUvarint(v.encode(s.width), uint64(len(d.revisions)))
	for k, n := range d.revisions {
		b = binary.AppendUvarint(b, uint64(k.id))
		b = append(b, k.kpi)
		b = binary.AppendUvarint(b, uint64(n))
	}
	return b
}

func (s *sums) loadDay(day int32, r *reader) {
	d := s.day(day)
	var v vector
	v.load(s.width, r)
	if r.err != nil {
		return
	}
	s.addDay(day, &v, true)
	s.addDay(day, &v, false)
	for range r.uvarint() {
		id := uint32(r.uvarint())
		if r.err != nil || len(r.b) == 0 {
			r.fail()
			return
		}
		k := revisionKey{id, r.b[0]}
		r.b = r.b[1:]
		d.revisions[k] = int(r.uvarint())
	}
	d.dirty = false
}

// loadSlice: the number of the checkpoint that wrote it, its columns.
func (s *sums) loadSlice(at int64, r *reader) {
	v := &vector{at: at, saved: true, number: r.u64()}
	v.load(s.width, r)
	s.slices = append(s.slices, v)
}

// loadLate adds what came to slices after they were written.
func (m *Merger) loadLate(number uint64, r *reader) {
	for len(r.b) > 0 {
		set, late := r.uvarint(), vector{at: r.varint()}
		if set >= uint64(len(m.sums)) {
			r.fail()
			return
		}
		s := m.sums[set]
		late.load(s.width, r)
		if r.err != nil {
			return
		}
		if i, ok := slices.BinarySearchFunc(s.slices, late.at, (*vector).compare); ok && s.slices[i].number < number {
			for k, id := range late.ids {
				s.slices[i].add(id, late.vals[k*s.width:][:s.width])
			}
		}
	}
}

// resumeSums rebuilds what follows from panes and slices.
func (m *Merger) resumeSums(s *sums) {
	for _, w := range s.windows {
		slices.SortFunc(w.panes, func(a, b *vector) int { return int(a.at - b.at) })
		w.liveTail = w.tail(m.head) / w.step
		w.finalTail = w.tail(m.sealed) / w.step
		for _, v := range w.panes {
			w.final = apply(w.final, v, s.width, 1)
			for _, id := range v.ids {
				s.groups.hold(id)
				// A window between two kept ones had changed groups.
				w.changed.add(id)
			}
		}
		for _, v := range w.panesBetween(w.liveTail, math.MaxInt64/w.step) {
			w.live = apply(w.live, v, s.width, 1)
		}
		for _, v := range s.between(w.liveTail*w.step, math.MaxInt64) {
			w.live = apply(w.live, v, s.width, 1)
		}
		if w.block == nil {
			continue
		}
		for id, key := range s.groups.keys { // folded ones too: their end may not be noted
			if w.block.series[key] != nil && s.groups.labels[id] != nil {
				w.changed.add(uint32(id))
			}
		}
	}
	for _, v := range s.slices {
		m.agenda.note(v.at + 1)
		for _, id := range v.ids {
			s.groups.hold(id)
		}
		if s.plan.day {
			s.addDay(m.plan.calendar.Day(v.at*1000), v, false)
		}
	}
	for id, labels := range s.groups.labels {
		switch {
		case labels == nil:
			s.groups.free = append(s.groups.free, uint32(id))
		case s.groups.refs[id] == 0:
			s.groups.loose = append(s.groups.loose, uint32(id))
		}
	}
	clear(s.groups.dirty)
}
