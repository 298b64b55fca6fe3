package merge

import (
	"cmp"
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// A column is one measure by label combination, as a question wants it.
type column struct {
	keyed *plan.Keyed // nil for a measure without labels
	scale int64
	rows  []cell
	rest  []cell // of kpi.Other: may belong elsewhere
	// null says that what is not there has no number, rather than 0.
	null bool
	// lacks is how far a number is off for want of one of the rest.
	lacks func(n, other sample.Int) sample.Int

	wanted  func(labels []string) bool // if matched
	matched bool

	top      int             // the length of the stored list that is read, 0 if none is
	listed   map[string]bool // families, by labelKey
	smallest sample.Int      // value listed
}

// fewRows is what a column has room for at first.
const fewRows = 8

type cell struct {
	labels []string // visible
	hidden string
	n      sample.Int
}

// columns are the measures of a KPI and its revisions, by their parts; nil for
// those that it has not.
type columns [plan.Parts]*column

func newColumns(p *plan.Plan, ss *plan.SetSource, q Question) (cs columns) {
	var room [plan.Parts]column
	for part, src := range ss.Sources {
		if src == nil {
			continue
		}
		c := &room[part]
		*c = column{keyed: p.Keyed(src.Target), scale: src.Scale, matched: len(q.Match) > 0}
		if c.matched {
			c.wanted = matcher(q.By, q.Match)
		}
		if a := src.Algebra; a != nil {
			c.null, c.lacks = a.Null, a.Lacks
		}
		cs[part] = c
	}
	return cs
}

// query is what the column asks of its aggregate: the largest of a list alone,
// unless some are asked for by name.
func (c *column) query(k *plan.KPI, w window, src *plan.Source, q Question) *query {
	out := &query{window: w, source: src, kpi: k.KPI}
	if !c.matched {
		out.list = k.Top
	}
	return out
}

// put adds what a label combination has.
func (c *column) put(labels []string, n sample.Int) {
	visible, hidden := labels, ""
	if c.keyed != nil {
		visible, hidden = c.keyed.Visible(labels), c.keyed.HiddenOf(labels)
		if c.keyed.IsOther(labels) {
			c.rest = append(c.rest, cell{visible, hidden, n})
		} else if c.top > 0 {
			if len(c.listed) == 0 || n.Cmp(c.smallest) < 0 {
				c.smallest = n
			}
			if c.listed == nil {
				c.listed = map[string]bool{}
			}
			c.listed[labelKey(visible)] = true
		}
	}
	if !c.matched || c.wanted(visible) {
		if len(c.rows) == cap(c.rows) { // append makes less room once there are many
			c.rows = slices.Grow(c.rows, max(fewRows, len(c.rows)))
		}
		c.rows = append(c.rows, cell{visible, hidden, n})
	}
}

// sort brings the rows into the order of their labels; those of one combination
// become one.
func (c *column) sort() {
	inOrder(c.rows)
	rows := c.rows[:0]
	for _, row := range c.rows {
		if n := len(rows); n > 0 && rows[n-1].hidden == row.hidden && slices.Equal(rows[n-1].labels, row.labels) {
			last := &rows[n-1]
			last.n = last.n.Add(row.n)
		} else {
			rows = append(rows, row)
		}
	}
	c.rows = rows
}

// take moves the rows of the sample's labels, which come first, out: it is their
// sum, of which the sample has the rest.
func (c *column) take(s *sample.Sample) (sum sample.Int) {
	for len(c.rows) > 0 && slices.Equal(c.rows[0].labels, s.Labels) {
		row := &c.rows[0]
		if row.hidden != "" && (c.null || row.n.Sign() != 0) {
			s.Mixed = s.Mixed || s.Currency != "" && s.Currency != row.hidden
			s.Currency = row.hidden
		}
		sum = sum.Add(row.n)
		s.Null = false
		c.rows = c.rows[1:]
	}
	return sum
}

// of is the count of the labels.
func (c *column) of(labels []string) int {
	i, ok := slices.BinarySearchFunc(c.rows, labels, func(row cell, labels []string) int { return slices.Compare(row.labels, labels) })
	if !ok {
		return 0
	}
	return int(c.rows[i].n.Saturated())
}

// bound is how far off a number may be for what kpi.Other has: sums by what is more
// than 0, or by what is less.
func (c *column) bound(n sample.Int) (most sample.Int) {
	var more, less sample.Int
	for _, other := range c.rest {
		switch {
		case c.lacks != nil:
			most = greater(most, c.lacks(n, other.n))
		case other.n.Sign() > 0:
			more = more.Add(other.n)
		default:
			less = less.Add(other.n.Neg())
		}
	}
	return greater(most, greater(more, less))
}

func greater(a, b sample.Int) sample.Int {
	if a.Cmp(b) < 0 {
		return b
	}
	return a
}

// full reports whether a stored list has no place left: a key that it does not name
// has no more than the smallest that is listed.
func (c *column) full() bool { return c.top > 0 && len(c.listed) >= c.top }

// matcher tells whether a label combination of the set is asked for.
func matcher(set kpi.Set, match map[string]string) func(labels []string) bool {
	type want struct {
		at   int
		text string
	}
	var wants []want
	for f, text := range match {
		wants = append(wants, want{slices.Index(set, f), text})
	}
	return func(labels []string) bool {
		for _, w := range wants {
			if labels[w.at] != w.text {
				return false
			}
		}
		return true
	}
}

// collect joins the measures to samples, in the order of their labels, or of a
// list in that of their values.
func collect(k *kpi.KPI, ss *plan.SetSource, cs columns, match map[string]string) []sample.Sample {
	if src := ss.Sources[plan.Numerator]; src.Grid != nil {
		return quantiles(k, src, cs[plan.Numerator], cs[plan.Restated], named(ss.Set, match))
	}
	name := named(ss.Set, match)
	for part := range cs {
		if cs[part] == nil {
			cs[part] = &column{scale: 1}
		}
		cs[part].sort()
	}
	num, minus, den := cs[plan.Numerator], cs[plan.Minus], cs[plan.Denominator]
	scale := max(num.scale, minus.scale)
	none := sample.Sample{Null: num.null,
		Numerator: sample.Number{Scale: scale}, Minus: sample.Number{Scale: minus.scale}, Denominator: sample.Number{Scale: den.scale}, Bound: sample.Number{Scale: scale}}
	out := make([]sample.Sample, 0, max(len(num.rows), len(den.rows), 1))
	for labels, more := cs.next(); more; labels, more = cs.next() {
		s := none
		s.Labels = labels
		s.Numerator.N, s.Minus.N = num.take(&s).Mul(scale/num.scale), minus.take(&s)
		s.Numerator.N = s.Numerator.N.Add(s.Minus.N.Mul(scale / minus.scale).Neg())
		s.Denominator.N = den.take(&s)
		if !s.Mixed && !num.null && s.Numerator.N.Sign() == 0 && s.Denominator.N.Sign() == 0 && name == nil {
			continue // nothing, or nothing any more
		}
		out = append(out, s)
	}
	if name != nil && len(out) == 0 {
		s := none
		s.Labels = name
		if num.full() {
			s.Bound.N = greater(num.smallest, sample.Int{}) // nothing is not listed
			// What is not listed of sums may be less than that, or in several
			// currencies.
			if k.Numerator.Op == kpi.Sum {
				s.Null, s.Limit = true, sample.AtMost
			}
		}
		out = append(out, s)
	}
	for i := range out {
		s := &out[i]
		s.Revision = 1 + cs[plan.Restated].of(s.Labels)
		most := num.bound(s.Numerator.N).Mul(scale / num.scale).Add(minus.bound(s.Numerator.N).Mul(scale / minus.scale))
		if most.Sign() > 0 && most.Cmp(s.Bound.N) > 0 {
			s.Bound.N = most
		}
		if most := den.bound(s.Denominator.N); most.Mul(s.Bound.Scale).Cmp(s.Bound.N.Mul(den.scale)) > 0 {
			s.Bound = sample.Number{N: most, Scale: den.scale}
		}
		if s.Null && num.null && len(num.rest) > 0 { // it is among these, if there is one
			s.Bound.N, s.Limit = sample.Int{}, sample.Unknown
		}
		if s.Mixed {
			s.Currency = ""
		}
		s.Null = s.Null || s.Mixed || k.Ratio() && s.Denominator.N.Sign() == 0
	}
	if k.Top > 0 {
		slices.SortStableFunc(out, func(a, b sample.Sample) int { return cmp.Compare(rank(k, &b), rank(k, &a)) })
		return out[:min(len(out), k.Top)]
	}
	return out
}

// named are the labels of the one series that is asked for, and is there even if
// nothing is in it; nil for any.
func named(set kpi.Set, match map[string]string) []string {
	if len(match) < len(set) {
		return nil
	}
	labels := make([]string, len(set))
	for i, f := range set {
		labels[i] = match[f]
	}
	return labels
}

// next are the labels that come first in any column of a measure.
func (cs *columns) next() (labels []string, more bool) {
	for _, c := range cs[:plan.Restated] {
		if len(c.rows) > 0 && (!more || slices.Compare(c.rows[0].labels, labels) < 0) {
			labels, more = c.rows[0].labels, true
		}
	}
	return labels, more
}

func rank(k *kpi.KPI, s *sample.Sample) float64 {
	if s.Null {
		return math.Inf(-1)
	}
	return s.Value(k)
}
