// Package plan compiles a catalogue for execution: which columns a batch needs,
// which filters run over it, and the targets that rows add to. Equal filters,
// columns and sets of several KPIs are one.
//
// Rows are events, or the facts of an operator; each kind has columns and filters
// of its own. A target is what is kept of one dimension set: sums of one kind of
// rows, distinct users, or how often late rows restated a KPI. A source says where a
// measure's number is: its target and the first of its columns. A row's effect is
// the columns it adds to and the user sets it counts in, by the mask of the filters
// that it passes.
package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/measure"
)

// A Plan is a catalogue compiled for execution.
//
// What is kept has a number, its target: the sums first, then the users, then the
// revisions. Partitions say by it what they add to, and pages are named by it.
type Plan struct {
	Catalogue *kpi.Catalogue
	Events    *Rows
	Calendar  *kpi.Calendar
	Sums      []*Sums
	Users     []*Users
	// Audiences are the user sets by their filter. The first is that which most users
	// are taken to belong to.
	Audiences []Audience
	// Days are what follows from the users' active days, nil if nothing does.
	Days *Days
	// Journeys are what follows from what goes on for a while, by operator.
	Journeys  []*Journey
	Revisions []*Revisions
	// Acceptance says which events count that come late.
	Acceptance stream.Acceptance

	key  stream.HashKey
	kpis map[string]*KPI

	none uint64 // the key of kpi.None
}

