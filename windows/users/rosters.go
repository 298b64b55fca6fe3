package users

import (
	"encoding/binary"
	"slices"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/windows/roster"
	"github.com/tidewatch/tidewatch/windows/step"
)

// rosters are who was active on the days that are not sealed, as of the slices that are
// closed. What of them is before the sealed second follows from the members, so that no
// epoch has them.
type rosters map[rosterOf]*labelRosters

// A rosterOf is a day of a user set.
type rosterOf struct{ day, target int32 }

// labelRosters are who was active with each label; of a total there is one.
type labelRosters struct {
	labels map[uint32]*roster.Set
	// all are those with any label, several those with more than one.
	all, several roster.Set
}

// at is who was active on a day.
func (r rosters) at(of rosterOf) *labelRosters {
	d := r[of]
	if d == nil {
		d = &labelRosters{labels: map[uint32]*roster.Set{}}
		r[of] = d
	}
	return d
}

// has reports whether a user was active on a day with a label.
func (r rosters) has(of rosterOf, label, ref uint32) bool {
	d := r[of]
	return d != nil && d.has(label, ref)
}

func (d *labelRosters) has(label, ref uint32) bool {
	set := d.labels[label]
	return set != nil && set.Has(ref)
}

// attend notes that a user was active with a label of a track.
func (d *labelRosters) attend(t *track, label, ref uint32) {
	set := d.labels[label]
	if set == nil {
		set = &roster.Set{}
		d.labels[label] = set
	}
	if set.Add(ref) && t.keyed >= 0 && !d.all.Add(ref) {
		d.several.Add(ref)
	}
}

// of calls visit with the labels that a user was active with; newest may be one of them.
func (d *labelRosters) of(t *track, newest, ref uint32, visit func(label uint32)) {
	switch {
	case t.keyed >= 0 && !d.all.Has(ref):
		return
	case t.keyed >= 0 && !d.several.Has(ref) && d.has(newest, ref):
		visit(newest)
		return
	}
	for label, set := range d.labels {
		if set.Has(ref) {
			visit(label)
		}
	}
}

// handOverRosters gives the rosters of the days before one to the merger, as far as they are
// kept.
func (p *Partition) handOverRosters(day int32) {
	for of, d := range p.rosters {
		if of.day >= day {
			continue
		}
		if p.plan.Users[p.setOf(of)].Roster {
			for label, set := range d.labels {
				p.out.Rosters = append(p.out.Rosters, step.Roster{Day: of.day, Target: of.target, Group: int32(label), Users: set})
			}
		}
		delete(p.rosters, of)
	}
}

// setOf is the place of a user set, which is the number of its track.
func (p *Partition) setOf(of rosterOf) int { return int(of.target) - p.plan.UsersTarget(0) }

// Unsealed is the first day whose rosters the partition has itself.
func (p *Partition) Unsealed() int32 { return p.unsealedDay() }

// Attended is who was active, with a label of a user set, on one of the days that are
// not sealed.
func (p *Partition) Attended(target, group int32, days DayRange) *roster.Set {
	out := &roster.Set{}
	for of, d := range p.rosters {
		if set := d.labels[uint32(group)]; set != nil && of.target == target && days.From <= of.day && of.day <= days.To {
			out.Join(set)
		}
	}
	return out
}

// Merges are who turned out to be others, of those that a roster may have. They do not
// change any more.
func (p *Partition) Merges() (out [][]roster.Merge) {
	for _, sh := range p.shards {
		if sh != nil && len(sh.merges) > 0 {
			out = append(out, sh.merges)
		}
	}
	return out
}

// merge notes who turned out to be another user, who is the partition's.
func (p *Partition) merge(m roster.Merge) {
	sh := p.shards[m.Into>>24]
	sh.merges = append(sh.merges, m)
	if p.begun {
		p.freshMerges = append(p.freshMerges, m)
	}
}

// forgetMerges lets go of those that no roster can have.
func (p *Partition) forgetMerges(today int32) {
	for _, sh := range p.shards {
		gone := func(m roster.Merge) bool { return !m.Needed(today) }
		if sh != nil && slices.ContainsFunc(sh.merges, gone) { // others may be reading these
			sh.merges = slices.DeleteFunc(slices.Clone(sh.merges), gone)
		}
	}
}

// mergeBytes is what appendMerge adds.
const mergeBytes = 12

func appendMerge(b []byte, m roster.Merge) []byte {
	for _, n := range [...]uint32{m.Into, m.From, uint32(m.Last)} {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return b
}

func readMerge(r *codec.Reader) roster.Merge {
	return roster.Merge{Into: r.Uint32(), From: r.Uint32(), Last: int32(r.Uint32())}
}
