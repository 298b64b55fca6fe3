package plan

import (
	"fmt"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/measure"
)

// Sums is a dimension set with the columns that are added up by it.
type Sums struct {
	Keyed
	Rows *Rows // which are added up
	// Closed says that it goes by what is closed, also in a preview: facts are known by
	// then alone, and events beside them are not to be ahead.
	Closed bool
	// Retracts says that what was added may be taken back: weights of facts can be
	// negative.
	Retracts bool
	// Level says that a day has what came up to it, of all days.
	Level bool
	// Horizon is for how many days after it is over rows of a day may come.
	Horizon int
	Columns []Column
	// Invertible says that all columns are plain additions.
	Invertible bool
	Top        int // series kept in history, 0 for all

	first   Source
	weights []Source // the measures that decide admission to the budget
	reads   []read
}

// A read is a measure with the KPIs that read it.
type read struct {
	Source
	readers
}

// readers are KPIs, by their places among the revisions of a dimension set.
type readers []int

func (r *readers) add(place int) {
	if !slices.Contains(*r, place) {
		*r = append(*r, place)
	}
}

// A Column adds what a number is lifted to, or one, for every row that passes the
// filter.
type Column struct {
	Key    string
	Filter int
	Number int // column of the batch, -1 for none
	measure.Column
}

// Holds reports whether what belongs to one day is in the value of another.
func (s *Sums) Holds(day, of int32) bool { return of == day || s.Level && of < day }

// finish derives what needs all columns of the set.
func (s *Sums) finish(p *Plan) {
	s.Invertible = !slices.ContainsFunc(s.Columns, func(c Column) bool { return c.Combine != nil })
	if s.weights == nil { // nothing counts: the first measure
		s.weights = []Source{s.first}
	}
}

// reader are the readers of a measure.
func (s *Sums) reader(src *Source) *readers {
	i := slices.IndexFunc(s.reads, func(r read) bool { return r.Column == src.Column })
	if i < 0 {
		i = len(s.reads)
		s.reads = append(s.reads, read{Source: *src})
	}
	return &s.reads[i].readers
}

// Weight is what decides on a group's place in the budget, from its columns: its
// counts, added up; without any, its first measure. nil columns have none.
func (s *Sums) Weight(columns []int64) (n int64) {
	if columns == nil {
		return 0
	}
	for i := range s.weights {
		w := &s.weights[i]
		if w.Algebra.Lower == nil {
			n += columns[w.Column]
			continue
		}
		n += w.Algebra.Number(columns[w.Column:][:w.Width()]).Saturated()
	}
	return n
}

// CountsOnly says that weights are of counts alone, which only grow until they leave a window.
func (s *Sums) CountsOnly() bool {
	return !s.Retracts && !slices.ContainsFunc(s.weights, func(w Source) bool {
		return w.Algebra.Lower != nil || s.Columns[w.Column].Combine != nil
	})
}

// Split takes sums that are less than 0 out of columns; negative is nil if there
// are none.
func (s *Sums) Split(columns []int64) (rest, negative []int64) {
	rest = columns
	for i := range s.reads {
		r := &s.reads[i]
		state := columns[r.Column:][:r.Width()]
		if r.Algebra.Lacks != nil || r.Algebra.Number(state).Sign() >= 0 {
			continue
		}
		if negative == nil {
			rest, negative = slices.Clone(columns), make([]int64, len(columns))
		}
		copy(negative[r.Column:], state)
		clear(rest[r.Column:][:r.Width()])
	}
	return rest, negative
}

// Touched are the KPIs for which something changes when the columns are added to a
// group, by their places, ascending.
func (s *Sums) Touched(columns []int64) (kpis []int) {
	for _, r := range s.reads {
		if r.Algebra.Touches(columns[r.Column:][:r.Width()]) {
			kpis = append(kpis, r.readers...)
		}
	}
	slices.Sort(kpis)
	return slices.Compact(kpis)
}

