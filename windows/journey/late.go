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

// deriveAnew takes late rows of one user in. What they change is told at once, not row by
// row.
func (b *Book) deriveAnew(late []lateRow) {
	p := b.place(late[0].ref)
	u := b.user(p)
	b.unsettle(u)
	for i := range late {
		b.insert(u, p, &late[i].Row)
	}
	for f, n := range b.diff {
		if n != 0 {
			b.facts = append(b.facts, Told{f, n})
		}
	}
	clear(b.diff)
	b.expect(u, p)
}

// insert takes in a row of a closed slice: the user's items are derived without it and
// with it, from the mark before it on until they are the same.
func (b *Book) insert(u *user, p uint32, r *Row) {
	s := b.at(second(r.Time))
	l := link{s.second, s.add(p, r)}
	b.note(s)
	first := u.clearAround(r.Time)
	without := slices.Clone(u.before(first))
	with := slices.Clone(without)
	var middle *mark
	for at := first; ; at++ {
		b.links = b.stretch(b.links[:0], u, at)
		without = b.fold(without, b.links, b.rules, b.untold)
		b.pause(len(b.links))
		if at == first {
			b.links = b.link(u, b.links, l, r)
			if n := int(b.every); len(b.links) >= 2*n { // a mark in the midst of them
				with = b.fold(with, b.links[:n], b.ending(p), b.retold)
				row := b.links[n-1]
				middle = &mark{row, b.rank(row), b.every, slices.Clone(with)}
				b.links = b.links[n:]
			}
		}
		with = b.fold(with, b.links, b.ending(p), b.retold)
		if at == len(u.marks()) {
			pass(b.rules, without, b.head*1000, b.untold)
			u.now = pass(b.ending(p), with, b.head*1000, b.retold)
			break
		}
		if slices.Equal(without, with) {
			break
		}
		u.marks()[at].items = slices.Clone(with)
	}
	u.unsealed++
	*u.rows(first)++
	if middle != nil {
		*u.rows(first) -= middle.rows
		u.addMark(first, *middle)
	}
}

// link puts a row among the rows of a stretch, behind all that do not go after it, and
// answers them with it. Where the stretch ends with a mark, that goes after it.
func (b *Book) link(u *user, links []link, l link, r *Row) []link {
	place := len(links)
	for ; place > 0; place-- {
		_, e := b.entryAt(links[place-1])
		time := b.rank(links[place-1])
		if time < r.Time || time == r.Time && (e.kind <= r.Kind || !b.byKind && e.kind != joining) {
			break
		}
	}
	_, e := b.entryAt(l)
	if place == len(links) {
		e.older, u.newest = u.newest, l
	} else {
		_, next := b.entryAt(links[place])
		_, e = b.entryAt(l)
		e.older, next.older = next.older, l
	}
	return slices.Insert(links, place, l)
}

// entryAt is a row that is not sealed.
func (b *Book) entryAt(l link) (*slice, *entry) {
	recent := &b.recent[l.second&(recentSlices-1)]
	if *recent == nil || (*recent).second != l.second {
		*recent = b.slices[l.second]
	}
	return *recent, &(*recent).entries[l.place]
}

// rank is by which time a row goes among the others, in ms: one that joins behind those of
// its second.
func (b *Book) rank(l link) int64 {
	_, e := b.entryAt(l)
	return int64(l.second)*1000 + int64(e.ms)
}

// fold is what items are by rows.
func (b *Book) fold(items []Item, links []link, rules Rules, tell Tell) []Item {
	for _, l := range links {
		s, e := b.entryAt(l)
		s.read(e, &b.row)
		items = take(rules, items, &b.row, tell)
	}
	return items
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
