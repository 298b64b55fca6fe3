package windows

import (
	"encoding/binary"
	"slices"
	"sort"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

// A Block is a run of consecutive kept windows of one length and one set, or
// one business day, as history keeps it. A series has a point where its values
// changed; readers carry it forward inside the block.
type Block struct {
	BlockID
	First   int64 // Unix seconds of the first window's end
	Step    int64
	Count   int
	Columns []string
	Series  []BlockSeries
}

// A BlockID names a block: the kept windows of one set and one length whose
// ends lie from Index spans to before the next, or the business day Index.
type BlockID struct {
	Set    string
	Window kpi.Window
	Index  int64
}

// BlockSeries is one label combination's points.
type BlockSeries struct {
	Labels []string
	Points []BlockPoint
}

// A BlockPoint is the columns of one window; nil Values end the series.
type BlockPoint struct {
	End    int64 // Unix seconds
	Values []int64
}

// blockSteps is how many windows of a length share a block.
const blockSteps = 120

// BlockSpan is the event time that a block of the length covers. Business days
// may be an hour off.
func BlockSpan(w kpi.Window) time.Duration {
	if w.IsDay() {
		return 24 * time.Hour
	}
	return blockSteps * w.Step()
}

// blockSpan is the seconds between the beginnings of two blocks.
func (l lens) blockSpan() int64 { return blockSteps * l.step }

// blockIndex is the block of the window that ends at end: block i has the ends
// from i spans to before i + 1.
func (l lens) blockIndex(end int64) int64 { return floorTo(end, l.blockSpan()) / l.blockSpan() }

// nextBlock is the first end after sealed with which a block begins.
func (l lens) nextBlock(sealed int64) int64 { return floorTo(sealed, l.blockSpan()) + l.blockSpan() }

// An openBlock is the block that the next sealed window belongs to.
type openBlock struct {
	Block
	lens   lens
	series map[uint64]*BlockSeries // by key
	begins bool                    // no window was noted yet
	dirty  bool                    // changed since the last checkpoint
}

func newOpenBlock(set string, l lens, columns []string, index int64) *openBlock {
	return &openBlock{
		Block: Block{BlockID: BlockID{set, l.window, index}, First: index * l.blockSpan(), Step: l.step, Count: blockSteps, Columns: columns},
		lens:  l, series: map[uint64]*BlockSeries{}, begins: true, dirty: true,
	}
}

// ended reports whether the series' last point ends it.
func (s *BlockSeries) ended() bool { return s.Points[len(s.Points)-1].Values == nil }

// add notes the values of the window that ends at end, if they differ from the
// window before.
func (b *openBlock) add(key uint64, labels []string, end int64, vals []int64, empty bool) {
	s := b.series[key]
	switch {
	case empty && (s == nil || s.ended()):
		return
	case empty:
		vals = nil
	case s != nil && slices.Equal(s.Points[len(s.Points)-1].Values, vals):
		return
	case s == nil:
		s = &BlockSeries{Labels: labels}
		b.series[key] = s
	}
	s.Points = append(s.Points, BlockPoint{end, vals})
	b.dirty = true
}

// block is the finished block, its series in the order of their labels.
func (b *openBlock) block() *Block {
	out := b.Block
	for _, s := range b.series {
		out.Series = append(out.Series, *s)
	}
	slices.SortFunc(out.Series, func(x, y BlockSeries) int { return slices.Compare(x.Labels, y.Labels) })
	return &out
}

// At is the series' values in the window that ends at end, nil where it has
// none.
func (s *BlockSeries) At(end int64) []int64 {
	i := sort.Search(len(s.Points), func(i int) bool { return s.Points[i].End > end })
	if i == 0 {
		return nil
	}
	return s.Points[i-1].Values
}

// dayBlock is a business day as history keeps it.
func (s *sums) dayBlock(p *Plan, day int32, d *sumDay) *Block {
	out := newDayBlock(p, s.plan.name, s.columns, day)
	ids := make([]uint32, 0, len(d.member))
	for id, in := range d.member {
		if in {
			ids = append(ids, uint32(id))
		}
	}
	if s.plan.top > 0 {
		ids = s.listed(d.final)
	}
	for _, id := range ids {
		vals := make([]int64, s.width)
		empty := true
		for c := range vals {
			vals[c] = at(d.final, int(id)*s.width+c)
			empty = empty && vals[c] == 0
		}
		if empty {
			continue
		}
		for q := range s.plan.kpis {
			vals = append(vals, int64(d.revisions[revisionKey{id, uint8(q)}]))
		}
		out.Series = append(out.Series, BlockSeries{s.groups.labels[id], []BlockPoint{{out.First, vals}}})
	}
	return out
}

func (a *actives) dayBlock(p *Plan, day int32, d *activeDay) *Block {
	out := newDayBlock(p, a.name, a.columns, day)
	for code, n := range d.final {
		if n != 0 {
			out.Series = append(out.Series, BlockSeries{a.texts[code], []BlockPoint{{out.First, []int64{n, int64(d.revisions[uint32(code)])}}}})
		}
	}
	return out
}

// churnBlock is the churn measures of a business day.
func (m *Merger) churnBlock(day int32) *Block {
	var columns []string
	var vals []int64
	for i, c := range m.plan.churn {
		columns, vals = append(columns, c.key), append(vals, m.riskOn(i, day))
	}
	out := newDayBlock(m.plan, churnName, columns, day)
	out.Series = []BlockSeries{{[]string{}, []BlockPoint{{out.First, vals}}}}
	return out
}

// churnName is the set of the churn measures' blocks.
const churnName = "churn"

func newDayBlock(p *Plan, set string, columns []string, day int32) *Block {
	return &Block{BlockID: BlockID{set, kpi.Day, int64(day)}, First: p.calendar.Start(day+1) / 1000, Step: 1, Count: 1, Columns: columns}
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
