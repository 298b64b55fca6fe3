package windows

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Checkpoint encodes what changed since the last one, and the root, which is
// small and written every time. Finished blocks are history and go there first:
// see TakeBlocks.
func (m *Merger) Checkpoint(number uint64) (root []byte, pages []Page, late Section) {
	pages, m.dropped = m.dropped, nil
	late = Section{Kind: PageCorrections, Until: m.head}
	for i, s := range m.sums {
		pages = s.checkpoint(pages, uint32(i), number)
		late.Data = s.encodeLate(late.Data, i)
	}
	for i, a := range m.actives {
		pages = a.checkpoint(pages, uint32(len(m.sums)+i))
	}
	for len(m.revisionHeads) > 0 && m.revisionHeads[0] <= m.sealed {
		pages = append(pages, Page{Kind: PageRevisions, B: uint64(m.revisionHeads[0])})
		m.revisionHeads = m.revisionHeads[1:]
	}
	m.forgetRevisions()
	for _, r := range m.revisions {
		pages = append(pages, Page{PageRevisions, 0, uint64(r.head), r.encode()})
		m.revisionHeads = append(m.revisionHeads, r.head)
	}
	m.revisions = nil
	return m.encodeRoot(), pages, late
}

// TakeBlocks are the finished blocks that are not in history yet. They can be
// read from the merger until DropBlocks.
func (m *Merger) TakeBlocks() []*Block { return slices.Clone(m.blocks) }

// DropBlocks forgets the n oldest finished blocks: history has them.
func (m *Merger) DropBlocks(n int) { m.blocks = slices.Clone(m.blocks[n:]) }

// encodeRoot: watermark, head, sealed; by churn measure the users by day.
func (m *Merger) encodeRoot() []byte {
	b := binary.AppendVarint(nil, m.watermark)
	b = binary.AppendVarint(b, m.head)
	b = binary.AppendVarint(b, m.sealed)
	for _, r := range m.risk {
		b = binary.AppendUvarint(b, uint64(len(r)))
		for day, n := range r {
			b = binary.AppendVarint(b, int64(day))
			b = binary.AppendVarint(b, n)
		}
	}
	return b
}

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

