package users

import "math/bits"

// An entry is an activity of a member in a slice that is not sealed. The entries
// of a member are chained from newer to older ones.
type entry struct {
	ref    uint32 // the user's shard and row
	older  uint32 // place of the member's next older entry; stale where that is sealed
	labels uint32 // a combination
	// back is how many seconds before it the member was active with each of the
	// labels, 0 if never. Where these differ, or some do not count since they were
	// seen in this slice before, it is apart | where the slice's details of it begin.
	back uint32
}

const apart = 1 << 31

// A place says where an entry is: it is its chunk's number and its place there.
// 0 is none.
const (
	chunkEntries = 16
	blockEntries = 1024
	blockChunks  = blockEntries / chunkEntries
	spareBlocks  = 64
)

// entries are those of an audience, by slice. Slices take them by chunks from
// blocks that they share, and give these back when they are sealed: the room
// follows what is in it.
type entries struct {
	blocks []*[blockEntries]entry // nil: let go
	free   []uint64               // by block: its chunks that no slice has, a bit each
	roomy  []uint32               // blocks with such
	spare  []*[blockEntries]entry
	chunks []chunkOwner // by number

	slices map[uint32]*slice // by second
	recent [recentSlices]*slice
	spares []*slice // to be used again
	sealed uint32   // slices before it are sealed
}

// A chunkOwner is the slice that has a chunk, 0 for none, and as which of its own.
type chunkOwner struct{ second, ordinal uint32 }

// A slice is what of the entries belongs to a second.
type slice struct {
	second   uint32
	audience int
	n        int
	chunks   []uint32 // places of their first entries
	// details are, by track of the audience, the slices before of entries whose back
	// is apart: 0 for none, the slice itself where the track does not count it.
	details []uint32

	saved int      // entries that a checkpoint has
	again []uint32 // places of those that changed since
	// unsaved is set while the slice is on the journal's list, sealed when it was
	// sealed before that.
	unsaved, sealed bool
}

// at is the entry at a place.
func (es *entries) at(place uint32) *entry {
	return &es.blocks[place/blockEntries][place%blockEntries]
}

// second is that of the slice which has the place.
func (es *entries) second(place uint32) uint32 { return es.chunks[place/chunkEntries].second }

// holds reports whether the place is that of an unsealed entry of the user, not
// newer than a slice: what is sealed is still linked to from the oldest, and its
// room may be another's.
func (es *entries) holds(place, ref, newest uint32) bool {
	if place == 0 {
		return false
	}
	second := es.second(place)
	return second >= es.sealed && second != 0 && second <= newest && es.at(place).ref == ref
}

// slice is that of a second, nil if it has no entries.
func (es *entries) slice(second uint32) *slice {
	recent := &es.recent[second%recentSlices]
	if *recent == nil || (*recent).second != second {
		if s := es.slices[second]; s != nil {
			*recent = s
		} else {
			return nil
		}
	}
	return *recent
}

// begin makes a slice for the entries of a second.
func (es *entries) begin(second uint32, audience int) *slice {
	s := &slice{}
	if n := len(es.spares); n > 0 {
		s, es.spares = es.spares[n-1], es.spares[:n-1]
	}
	s.second, s.audience = second, audience
	es.slices[second] = s
	return s
}

// add makes room for an entry more.
func (es *entries) add(s *slice) (place uint32, e *entry) {
	k := uint32(s.n % chunkEntries)
	if k == 0 {
		s.chunks = append(s.chunks, es.chunk(chunkOwner{s.second, uint32(len(s.chunks))}))
	}
	s.n++
	place = s.chunks[len(s.chunks)-1] + k
	return place, es.at(place)
}

// chunk is the place of the first entry of a chunk that nobody had.
func (es *entries) chunk(owner chunkOwner) uint32 {
	if len(es.roomy) == 0 {
		es.roomy = append(es.roomy, uint32(len(es.blocks)))
		es.blocks, es.free = append(es.blocks, nil), append(es.free, ^uint64(0))
		es.chunks = append(es.chunks, make([]chunkOwner, blockChunks)...)
		if len(es.blocks) == 1 {
			es.free[0] &^= 1 // place 0 is none
		}
	}
	last := len(es.roomy) - 1
	block := es.roomy[last]
	if es.blocks[block] == nil {
		es.blocks[block] = es.room()
	}
	i := uint32(bits.TrailingZeros64(es.free[block]))
	if es.free[block] &^= 1 << i; es.free[block] == 0 {
		es.roomy = es.roomy[:last]
	}
	es.chunks[block*blockChunks+i] = owner
	place := block*blockEntries + i*chunkEntries
	for k := range uint32(chunkEntries) { // stale links lead here
		es.at(place + k).ref = nobody
	}
	return place
}

// nobody is no user's ref: rows are numbered from 1 on, in 24 bits, where they are
// looked up.
const nobody = 1<<32 - 1

func (es *entries) room() *[blockEntries]entry {
	if n := len(es.spare); n > 0 {
		b := es.spare[n-1]
		es.spare = es.spare[:n-1]
		return b
	}
	return new([blockEntries]entry)
}

// release gives the chunks of a slice back.
func (es *entries) release(s *slice) {
	for _, place := range s.chunks {
		block, i := place/blockEntries, place/chunkEntries%blockChunks
		es.chunks[place/chunkEntries] = chunkOwner{}
		if es.free[block] == 0 {
			es.roomy = append(es.roomy, block)
		}
		if es.free[block] |= 1 << i; es.free[block] == ^uint64(0) {
			if len(es.spare) < spareBlocks {
				es.spare = append(es.spare, es.blocks[block])
			}
			es.blocks[block] = nil
		}
	}
	*s = slice{chunks: s.chunks[:0], details: s.details[:0], again: s.again[:0]}
	if len(es.spares) < 8 {
		es.spares = append(es.spares, s)
	}
}

// nth is an entry of the slice.
func (es *entries) nth(s *slice, n int) *entry {
	return es.at(s.chunks[n/chunkEntries] + uint32(n%chunkEntries))
}

// some are the entries in a chunk of the slice.
func (es *entries) some(s *slice, chunk int) []entry {
	place := s.chunks[chunk]
	begin := place % blockEntries
	return es.blocks[place/blockEntries][begin : begin+uint32(min(chunkEntries, s.n-chunk*chunkEntries))]
}

// saved reports whether a checkpoint has the entry at a place of the slice.
func (es *entries) saved(s *slice, place uint32) bool {
	return int(es.chunks[place/chunkEntries].ordinal*chunkEntries+place%chunkEntries) < s.saved
}

// detail are the slices before of an entry, by track of the audience; nil where
// they are one.
func (s *slice) detail(e *entry, tracks int) []uint32 {
	if e.back&apart == 0 {
		return nil
	}
	return s.details[e.back&^apart:][:tracks]
}

// before is the slice before in all tracks of an entry that has no detail.
func (s *slice) before(e *entry) uint32 {
	if e.back == 0 {
		return 0
	}
	return s.second - e.back
}

// back is how far before is before the slice, 0 if there is none within 68 years.
func (s *slice) back(before uint32) uint32 {
	if before == 0 || s.second-before >= apart {
		return 0
	}
	return s.second - before
}