// Combine puts columns of one group into those of another.
func (s *Sums) Combine(into, from []int64) {
	if s.Invertible {
		for c, n := range from {
			into[c] += n
		}
		return
	}
	for c, n := range from {
		if combine := s.Columns[c].Combine; combine != nil {
			into[c] = combine(into[c], n)
		} else {
			into[c] += n
		}
	}
}

func (p *Plan) sumSource(k keeping, m *kpi.Measure, a *measure.Algebra) Source {
	rows := p.rowsOf(k.KPI, m)
	i := p.sumSet(rows, k, m)
	s := p.Sums[i]
	s.addWindows(p, k.windows)
	s.Top = max(s.Top, k.Top)
	src := Source{Target: i, Algebra: a, Scale: 1}
	number := rows.number(m)
	if m.Op.OfField() && !m.Whole() {
		src.Scale = kpi.Scale
	}
	where, key := m.Where, m.Key()
	filter := rows.filter(where) // what passes it is wanted, even without a number
	if s.days != nil {
		p.wantBelated(filter)
	}
	if m.Op == kpi.Quantile { // any share is of the same counts
		where, src.Grid = m.Carried(), measure.GridOf(m)
		key = (&kpi.Measure{Op: kpi.Carrying, Field: m.Field, Number: m.Number, Where: m.Where, Also: m.Also}).Key()
		filter = rows.filter(where)
	}
	src.Column = slices.IndexFunc(s.Columns, func(o Column) bool { return o.Key == key })
	if src.Column < 0 {
		src.Column = len(s.Columns)
		for part, c := range a.Columns {
			s.Columns = append(s.Columns, Column{Key: partKey(key, part), Filter: filter, Number: number, Column: c})
		}
		if src.Column == 0 {
			s.first = src
		}
		if m.Also != nil {
			p.journey(m.Also).alike(i, s, src.Column, where, m)
		}
		if m.Op == kpi.Count || m.Op == kpi.Carrying || m.Op == kpi.Quantile || m.Op == kpi.Level {
			s.weights = append(s.weights, src)
		}
	}
	return src
}

// sumSet is the set of sums that the measure goes into, a new one if none fits.
func (p *Plan) sumSet(rows *Rows, k keeping, m *kpi.Measure) int {
	hidden, name := rows.hidden(m, k.by), k.name()
	if hidden != "" {
		name += "+" + hidden
	}
	beside := rows == p.Events && k.From != nil
	switch {
	case beside:
		name = "beside facts:" + name
	case rows.name != "":
		name = rows.name + ":" + name
	}
	// All columns of a set are in all its windows: a list of many keys has them to
	// itself, and what is kept over many days stays by itself.
	switch {
	case k.Top > 0:
		name = "top:" + k.Name + ":" + name
	case slices.ContainsFunc(k.windows, func(w kpi.Window) bool { return w.Length > longSpan }):
		name = "long:" + name
	case m.Op == kpi.Level:
		name = "level:" + name
	case k.dated:
		name = "day:" + name
	}
	if k.horizon > 0 {
		name = fmt.Sprintf("%s+%dd", name, k.horizon)
	}
	i := slices.IndexFunc(p.Sums, func(s *Sums) bool { return s.Name == name })
	if i < 0 {
		i = len(p.Sums)
		p.Sums = append(p.Sums, &Sums{Keyed: rows.keyed(name, k.by, hidden, k.budget(), k.dated), Rows: rows, Level: m.Op == kpi.Level, Closed: k.From != nil, Retracts: rows != p.Events, Horizon: k.horizon})
		if rows == p.Events && k.dated {
			p.Sums[i].days = p.dayLabels
		}
	}
	return i
}

// partKey names a part of a measure's state.
func partKey(key string, part int) string {
	if part == 0 {
		return key
	}
	return fmt.Sprintf("%s#%d", key, part)
}
