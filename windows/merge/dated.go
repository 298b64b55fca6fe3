package merge

import (
	"maps"
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/windows/history"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// Dated sums are of rows that belong to a business day of their own, be it over or
// still to come: their groups are told apart by it. All of them stand in one account
// of days until their day is final. Of levels it then goes on to the account of all
// days before.
const (
	anyDay    = 0             // the account of dated groups
	beforeDay = math.MinInt32 // of a level's groups: all days that are final
)

// dayOf is the account that the slice goes to.
func (s *sums) dayOf(slice int64) int32 {
	if s.plan.Dated {
		return anyDay
	}
	return s.day(slice)
}

// final is the second from which on nothing becomes known of a day.
func (s *sums) final(day int32) int64 { return s.ends(day + int32(s.plan.Horizon)) }

// expectDay has the group looked at when its day is final. A level has a value on
// every day from then on.
func (s *sums) expectDay(id uint32) {
	day := plan.DayOf(s.groups.textsOf(id))
	if day == beforeDay {
		day = s.day(max(s.sealed, 0))
	}
	s.dayEnd = min(s.dayEnd, s.final(day))
}

// endDated hands out the day that is final.
func (s *sums) endDated(finished []*history.Block) []*history.Block {
	s.shared = nil
	d := s.finalDay(anyDay)
	out := map[int32]*history.Block{}
	block := func(day int32) *history.Block {
		if out[day] == nil {
			out[day] = history.Day(s.plan.Name, s.columns, day, s.ends(day))
		}
		return out[day]
	}
	var ids []uint32 // of days that are final
	for id := range uint32(d.members.len()) {
		row := d.members.row(id)
		if row == nil || !row[0] {
			continue
		}
		if day := plan.DayOf(s.groups.textsOf(id)); day == beforeDay || s.final(day) <= s.sealed {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		vals, empty := s.sealedRow(&d.totals, id)
		labels := s.groups.textsOf(id)
		switch day := plan.DayOf(labels); {
		case s.plan.Level && day == beforeDay:
			continue
		case s.plan.Level && !empty:
			s.carryOver(d, plan.At(labels, beforeDay), vals)
		case !empty:
			block(day).Add(s.plan.Kept(labels), vals)
		}
		s.letGo(d, id)
	}
	if s.plan.Level {
		s.endLevel(d, block(s.day(s.sealed-1)))
	}
	for _, day := range slices.Sorted(maps.Keys(out)) {
		finished = append(finished, out[day])
	}
	s.dayEnd = math.MaxInt64
	for id := range uint32(d.members.len()) {
		if row := d.members.row(id); row != nil && row[0] {
			s.expectDay(id)
		}
	}
	return finished
}

// carryOver adds what a day brought to the level of all days before.
func (s *sums) carryOver(d *finalDay, labels []string, vals []int64) {
	id := s.groups.admit(s.whole.Key(labels), labels)
	d.join(s, id)
	d.soil(id)
	s.plan.Combine(d.totals.edit(id), vals)
	s.plan.Combine(s.live.day(anyDay).edit(id), vals)
}

// endLevel says the level on the day that is final, and lets go of what is none any
// more.
func (s *sums) endLevel(d *finalDay, out *history.Block) {
	for id := range uint32(d.members.len()) {
		row := d.members.row(id)
		if row == nil || !row[0] || plan.DayOf(s.groups.textsOf(id)) != beforeDay {
			continue
		}
		if vals, empty := s.sealedRow(&d.totals, id); empty {
			s.letGo(d, id)
		} else {
			out.Add(s.plan.Kept(s.groups.textsOf(id)), vals)
		}
	}
}

// letGo takes a group out of the account.
func (s *sums) letGo(d *finalDay, id uint32) {
	for _, t := range [...]*table[int64]{&d.totals, s.live.day(anyDay)} {
		if t.row(id) != nil {
			clear(t.edit(id))
		}
	}
	d.members.edit(id)[0] = false
	d.soil(id)
	s.groups.release(id)
}

// touchDays says which days that are over the late rows of one crossing changed: of
// a level, all that follow, as long as something is left of what they brought.
func (s *sums) touchDays(vs []*vector) {
	type change struct {
		day  int32
		vals []int64
	}
	byLabels := map[string][]change{}
	labels := map[string][]string{}
	for _, v := range vs {
		for i, id := range v.ids {
			texts := s.groups.textsOf(id)
			k := labelKey(s.plan.Kept(texts))
			byLabels[k] = append(byLabels[k], change{plan.DayOf(texts), v.vals[i*s.width:][:s.width]})
			labels[k] = s.plan.Visible(texts)
		}
	}
	touch := func(k string, day int32, vals []int64) {
		if kpis := s.plan.Touched(vals); len(kpis) > 0 {
			s.revisions.touch(touch{labels: labels[k], kpis: kpis, length: aDay, lo: int64(day), hi: int64(day)})
		}
	}
	for k, changes := range byLabels {
		slices.SortFunc(changes, func(a, b change) int { return int(a.day) - int(b.day) })
		sum := make([]int64, s.width)
		for day := changes[0].day; s.final(day) <= s.head && (s.plan.Level || len(changes) > 0); day++ {
			for len(changes) > 0 && changes[0].day == day {
				s.plan.Combine(sum, changes[0].vals)
				changes = changes[1:]
			}
			touch(k, day, sum)
			if !s.plan.Level {
				clear(sum)
			}
		}
	}
}
