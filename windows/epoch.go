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
