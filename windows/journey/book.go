package journey

import (
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/internal/hashmap"
	"github.com/tidewatch/tidewatch/windows/carry"
)

// A Book is the items of one operator for some users. Users are known by their ref:
// shard << 24 | row.
type Book struct {
	// Yield is called every so often. nil: not called.
	Yield func()

	rules  Rules
	byKind bool               // the rules are Ordered
	users  []*[userBlock]user // by place
	n      int                // places
	free   []uint32
	places [256]hashmap.Map // of users by shard, by row

	head   int64 // slices before it are closed
	sealed int64 // slices before it are sealed

	slices map[uint32]*slice // that are not sealed, by second
	recent [recentSlices]*slice
	spare  []*slice
	room   int // that these have, bytes
	usual  usual
	open   seconds // of slices that are not closed
	closed seconds // of slices that are not sealed

	ahead  dueItems  // of what is not closed: items whose time may have come
	behind dueItems  // of what is closed and not sealed: the same
	late   []lateRow // that wait for the next crossing
	facts  []Told
	diff   map[Fact]int64
	every  int // stretchRows

	order []uint32 // room: places of rows
	links []link   // room
	whose []uint32 // room: places or refs of users
	row   Row      // that is taken in
	trial []Item   // room
	end   ending   // room
	table carry.Table
	told  Tell // b.tell
	// untold and retold tell what is derived without late rows, and with them.
	untold, retold Tell
	warmth         int64 // keeps the compiler from leaving loads out
	work           int   // done since the last yield

	loading bool     // until Resume
	begun   bool     // the journal
	unsaved []*slice // with rows that no checkpoint has

	dropped int // see Dropped
}

// Told is a fact that was told so many times.
type Told struct {
	Fact
	N int64
}

type user struct {
	ref      uint32
	unsealed int32  // rows of closed slices that are not sealed
	newest   link   // of them
	trail    *trail // nil where there are few
	gone     bool
	settled  bool   // sealed and now are the same, and one slice; rows since change nothing
	tail     int32  // rows of the last stretch
	due      int64  // the earliest slice for which the user stands in ahead
	sealed   []Item // as of the last sealed slice
	now      []Item // as of the last closed slice
}

const userBlock = 256

// never is a slice that does not come.
const never = math.MaxInt64

// NewBook returns one without any users.
func NewBook(rules Rules) *Book {
	_, byKind := rules.(Ordered)
	b := &Book{rules: rules, byKind: byKind, every: stretchRows, head: math.MinInt64, sealed: math.MinInt64, slices: map[uint32]*slice{}, ahead: newDueItems(), behind: newDueItems(), diff: map[Fact]int64{}}
	b.told = b.tell
	b.untold = func(f Fact, n int64) { b.diff[f] -= n }
	b.retold = func(f Fact, n int64) { b.diff[f] += n }
	return b
}

func (b *Book) user(place uint32) *user { return &b.users[place/userBlock][place%userBlock] }

// place is that of a user, a new one at first.
func (b *Book) place(ref uint32) uint32 {
	places := &b.places[ref>>24]
	if p, ok := places.Get(uint64(ref & 0xffffff)); ok {
		return p
	}
	var p uint32
	if last := len(b.free) - 1; last >= 0 {
		p, b.free = b.free[last], b.free[:last]
	} else {
		if b.n%userBlock == 0 {
			b.users = append(b.users, new([userBlock]user))
		}
		p = uint32(b.n)
		b.n++
	}
	*b.user(p) = user{ref: ref, due: never}
	places.Set(uint64(ref&0xffffff), p)
	return p
}

// Add takes in a row of a user.
func (b *Book) Add(ref uint32, r *Row) {
	at := second(r.Time)
	if at < b.head {
		b.late = append(b.late, lateRow{ref, *r})
		return
	}
	s := b.at(at)
	s.add(ref, r)
	b.note(s)
}

// note puts a slice on the journal's list.
func (b *Book) note(s *slice) {
	if b.begun && !s.unsaved {
		s.unsaved = true
		b.unsaved = append(b.unsaved, s)
	}
}

// Close takes in what came late, and closes the slices before head. What is told by
// it is handed out by TakeFacts.
func (b *Book) Close(head int64) {
	if b.loading {
		return
	}
	b.takeLate()
	for {
		at := min(b.open.first(), b.ahead.next.first())
		if at >= head {
			break
		}
		b.closeSlice(at)
	}
	b.head = max(b.head, head)
}

func (b *Book) closeSlice(at int64) {
	if b.open.first() == at {
		b.open.pop()
		b.closed.push(at)
		s := b.slices[uint32(at)]
		b.usual = s.usual()
		b.each(s, func(u *user, p, place uint32, e *entry) {
			s.read(e, &b.row)
			b.take(u, &b.row, b.rules, b.told)
			b.enter(u, p, e, link{s.second, place})
			b.expect(u, p)
		})
		s.closed = true
	}
	list := b.ahead.take(at)
	for _, p := range list {
		b.pause(1)
		u := b.user(p)
		if u.gone {
			continue
		}
		if u.due <= at {
			u.due = never
		}
		b.unsettle(u)
		u.now = pass(b.rules, u.now, (at+1)*1000, b.told)
		b.expect(u, p)
		b.behind.add(at, p)
	}
	b.ahead.recycle(list)
}

