package users

import (
	"slices"

	"github.com/tidewatch/tidewatch/windows/carry"
)

// Known is who has a hash, be it without an active day: ref, hash, name and anonymous ids.
// An anonymous id that is a user's is nobody.
func (p *Partition) Known(hash uint64) (who Person, known bool) {
	sh := p.shards[ShardOf(hash)]
	if sh == nil {
		return who, false
	}
	at, known := sh.lookUp(hash)
	if !known || sh.row(at).isElsewhere() {
		return who, false
	}
	return Person{Ref: refOf(hash, at), Hash: hash, Name: string(sh.names.of(int(at))), Identities: slices.Clone(sh.identities[at])}, true
}

// erase forgets a user: what was counted stays, stocks lose one from the day on that the
// slices before head end with, and who comes back is new.
func (p *Partition) erase(hash uint64, head int64) {
	sh := p.shards[ShardOf(hash)]
	if sh == nil {
		return
	}
	at, known := sh.lookUp(hash)
	if !known {
		return
	}
	ref := refOf(hash, at)
	if d := p.daysOf(ref); d.activity != 0 {
		p.facts.leave(head-1, p.originOf(ref), &d, p.entered(ref))
	}
	for _, f := range p.followers {
		f.book.Leave(ref, head*1000-1)
	}
	p.letGo(ref, p.plan.Calendar.Day((head+reach(p.timing))*1000)) // rosters may have what is ahead
	p.leaving = append(p.leaving, ref)
}

// dropOpen drops the rows of who was erased that are not closed, with those that came by
// a move just before.
func (p *Partition) dropOpen() {
	if len(p.leaving) == 0 {
		return
	}
	refs := map[uint32]bool{}
	for _, ref := range p.leaving {
		refs[ref] = true
	}
	for _, f := range p.followers {
		f.book.TakeOpen(refs)
	}
	p.leaving = p.leaving[:0]
}

// leave takes a user out of what is told of the days from that of a slice on: levels, and
// all that days bring which were entered ahead.
func (f *facts) leave(slice int64, origin carry.Number, d *activeDays, entered int32) {
	today := f.plan.Calendar.Day(slice * 1000)
	was := f.on(d, today)
	f.noteAll(slice, today, was.facts&f.told&^f.counted, origin, -1)
	f.note(slice, today, kindActive, origin, -int64(was.active))
	for day := today + 1; day <= entered; day++ {
		if f.skipped(day) {
			continue
		}
		on := f.on(d, day)
		in, out := f.moved(was, on)
		f.noteAll(slice, day, in, origin, -1)
		f.noteAll(slice, day, out, origin, 1)
		f.note(slice, day, kindActive, origin, -int64(on.active-was.active))
		was = on
	}
}
