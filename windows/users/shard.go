package users

import (
	"iter"

	"github.com/tidewatch/tidewatch/internal/hashmap"
	"github.com/tidewatch/tidewatch/windows/roster"
)

// Shards is the number of fixed hash classes of users.
const Shards = 256

// ShardOf is the shard of a user's hash.
func ShardOf(user uint64) int { return int(user >> 56) }

// A shard holds the users of one hash class: a row each, found through an open
// hash table of row numbers that carry eight bits of the hash. It is no hashmap.Map,
// which would take 12 bytes a slot more for hashes that the rows have.
type shard struct {
	table []uint32 // tag<<24 | row + 1
	rows  []*[blockRows]row
	n     int
	gone  int      // rows of which all that was known is elsewhere, or nowhere
	free  []uint32 // nobody's rows that are used again
	// small are the members of each audience but the first, found by row.
	small   []members
	origins []*[blockRows]origin // as the rows, where they are kept
	names   names                // where facts are
	// identities are the anonymous ids of users who have any, by row.
	identities map[uint32][]string
	signals    map[uint32]keptSignals // by row, where there is anything
	merges     []roster.Merge         // into its users, as they came
	heirs      heirs
	holdout    holdout
	// over holds the newest slice of labels that are not the member's newest.
	over hashmap.Map // by overKey
}

// A row is what is kept of each user.
type row struct {
	hash uint64
	// The active days follow closed slices: bit i of activity is set if the user was
	// active i days before the last active day. Days count from 1970 on.
	activity uint64
	last     uint16
	first    uint16
	member   // of the first audience
}

// A member is what is kept of a user by an audience. It follows every counted
// event.
type member struct {
	newest uint32 // the newest active slice, 0 for none
	labels uint32 // the combination seen there; 0: over has them
	entry  uint32 // place of the newest entry; stale where that is sealed
}

// members are those of a small audience in a shard.
type members struct {
	places hashmap.Map // by row
	list   []member
	free   []uint32 // places in the list
}

// An overKey is a row (24 bits), a track (8 bits) and a label's code + 1.
type overKey uint64

func overOf(row uint32, track int, code uint32) uint64 {
	return uint64(row&0xffffff)<<40 | uint64(track)<<32 | uint64(code)
}

func (k overKey) row() uint32  { return uint32(k >> 40) }
func (k overKey) track() int   { return int(k >> 32 & 0xff) }
func (k overKey) code() uint32 { return uint32(k) }

const blockRows = 256

func newShard(audiences int) *shard { return &shard{small: make([]members, max(audiences-1, 0))} }

func (s *shard) row(r uint32) *row { return &s.rows[r/blockRows][r%blockRows] }

// member is the user in an audience, a new one at the first sight.
func (s *shard) member(audience int, r uint32) *member {
	if audience == 0 {
		return &s.row(r).member
	}
	small := &s.small[audience-1]
	at, ok := small.places.Get(uint64(r))
	if !ok {
		if last := len(small.free) - 1; last >= 0 {
			at, small.free = small.free[last], small.free[:last]
		} else {
			at = uint32(len(small.list))
			small.list = append(small.list, member{})
		}
		small.places.Set(uint64(r), at)
	}
	return &small.list[at]
}

// memberIn is the user in an audience, nil if the user was never.
func (s *shard) memberIn(audience int, r uint32) *member {
	if audience > 0 {
		small := &s.small[audience-1]
		at, is := small.places.Get(uint64(r))
		if !is {
			return nil
		}
		return &small.list[at]
	}
	return &s.row(r).member
}

// drop forgets a member.
func (m *members) drop(r uint32) {
	at, is := m.places.Get(uint64(r))
	if !is {
		return
	}
	m.places.Delete(uint64(r))
	m.list[at] = member{}
	m.free = append(m.free, at)
}

// members are those of an audience, by row.
func (s *shard) members(audience int) iter.Seq2[uint32, *member] {
	return func(yield func(uint32, *member) bool) {
		if audience == 0 {
			for r := range uint32(s.n) {
				if m := &s.row(r).member; m.newest != 0 && !yield(r, m) {
					return
				}
			}
			return
		}
		small := &s.small[audience-1]
		for r, at := range small.places.All() {
			if m := &small.list[at]; m.newest != 0 && !yield(uint32(r), m) {
				return
			}
		}
	}
}

