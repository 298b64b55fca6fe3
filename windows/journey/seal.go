package journey

import "slices"

// Seal lets go of the rows before a second, which nothing that comes late can be
// among any more.
func (b *Book) Seal(sealed int64) {
	if b.loading {
		return
	}
	for {
		at := min(b.closed.first(), b.behind.next.first())
		if at >= sealed {
			break
		}
		b.sealSlice(at)
	}
	b.sealed = max(b.sealed, sealed)
}

func (b *Book) sealSlice(at int64) {
	if b.closed.first() == at {
		b.closed.pop()
		s := b.slices[uint32(at)]
		b.dropped += len(s.entries)
		for _, items := range s.joined {
			b.dropped += len(items)
		}
		delete(b.slices, s.second)
		if recent := &b.recent[at&(recentSlices-1)]; *recent == s {
			*recent = nil
		}
		b.each(s, func(u *user, p, _ uint32, e *entry) {
			s.read(e, &b.row)
			u.sealed = take(b.rules, u.sealed, &b.row, quiet)
			u.unsealed--
			u.unmark()
			e.user = u.ref // for the journal
			b.release(u, p)
		})
		s.closed = false
		if s.sealed = s.unsaved; !s.sealed {
			b.letGo(s)
		}
	}
	list := b.behind.take(at)
	b.dropped += len(list)
	for _, p := range list {
		b.pause(1)
		if u := b.user(p); !u.gone {
			u.sealed = pass(b.rules, u.sealed, (at+1)*1000, quiet)
			b.release(u, p)
		}
	}
	b.behind.recycle(list)
}

// release forgets a user of whom nothing is left, and has once what is settled.
func (b *Book) release(u *user, p uint32) {
	if u.unsealed > 0 {
		return
	}
	if !u.settled && slices.Equal(u.sealed, u.now) {
		u.now, u.settled = u.sealed, true
	}
	if len(u.sealed)+len(u.now) > 0 {
		return
	}
	b.forget(u, p)
}

func (b *Book) forget(u *user, p uint32) {
	places := &b.places[u.ref>>24]
	places.Delete(uint64(u.ref & 0xffffff))
	*u = user{gone: true}
	b.free = append(b.free, p)
}
