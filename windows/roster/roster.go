// Package roster keeps who was active: sets of users by number.
//
// A user's number follows from where the row stands: row << 8 | shard. Rows are given
// out one behind the other in each shard, so numbers are dense, and they are the same
// at any number of partitions and after any restart. A rebuild gives them out anew.
package roster

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/tidewatch/tidewatch/internal/codec"
)

// Days is for how many days that are over rosters are kept. A number may become another
// user's once the first day that is not sealed is more than that behind the last one on
// which its user was active.
const Days = 400

// UserBytes is what a user takes in a set, at most: the lower half of a number, unless that
// is a bit among others.
const UserBytes = 2

// number is that of the user with a ref, shard << 24 | row.
func number(ref uint32) uint32 { return bits.RotateLeft32(ref, 8) }

// A Set is users, by ref. The zero value is empty.
type Set struct{ numbers roaring.Bitmap }

// Add puts a user into the set, and reports whether there was none.
func (s *Set) Add(ref uint32) bool { return s.numbers.CheckedAdd(number(ref)) }

// Has reports whether a user is in the set.
func (s *Set) Has(ref uint32) bool { return s.numbers.Contains(number(ref)) }

// Len is how many users there are.
func (s *Set) Len() int { return int(s.numbers.GetCardinality()) }

// Join puts the users of another set into this one.
func (s *Set) Join(other *Set) { s.numbers.Or(&other.numbers) }

// Without is how many users are not in another set.
func (s *Set) Without(other *Set) int {
	return s.Len() - int(s.numbers.AndCardinality(&other.numbers))
}

// Clone is a copy that can go its own way.
func (s *Set) Clone() *Set { return &Set{*s.numbers.Clone()} }

// Pack has the set take less room where neighbours are in it, once it is complete, but
// not by many short runs: what checks and joins them takes much longer.
func (s *Set) Pack() {
	packed := s.numbers.Clone()
	packed.RunOptimize()
	if stats := packed.Stats(); stats.RunContainerBytes <= maxRunBytes*stats.RunContainers {
		s.numbers = *packed
	}
}

// maxRunBytes is how much runs take at most of the 8 KiB that their users would as bits.
const maxRunBytes = 1 << 10

// Append writes the set: uvarint length, a Roaring bitmap in the portable format.
func (s *Set) Append(b []byte) []byte {
	data, _ := s.numbers.ToBytes() // into memory
	return append(binary.AppendUvarint(b, uint64(len(data))), data...)
}

// Read reads what Append wrote. The set goes on using the reader's bytes.
func Read(r *codec.Reader) (*Set, error) {
	s, data := &Set{}, r.Bytes(r.Uvarint())
	if r.Err() != nil {
		return nil, fmt.Errorf("read roster: %w", r.Err())
	}
	n, err := s.numbers.FromBuffer(data)
	if err == nil {
		err = s.numbers.Validate()
	}
	if err != nil {
		return nil, fmt.Errorf("read roster: %w", err)
	}
	if int(n) != len(data) {
		return nil, fmt.Errorf("read roster: %d bytes are left", len(data)-int(n))
	}
	return s, nil
}

// A Merge says that who had one ref turned out to be another user: what rosters tell of
// the one is the other's, whenever it was.
type Merge struct {
	From, Into uint32
	// Last is the last day of which a roster has From.
	Last int32
}

// Needed reports whether a roster that is kept on a day may have From.
func (m Merge) Needed(today int32) bool { return today <= m.Last+Days }

// Resolve puts those who turned out to be others in their places.
func (s *Set) Resolve(merges []Merge) {
	for _, m := range merges {
		if from := number(m.From); s.numbers.Contains(from) {
			s.numbers.Remove(from)
			s.Add(m.Into)
		}
	}
}
