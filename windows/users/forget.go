package users

import "github.com/tidewatch/tidewatch/windows/roster"

// isForgotten reports whether a user is forgotten on a day whose last active one is given.
// The user is in no stock from then on: a status has it so by itself, whenever the row is
// let go of.
func (p *Partition) isForgotten(last, day int32) bool { return day-last > p.forgetAfter }

// beginAnew has a user who is seen begin anew by it, if the user was forgotten. m is as it
// was before the event.
func (p *Partition) beginAnew(u *sighting, m *member) {
	// By far most were seen lately. A date is no less than 23 hours, but where the zone
	// skips one.
	if int64(u.second) > int64(m.newest)+int64(p.forgetAfter-2)*23*3600 {
		p.renew(u.ref(), p.plan.Calendar.Day(int64(u.second)*1000))
	}
}

// renew has a user be as one who was never active, if the user is forgotten on a day.
func (p *Partition) renew(ref uint32, day int32) {
	sh, at := p.shards[ref>>24], ref&0xffffff
	row := sh.row(at)
	if row.activity == 0 || row.isElsewhere() || !p.isForgotten(int32(row.last), day) {
		return
	}
	row.setDays(activeDays{})
	p.dirtyDay(ref)
	delete(p.absences, ref)
	p.forgetOrigin(ref)
	p.keepSignals(ref, keptSignals{})
}

func (p *Partition) forgetOrigin(ref uint32) {
	if p.origins != nil {
		*p.shards[ref>>24].originAt(ref & 0xffffff) = origin{}
		p.noteOrigin(ref)
	}
}

// letGo has a row be nobody's since a day.
func (p *Partition) letGo(ref uint32, day int32) {
	sh, at := p.shards[ref>>24], ref&0xffffff
	delete(p.absences, ref)
	p.forgetOrigin(ref)
	p.keepSignals(ref, keptSignals{})
	if sh.identities[at] != nil {
		delete(sh.identities, at)
		p.dirtyIdentity(ref)
	}
	sh.release(at, day)
	p.dirtyDay(ref)
	p.rename(ref, nil)
	p.released = append(p.released, ref)
	p.purging = true
}

// forgetShard lets go of the rows of a shard, as a day begins that nothing late can be
// before: of users of whom nothing is known any more that makes a difference; and of those
// that were nobody's for long enough, to be used again.
func (p *Partition) forgetShard(shard int, today int32) {
	sh := p.shards[shard]
	// From this second on an activity may still be in a window.
	since := min(p.plan.Calendar.Start(today-p.forgetAfter)/1000, p.sealed-p.longest())
	var waiting map[uint32]bool
	freed := false
	for at := range uint32(sh.n) {
		p.pause(at)
		row := sh.row(at)
		if row.hash != 0 {
			if row.isElsewhere() || row.activity != 0 && !p.isForgotten(int32(row.last), today) || sh.seenSince(at, since) {
				continue
			}
			if waiting == nil {
				waiting = p.waitingIn(shard)
			}
			ref := uint32(shard)<<24 | at
			if waiting[ref] || p.isFollowed(ref) || sh.identities[at] != nil { // whose events are the user's
				continue
			}
			p.letGo(ref, int32(row.last))
		}
		if !row.isFree() && today-int32(row.last) > roster.Days { // none that is kept can name it
			p.vacate(uint32(shard)<<24 | at)
			freed = true
		}
	}
	if freed {
		p.dropOver(sh)
	}
}

// longest is for how many seconds an activity is in a window or a day.
func (p *Partition) longest() (seconds int64) {
	for _, a := range p.audiences {
		for k := range a.tracks {
			seconds = max(seconds, a.tracks[k].longest)
		}
	}
	return seconds + 2*86400
}

// seenSince reports whether the user of a row was active in any audience from a second on.
func (s *shard) seenSince(at uint32, second int64) bool {
	if int64(s.row(at).newest) >= second {
		return true
	}
	for i := range s.small {
		small := &s.small[i]
		if place, is := small.places.Get(uint64(at)); is && int64(small.list[place].newest) >= second {
			return true
		}
	}
	return false
}

// isFollowed reports whether an operator knows something of a user.
func (p *Partition) isFollowed(ref uint32) bool {
	for _, f := range p.followers {
		if f.book.Knows(ref) {
			return true
		}
	}
	return false
}

// waitingIn are the refs of a shard's users of whom operators have rows that are not closed.
func (p *Partition) waitingIn(shard int) map[uint32]bool {
	out := map[uint32]bool{}
	for _, f := range p.followers {
		f.book.Waiting(shard, func(ref uint32) { out[ref] = true })
	}
	return out
}

// vacate has a row be free to be used again: what audiences know by it is in no window any
// more.
func (p *Partition) vacate(ref uint32) {
	sh, at := p.shards[ref>>24], ref&0xffffff
	for i, a := range p.audiences {
		if i > 0 {
			if _, is := sh.small[i-1].places.Get(uint64(at)); !is {
				continue
			}
		}
		m := sh.member(i, at)
		if m.labels != 0 {
			a.labels.drop(m.labels)
		}
		*m = member{}
		if i > 0 {
			sh.small[i-1].drop(at)
		}
	}
	sh.row(at).activity = free
	sh.free = append(sh.free, at)
}

// dropOver drops the labels that users of rows had who are free now.
func (p *Partition) dropOver(sh *shard) {
	var old []uint64
	visited := uint32(0)
	for key := range sh.over.All() {
		p.pause(visited)
		visited++
		if sh.row(overKey(key).row()).isFree() {
			old = append(old, key)
		}
	}
	for _, key := range old {
		sh.over.Delete(key)
	}
}
