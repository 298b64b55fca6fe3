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
	rows  map[string]cell
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
	c := &column{keyed: p.Keyed(src.Target), scale: src.Scale, rows: map[string]cell{}, wanted: matcher(q.By, q.Match), matched: len(q.Match) > 0}
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
		k := labelKey(labels)
		old := c.rows[k]
		c.rows[k] = cell{visible, hidden, old.n.Add(n), max(old.revision, revision)}
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

// collect joins numerators and denominators to samples.
func collect(k *kpi.KPI, ss *plan.SetSource, num, den *column, match map[string]string) []sample.Sample {
	ratio, fields := k.Ratio(), len(ss.Set)
	byLabels := map[string]*sample.Sample{}
	of := func(labels []string) *sample.Sample {
		key := labelKey(labels)
		s := byLabels[key]
		if s == nil {
			s = &sample.Sample{Labels: labels, Revision: 1, Numerator: sample.Number{Scale: num.scale}, Denominator: sample.Number{Scale: 1}, Bound: sample.Number{Scale: num.scale}, Null: num.null}
			if ratio {
				s.Denominator.Scale = den.scale
			}
			byLabels[key] = s
		}
		return s
	}
	take := func(c *column, into func(s *sample.Sample) *sample.Number) {
		if c == nil {
			return
		}
		for _, row := range c.rows {
			s := of(row.labels)
			if row.hidden != "" && (c.null || row.n.Sign() != 0) {
				s.Mixed = s.Mixed || s.Currency != "" && s.Currency != row.hidden
				s.Currency = row.hidden
			}
			n := into(s)
			n.N = n.N.Add(row.n)
			s.Null = false
			s.Revision = max(s.Revision, int(row.revision)+1)
		}
	}
	take(num, func(s *sample.Sample) *sample.Number { return &s.Numerator })
	take(den, func(s *sample.Sample) *sample.Number { return &s.Denominator })
	if (fields == 0 || len(match) == fields) && len(byLabels) == 0 {
		labels := make([]string, fields)
		for i, f := range ss.Set {
			labels[i] = match[f]
		}
		of(labels).Bound.N = num.least()
	}
	out := make([]sample.Sample, 0, len(byLabels))
	for _, s := range byLabels {
		if !s.Mixed && !num.null && s.Numerator.N.Sign() == 0 && s.Denominator.N.Sign() == 0 && fields > 0 && len(match) != fields {
			continue // nothing, or nothing any more
		}
		if most := num.bound(s.Numerator.N); most.Cmp(s.Bound.N) > 0 {
			s.Bound.N = most
		}
		if ratio {
			if most := den.bound(s.Denominator.N); most.Cmp(s.Bound.N) > 0 {
				s.Bound = sample.Number{N: most, Scale: den.scale}
			}
		}
		if s.Mixed {
			s.Currency = ""
		}
		s.Null = s.Null || s.Mixed || ratio && s.Denominator.N.Sign() == 0
		out = append(out, *s)
	}
	if k.Top > 0 {
		slices.SortFunc(out, func(a, b sample.Sample) int {
			return cmp.Or(cmp.Compare(rank(&b, ratio), rank(&a, ratio)), slices.Compare(a.Labels, b.Labels))
		})
		return out[:min(len(out), k.Top)]
	}
	slices.SortFunc(out, func(a, b sample.Sample) int { return slices.Compare(a.Labels, b.Labels) })
	return out
}

func rank(s *sample.Sample, ratio bool) float64 {
	if s.Null {
		return math.Inf(-1)
	}
	return s.Value(ratio)
}
