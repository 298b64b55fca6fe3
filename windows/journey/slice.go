package journey

import (
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/carry"
)

// A slice is the rows of one second, as they came. Places in it stay.
type slice struct {
	second  uint32
	entries []entry
	tails   []int64  // of entries that have one: the key and the numbers
	joined  [][]Item // of the rows that join
	closed  bool     // and not sealed
	unsaved bool     // stands on the journal's list
	sealed  bool     // and is kept for that alone
	saved   int      // how many a checkpoint has
}

// An entry is a row of a slice.
type entry struct {
	user  uint32 // the ref, in a slice that is closed the place
	texts carry.Number
	older link   // the row of the user before it, once the slice is closed
	tail  uint32 // place of the key among the tails, or of a row that joins among the joined, from 1 on; 0 for none
	ms    uint16 // within the second; behind it of a row that joins
	kind  uint8
}

// NoNumbers are those of a row that has none.
var NoNumbers = [kpi.RowNumbers]int64{stream.Missing, stream.Missing, stream.Missing}

// A link is the place of a row. Behind what is sealed it means nothing.
type link struct{ second, place uint32 }

// add appends a row and answers its place.
func (s *slice) add(user uint32, r *Row) uint32 {
	e := entry{user: user, texts: r.Texts, ms: uint16(r.Time - int64(s.second)*1000), kind: r.Kind}
	switch {
	case r.Kind == joining:
		s.joined = append(s.joined, *r.joined)
		e.ms, e.tail = 1000, uint32(len(s.joined))
	case r.Key != 0 || r.Numbers != NoNumbers:
		e.tail = uint32(len(s.tails)) + 1
		s.tails = append(append(s.tails, int64(r.Key)), r.Numbers[:]...)
	}
	s.entries = append(s.entries, e)
	return uint32(len(s.entries) - 1)
}

// read has a row be what an entry says.
func (s *slice) read(e *entry, r *Row) {
	r.Time, r.Texts, r.Kind = int64(s.second)*1000+int64(e.ms), e.texts, e.kind
	r.Key, r.Numbers, r.joined = 0, NoNumbers, nil
	switch {
	case e.kind == joining:
		r.Time--
		r.joined = &s.joined[e.tail-1]
	case e.tail > 0:
		r.Key = uint64(s.tails[e.tail-1])
		copy(r.Numbers[:], s.tails[e.tail:])
	}
}

// order is the places of the rows by time, those of one instant by kind if they go so,
// and else as they came.
func (s *slice) order(room []uint32, byKind bool) []uint32 {
	rank := func(e *entry) int {
		if byKind {
			return int(e.ms)*(MaxKinds+1) + int(e.kind)
		}
		return int(e.ms)
	}
	sortRun := func(run []uint32) {
		slices.SortStableFunc(run, func(a, b uint32) int { return rank(&s.entries[a]) - rank(&s.entries[b]) })
	}
	room = room[:0]
	sorted, before := true, 0
	for i := range s.entries {
		if s.entries[i].user == nobody {
			continue
		}
		room = append(room, uint32(i))
		at := rank(&s.entries[i])
		sorted, before = sorted && before <= at, at
	}
	switch {
	case sorted:
	case len(room) < manyRows:
		sortRun(room)
	default:
		var begin [1002]uint32 // by millisecond
		for _, i := range room {
			begin[s.entries[i].ms+1]++
		}
		for ms := range 1001 {
			begin[ms+1] += begin[ms]
		}
		for i := range s.entries {
			if e := &s.entries[i]; e.user != nobody {
				at := &begin[e.ms]
				room[*at] = uint32(i)
				*at++
			}
		}
		for ms, from := 0, uint32(0); byKind && ms < 1000; ms++ {
			sortRun(room[from:begin[ms]])
			from = begin[ms]
		}
	}
	return room
}

// nobody is the user of rows whose user is gone: rows of users are numbered from 0 on, in
// 24 bits, and there are fewer, and of places, too.
const nobody = 1<<32 - 1

// manyRows are worth a count by millisecond.
const manyRows = 256

// recentSlices is how many slices are found without a map.
const recentSlices = 8

// at is the slice of a second, a new one at first.
func (b *Book) at(second int64) *slice {
	recent := &b.recent[second&(recentSlices-1)]
	if *recent != nil && int64((*recent).second) == second {
		return *recent
	}
	s := b.slices[uint32(second)]
	if s == nil {
		s = &slice{}
		if last := len(b.spare) - 1; last >= 0 {
			s, b.spare = b.spare[last], b.spare[:last]
			b.room -= s.room()
		}
		s.second = uint32(second)
		b.slices[s.second] = s
		if second >= b.head {
			s.entries, s.tails = slices.Grow(s.entries, b.usual.entries), slices.Grow(s.tails, b.usual.tails)
			b.open.push(second)
		} else {
			s.closed = true
			b.closed.push(second)
		}
	}
	*recent = s
	return s
}

// usual is what a slice of late has had, and some more.
type usual struct{ entries, tails int }

func (s *slice) usual() usual {
	some := func(n int) int { return n + n/8 }
	return usual{some(len(s.entries)), some(len(s.tails))}
}

// Slices that are let go of are used again, as long as those that wait for it have
// little room.
const (
	spareSlices = 1024
	spareRoom   = 4 << 20
)

// room is the bytes that a slice has room for.
func (s *slice) room() int { return cap(s.entries)*RowBytes + cap(s.tails)*8 }

func (b *Book) letGo(s *slice) {
	if len(b.spare) < spareSlices && b.room+s.room() <= spareRoom {
		b.room += s.room()
		clear(s.joined)
		*s = slice{entries: s.entries[:0], tails: s.tails[:0], joined: s.joined[:0]}
		b.spare = append(b.spare, s)
	}
}
