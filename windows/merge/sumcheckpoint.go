package merge

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/windows/history"
	"github.com/tidewatch/tidewatch/windows/page"
	"github.com/tidewatch/tidewatch/windows/step"
	"github.com/tidewatch/tidewatch/windows/users"
)

func (s *sums) checkpoint(pages []page.Page, number uint64) []page.Page {
	add := func(kind page.Kind, a uint32, b uint64, data []byte) {
		pages = append(pages, page.Page{Kind: kind, A: a, B: b, Data: data})
	}
	set := uint32(s.target)
	for part := range s.groups.dirty {
		add(page.Groups, set, uint64(part), s.groups.encode(part))
	}
	clear(s.groups.dirty)
	for _, at := range s.gone {
		add(page.Slice, set, uint64(at), nil)
	}
	s.gone = s.gone[:0]
	for _, v := range s.slices {
		if v.stale {
			v.saved = true
			data := v.encode(s.width)
			add(page.Slice, set, uint64(v.at), append(binary.LittleEndian.AppendUint64(make([]byte, 0, 8+len(data)), number), data...))
		}
	}
	for j, w := range s.windows {
		a := page.Of(s.target, j)
		for _, v := range w.stale {
			if !v.stale {
				continue
			}
			v.stale, v.saved = false, true
			if len(v.ids) > 0 {
				add(page.Pane, a, uint64(v.at), v.encode(s.width))
			} else {
				add(page.Pane, a, uint64(v.at), nil) // it left
			}
		}
		clear(w.stale)
		w.stale = w.stale[:0]
		if data := w.block.Encode(); data != nil {
			add(page.Block, a, 0, data)
		}
	}
	for _, day := range s.dropped {
		add(page.Day, set, day, nil)
	}
	s.dropped = nil
	for day, d := range s.days {
		for _, part := range d.dirty.ids {
			d.saved.add(part)
			add(page.Day, set, dayPage(day, part), s.encodeDay(d, part))
		}
		d.dirty.clear()
	}
	return pages
}

// corrections: by slice to which something was added since it was written the
// target, the slice and what was added. It ends the round in which slices are
// stale.
func (s *sums) corrections(b []byte) []byte {
	for _, v := range s.late {
		if i, ok := slices.BinarySearchFunc(s.slices, v.at, (*vector).compare); ok && !s.slices[i].stale {
			b = binary.AppendUvarint(b, uint64(s.target))
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

// unsaved: pages of what is no longer there, and what came to slices that are
// written. What is there bounds the rest.
func (s *sums) unsaved() int {
	n := len(s.gone) + len(s.late)
	for _, w := range s.windows {
		n += max(0, len(w.stale)-2*len(w.panes))
	}
	return n
}

// dayPage names the page of a part of the groups of a day.
func dayPage(day int32, part uint32) uint64 { return uint64(part)<<32 | uint64(uint32(day)) }

// encodeDay: groups of the part with their final columns.
func (s *sums) encodeDay(d *finalDay, part uint32) []byte {
	v, none := vector{}, make([]int64, s.width)
	for id := part * groupPart; id < (part+1)*groupPart; id++ {
		if row := d.members.row(id); row == nil || !row[0] {
			continue
		}
		row := d.totals.row(id)
		if row == nil {
			row = none
		}
		v.ids, v.vals = append(v.ids, id), append(v.vals, row...)
	}
	return v.encode(s.width)
}

// load reads a page of groups, panes, slices, days or an open block.
func (s *sums) load(kind page.Kind, length int, b uint64, r *codec.Reader) {
	switch kind {
	case page.Groups:
		s.groups.load(uint32(b), r)
	case page.Pane:
		v := &vector{at: int64(b), saved: true}
		v.load(s.width, r)
		s.windows[length].panes = append(s.windows[length].panes, v)
	case page.Slice: // the number of the checkpoint that wrote it, its columns
		v := &vector{at: int64(b), saved: true, number: r.Uint64()}
		v.load(s.width, r)
		s.slices = append(s.slices, v)
	case page.Day:
		s.loadDay(int32(uint32(b)), uint32(b>>32), r)
	case page.Block:
		w := s.windows[length]
		w.block = history.Decode(s.plan.Name, w.Window, s.columns, r)
	}
}

func (s *sums) loadDay(day int32, part uint32, r *codec.Reader) {
	d := s.finalDay(day)
	d.saved.add(part)
	var v vector
	v.load(s.width, r)
	if r.Err() != nil {
		return
	}
	d.add(s, &v)
	apply(s.live.day(day), s.plan, &v)
	d.dirty.clear()
}

// loadCorrection adds what came to a slice after it was written, if that was before
// the checkpoint with the number.
func (s *sums) loadCorrection(number uint64, r *codec.Reader) {
	late := vector{at: r.Varint()}
	late.load(s.width, r)
	if r.Err() != nil {
		return
	}
	if i, ok := slices.BinarySearchFunc(s.slices, late.at, (*vector).compare); ok && s.slices[i].number < number {
		for k, id := range late.ids {
			s.slices[i].add(s.plan, id, late.vals[k*s.width:][:s.width])
		}
	}
}

// What partitions hold of sums are slices, and their groups number themselves.
func (s *sums) renumber(*users.Labels) {}
func (s *sums) hold(step.Delta)        {}

// resume rebuilds what follows from panes and slices.
func (s *sums) resume() {
	s.shared = nil
	slices.SortFunc(s.slices, func(a, b *vector) int { return int(a.at - b.at) })
	for j, w := range s.windows {
		slices.SortFunc(w.panes, func(a, b *vector) int { return int(a.at - b.at) })
		live := &s.live.windows[j]
		live.tail = w.Tail(s.head)
		w.expect()
		for _, v := range w.panes {
			apply(&w.totals, s.plan, v)
			for _, id := range v.ids {
				s.groups.hold(id)
				// A window between two kept ones had changed groups.
				w.changed.add(id)
			}
		}
		for _, vs := range [...][]*vector{between(w.panes, live.tail, math.MaxInt64), between(s.slices, live.tail, math.MaxInt64)} {
			for _, v := range vs {
				apply(&live.totals, s.plan, v)
				live.exit = min(live.exit, live.Exit(v.at))
			}
		}
		if w.block == nil {
			continue
		}
		for id, key := range s.groups.keys { // folded ones too: their end may not be noted
			if w.block.Has(key) && s.groups.textsOf(uint32(id)) != nil {
				w.changed.add(uint32(id))
			}
		}
	}
	for _, v := range s.slices {
		for _, id := range v.ids {
			s.groups.hold(id)
		}
		if s.plan.Day {
			apply(s.live.day(s.dayOf(v.at)), s.plan, v)
		}
	}
	for id := range uint32(len(s.groups.keys)) {
		switch {
		case s.groups.textsOf(id) == nil:
			s.groups.free = append(s.groups.free, id)
		case s.groups.refs[id] == 0:
			s.groups.loose = append(s.groups.loose, id)
		}
	}
	clear(s.groups.dirty)
}
