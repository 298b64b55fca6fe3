package plan

import (
	"maps"
	"slices"

	"github.com/tidewatch/tidewatch/stream"
)

// accept compiles which types of events count that come late: where any set of sums has
// them by the day of their time.
func (p *Plan) accept() {
	a := &p.Acceptance
	if len(a.Wanted) == 0 || len(p.Catalogue.AcceptLate) == 0 {
		*a = stream.Acceptance{}
		return
	}
	a.Type = column(&p.Events.Schema.Text, "type")
	for _, name := range slices.Sorted(maps.Keys(p.Catalogue.AcceptLate)) {
		a.Types = append(a.Types, stream.AcceptedType{Hash: p.Text(name), Within: p.Catalogue.AcceptLate[name].Milliseconds()})
	}
}

// wantBelated has rows that pass the filter count when they are belated.
func (p *Plan) wantBelated(filter int) {
	a := &p.Acceptance
	for len(a.Wanted) <= filter/64 {
		a.Wanted = append(a.Wanted, 0)
	}
	a.Wanted[filter/64] |= 1 << (filter % 64)
}

// TakesBelated reports whether belated rows of a day still count in the set, when the
// slices before head are closed: it has them by the day of their time, and the day is
// open.
func (s *Sums) TakesBelated(day int32, head int64) bool {
	return s.days != nil && s.days.Start(day+1+int32(s.Horizon)) > head*1000
}
