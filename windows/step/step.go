package step

import "github.com/tidewatch/tidewatch/windows/roster"

// A Step is what a partition has to say about one crossing: the slices that
// close by it, and what came late since the crossing before.
type Step struct {
	Watermark int64    // ms
	Slices    []*Slice // ascending
	Deltas    []Delta
	Rosters   []Roster // of days that are sealed by it
}

// A Roster is those of the partition's users who were active on a day, with a label of
// a user set.
type Roster struct {
	Day           int32
	Target, Group int32
	Users         *roster.Set
}

// A Slice holds what one partition adds up for one slice: a table for each sum
// set. It is written row by row until the slice closes; one for a slice that is
// closed already holds a correction.
type Slice struct {
	Second int64
	Sets   []Table
}

// NewSlice returns an empty slice for so many sum sets.
func NewSlice(sets int) *Slice { return &Slice{Sets: make([]Table, sets)} }

// Reset empties the slice for another second.
func (s *Slice) Reset(second int64) {
	s.Second = second
	for i := range s.Sets {
		s.Sets[i].reset()
	}
}

// Wide reports whether the slice has room for many groups.
func (s *Slice) Wide() bool {
	n := 0
	for i := range s.Sets {
		n += cap(s.Sets[i].Keys)
	}
	return n > 4*fewGroups*len(s.Sets)
}

// Clone is a copy that later rows do not change.
func (s *Slice) Clone() *Slice {
	out := &Slice{Second: s.Second, Sets: make([]Table, len(s.Sets))}
	for i := range s.Sets {
		out.Sets[i] = s.Sets[i].clone()
	}
	return out
}

// A Delta adds N to a column of a group from a head on.
type Delta struct {
	// Head is the first head at which it counts.
	Head   int64
	N      int64
	Target int32
	Column int32
	// Group is the label's number in a set of users.
	Group int32
}