func (a *actives) checkpoint(pages []Page, set uint32) []Page {
	if a.dirty && a.plan.slot >= 0 {
		a.dirty = false
		var b []byte
		b = binary.AppendUvarint(b, uint64(len(a.texts)-1))
		for i, texts := range a.texts[1:] {
			b = binary.LittleEndian.AppendUint64(b, a.keys[i+1])
			for _, t := range texts {
				b = appendText(b, t)
			}
		}
		pages = append(pages, Page{PageLabels, uint32(a.plan.slot), 0, b})
	}
	for j := range a.plan.lenses {
		pages = a.blocks[j].checkpoint(pages, set<<8|uint32(j))
	}
	for day, d := range a.days {
		if d.dirty {
			d.dirty = false
			pages = append(pages, Page{PageDay, set, uint64(day), d.encode()})
		}
	}
	return pages
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

func (d *activeDay) encode() []byte {
	b := binary.AppendUvarint(nil, uint64(len(d.final)))
	for _, n := range d.final {
		b = binary.AppendVarint(b, n)
	}
	b = binary.AppendUvarint(b, uint64(len(d.revisions)))
	for code, n := range d.revisions {
		b = binary.AppendUvarint(b, uint64(code))
		b = binary.AppendUvarint(b, uint64(n))
	}
	return b
}

func (d *activeDay) load(r *reader) {
	for range r.uvarint() {
		if r.err != nil {
			return
		}
		d.final = append(d.final, r.varint())
	}
	d.live = slices.Clone(d.final)
	for range r.uvarint() {
		code := uint32(r.uvarint())
		d.revisions[code] = int(r.uvarint())
		if r.err != nil {
			return
		}
	}
}

// checkpoint writes an open block that changed.
func (b *openBlock) checkpoint(pages []Page, a uint32) []Page {
	if b == nil || !b.dirty {
		return pages
	}
	b.dirty = false
	out := binary.AppendVarint(nil, b.Index)
	out = binary.AppendUvarint(out, uint64(len(b.series)))
	for key, s := range b.series {
		out = binary.LittleEndian.AppendUint64(out, key)
		out = binary.AppendUvarint(out, uint64(len(s.Labels)))
		for _, t := range s.Labels {
			out = appendText(out, t)
		}
		out = binary.AppendUvarint(out, uint64(len(s.Points)))
		for _, p := range s.Points {
			out = binary.AppendUvarint(out, uint64((p.End-b.First)/b.Step))
			out = binary.AppendUvarint(out, uint64(len(p.Values)))
			for _, n := range p.Values {
				out = binary.AppendVarint(out, n)
			}
		}
	}
	return append(pages, Page{PageBlock, a, 0, out})
}

func loadOpenBlock(set string, l lens, columns []string, r *reader) *openBlock {
	b := newOpenBlock(set, l, columns, r.varint())
	b.begins, b.dirty = false, false
	for range r.uvarint() {
		if r.err != nil {
			return b
		}
		key := r.u64()
		s := &BlockSeries{Labels: []string{}}
		for range r.uvarint() {
			s.Labels = append(s.Labels, r.text())
		}
		for range r.uvarint() {
			if r.err != nil {
				return b
			}
			p := BlockPoint{End: b.First + int64(r.uvarint())*b.Step}
			for range r.uvarint() {
				p.Values = append(p.Values, r.varint())
			}
			s.Points = append(s.Points, p)
		}
		b.series[key] = s
	}
	return b
}

// encode: head; by group the marks; corrections.
func (p *revisionPage) encode() []byte {
	b := binary.AppendVarint(nil, p.head)
	b = binary.AppendUvarint(b, uint64(len(p.sums)))
	for _, s := range p.sums {
		b = binary.AppendUvarint(b, uint64(s.set))
		b = binary.LittleEndian.AppendUint64(b, s.key)
		b = binary.AppendUvarint(b, uint64(len(s.marks)))
		for _, k := range s.marks {
			b = binary.AppendVarint(b, p.head-k.slice)
			b = binary.AppendUvarint(b, k.kpis)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(p.corrections)))
	for _, c := range p.corrections {
		for _, n := range [...]int64{int64(c.Users), int64(c.Lens), int64(c.Code), c.Lo, c.Hi} {
			b = binary.AppendVarint(b, n)
		}
	}
	return b
}

func loadRevisions(r *reader) revisionPage {
	p := revisionPage{head: r.varint()}
	for range r.uvarint() {
		if r.err != nil {
			return p
		}
		s := sumRevision{set: int(r.uvarint()), key: r.u64()}
		for range r.uvarint() {
			if r.err != nil {
				return p
			}
			s.marks = append(s.marks, mark{p.head - r.varint(), r.uvarint()})
		}
		p.sums = append(p.sums, s)
	}
	for range r.uvarint() {
		if r.err != nil {
			return p
		}
		p.corrections = append(p.corrections, Correction{Users: int32(r.varint()), Lens: int32(r.varint()), Code: uint32(r.varint()), Lo: r.varint(), Hi: r.varint()})
	}
	return p
}

// Pages gives back the pages of a kind that an epoch holds, ascending; for a journal the
// sections, in order, with the number of their checkpoint as b.
type Pages interface {
	Each(kind PageKind, visit func(a uint32, b uint64, data []byte) error) error
}

// Restore fills an empty merger, and the numbering of labels that belongs to
// it, from an epoch. What users say of it is missing until Resume.
func (m *Merger) Restore(root []byte, pages Pages, labels *Labels) error {
	r := &reader{b: root}
	m.watermark, m.head, m.sealed = r.varint(), r.varint(), r.varint()
	for i := range m.risk {
		for range r.uvarint() {
			day := int32(r.varint())
			m.risk[i][day] = r.varint()
		}
	}
	if r.err != nil {
		return fmt.Errorf("read the epoch's root: %w", r.err)
	}
	m.published = nil
	load := func(kind PageKind, visit func(a uint32, b uint64, r *reader)) error {
		return pages.Each(kind, func(a uint32, b uint64, data []byte) error {
			r := &reader{b: data}
			visit(a, b, r)
			if r.err != nil {
				return fmt.Errorf("read page %d/%d/%d: %w", kind, a, b, r.err)
			}
			return nil
		})
	}
	for _, l := range []struct {
		kind  PageKind
		visit func(a uint32, b uint64, r *reader)
	}{
		{PageLabels, func(a uint32, _ uint64, r *reader) { m.loadLabels(int(a), r, labels) }},
		{PageGroups, func(a uint32, b uint64, r *reader) {
			m.sums[a].groups.load(uint32(b), len(m.sums[a].plan.set), r)
		}},
		{PagePane, func(a uint32, b uint64, r *reader) {
			s := m.sums[a>>8]
			v := &vector{at: int64(b), saved: true}
			v.load(s.width, r)
			w := s.windows[a&0xff]
			w.panes = append(w.panes, v)
		}},
		{PageDay, func(a uint32, b uint64, r *reader) {
			if int(a) < len(m.sums) {
				m.sums[a].loadDay(int32(b), r)
			} else {
				m.actives[int(a)-len(m.sums)].day(int32(b)).load(r)
			}
		}},
		{PageBlock, func(a uint32, _ uint64, r *reader) { m.loadBlock(int(a>>8), int(a&0xff), r) }},
		{PageSlice, func(a uint32, b uint64, r *reader) { m.sums[a].loadSlice(int64(b), r) }},
		{PageCorrections, func(_ uint32, number uint64, r *reader) { m.loadLate(number, r) }},
	} {
		if err := load(l.kind, l.visit); err != nil {
			return err
		}
	}
	if m.head == math.MinInt64 {
		return nil
	}
	for _, s := range m.sums {
		m.resumeSums(s)
	}
	for _, a := range m.actives {
		a.resume(m.sealed, m.span)
	}
	var revisions []revisionPage
	if err := load(PageRevisions, func(_ uint32, _ uint64, r *reader) { revisions = append(revisions, loadRevisions(r)) }); err != nil {
		return err
	}
	slices.SortFunc(revisions, func(a, b revisionPage) int { return int(a.head - b.head) })
	for _, p := range revisions {
		m.applyRevisions(p)
		m.revisionHeads = append(m.revisionHeads, p.head)
	}
	return nil
}

func (m *Merger) loadLabels(slot int, r *reader, labels *Labels) {
	set := &labels.sets[slot]
	for range r.uvarint() {
		if r.err != nil {
			return
		}
		n := NewLabel{Slot: slot, Key: r.u64()}
		for range set.users.fields {
			n.Texts = append(n.Texts, r.text())
		}
		set.admit(n)
		m.Label([]NewLabel{n})
	}
	for _, a := range m.actives {
		a.dirty = false
	}
}

func (m *Merger) loadBlock(set, j int, r *reader) {
	if set < len(m.sums) {
		s := m.sums[set]
		s.windows[j].block = loadOpenBlock(s.plan.name, s.windows[j].lens, s.columns, r)
		return
	}
	a := m.actives[set-len(m.sums)]
	a.blocks[j] = loadOpenBlock(a.name, a.plan.lenses[j], a.columns, r)
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

// resume lets the next kept window of each length be noted: it may differ from
// the last one by what the partitions' live windows are about to say.
func (a *actives) resume(sealed, span int64) {
	a.code(uint32(len(a.texts)-1), span)
	for j, l := range a.plan.lenses {
		a.resumed[j] = true
		a.agenda.note(ceilTo(sealed+1, l.step))
	}
}

// Resume takes in what a partition's Resume answered.
func (m *Merger) Resume(held []Change, since *Step) {
	for _, c := range held {
		a := m.actives[c.Users]
		code := a.code(c.Code, m.span)
		a.live[int(c.Code)*len(a.plan.lenses)+int(c.Lens)] += c.N
		code.values[c.Lens].base += c.N
		a.sealed[c.Lens] += int64(c.N)
	}
	if since == nil {
		return
	}
	for _, c := range since.Changes {
		m.actives[c.Users].change(c.Code, int(c.Lens), c.X, c.N, m.span)
	}
	for _, f := range since.Fresh {
		m.actives[f.Users].freshen(f, m.plan.calendar.Day(f.Slice*1000))
		m.agenda.note(f.Slice + 1)
	}
}
