package history

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/kpi"
)

// An Open block is the one that the next sealed window belongs to.
type Open struct {
	Block
	// Begins is set while no window was noted.
	Begins bool
	series map[uint64]*Series // by key
	dirty  bool               // changed since it was encoded
}

// NewOpen returns an empty block.
func NewOpen(set string, w kpi.Window, columns []string, index int64) *Open {
	return &Open{
		Block:  Block{BlockID: BlockID{set, w, index}, First: index * int64(Span(w)/time.Second), Step: int64(w.Step() / time.Second), Count: blockSteps, Columns: columns},
		Begins: true, dirty: true, series: map[uint64]*Series{},
	}
}

// Until is the first end behind the block.
func (b *Open) Until() int64 { return b.First + int64(b.Count)*b.Step }

// Empty reports whether the block has no series.
func (b *Open) Empty() bool { return len(b.series) == 0 }

// Ended reports whether the series' last point ends it.
func (s *Series) Ended() bool { return s.Points[len(s.Points)-1].Values == nil }

// Has reports whether the key has a series.
func (b *Open) Has(key uint64) bool { return b.series[key] != nil }

// Each calls visit for every series, in no order.
func (b *Open) Each(visit func(key uint64, s *Series)) {
	for key, s := range b.series {
		visit(key, s)
	}
}

// Note notes the values of the window that ends at end, if they differ from the
// window before. Empty ends the series.
func (b *Open) Note(key uint64, labels []string, end int64, values []int64, empty bool) {
	s := b.series[key]
	switch {
	case empty && (s == nil || s.Ended()):
		return
	case empty:
		values = nil
	case s != nil && slices.Equal(s.Points[len(s.Points)-1].Values, values):
		return
	case s == nil:
		s = &Series{Labels: labels}
		b.series[key] = s
	}
	s.Points = append(s.Points, Point{end, values})
	b.dirty = true
}

// Finish is the block as it goes into history, its series in the order of their
// labels; nil if it has none.
func (b *Open) Finish() *Block {
	if len(b.series) == 0 {
		return nil
	}
	out := b.Block
	for _, s := range b.series {
		out.Series = append(out.Series, *s)
	}
	slices.SortFunc(out.Series, func(x, y Series) int { return slices.Compare(x.Labels, y.Labels) })
	return &out
}

// Freeze is what the block has by now: what is noted later does not show in it.
func (b *Open) Freeze() *Block {
	out := b.Block
	out.Series = make([]Series, 0, len(b.series))
	for _, s := range b.series {
		out.Series = append(out.Series, Series{s.Labels, slices.Clip(s.Points)})
	}
	return &out
}

// Encode writes the block if it changed since the last time, nil otherwise:
// index; by series its key, labels and points.
func (b *Open) Encode() []byte {
	if b == nil || !b.dirty {
		return nil
	}
	b.dirty = false
	out := binary.AppendVarint(nil, b.Index)
	out = binary.AppendUvarint(out, uint64(len(b.series)))
	for key, s := range b.series {
		out = binary.LittleEndian.AppendUint64(out, key)
		out = codec.AppendTexts(out, s.Labels)
		out = binary.AppendUvarint(out, uint64(len(s.Points)))
		for _, p := range s.Points {
			out = binary.AppendUvarint(out, uint64((p.End-b.First)/b.Step))
			out = binary.AppendUvarint(out, uint64(len(p.Values)))
			for _, n := range p.Values {
				out = binary.AppendVarint(out, n)
			}
		}
	}
	return out
}

// Decode reads what Encode wrote.
func Decode(set string, w kpi.Window, columns []string, r *codec.Reader) *Open {
	b := NewOpen(set, w, columns, r.Varint())
	b.Begins, b.dirty = false, false
	for range r.Count(10) {
		key := r.Uint64()
		s := &Series{Labels: r.Texts()}
		for range r.Count(2) {
			p := Point{End: b.First + int64(r.Uvarint())*b.Step}
			for range r.Count(1) {
				p.Values = append(p.Values, r.Varint())
			}
			s.Points = append(s.Points, p)
		}
		if r.Err() != nil {
			return b
		}
		b.series[key] = s
	}
	return b
}
