package oracle

import (
	"cmp"

	"github.com/tidewatch/tidewatch/kpi"
)

// A spell is the active days of a user who was not forgotten between any of them: of one
// who comes back later another begins.
type spell struct {
	number int
	newest int32 // active day
}

// A spelled is a user in a spell.
type spelled struct {
	user  string
	spell int
}

// before reports whether a spell of the same name is an earlier one: of who was erased since,
// or was forgotten.
func (s spelled) before(other spelled) bool {
	return cmp.Or(cmp.Compare(life(s.user), life(other.user)), cmp.Compare(s.spell, other.spell)) < 0
}

// activity is which events make a day an active one, if any KPI asks for these.
func (o *Oracle) activity() (where *kpi.Expr, asked bool) {
	k := o.overDays()
	if k == nil {
		return nil, false
	}
	return k.From.Days.Where, true
}

// spellOf takes in that an event came, and answers the user's spell.
func (o *Oracle) spellOf(e *event) int {
	s := o.spells[e.user]
	if where, asked := o.activity(); asked && e.user != "" && e.passes(where) {
		s.be(o.calendar.day(e.time), o.forgotten(s, o.calendar.day(e.time)))
		o.spells[e.user] = s
	}
	return s.number
}

// forgotten reports whether the days of a spell are, on a day.
func (o *Oracle) forgotten(s spell, day int32) bool {
	return s.number > 0 && day-s.newest > int32(o.catalogue.ForgetAfter)
}

// be has a day be of the spell, or of a new one.
func (s *spell) be(day int32, anew bool) {
	if s.number == 0 || anew {
		s.number++
		s.newest = day
	}
	s.newest = max(s.newest, day)
}

// assignSpells says of which spells the moves of a crossing are, by which the slices before a
// head are closed.
func (o *Oracle) assignSpells(head int64) {
	today := o.calendar.day(head*1000 - 1)
	for i := range o.moves {
		m := &o.moves[i]
		if m.crossing != len(o.heads) {
			continue
		}
		from, to := o.spells[m.from], o.spells[m.to]
		m.fromSpell = from.number
		if m.to == "" {
			continue
		}
		if from.number == 0 || o.forgotten(from, today) {
			m.fromSpell = noSpell
			continue
		}
		to.be(from.newest, o.forgotten(to, today))
		o.spells[m.to], m.toSpell = to, to.number
	}
}

// noSpell is that of who has no days.
const noSpell = -1

// isThere reports whether a person is somebody as of today, who is in a spell.
func (o *Oracle) isThere(who spelled, p *person) bool {
	s := o.spells[who.user]
	return !p.erased && len(p.days) > 0 && who.spell == s.number && o.Today()-p.days[len(p.days)-1] <= int32(o.catalogue.ForgetAfter)
}

// who is the user of a row, in the spell that it is of.
func (r *row) who() spelled { return spelled{r.user, r.spell} }
