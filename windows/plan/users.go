package plan

import (
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

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

// Daily reports whether users count by business day, or are kept by it.
func (u *Users) Daily() bool {
	return u.Day || u.Roster || slices.ContainsFunc(u.Lengths, Length.Today)
}

// An Audience is the user sets of one filter: they have the same members.
type Audience struct {
	Filter int
	Sets   []int // places among the user sets, ascending
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
