package journey

import (
	"cmp"
	"slices"
)

// A lateRow is of a slice that is closed.
type lateRow struct {
	ref uint32
	Row
}

// takeLate derives the users anew whose rows came late.
func (b *Book) takeLate() {
	if len(b.late) == 0 {
		return
	}
	slices.SortStableFunc(b.late, func(x, y lateRow) int { return cmp.Compare(x.ref, y.ref) })
	for rest := b.late; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].ref == rest[0].ref {
			n++
		}
		b.deriveAnew(rest[:n])
		rest = rest[n:]
	}
	b.late = b.late[:0]
}

// deriveAnew takes late rows of one user in.
func (b *Book) deriveAnew(late []lateRow) {
	p := b.place(late[0].ref)
	u := b.user(p)
	b.derive(u, b.rules, func(f Fact, n int64) { b.diff[f] -= n })
	for i := range late {
		r := &late[i].Row
		s := b.at(second(r.Time))
		place := s.add(p, r)
		b.note(s)
		b.insert(u, link{s.second, place}, r)
	}
	u.settled = false
	u.now = b.derive(u, b.ending(p), func(f Fact, n int64) { b.diff[f] += n })
	for f, n := range b.diff {
		if n != 0 {
			b.facts = append(b.facts, Told{f, n})
		}
	}
	clear(b.diff)
	b.expect(u, p)
}

// entryAt is a row that is not sealed.
func (b *Book) entryAt(l link) (*slice, *entry) {
	recent := &b.recent[l.second&(recentSlices-1)]
	if *recent == nil || (*recent).second != l.second {
		*recent = b.slices[l.second]
	}
	return *recent, &(*recent).entries[l.place]
}

// insert puts a row of a closed slice among the user's, behind all that do not go after
// it.
func (b *Book) insert(u *user, l link, r *Row) {
	at := &u.newest
	for range u.unsealed {
		s, e := b.entryAt(*at)
		time := int64(s.second)*1000 + int64(e.ms)
		if time < r.Time || time == r.Time && (e.kind <= r.Kind || !b.byKind && e.kind != joining) {
			break
		}
		at = &e.older
	}
	_, e := b.entryAt(l)
	e.older, *at = *at, l
	u.unsealed++
}

// derive is what a user's items are now, by what is sealed and the rows since.
func (b *Book) derive(u *user, rules Rules, tell Tell) []Item {
	b.chain = b.chain[:0]
	at := u.newest
	for range u.unsealed {
		s, e := b.entryAt(at)
		b.chain = append(b.chain, Row{})
		s.read(e, &b.chain[len(b.chain)-1])
		at = e.older
	}
	items := slices.Clone(u.sealed)
	for i := len(b.chain) - 1; i >= 0; i-- {
		items = take(rules, items, &b.chain[i], tell)
	}
	return pass(rules, items, b.head*1000, tell)
}

// ending are the rules for a user of whom an item may end before what is closed: the
// user is looked at when that is sealed. They hold until those for another are asked for.
func (b *Book) ending(p uint32) Rules {
	b.end = ending{b.rules, &b.behind, p}
	return &b.end
}

type ending struct {
	Rules
	behind *dueItems
	place  uint32
}

// End implements Rules.
func (e *ending) End(it *Item, tell Tell) {
	e.behind.add(second(it.Until), e.place)
	e.Rules.End(it, tell)
}
