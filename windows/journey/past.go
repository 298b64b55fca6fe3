package journey

import "slices"

// Before is what a user's items are when the slices before a second are closed, which is
// no earlier than the last sealed one: of an earlier second they are as sealed. They hold
// until the book goes on.
func (b *Book) Before(ref uint32, head int64) []Item {
	p, known := b.places[ref>>24].Get(uint64(ref & 0xffffff))
	if !known {
		return nil
	}
	u := b.user(uint32(p))
	if head >= b.head {
		return u.now
	}
	b.links = b.links[:0]
	for l, left := u.newest, u.unsealed; left > 0; left-- {
		if int64(l.second) < head {
			b.links = append(b.links, l)
		}
		_, e := b.entryAt(l)
		l = e.older
	}
	slices.Reverse(b.links)
	return pass(b.rules, b.fold(slices.Clone(u.sealed), b.links, b.rules, quiet), head*1000, quiet)
}