// probe is the row + 1 that is likely the user's, 0 if none is.
func (s *shard) probe(hash uint64) uint32 {
	if len(s.table) == 0 {
		return 0
	}
	mask := uint64(len(s.table) - 1)
	tag := uint32(hash>>48) << 24
	for i := hash & mask; ; i = (i + 1) & mask {
		if e := s.table[i]; e == 0 || e&0xff000000 == tag {
			return e & 0xffffff
		}
	}
}

// find is the row of the user, a new one at the first sight.
func (s *shard) find(hash uint64) (r uint32, fresh bool) {
	if 4*(s.n+1) > 3*len(s.table) {
		s.grow()
	}
	slot, known := s.slot(hash)
	if known {
		return s.table[slot]&0xffffff - 1, false
	}
	if last := len(s.free) - 1; last >= 0 {
		r, s.free = s.free[last], s.free[:last]
		s.occupy(r, hash)
	} else {
		r = s.push(hash)
	}
	s.table[slot] = uint32(hash>>48)<<24 | (r + 1)
	return r, true
}

// place gives a user the row that it was written to have, the next one or nobody's.
func (s *shard) place(r uint32, hash uint64) bool {
	if 4*(s.n+1) > 3*len(s.table) {
		s.grow()
	}
	slot, known := s.slot(hash)
	switch {
	case known:
		return s.table[slot]&0xffffff-1 == r
	case r == uint32(s.n):
		s.push(hash)
	case r < uint32(s.n) && s.row(r).hash == 0:
		s.occupy(r, hash)
	default:
		return false
	}
	s.table[slot] = uint32(hash>>48)<<24 | (r + 1)
	return true
}

// occupy gives a user a row that was nobody's.
func (s *shard) occupy(r uint32, hash uint64) {
	*s.row(r) = row{hash: hash}
	s.gone--
}

// release has a row be nobody's since a day.
func (s *shard) release(r uint32, day int32) {
	row := s.row(r)
	if row.hash == 0 {
		return
	}
	s.unlink(row.hash)
	row.hash = 0
	if !row.isElsewhere() {
		s.gone++
	}
	row.activity, row.last, row.first = 0, uint16(day), elsewhere
}

// resume goes on with the rows and names that were loaded.
func (s *shard) resume() {
	s.free = s.free[:0]
	for r := range uint32(s.n) {
		if s.row(r).isFree() {
			s.free = append(s.free, r)
		}
	}
	s.names.turn()
	s.names.turn()
}

// unlink takes a user out of the table.
func (s *shard) unlink(hash uint64) {
	i, known := s.slot(hash)
	if !known {
		return
	}
	mask := uint64(len(s.table) - 1)
	// What was displaced over the gap moves into it.
	for j := (i + 1) & mask; s.table[j] != 0; j = (j + 1) & mask {
		if home := s.row(s.table[j]&0xffffff-1).hash & mask; (j-home)&mask >= (j-i)&mask {
			s.table[i] = s.table[j]
			i = j
		}
	}
	s.table[i] = 0
}

// lookUp is the row of the user, if there is one.
func (s *shard) lookUp(hash uint64) (r uint32, ok bool) {
	if len(s.table) == 0 {
		return 0, false
	}
	slot, known := s.slot(hash)
	return s.table[slot]&0xffffff - 1, known
}

// slot is the user's in the table, or the one that waits for the user.
func (s *shard) slot(hash uint64) (i uint64, known bool) {
	mask := uint64(len(s.table) - 1)
	tag := uint32(hash>>48) << 24
	for i = hash & mask; s.table[i] != 0; i = (i + 1) & mask {
		if e := s.table[i]; e&0xff000000 == tag && s.row(e&0xffffff-1).hash == hash {
			return i, true
		}
	}
	return i, false
}

func (s *shard) push(hash uint64) uint32 {
	r := uint32(s.n)
	if int(r)%blockRows == 0 {
		s.rows = append(s.rows, new([blockRows]row))
	}
	s.n++
	s.row(r).hash = hash
	return r
}

func (s *shard) grow() {
	s.table = make([]uint32, max(64, 2*len(s.table)))
	mask := uint64(len(s.table) - 1)
	for r := range uint32(s.n) {
		hash := s.row(r).hash
		if hash == 0 {
			continue
		}
		i := hash & mask
		for s.table[i] != 0 {
			i = (i + 1) & mask
		}
		s.table[i] = uint32(hash>>48)<<24 | (r + 1)
	}
}
