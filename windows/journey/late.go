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

// deriveAnew takes late rows of one user in: stretch by stretch, the user's items are derived
// without them and with them, for as long as that makes a difference.
func (b *Book) deriveAnew(late []lateRow) {
	p := b.place(late[0].ref)
	u := b.user(p)
	b.unsettle(u)
	slices.SortStableFunc(late, func(x, y lateRow) int { return cmp.Compare(x.Time, y.Time) })
	for i := range late {
		u.clearAround(late[i].Time)
	}
	at := u.stretchOf(late[0].Time)
	without := slices.Clone(u.before(at))
	with := slices.Clone(without)
	for {
		links := b.stretch(u, at)
		b.pause(len(links))
		without = b.fold(without, links, b.rules, b.untold)
		for len(late) > 0 && u.stretchOf(late[0].Time) == at {
			links = b.link(u, links, &late[0].Row, p)
			u.unsealed++
			*u.rows(at)++
			late = late[1:]
		}
		b.links = links
		for n := b.length(with); len(links) >= 2*n; n = b.length(with) { // marks in the midst of them
			with = b.fold(with, links[:n], b.ending(p), b.retold)
			*u.rows(at) -= int32(n)
			u.addMark(at, mark{links[n-1], b.rank(links[n-1]), int32(n), slices.Clone(with)})
			at, links = at+1, links[n:]
		}
		with = b.fold(with, links, b.ending(p), b.retold)
		if at == len(u.marks()) {
			pass(b.rules, without, b.head*1000, b.untold)
			u.now = pass(b.ending(p), with, b.head*1000, b.retold)
			break
		}
		m := &u.marks()[at]
		at++
		if !slices.Equal(without, with) {
			m.items = append(m.items[:0], with...)
			continue
		}
		if len(late) == 0 {
			break
		}
		at = u.stretchOf(late[0].Time)
		without, with = append(without[:0], u.before(at)...), append(with[:0], u.before(at)...)
	}
	for f, n := range b.diff {
		if n != 0 {
			b.facts = append(b.facts, Told{f, n})
		}
	}
	clear(b.diff)
	b.expect(u, p)
}

// link puts a row among those of its stretch, behind all that do not go after it, and
// answers them with it. Where a mark ends the stretch, that goes after it.
func (b *Book) link(u *user, links []link, r *Row, p uint32) []link {
	s := b.at(second(r.Time))
	l := link{s.second, s.add(p, r)}
	b.note(s)
	place := len(links)
	for ; place > 0; place-- {
		_, e := b.entryAt(links[place-1])
		time := b.rank(links[place-1])
		if time < r.Time || time == r.Time && (e.kind == joining || !b.byKind || e.kind <= r.Kind) {
			break
		}
	}
	_, e := b.entryAt(l)
	if place == len(links) {
		e.older, u.newest = u.newest, l
	} else {
		_, next := b.entryAt(links[place])
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
// its second, and before those of the next.
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
