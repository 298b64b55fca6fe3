package step

import (
	"encoding/binary"
	"slices"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/internal/hashmap"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// A Table maps keys to groups with their columns and labels.
type Table struct {
	Keys []uint64 // by group
	Vals []int64  // by group and column

	index hashmap.Map // of groups by key; none while there are few
	// labels are the texts of each group's fields, each with its length before
	// it in two bytes; at says where a group's begin.
	labels []byte
	at     []uint32
}

func (t *Table) reset() {
	t.index.Clear()
	t.Keys, t.Vals, t.labels, t.at = t.Keys[:0], t.Vals[:0], t.labels[:0], t.at[:0]
}

func (t *Table) clone() Table {
	return Table{Keys: slices.Clone(t.Keys), Vals: slices.Clone(t.Vals), labels: slices.Clone(t.labels), at: slices.Clone(t.at)}
}

// noLabel is the length of a label that is missing.
const noLabel = 0xffff

// Group is the columns of the row's group, zeros if the row is its first.
func (t *Table) Group(s *plan.Sums, p *plan.Plan, b *stream.Batch, row int) []int64 {
	width := len(s.Columns)
	g, fresh := t.find(s.Key(p, b, row), width)
	if fresh {
		t.label(s, b, row)
	}
	return t.Vals[g*width:][:width]
}

// label adds the labels of a fresh group.
func (t *Table) label(s *plan.Sums, b *stream.Batch, row int) {
	for field := range s.Fields() {
		text, there := s.Text(b, row, field)
		if !there {
			t.labels = append(t.labels, noLabel&0xff, noLabel>>8)
			continue
		}
		t.labels = append(t.labels, byte(len(text)), byte(len(text)>>8))
		t.labels = append(t.labels, text...)
	}
}

// find is the number of the group with the key. A fresh one has zeros, and its
// labels are still to be added.
func (t *Table) find(k uint64, width int) (g int, fresh bool) {
	if at, known := t.index.Get(k); known {
		return int(at), false
	}
	if t.index.Len() == 0 {
		if g = slices.Index(t.Keys, k); g >= 0 {
			return g, false
		}
		if len(t.Keys) < fewGroups {
			return t.add(k, width), true
		}
		for g, k := range t.Keys {
			t.index.Set(k, uint32(g))
		}
	}
	g = t.add(k, width)
	t.index.Set(k, uint32(g))
	return g, true
}

// fewGroups is how many groups are found without a hash.
const fewGroups = 4

func (t *Table) add(k uint64, width int) (g int) {
	g = len(t.Keys)
	t.Keys = append(t.Keys, k)
	t.Vals = slices.Grow(t.Vals, width)[:(g+1)*width]
	clear(t.Vals[g*width:])
	t.at = append(t.at, uint32(len(t.labels)))
	return g
}

// Labels are the texts of a group's fields.
func (t *Table) Labels(g int, fields int) []string {
	out := make([]string, fields)
	if fields == 0 {
		return out
	}
	b := t.labels[t.at[g]:]
	for i := range out {
		size := int(b[0]) | int(b[1])<<8
		b = b[2:]
		if size == noLabel {
			out[i] = kpi.None
			continue
		}
		out[i], b = string(b[:size]), b[size:]
	}
	return out
}

// Size is about how many bytes Append writes.
func (t *Table) Size() int { return 16 + 8*len(t.Keys) + 3*len(t.Vals) + len(t.labels) }

// Append writes the number of groups; their keys; their columns; the labels.
func (t *Table) Append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(t.Keys)))
	for _, k := range t.Keys {
		b = binary.LittleEndian.AppendUint64(b, k)
	}
	for _, n := range t.Vals {
		b = binary.AppendVarint(b, n)
	}
	b = binary.AppendUvarint(b, uint64(len(t.labels)))
	return append(b, t.labels...)
}

// Skip reads over a table and answers its bytes, nil if it has no groups.
func Skip(s *plan.Sums, r *codec.Reader) []byte {
	begin := r.Rest()
	n := r.Count(8)
	r.Bytes(8 * uint64(n))
	for range n * len(s.Columns) {
		r.Varint()
	}
	r.Bytes(r.Uvarint())
	if n == 0 || r.Err() != nil {
		return nil
	}
	return begin[:len(begin)-r.Len()]
}

// Add reads a table that Append wrote into this one.
func (t *Table) Add(s *plan.Sums, r *codec.Reader) {
	n, width := r.Count(8), len(s.Columns)
	keys := codec.NewReader(r.Bytes(8 * uint64(n)))
	vals := make([]int64, n*width)
	for i := range vals {
		vals[i] = r.Varint()
	}
	labels := r.Bytes(r.Uvarint())
	for i := range n {
		key, size := keys.Uint64(), 0
		for range s.Fields() {
			if len(labels) < size+2 {
				r.Fail()
				return
			}
			if n := int(labels[size]) | int(labels[size+1])<<8; n != noLabel {
				size += n
			}
			size += 2
		}
		if size > len(labels) {
			r.Fail()
			return
		}
		g, fresh := t.find(key, width)
		if fresh {
			t.labels = append(t.labels, labels[:size]...)
		}
		labels = labels[size:]
		s.Combine(t.Vals[g*width:][:width], vals[i*width:][:width])
	}
}
