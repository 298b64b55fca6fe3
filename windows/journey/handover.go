package journey

import "slices"

// TakeOpen takes the rows of users out of the book that are not closed.
func (b *Book) TakeOpen(refs map[uint32]bool) map[uint32][]Row {
	out := map[uint32][]Row{}
	for _, second := range b.open {
		s := b.slices[uint32(second)]
		for i := range s.entries {
			if e := &s.entries[i]; refs[e.user] {
				s.read(e, &b.row)
				out[e.user] = append(out[e.user], b.row)
				e.user = nobody
			}
		}
	}
	return out
}

// Leave takes a user out of the book whose rows are closed, and answers the items. What
// was told of the days from that of an instant on, in ms, is taken back.
func (b *Book) Leave(ref uint32, at int64) []Item {
	place, known := b.places[ref>>24].Get(uint64(ref & 0xffffff))
	if !known {
		return nil
	}
	u := b.user(place)
	link := u.newest
	for range u.unsealed {
		_, e := b.entryAt(link)
		e.user, link = nobody, e.older
	}
	items := slices.Clone(u.now)
	b.rules.Leave(items, at, b.told)
	b.forget(u, place)
	return items
}

// Join gives a user the items that another had until the slices were closed that are.
func (b *Book) Join(ref uint32, items []Item) {
	if len(items) == 0 {
		return
	}
	p := b.place(ref)
	u := b.user(p)
	r := Row{Time: b.head*1000 - 1, Numbers: NoNumbers, Kind: joining, joined: &items}
	s := b.at(b.head - 1)
	place := s.add(p, &r)
	b.note(s)
	b.unsettle(u)
	u.settled = false
	u.now = take(b.rules, u.now, &r, b.told)
	b.enter(u, p, &s.entries[place], link{s.second, place})
	b.expect(u, p)
}
