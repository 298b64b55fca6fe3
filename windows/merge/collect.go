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
	rest  []sample.Int // of kpi.Other: may belong elsewhere
	// null says that what is not there has no number, rather than 0.
	null bool
	// lacks is how far a number is off for want of one of the rest.
	lacks func(n, other sample.Int) sample.Int

	wanted  func(labels []string) bool
	matched bool

	top      int // the length of the stored list that is read, 0 if none is
	listed   int
	smallest sample.Int // value listed
}

type cell struct {
	labels   []string // visible
	hidden   string
	n        sample.Int
	revision int64
}

func newColumn(p *plan.Plan, src *plan.Source, q Question) *column {
	c := &column{keyed: p.Keyed(src.Target), scale: src.Scale, wanted: matcher(q.By, q.Match), matched: len(q.Match) > 0}
	if a := src.Algebra; a != nil {
		c.null, c.lacks = a.Null, a.Lacks
	}
	return c
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

// put adds what a label combination has; 0 too, of things that were there.
func (c *column) put(labels []string, n sample.Int, revision int64) {
	visible, hidden := labels, ""
	if c.keyed != nil {
		visible, hidden = c.keyed.Visible(labels), c.keyed.HiddenOf(labels)
		if c.keyed.IsOther(labels) {
			c.rest = append(c.rest, n)
		} else if c.top > 0 {
			if c.listed++; c.listed == 1 || n.Cmp(c.smallest) < 0 {
				c.smallest = n
			}
		}
	}
	if c.wanted(visible) {
		c.rows = append(c.rows, cell{visible, hidden, n, revision})
	}
}

// sort brings the rows into the order of their labels; those of one combination
// become one.
func (c *column) sort() {
	slices.SortFunc(c.rows, func(a, b cell) int {
		return cmp.Or(slices.Compare(a.labels, b.labels), cmp.Compare(a.hidden, b.hidden))
	})
	rows := c.rows[:0]
	for _, row := range c.rows {
		if n := len(rows); n > 0 && rows[n-1].hidden == row.hidden && slices.Equal(rows[n-1].labels, row.labels) {
			last := &rows[n-1]
			last.n, last.revision = last.n.Add(row.n), max(last.revision, row.revision)
		} else {
			rows = append(rows, row)
		}
	}
	c.rows = rows
}

// take moves the rows of the sample's labels, which come first, into it.
func (c *column) take(s *sample.Sample, into *sample.Number) {
	for len(c.rows) > 0 && slices.Equal(c.rows[0].labels, s.Labels) {
		row := &c.rows[0]
		if row.hidden != "" && (c.null || row.n.Sign() != 0) {
			s.Mixed = s.Mixed || s.Currency != "" && s.Currency != row.hidden
			s.Currency = row.hidden
		}
		into.N = into.N.Add(row.n)
		s.Null = false
		s.Revision = max(s.Revision, int(row.revision)+1)
		c.rows = c.rows[1:]
	}
}

// bound is how far off a number may be for what kpi.Other has.
func (c *column) bound(n sample.Int) (most sample.Int) {
	for _, other := range c.rest {
		switch {
		case c.lacks == nil:
			most = most.Add(other.Abs())
		case c.lacks(n, other).Cmp(most) > 0:
			most = c.lacks(n, other)
		}
	}
	return most
}

// least is the smallest value of a stored list that is full: a key that it does
// not name has no more.
func (c *column) least() sample.Int {
	if c.top == 0 || c.listed < c.top {
		return sample.Int{}
	}
	return c.smallest.Abs()
}

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

// collect joins numerators and denominators to samples, in the order of their
// labels, or of a list in that of their values.
func collect(k *kpi.KPI, ss *plan.SetSource, num, den *column, match map[string]string) []sample.Sample {
	named := len(match) == len(ss.Set) // one series is asked for, and is there even if nothing is in it
	if den == nil {
		den = &column{scale: 1}
	}
	num.sort()
	den.sort()
	out := make([]sample.Sample, 0, max(len(num.rows), len(den.rows), 1))
	for len(num.rows)+len(den.rows) > 0 {
		s := num.sample(den, firstLabels(num.rows, den.rows))
		num.take(&s, &s.Numerator)
		den.take(&s, &s.Denominator)
		if !s.Mixed && !num.null && s.Numerator.N.Sign() == 0 && s.Denominator.N.Sign() == 0 && !named {
			continue // nothing, or nothing any more
		}
		out = append(out, s)
	}
	if named && len(out) == 0 {
		labels := make([]string, len(ss.Set))
		for i, f := range ss.Set {
			labels[i] = match[f]
		}
		out = append(out, num.sample(den, labels))
		out[0].Bound.N = num.least()
	}
	for i := range out {
		s := &out[i]
		if most := num.bound(s.Numerator.N); most.Cmp(s.Bound.N) > 0 {
			s.Bound.N = most
		}
		if most := den.bound(s.Denominator.N); most.Cmp(s.Bound.N) > 0 {
			s.Bound = sample.Number{N: most, Scale: den.scale}
		}
		if s.Mixed {
			s.Currency = ""
		}
		s.Null = s.Null || s.Mixed || k.Ratio() && s.Denominator.N.Sign() == 0
	}
	if k.Top > 0 {
		slices.SortStableFunc(out, func(a, b sample.Sample) int { return cmp.Compare(rank(&b, k.Ratio()), rank(&a, k.Ratio())) })
		return out[:min(len(out), k.Top)]
	}
	return out
}

// sample is one of nothing, of this numerator.
func (c *column) sample(den *column, labels []string) sample.Sample {
	return sample.Sample{Labels: labels, Null: c.null, Revision: 1,
		Numerator: sample.Number{Scale: c.scale}, Denominator: sample.Number{Scale: den.scale}, Bound: sample.Number{Scale: c.scale}}
}

// firstLabels are those that come first in either.
func firstLabels(a, b []cell) []string {
	if len(b) == 0 || len(a) > 0 && slices.Compare(a[0].labels, b[0].labels) <= 0 {
		return a[0].labels
	}
	return b[0].labels
}

func rank(s *sample.Sample, ratio bool) float64 {
	if s.Null {
		return math.Inf(-1)
	}
	return s.Value(ratio)
}
