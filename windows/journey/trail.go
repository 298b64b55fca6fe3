package journey

import "slices"

// A trail is marks along the rows of a user who has many that are not sealed, the oldest
// first: what comes late is taken in from the mark before it on.
type trail []mark

// A mark is what a user's items are by a row. It ends a stretch of rows: those behind the
// mark before it, or what is sealed, up to its own. Those behind the last mark are a stretch
// without one.
type mark struct {
	row   link
	time  int64 // its rank
	rows  int32 // of the stretch
	items []Item
}

// stretchRows is how many rows a stretch has at the least before a mark ends it.
const stretchRows = 64

// length is how many rows a stretch has at the end of which a user has these items: marks have
// no more items than there are rows.
func (b *Book) length(items []Item) int { return max(b.every, len(items)) }

func (u *user) marks() trail {
	if u.trail == nil {
		return nil
	}
	return *u.trail
}

// addMark puts a mark at a place of the trail.
func (u *user) addMark(at int, m mark) {
	if u.trail == nil {
		u.trail = &trail{}
	}
	*u.trail = slices.Insert(*u.trail, at, m)
}

// rows are how many rows a stretch has, by its place.
func (u *user) rows(at int) *int32 {
	if marks := u.marks(); at < len(marks) {
		return &marks[at].rows
	}
	return &u.tail
}

// before is what the items are before a stretch. They are not to be changed.
func (u *user) before(at int) []Item {
	if at > 0 {
		return u.marks()[at-1].items
	}
	return u.sealed
}

// mark ends the last stretch, if it has rows enough, as the user's newest row is in.
func (b *Book) mark(u *user) {
	if int(u.tail) < b.length(u.now) {
		return
	}
	u.addMark(len(u.marks()), mark{u.newest, b.rank(u.newest), u.tail, slices.Clone(u.now)})
	u.tail = 0
}

// unmark takes the oldest row out of its stretch, as it is sealed.
func (u *user) unmark() {
	if *u.rows(0)--; len(u.marks()) == 0 || u.marks()[0].rows > 0 {
		return
	}
	if *u.trail = slices.Delete(*u.trail, 0, 1); len(*u.trail) == 0 {
		u.trail = nil
	}
}

// stretchOf is the place of the stretch of an instant, in ms: that of the first mark behind
// it.
func (u *user) stretchOf(time int64) int {
	at, _ := slices.BinarySearchFunc(u.marks(), time, func(m mark, t int64) int {
		if m.time <= t {
			return -1
		}
		return 1
	})
	return at
}

// clearAround has all rows of an instant, in ms, be in one stretch: marks that would part
// them go.
func (u *user) clearAround(time int64) {
	last := u.stretchOf(time)
	first, n := last, int32(0)
	for first > 0 && u.marks()[first-1].time == time {
		first--
		n += u.marks()[first].rows
	}
	if first < last {
		*u.trail = slices.Delete(*u.trail, first, last)
		*u.rows(first) += n
	}
}

// stretch is the rows of a stretch, in their order.
func (b *Book) stretch(u *user, at int) []link {
	links, l := b.links[:0], u.newest
	if marks := u.marks(); at < len(marks) {
		l = marks[at].row
	}
	for range *u.rows(at) {
		links = append(links, l)
		_, e := b.entryAt(l)
		l = e.older
	}
	slices.Reverse(links)
	return links
}
