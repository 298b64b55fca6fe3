package plan

import (
	"math"
	"math/bits"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
)

// A Filter fills in the mask of batches: which filters each row
// passes, and the columns of the numbers that are computed. Nodes that several
// share are computed once a batch. One goroutine at a time uses it.
type Filter struct {
	rows    *Rows
	roots   []*node
	numbers []*node // computed numbers of the rows
	nodes   []*node // every node below a root before it
	user    *node   // whether there is a user_id, nil where nobody asks
}

// A node is a filter or a part of one over all rows of a batch.
type node struct {
	op     kpi.ExprOp
	args   []*node
	column int
	scale  int64    // of a number column to millionths
	texts  []uint64 // of TextEq
	number int64    // of NumberConst
	// integer says that Present reads a number column.
	integer bool
	// bounded says that a number beyond kpi.MaxNumber is none: so is it where it
	// counts. To a comparison it is one that large.
	bounded bool
	// named says that it depends on whether there is a user_id.
	named bool

	truth   []uint64 // one bit a row
	numbers []int64
}

// NewFilter returns a filter for the rows.
func (r *Rows) NewFilter() *Filter {
	f := &Filter{rows: r}
	known := map[string]*node{}
	for _, e := range r.filters {
		if e == nil {
			f.roots = append(f.roots, nil)
			continue
		}
		f.roots = append(f.roots, f.compile(e, known, false))
	}
	for _, e := range r.numbers {
		f.numbers = append(f.numbers, f.compile(e, known, true))
	}
	return f
}

func (f *Filter) compile(e *kpi.Expr, known map[string]*node, bounded bool) *node {
	bounded = bounded && len(e.Args) > 0 // what events and definitions say is
	key := e.String()
	if bounded {
		key = "bounded " + key
	}
	if n, ok := known[key]; ok {
		return n
	}
	n := &node{op: e.Op, number: e.Number, scale: 1, bounded: bounded}
	switch e.Op {
	case kpi.TextEq:
		n.column = column(&f.rows.Schema.Text, e.Args[0].Field)
		for _, a := range e.Args[1:] {
			n.texts = append(n.texts, f.rows.key.Text([]byte(a.Text)))
		}
	case kpi.Present:
		if n.integer = kpi.Integer(e.Field); n.integer {
			n.column = column(&f.rows.Schema.Number, e.Field)
		} else {
			n.column = column(&f.rows.Schema.Text, e.Field)
		}
		if e.Field == userField {
			n.named, f.user = true, n
		}
	case kpi.NumberField:
		n.column = column(&f.rows.Schema.Number, e.Field)
		if kpi.Integer(e.Field) {
			n.scale = kpi.Scale
		}
	default:
		for _, a := range e.Args {
			n.args = append(n.args, f.compile(a, known, bounded))
			n.named = n.named || n.args[len(n.args)-1].named
		}
	}
	known[key] = n
	f.nodes = append(f.nodes, n)
	return n
}

// Apply fills in the masks of the batch and the numbers that are computed. Rows
// that are quarantined pass none.
func (f *Filter) Apply(b *stream.Batch) {
	words := f.rows.words
	b.MaskWords = words
	b.Mask = resize(b.Mask, b.Rows*words)
	clear(b.Mask)
	for _, n := range f.nodes {
		n.eval(b)
	}
	for i, root := range f.roots {
		w, bit := i/64, uint64(1)<<(i%64)
		if root == nil {
			for r := range b.Rows {
				b.Mask[r*words+w] |= bit
			}
			continue
		}
		for j, t := range root.truth {
			for ; t != 0; t &= t - 1 {
				r := j*64 + bits.TrailingZeros64(t)
				b.Mask[r*words+w] |= bit
			}
		}
	}
	for r, v := range b.Verdict[:b.Rows] {
		if v == stream.Quarantined {
			clear(b.Mask[r*words : (r+1)*words])
		}
	}
	f.know(b)
	f.fill(b)
	if b.Rows > stream.ManyRows {
		for _, n := range f.nodes {
			n.truth, n.numbers = nil, nil
		}
	}
}

// userField is the one that says whether an event is of a user who is known.
const userField = "user_id"

// know fills in what anonymous rows are where their user is known.
func (f *Filter) know(b *stream.Batch) {
	k, words := &b.Known, f.rows.words
	if k.Column = slices.Index(f.rows.Schema.Text, userField); k.Column < 0 || len(b.Anonymous) == 0 {
		return
	}
	for _, r := range b.Anonymous {
		k.Hash = append(k.Hash, f.rows.key.Text(b.Bytes(b.Name[r])))
		k.Mask = append(k.Mask, b.Mask[r*words:(r+1)*words]...)
	}
	if f.user == nil {
		return
	}
	for _, r := range b.Anonymous {
		f.user.truth[r/64] |= 1 << (r % 64)
	}
	for _, n := range f.nodes {
		if n.named && n != f.user {
			n.eval(b)
		}
	}
	for i, root := range f.roots {
		if root == nil || !root.named {
			continue
		}
		for place, r := range b.Anonymous {
			word, bit := &k.Mask[place*words+i/64], uint64(1)<<(i%64)
			if *word &^= bit; root.truth[r/64]>>(r%64)&1 == 1 && b.Verdict[r] != stream.Quarantined {
				*word |= bit
			}
		}
	}
}

