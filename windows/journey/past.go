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
	b.chain = b.chain[:0]
	at := u.newest
	for range u.unsealed {
		s, e := b.entryAt(at)
		if int64(s.second) < head {
			b.chain = append(b.chain, s.row(e))
		}
		at = e.older
	}
	items := slices.Clone(u.sealed)
	for i := len(b.chain) - 1; i >= 0; i-- {
		items = take(b.rules, items, &b.chain[i], quiet)
	}
	return pass(b.rules, items, head*1000, quiet)
}
