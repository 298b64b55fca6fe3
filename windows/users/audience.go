package users

import (
	"slices"

	"github.com/tidewatch/tidewatch/windows/plan"
)

// A track is a set of distinct users as members and entries keep it.
type track struct {
	plan    *plan.Users
	number  int // among all tracks
	target  int32
	fresh   int32 // the column of the days' users
	keyed   int   // place in the combinations, -1 for a total
	days    bool  // its active days are kept
	daily   bool  // it is known who they were, of days that are not sealed
	longest int64
	lengths []trackLength
}

// A trackLength is where a length of a track is counted.
type trackLength struct {
	of    int // place among the audience's lengths
	panes int // where they begin in a ring
}

// An audience keeps what its members do: those who pass one filter. All of its
// tracks take note of the same activities.
type audience struct {
	tracks  []track
	lengths []plan.Length // of all tracks, each once
	slots   []int         // by keyed track, of the batch's codes
	labels  combinations
	days    bool // its active days are kept
	traced  bool // where its members were seen first is kept
	entries

	codes, before, after []uint32 // room for one activity
}

func newAudience(p *plan.Plan, a plan.Audience) *audience {
	out := &audience{entries: entries{slices: map[uint32]*slice{}}}
	for _, i := range a.Sets {
		u := p.Users[i]
		t := track{plan: u, number: i, target: int32(p.UsersTarget(i)), fresh: int32(len(u.Lengths)), keyed: -1, days: p.Days != nil && i == p.Days.Users, daily: u.Daily()}
		if u.Slot >= 0 {
			t.keyed = len(out.slots)
			out.slots = append(out.slots, u.Slot)
		}
		panes := 0
		for _, l := range u.Lengths {
			t.lengths = append(t.lengths, trackLength{out.length(l), panes})
			panes += panesOf(l)
			t.longest = max(t.longest, l.Seconds)
		}
		out.tracks = append(out.tracks, t)
	}
	out.labels = newCombinations(len(out.slots))
	out.codes = make([]uint32, len(out.slots))
	out.before, out.after = make([]uint32, len(out.tracks)), make([]uint32, len(out.tracks))
	return out
}

// length is the place of a length among the audience's.
func (a *audience) length(l plan.Length) int {
	for i := range a.lengths {
		if a.lengths[i] == l {
			return i
		}
	}
	a.lengths = append(a.lengths, l)
	return len(a.lengths) - 1
}

// code is that of an entry's or member's label in a track + 1, 0 for a total.
func (a *audience) code(labels uint32, t *track) uint32 {
	if t.keyed < 0 {
		return 0
	}
	return a.labels.of(labels)[t.keyed]
}

// group is the number of an entry's or member's label in a track, 0 for a total.
func (a *audience) group(labels uint32, t *track) uint32 {
	if t.keyed < 0 {
		return 0
	}
	return a.labels.of(labels)[t.keyed] - 1
}

// labelsOf is the combination of a row of the batch.
func (a *audience) labelsOf(m *member, codes [][]uint32, row int) uint32 {
	known, same := a.labels.of(m.labels), m.labels != 0
	for k, slot := range a.slots {
		a.codes[k] = codes[slot][row] + 1
		same = same && known[k] == a.codes[k]
	}
	if same {
		return m.labels
	}
	return a.labels.number(a.codes)
}

// combination is the number of the codes. Most often it is what the member has.
func (a *audience) combination(m *member, codes []uint32) uint32 {
	if m.labels != 0 && slices.Equal(a.labels.of(m.labels), codes) {
		return m.labels
	}
	return a.labels.number(codes)
}
