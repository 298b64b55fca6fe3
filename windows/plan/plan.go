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

	none      uint64 // the key of kpi.None
	dayLabels *days
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
	p.dayLabels = newDays(p.Calendar, key)
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