// enter puts a row of a slice that closes behind the others of its user, who has the items
// by it.
func (b *Book) enter(u *user, p uint32, e *entry, l link) {
	e.user, e.older = p, u.newest
	u.newest, u.unsealed, u.tail = l, u.unsealed+1, u.tail+1
	b.mark(u)
}

// take takes a row in. One that changes nothing of a user who is settled leaves that so.
func (b *Book) take(u *user, r *Row, rules Rules, tell Tell) {
	if !u.settled {
		u.now = take(rules, u.now, r, tell)
		return
	}
	b.trial = take(rules, append(b.trial[:0], u.sealed...), r, tell)
	if !slices.Equal(b.trial, u.sealed) {
		u.now, u.settled = slices.Clone(b.trial), false
	}
}

// each visits the rows of a slice by time. They go some at a time, so that the
// latency of the users' memory is waited for together.
func (b *Book) each(s *slice, visit func(u *user, p, place uint32, e *entry)) {
	b.order = s.order(b.order, b.byKind)
	for order := b.order; len(order) > 0; {
		some := order[:min(len(order), 64)]
		order = order[len(some):]
		b.pause(len(some))
		b.whose = b.whose[:0]
		for _, place := range some {
			b.whose = append(b.whose, s.entries[place].user)
		}
		if !s.closed {
			for _, ref := range b.whose {
				b.warmth += int64(b.places[ref>>24].Touch(uint64(ref & 0xffffff)))
			}
			for i, ref := range b.whose {
				b.whose[i] = b.place(ref)
			}
		}
		for _, p := range b.whose {
			u := b.user(p)
			b.warmth += int64(u.ref) + int64(len(u.now))
		}
		for _, p := range b.whose {
			u := b.user(p)
			items := u.now
			if s.closed {
				items = u.sealed
			}
			if len(items) > 0 {
				b.warmth += items[0].Until
			}
		}
		for i, place := range some {
			p := b.whose[i]
			visit(b.user(p), p, place, &s.entries[place])
		}
	}
}

// pause lets others in now and then.
func (b *Book) pause(work int) {
	if b.work += work; b.work >= yieldWork && b.Yield != nil {
		b.work = 0
		b.Yield()
	}
}

// yieldWork is how many rows or users go between two yields.
const yieldWork = 512

// unsettle lets a user's items go on from what is sealed.
func (b *Book) unsettle(u *user) {
	if u.settled {
		u.now, u.settled = slices.Clone(u.sealed), false
	}
}

// expect has the user looked at when the first item's time has come.
func (b *Book) expect(u *user, p uint32) {
	if _, at := due(u.now); at != math.MaxInt64 && second(at) < u.due {
		u.due = second(at)
		b.ahead.add(u.due, p)
	}
}

func (b *Book) tell(f Fact, n int64) { b.facts = append(b.facts, Told{f, n}) }

// TakeFacts hands out what was told since the last time. It holds until the next one.
func (b *Book) TakeFacts() []Told {
	out := b.facts
	if b.facts = b.facts[:0]; cap(b.facts) > spareFacts {
		b.facts = nil
	}
	return out
}

// spareFacts is for how many facts room is kept.
const spareFacts = 1 << 14

// Users is how many have rows or items.
func (b *Book) Users() int { return b.n - len(b.free) }

// Knows reports whether a user has items, or rows of slices that are closed and not sealed.
func (b *Book) Knows(ref uint32) bool {
	_, known := b.places[ref>>24].Get(uint64(ref & 0xffffff))
	return known
}

// Waiting visits the users of a shard who have rows that are not closed.
func (b *Book) Waiting(shard int, visit func(ref uint32)) {
	for _, second := range b.open {
		for i := range b.slices[uint32(second)].entries {
			if ref := b.slices[uint32(second)].entries[i].user; ref>>24 == uint32(shard) {
				visit(ref)
			}
		}
	}
	for i := range b.late {
		if ref := b.late[i].ref; ref>>24 == uint32(shard) {
			visit(ref)
		}
	}
}

// Dropped is how many texts, at the most, are used no more since they were marked last.
func (b *Book) Dropped() int { return b.dropped }

// Drop tells that a text was met that no row has.
func (b *Book) Drop() { b.dropped++ }

// MarkTexts notes which texts are used.
func (b *Book) MarkTexts(used *carry.Used) {
	b.dropped = 0
	markItems := func(items []Item) {
		for i := range items {
			used.Mark(items[i].Texts)
		}
	}
	for p := range uint32(b.n) {
		b.pause(1)
		u := b.user(p)
		markItems(u.sealed)
		markItems(u.now)
		for _, m := range u.marks() {
			markItems(m.items)
		}
	}
	markSlice := func(s *slice) {
		for i := range s.entries {
			used.Mark(s.entries[i].texts)
		}
		for _, items := range s.joined {
			markItems(items)
		}
	}
	for _, s := range b.slices {
		markSlice(s)
	}
	for _, s := range b.unsaved {
		markSlice(s)
	}
	for _, l := range b.late {
		used.Mark(l.Texts)
	}
}
