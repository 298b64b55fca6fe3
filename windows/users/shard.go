package users

import "github.com/tidewatch/tidewatch/internal/hashmap"

// Shards is the number of fixed hash classes of users.
const Shards = 256

// ShardOf is the shard of a user's hash.
func ShardOf(user uint64) int { return int(user >> 56) }

// A shard holds the users of one hash class: a row each, found through an open
// hash table of row numbers that carry eight bits of the hash.
//
// A row is words of 32 bits:
//
//	0, 1  hash of the user
//	2, 3  newest unsealed entry: its slice, its place there
//	4, 5  activity bits: bit i is set if the user was active i days before the
//	      last active day
//	6     last active day, first active day (16 bits each, days since 1970)
//	7...  by track the newest active slice, for a keyed track with its label
//	      (code + 1) before it
//
// Words 4 to 6 follow closed slices, the others every counted event.
type shard struct {
	table []uint32 // tag<<24 | row + 1
	rows  [][]uint32
	n     int
	// over holds the newest slice of labels that are not in the row.
	over hashmap.Map // by overKey
}

// An overKey is a row (24 bits), a track (8 bits) and a label's code + 1.
type overKey uint64

func overOf(row uint32, track int, code uint32) uint64 {
	return uint64(row&0xffffff)<<40 | uint64(track)<<32 | uint64(code)
}

func (k overKey) row() uint32  { return uint32(k >> 40) }
func (k overKey) track() int   { return int(k >> 32 & 0xff) }
func (k overKey) code() uint32 { return uint32(k) }

const (
	wordHead   = 2
	wordBits   = 4
	wordDays   = 6
	wordTracks = 7
	dayWords   = wordTracks - wordBits
	blockRows  = 1024
)

func (s *shard) row(r uint32, width int) []uint32 {
	at := int(r%blockRows) * width
	return s.rows[r/blockRows][at : at+width : at+width]
}

func rowHash(w []uint32) uint64 { return uint64(w[0]) | uint64(w[1])<<32 }

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
func (s *shard) find(hash uint64, width int) (r uint32, fresh bool) {
	if 4*(s.n+1) > 3*len(s.table) {
		s.grow(width)
	}
	mask := uint64(len(s.table) - 1)
	tag := uint32(hash>>48) << 24
	i := hash & mask
	for ; s.table[i] != 0; i = (i + 1) & mask {
		if e := s.table[i]; e&0xff000000 == tag {
			if r := e&0xffffff - 1; rowHash(s.row(r, width)) == hash {
				return r, false
			}
		}
	}
	s.table[i] = tag | uint32(s.n+1)
	return s.push(hash, width), true
}

func (s *shard) push(hash uint64, width int) uint32 {
	r := uint32(s.n)
	if int(r)%blockRows == 0 {
		s.rows = append(s.rows, make([]uint32, blockRows*width))
	}
	s.n++
	w := s.row(r, width)
	w[0], w[1] = uint32(hash), uint32(hash>>32)
	return r
}

func (s *shard) grow(width int) {
	s.table = make([]uint32, max(64, 2*len(s.table)))
	mask := uint64(len(s.table) - 1)
	for r := range uint32(s.n) {
		hash := rowHash(s.row(r, width))
		i := hash & mask
		for s.table[i] != 0 {
			i = (i + 1) & mask
		}
		s.table[i] = uint32(hash>>48)<<24 | (r + 1)
	}
}