func (n *node) eval(b *stream.Batch) {
	switch n.op {
	case kpi.NumberField, kpi.NumberConst, kpi.Add, kpi.Sub, kpi.Mul, kpi.Min, kpi.Max:
		n.evalNumbers(b)
		return
	}
	n.truth = resize(n.truth, (b.Rows+63)/64)
	clear(n.truth)
	switch n.op {
	case kpi.And, kpi.Or:
		copy(n.truth, n.args[0].truth)
		for _, a := range n.args[1:] {
			for i, t := range a.truth {
				if n.op == kpi.And {
					n.truth[i] &= t
				} else {
					n.truth[i] |= t
				}
			}
		}
	case kpi.Not:
		for i, t := range n.args[0].truth {
			n.truth[i] = ^t
		}
		if rest := b.Rows % 64; rest != 0 {
			n.truth[len(n.truth)-1] &= 1<<rest - 1
		}
	case kpi.TextEq:
		for _, text := range n.texts {
			for r, h := range b.Text[n.column].Hash[:b.Rows] {
				if h == text {
					n.truth[r/64] |= 1 << (r % 64)
				}
			}
		}
	case kpi.Present:
		if n.integer {
			for r, v := range b.Number[n.column][:b.Rows] {
				if v != stream.Missing {
					n.truth[r/64] |= 1 << (r % 64)
				}
			}
			break
		}
		for r, h := range b.Text[n.column].Hash[:b.Rows] {
			if h != 0 {
				n.truth[r/64] |= 1 << (r % 64)
			}
		}
	default:
		x, y := n.args[0].numbers, n.args[1].numbers
		for r := range b.Rows {
			if x[r] != stream.Missing && y[r] != stream.Missing && compare(n.op, x[r], y[r]) {
				n.truth[r/64] |= 1 << (r % 64)
			}
		}
	}
}

func compare(op kpi.ExprOp, x, y int64) bool {
	switch op {
	case kpi.Eq:
		return x == y
	case kpi.Ne:
		return x != y
	case kpi.Lt:
		return x < y
	case kpi.Le:
		return x <= y
	case kpi.Gt:
		return x > y
	default:
		return x >= y
	}
}

func (n *node) evalNumbers(b *stream.Batch) {
	n.numbers = resize(n.numbers, b.Rows)
	switch n.op {
	case kpi.NumberField:
		for r, v := range b.Number[n.column][:b.Rows] {
			if v != stream.Missing {
				v *= n.scale // bounded by kpi.MaxNumber: no overflow
			}
			n.numbers[r] = v
		}
	case kpi.NumberConst:
		for r := range n.numbers {
			n.numbers[r] = n.number
		}
	default:
		x, y := n.args[0].numbers, n.args[1].numbers
		for r := range n.numbers {
			if x[r] == stream.Missing || y[r] == stream.Missing {
				n.numbers[r] = stream.Missing
				continue
			}
			if n.numbers[r] = arithmetic(n.op, x[r], y[r]); n.bounded && magnitude(n.numbers[r]) > kpi.MaxNumber*kpi.Scale {
				n.numbers[r] = stream.Missing
			}
		}
	}
}

// arithmetic works on millionths and saturates.
func arithmetic(op kpi.ExprOp, x, y int64) int64 {
	switch op {
	case kpi.Add:
		return addSaturated(x, y)
	case kpi.Sub:
		return addSaturated(x, -y)
	case kpi.Mul:
		return mulSaturated(x, y)
	case kpi.Min:
		return min(x, y)
	default:
		return max(x, y)
	}
}

func addSaturated(x, y int64) int64 {
	s := x + y
	switch {
	case x > 0 && y > 0 && s < 0:
		return math.MaxInt64
	case x < 0 && y < 0 && s >= 0:
		return -math.MaxInt64
	}
	return max(s, -math.MaxInt64)
}

func mulSaturated(x, y int64) int64 {
	negative := (x < 0) != (y < 0)
	hi, lo := bits.Mul64(magnitude(x), magnitude(y))
	out := int64(math.MaxInt64)
	if hi < kpi.Scale {
		if q, _ := bits.Div64(hi, lo, kpi.Scale); q < math.MaxInt64 {
			out = int64(q)
		}
	}
	if negative {
		return -out
	}
	return out
}

func magnitude(x int64) uint64 {
	if x < 0 {
		return uint64(-x)
	}
	return uint64(x)
}

// resize returns s with length n, keeping its array where it is large enough.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}
