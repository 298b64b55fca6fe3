package plan

import (
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/measure"
)

// Computed columns stand in a batch behind those that are decoded. How many
// these are is known in the end; until then computed ones are counted down from
// below noNumber.
const noNumber = -1

func computed(i int) int { return noNumber - 1 - i }

// placed is the column of what may be computed, once so many are decoded.
func placed(column, decoded int) int {
	if column < noNumber {
		return decoded + noNumber - 1 - column
	}
	return column
}

func (r *Rows) place() {
	for _, s := range r.Sums {
		for i := range s.Columns {
			s.Columns[i].Number = placed(s.Columns[i].Number, len(r.Schema.Number))
		}
		for i := range s.fields {
			s.fields[i] = placed(s.fields[i], len(r.Schema.Text))
		}
	}
	for i := range r.binned {
		r.binned[i].number = placed(r.binned[i].number, len(r.Schema.Number))
	}
}

// number is the column of the number that a measure takes, noNumber for none.
func (r *Rows) number(m *kpi.Measure) int {
	if m.Number == nil {
		if m.Field == "" {
			return noNumber
		}
		return column(&r.Schema.Number, m.Field)
	}
	i := slices.IndexFunc(r.numbers, func(o *kpi.Expr) bool { return o.String() == m.Number.String() })
	if i < 0 {
		i = len(r.numbers)
		r.numbers = append(r.numbers, m.Number)
		r.read(m.Number)
	}
	return computed(i)
}

// hidden names what keeps the values of a measure apart within a set, "" for
// nothing.
func (r *Rows) hidden(m *kpi.Measure, by kpi.Set) string {
	switch {
	case m.Op == kpi.Quantile:
		return r.bins(m)
	case m.ByCurrency(by):
		return kpi.CurrencyField
	}
	return ""
}

// hiddenColumn is the text column of what has the name.
func (r *Rows) hiddenColumn(name string) int {
	if i := slices.IndexFunc(r.binned, func(b binned) bool { return b.name == name }); i >= 0 {
		return computed(i)
	}
	return column(&r.Schema.Text, name)
}

// binned is the text column of the bins that a number's values fall into.
type binned struct {
	name   string
	number int
	grid   *measure.Grid
	keys   []uint64 // by bin
}

// bins names the column of the bins of a measure's number.
func (r *Rows) bins(m *kpi.Measure) string {
	out := binned{name: "bin(" + m.Taken() + ")", number: r.number(m), grid: measure.GridOf(m)}
	if slices.ContainsFunc(r.binned, func(b binned) bool { return b.name == out.name }) {
		return out.name
	}
	for bin := range out.grid.Bins() {
		from, to := out.grid.Name(bin)
		out.keys = append(out.keys, r.key.Text(out.grid.Names[from:to]))
	}
	r.binned = append(r.binned, out)
	return out.name
}

// fill appends the computed columns to those of a batch.
func (f *Filter) fill(b *stream.Batch) {
	decoded := len(f.rows.Schema.Number)
	b.Number = slices.Grow(b.Number[:decoded], len(f.numbers))[:decoded+len(f.numbers)]
	for i, n := range f.numbers {
		b.Number[decoded+i] = n.taken(b.Number[decoded+i], f.rows.numbers[i].Whole())
	}
	decoded = len(f.rows.Schema.Text)
	b.Text = slices.Grow(b.Text[:decoded], len(f.rows.binned))[:decoded+len(f.rows.binned)]
	for i := range f.rows.binned {
		f.rows.binned[i].fill(b, &b.Text[decoded+i])
	}
}

// taken is the node's numbers as sums take them: whole ones are in no millionths.
func (n *node) taken(into []int64, whole bool) []int64 {
	into = append(into[:0], n.numbers...)
	if whole {
		for r, v := range into {
			if v != stream.Missing {
				into[r] = v / kpi.Scale
			}
		}
	}
	return into
}

// fill names the bins of a batch's numbers, by spans of names that it appends to
// the payload.
func (n *binned) fill(b *stream.Batch, c *stream.TextColumn) {
	if b.Rows == 0 {
		return
	}
	c.Hash, c.Span = resize(c.Hash, b.Rows), resize(c.Span, b.Rows)
	names := len(b.Payload)
	b.Payload = append(b.Payload, n.grid.Names...)
	for r, v := range b.Number[n.number][:b.Rows] {
		if v == stream.Missing {
			c.Hash[r], c.Span[r] = 0, stream.Span{}
			continue
		}
		bin := n.grid.Bin(v)
		from, to := n.grid.Name(bin)
		c.Hash[r], c.Span[r] = n.keys[bin], stream.Span{Off: uint32(names + from), Len: uint32(to - from)}
	}
}