const (
	// maxUsers is how many user sets have room in the key of a label that a user had
	// before.
	maxUsers = 256
	// maxLengths is how many window lengths of a set have a bit, beside the day's.
	maxLengths = 63
	// MaxGaps is by how many gaps users may be taken to have churned.
	MaxGaps = 6
	// longSpan is the longest window of an ordinary sum set.
	longSpan = 48 * time.Hour
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

// Users is a dimension set with the distinct users by it.
type Users struct {
	Keyed
	Filter int
	Slot   int // place among the keyed (not total) user sets, -1 for a total
	// Measure is the canonical name of what is counted.
	Measure string
	// Readers are the KPIs that read it, by their places.
	Readers readers
	// Roster says that it is kept who they were, by day.
	Roster bool
}

// An Audience is the user sets of one filter: they have the same members.
type Audience struct {
	Filter int
	Sets   []int // places among the user sets, ascending
}

// Revisions is a dimension set with the KPIs that are kept by it: of each series
// it is counted how often late rows restated its windows.
type Revisions struct {
	Keyed
	// OfDays says that they are of days that rows belong to by themselves.
	OfDays bool
	// Horizon is that of the KPIs.
	Horizon int
	KPIs    []*kpi.KPI // a KPI's place is the column of its count
}

// A Source is where a measure's number is kept.
type Source struct {
	Target int
	Column int // the first of its state
	// Algebra lowers the state; nil where it is one column.
	Algebra *measure.Algebra
	// Scale is what the number is a multiple of: 1 or kpi.Scale.
	Scale int64
	// Grid is that of a quantile, whose state is counts by the bins that are the
	// hidden labels; nil for others.
	Grid *measure.Grid
}

// Width is how many columns the state takes.
func (s Source) Width() int {
	if s.Algebra == nil {
		return 1
	}
	return len(s.Algebra.Columns)
}

// A KPI says for each of its dimension sets where its measures are.
type KPI struct {
	*kpi.KPI
	Sets []SetSource
	// Maturity is where the times are that say how much of an open day is in: by day, for
	// the total; nil for none.
	Maturity *Source
}

// A SetSource is where the measures of a KPI, and its revisions, are by one
// dimension set in some of its windows: by their parts, nil for those that it has not.
type SetSource struct {
	Set     kpi.Set
	Windows []kpi.Window
	Sources [Parts]*Source
}

// A keeping is what is kept of a KPI by one dimension set in some of its windows.
type keeping struct {
	*kpi.KPI
	by      kpi.Set
	windows []kpi.Window
	dated   bool // rows belong to a business day of their own
	horizon int
}

// keepings are what is kept of a KPI by a dimension set. Of facts, and of events with a
// horizon, a sliding window has what becomes known in it, a day what belongs to it: they
// are apart.
func keepings(k *kpi.KPI, by kpi.Set) (out []keeping) {
	if k.From == nil && k.Horizon == 0 {
		return []keeping{{k, by, k.Windows, false, 0}}
	}
	sliding := slices.DeleteFunc(slices.Clone(k.Windows), kpi.Window.IsDay)
	if len(sliding) > 0 {
		out = append(out, keeping{k, by, sliding, false, 0})
	}
	if k.Keeps(kpi.Day) {
		out = append(out, keeping{k, by, []kpi.Window{kpi.Day}, true, k.Horizon})
	}
	return out
}

// Parts of a value: (Numerator - Minus) / Denominator. Restated is how often late
// rows changed any of them.
const (
	Numerator = iota
	Minus
	Denominator
	Restated
	Parts
)

// New compiles a catalogue. The key hashes the constants of its filters as the
// decoder hashes the events' texts.
func New(c *kpi.Catalogue, key stream.HashKey) (*Plan, error) {
	p := &Plan{Catalogue: c, Events: newRows("", key, c.Currency), key: key, Calendar: kpi.NewCalendar(c.Location), kpis: map[string]*KPI{}, none: key.Text([]byte(kpi.None))}
	for _, k := range c.KPIs {
		p.add(k)
	}
	if len(p.Users) > maxUsers {
		return nil, fmt.Errorf("plan: distinct users are kept under %d combinations of filter and dimension set, at most %d can be: drop some", len(p.Users), maxUsers)
	}
	if p.Days != nil && len(p.Days.Gaps) > MaxGaps {
		return nil, fmt.Errorf("plan: users churn by %d different gaps, at most %d can be: drop some", len(p.Days.Gaps), MaxGaps)
	}
	for target := range p.Targets() {
		if k := p.Keyed(target); k != nil && len(k.Lengths) > maxLengths {
			return nil, fmt.Errorf("plan: KPIs by %s keep windows of %d lengths, at most %d can be: drop some", k.Set, len(k.Lengths), maxLengths)
		}
	}
	p.Audiences = p.audiences()
	for i, s := range p.Sums {
		s.finish(p)
		s.Rows.Sets, s.Rows.Sums = append(s.Rows.Sets, i), append(s.Rows.Sums, s)
	}
	if p.Days != nil {
		p.Days.finish(p) // reads columns of the events
	}
	for _, j := range p.Journeys {
		j.finish(p)
	}
	p.accept()
	p.Events.finish()
	// Targets are numbered once it is known how many sums there are.
	for _, k := range p.kpis {
		for i := range k.Sets {
			p.resolve(&k.Sets[i])
		}
	}
	return p, nil
}

// Keyed is the dimension set and windows of a target.
func (p *Plan) Keyed(target int) *Keyed {
	switch {
	case target < len(p.Sums):
		return &p.Sums[target].Keyed
	case target < p.RevisionsTarget(0):
		return &p.Users[target-len(p.Sums)].Keyed
	}
	return &p.Revisions[target-p.RevisionsTarget(0)].Keyed
}

// Targets is how many targets there are.
func (p *Plan) Targets() int { return p.RevisionsTarget(len(p.Revisions)) }

// UsersTarget is the target of a user set.
func (p *Plan) UsersTarget(i int) int { return len(p.Sums) + i }

// RevisionsTarget is the target of the revisions of a dimension set.
func (p *Plan) RevisionsTarget(i int) int { return len(p.Sums) + len(p.Users) + i }

// KPI is the KPI of that name, which there is.
func (p *Plan) KPI(name string) *KPI { return p.kpis[name] }

// Find is where the measures of a KPI are by a dimension set, in a window, that it
// keeps.
func (p *Plan) Find(name string, by kpi.Set, w kpi.Window) (*KPI, *SetSource) {
	k := p.kpis[name]
	i := slices.IndexFunc(k.Sets, func(s SetSource) bool { return slices.Equal(s.Set, by) && slices.Contains(s.Windows, w) })
	return k, &k.Sets[i]
}

// resolve gives the sources of a KPI their targets, and those its place. Those of
// users are negative numbers at first: -1, -2 and so on.
func (p *Plan) resolve(ss *SetSource) {
	restated := ss.Sources[Restated]
	restated.Target = p.RevisionsTarget(restated.Target)
	for _, s := range ss.Sources[:Restated] {
		switch {
		case s == nil:
		case s.Target < 0:
			users := p.Users[-s.Target-1]
			s.Target = p.UsersTarget(-s.Target - 1)
			users.Readers.add(restated.Column)
		default:
			p.Sums[s.Target].reader(s).add(restated.Column)
		}
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

func (p *Plan) add(k *kpi.KPI) {
	out := &KPI{KPI: k}
	for _, by := range k.By {
		for _, kept := range keepings(k, by) {
			ss := SetSource{Set: by, Windows: kept.windows}
			for part, m := range [Parts]*kpi.Measure{Numerator: &k.Numerator, Minus: k.Minus, Denominator: k.Denominator} {
				if m != nil {
					src := p.source(kept, m)
					ss.Sources[part] = &src
				}
			}
			ss.Sources[Restated] = p.restated(kept)
			out.Sets = append(out.Sets, ss)
		}
	}
	if k.Maturity != nil {
		src := p.source(keeping{k, kpi.Set{}, []kpi.Window{kpi.Day}, true, k.Horizon}, k.Maturity)
		out.Maturity = &src
	}
	p.kpis[k.Name] = out
}

// restated is where the revisions of a KPI are, with the place of its dimension set
// for a target at first.
func (p *Plan) restated(k keeping) *Source {
	i := slices.IndexFunc(p.Revisions, func(r *Revisions) bool {
		return slices.Equal(r.Set, k.by) && r.Horizon == k.horizon && r.OfDays == k.dated
	})
	if i < 0 {
		i = len(p.Revisions)
		name := "revisions:" + k.by.Key()
		if k.dated {
			name = "day:" + name
		}
		if k.horizon > 0 {
			name = fmt.Sprintf("%s+%dd", name, k.horizon)
		}
		p.Revisions = append(p.Revisions, &Revisions{Keyed: Keyed{Name: name, Set: slices.Clone(k.by)}, OfDays: k.dated, Horizon: k.horizon})
	}
	r := p.Revisions[i]
	r.addWindows(p, k.windows)
	r.KPIs = append(r.KPIs, k.KPI)
	return &Source{Target: i, Column: len(r.KPIs) - 1, Scale: 1}
}

func (p *Plan) source(k keeping, m *kpi.Measure) Source {
	if a := measure.Of(m.Op); a != nil {
		return p.sumSource(k, m, a)
	}
	return Source{Target: -p.userSet(k, m.Where, m.Key()) - 1, Scale: 1}
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
	if s.calendar != nil {
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

// partKey names a part of a measure's state.
func partKey(key string, part int) string {
	if part == 0 {
		return key
	}
	return fmt.Sprintf("%s#%d", key, part)
}

// budget is how many series are kept; the total needs none.
func (k keeping) budget() int {
	if len(k.by) == 0 {
		return 0
	}
	return k.Budget
}

// name names what is kept by a dimension set. KPIs share it if their budgets are
// the same: who has a place depends on it.
func (k keeping) name() string {
	if k.budget() == 0 {
		return k.by.Key()
	}
	return fmt.Sprintf("%s/%d", k.by.Key(), k.Budget)
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
			p.Sums[i].calendar = p.Calendar
		}
	}
	return i
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

// Counts says that weights are of counts, which only grow until they leave a window.
func (s *Sums) Counts() bool {
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

func (p *Plan) userSet(k keeping, where *kpi.Expr, key string) int {
	f, name := p.Events.filter(where), k.name()
	i := slices.IndexFunc(p.Users, func(u *Users) bool { return u.Filter == f && u.Name == name })
	if i < 0 {
		i = len(p.Users)
		u := &Users{Keyed: p.Events.keyed(name, k.by, "", k.budget(), false), Filter: f, Slot: -1, Measure: key}
		if len(k.by) > 0 {
			u.Slot = p.Slots()
		}
		p.Users = append(p.Users, u)
	}
	u := p.Users[i]
	u.addWindows(p, k.windows)
	return i
}

// audiences puts the user sets together by their filter. Most users are taken to
// belong to the audience that wants every event; else to that whose active days are
// kept, which is what the catalogue takes for activity; else to the first.
func (p *Plan) audiences() (out []Audience) {
	most := 0
	for i, u := range p.Users {
		at := slices.IndexFunc(out, func(a Audience) bool { return a.Filter == u.Filter })
		if at < 0 {
			at = len(out)
			out = append(out, Audience{Filter: u.Filter})
		}
		out[at].Sets = append(out[at].Sets, i)
		switch {
		case p.Events.filters[u.Filter] == nil, p.Days != nil && i == p.Days.Users && p.Events.filters[out[most].Filter] != nil:
			most = at
		}
	}
	if most > 0 {
		first := out[most]
		out = slices.Insert(slices.Delete(out, most, most+1), 0, first)
	}
	return out
}

// Slots is the number of keyed user sets.
func (p *Plan) Slots() int {
	n := 0
	for _, u := range p.Users {
		if u.Slot >= 0 {
			n++
		}
	}
	return n
}
