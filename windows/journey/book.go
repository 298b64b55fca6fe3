package journey

import (
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/internal/hashmap"
)

// A Book is the items of one operator for some users. Users are known by their ref:
// shard << 24 | row.
type Book struct {
	rules  Rules
	users  []user // by place
	free   []uint32
	places [256]hashmap.Map // of users by shard, by row

	head   int64 // slices before it are closed
	sealed int64 // slices before it are sealed

	ahead  agenda   // of what is not closed: rows, and items whose time may have come
	behind agenda   // of what is closed and not sealed
	late   []uint32 // users with late rows
	facts  []Told
	diff   map[Fact]int64

	begun bool       // the journal
	fresh []freshRow // that no checkpoint has
}

// Told is a fact that was told so many times.
type Told struct {
	Fact
	N int64
}

type freshRow struct {
	ref uint32
	Row
}

type user struct {
	ref     uint32
	gone    bool
	settled bool   // sealed and now are the same, and one slice
	taken   int    // how many of the rows are in now
	sealed  []Item // as of the last sealed slice
	now     []Item // as of the last closed slice
	rows    rows
	late    []Row // that wait for the next crossing
	listed  int64 // the slice of a row by which the user stands in ahead
	due     int64 // the earliest slice for which the user stands there because of an item
}

// never is a slice that does not come.
const never = math.MaxInt64

// NewBook returns one without any users.
func NewBook(rules Rules) *Book {
	return &Book{rules: rules, head: math.MinInt64, sealed: math.MinInt64, ahead: newAgenda(), behind: newAgenda(), diff: map[Fact]int64{}}
}

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
		p = uint32(len(b.users))
		b.users = append(b.users, user{})
	}
	u := &b.users[p]
	u.ref, u.gone, u.listed, u.due = ref, false, math.MinInt64, never
	places.Set(uint64(ref&0xffffff), p)
	return p
}

// Add takes in a row of a user.
func (b *Book) Add(ref uint32, r Row) {
	p := b.place(ref)
	u := &b.users[p]
	at := second(r.Time)
	if at < b.head {
		if len(u.late) == 0 {
			b.late = append(b.late, p)
		}
		u.late = append(u.late, r)
		return
	}
	u.rows.insert(r)
	b.note(ref, r)
	if u.listed != at {
		u.listed = at
		b.ahead.add(at, p)
	}
}

func (b *Book) note(ref uint32, r Row) {
	if b.begun {
		b.fresh = append(b.fresh, freshRow{ref, r})
	}
}

// Close takes in what came late, and closes the slices before head. What is told by
// it is handed out by TakeFacts.
func (b *Book) Close(head int64) {
	for _, p := range b.late {
		b.takeLate(p)
	}
	b.late = b.late[:0]
	for {
		slice, list, ok := b.ahead.before(head)
		if !ok {
			break
		}
		for _, p := range list {
			b.closeUser(p, slice)
		}
		b.behind.move(slice, list)
	}
	b.head = head
}

// closeUser closes a slice for a user.
func (b *Book) closeUser(p uint32, slice int64) {
	u := &b.users[p]
	if u.gone {
		return
	}
	if u.settled {
		u.now, u.settled = slices.Clone(u.sealed), false
	}
	u.now, u.taken = derive(b.rules, u.now, &u.rows, u.taken, u.rows.len(), (slice+1)*1000, b.tell)
	if u.due <= slice {
		u.due = never
	}
	b.expect(p)
}

// expect has the user looked at when the first item's time has come.
func (b *Book) expect(p uint32) {
	u := &b.users[p]
	if _, at := due(u.now); at != math.MaxInt64 && second(at) < u.due {
		u.due = second(at)
		b.ahead.add(u.due, p)
	}
}

func (b *Book) tell(f Fact, n int64) { b.facts = append(b.facts, Told{f, n}) }

// takeLate derives a user anew.
func (b *Book) takeLate(p uint32) {
	u := &b.users[p]
	to := b.head * 1000
	derive(b.rules, slices.Clone(u.sealed), &u.rows, 0, u.taken, to, func(f Fact, n int64) { b.diff[f] -= n })
	for _, r := range u.late {
		u.rows.insert(r)
		u.taken++
		b.note(u.ref, r)
		b.behind.add(second(r.Time), p)
	}
	u.late, u.settled = u.late[:0], false
	u.now, _ = derive(b.rules, slices.Clone(u.sealed), &u.rows, 0, u.taken, to, func(f Fact, n int64) {
		b.diff[f] += n
		b.behind.add(f.At, p)
	})
	for f, n := range b.diff {
		if n != 0 {
			b.facts = append(b.facts, Told{f, n})
		}
	}
	clear(b.diff)
	b.expect(p)
}

// TakeFacts hands out what was told since the last time. It holds until the next one.
func (b *Book) TakeFacts() []Told {
	out := b.facts
	b.facts = b.facts[:0]
	return out
}

// Seal lets go of the rows before a second, which nothing that comes late can be
// among any more.
func (b *Book) Seal(sealed int64) {
	for {
		slice, list, ok := b.behind.before(sealed)
		if !ok {
			break
		}
		for _, p := range list {
			b.sealUser(p, slice)
		}
		b.ahead.recycle(list)
	}
	b.sealed = max(b.sealed, sealed)
}

func (b *Book) sealUser(p uint32, slice int64) {
	u := &b.users[p]
	if u.gone {
		return
	}
	to := (slice + 1) * 1000
	n := u.rows.before(u.taken, to)
	u.sealed, _ = derive(b.rules, u.sealed, &u.rows, 0, n, to, quiet)
	u.rows.drop(n)
	u.taken -= n
	b.release(p)
}

// release forgets a user of whom nothing is left, and has once what is settled.
func (b *Book) release(p uint32) {
	u := &b.users[p]
	if !u.settled && u.rows.len() == 0 && slices.Equal(u.sealed, u.now) {
		u.now, u.settled = u.sealed, true
	}
	if len(u.sealed)+len(u.now)+u.rows.len()+len(u.late) > 0 {
		return
	}
	places := &b.places[u.ref>>24]
	places.Delete(uint64(u.ref & 0xffffff))
	*u = user{gone: true, rows: u.rows, late: u.late}
	b.free = append(b.free, p)
}

// Users is how many have rows or items.
func (b *Book) Users() int { return len(b.users) - len(b.free) }

// Mark notes which texts are used.
func (b *Book) Mark(used []bool) {
	for i := range b.users {
		u := &b.users[i]
		if u.gone {
			continue
		}
		for _, items := range [...][]Item{u.sealed, u.now} {
			for _, it := range items {
				used[it.Texts] = true
			}
		}
		for i := range u.rows.list {
			used[u.rows.list[i].texts] = true
		}
		for i := range u.late {
			used[u.late[i].Texts] = true
		}
	}
	for _, f := range b.fresh {
		used[f.Texts] = true
	}
}
