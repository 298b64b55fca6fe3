// Package history holds blocks: what is kept of windows once they are sealed, and of
// who was active on a day.
//
// A block is a run of consecutive kept windows of one length and one set, or one
// business day, or rosters of one. A series has a point where its values changed;
// readers carry it forward inside the block. The engine fills an Open block as windows
// seal and hands it out when it is full; from then on it does not change.
package history

import (
	"slices"
	"sort"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/roster"
)

// A Block is a run of consecutive kept windows of one length and one set, or
// one business day.
type Block struct {
	BlockID
	First   int64 // Unix seconds of the first window's end
	Step    int64
	Count   int
	Columns []string
	Series  []Series
	Rosters []Roster
}

// A Roster is who was active on a block's day, with a label: the users in any of the
// shares, as partitions have them.
type Roster struct {
	Label  string // "" of all labels
	Shares []*roster.Set
}

// Users puts the shares together.
func (r *Roster) Users() *roster.Set {
	out := &roster.Set{}
	for _, share := range r.Shares {
		out.Join(share)
	}
	return out
}

// Roster is that of a label, nil if nobody was active with it.
func (b *Block) Roster(label string) *Roster {
	i := slices.IndexFunc(b.Rosters, func(r Roster) bool { return r.Label == label })
	if i < 0 {
		return nil
	}
	return &b.Rosters[i]
}

// A BlockID names a block: the kept windows of one set and one length whose
// ends lie from Index spans to before the next, or the business day Index.
type BlockID struct {
	Set    string
	Window kpi.Window
	Index  int64
}

// A Series is one label combination's points.
type Series struct {
	Labels []string
	Points []Point
}

// A Point is the columns of one window; nil Values end the series.
type Point struct {
	End    int64 // Unix seconds
	Values []int64
}

// blockSteps is how many windows of a length share a block.
const blockSteps = 120

// Span is the event time that a block of the length covers. Business days may
// be an hour off.
func Span(w kpi.Window) time.Duration {
	if w.IsDay() {
		return 24 * time.Hour
	}
	return blockSteps * w.Step()
}

// Index is the block of the window that ends at end: block i has the ends from
// i spans to before i + 1.
func Index(w kpi.Window, end int64) int64 {
	span := int64(Span(w) / time.Second)
	if end < 0 {
		end -= span - 1
	}
	return end / span
}

// End is the last end in the block, of a length.
func (id BlockID) End() int64 {
	return (id.Index+1)*int64(Span(id.Window)/time.Second) - int64(id.Window.Step()/time.Second)
}

// After is the first point that lies behind the window that ends at end: the one
// before it is in force there. It is looked for from a guess on.
func (s *Series) After(end int64, guess int) int {
	if guess < len(s.Points) && s.Points[guess].End <= end { // behind the guess
		guess++
		if guess < len(s.Points) && s.Points[guess].End <= end {
			rest := s.Points[guess:]
			guess += sort.Search(len(rest), func(i int) bool { return rest[i].End > end })
		}
		return guess
	}
	if guess > 0 && s.Points[guess-1].End > end {
		return sort.Search(guess, func(i int) bool { return s.Points[i].End > end })
	}
	return guess
}

// Column is the place of a column, -1 if the block has none of that name.
func (b *Block) Column(name string) int { return slices.Index(b.Columns, name) }

// Day is an empty block of the business day that ends at end.
func Day(set string, columns []string, day int32, end int64) *Block {
	return &Block{BlockID: BlockID{set, kpi.Day, int64(day)}, First: end, Step: 1, Count: 1, Columns: columns}
}

// Add gives a day's block a series.
func (b *Block) Add(labels []string, values []int64) {
	b.Series = append(b.Series, Series{labels, []Point{{b.First, values}}})
}
