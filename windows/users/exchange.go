package users

import (
	"github.com/tidewatch/tidewatch/windows/carry"
	"github.com/tidewatch/tidewatch/windows/journey"
)

// An Exchange is where partitions hand over what is known of users who turn out to be
// others, by the numbers of the moves. Each partition goes through the moves in their
// order, and waits for nothing but moves before those that it is waited for by: so none
// waits for ever, as long as all are at work.
type Exchange interface {
	// Put hands over what one other partition takes.
	Put(number uint64, b *Bundle)
	// Take waits for what is handed over.
	Take(number uint64) *Bundle
	// Share waits for what each of so many partitions has to say in a round, and answers all
	// of it.
	Share(round uint64, of int, own Ranks) []Ranks
}

// Ranks are how a partition's customers stand as a day begins.
type Ranks = journey.Ranks

// alone is the exchange of a partition that has all users.
type alone map[uint64]*Bundle

// Put implements Exchange.
func (a alone) Put(number uint64, b *Bundle) { a[number] = b }

// Take implements Exchange.
func (a alone) Take(number uint64) *Bundle {
	b := a[number]
	delete(a, number)
	return b
}

// Share implements Exchange.
func (a alone) Share(_ uint64, _ int, own Ranks) []Ranks { return []Ranks{own} }

// A Bundle is what is known of a user, with texts in place of their numbers: these
// differ between partitions.
type Bundle struct {
	ref       uint32 // the user's
	attended  map[attendance]int64
	days      activeDays
	origin    origin
	texts     []carry.Text   // of the origin
	sent      []sent         // that brought nobody back
	sentTexts [][]carry.Text // by each of these, its origin's
	journeys  []followed     // by operator
}

// followed is what an operator follows of a user: items, and rows that are not closed.
type followed struct {
	items     []journey.Item
	itemTexts [][]carry.Text
	rows      []journey.Row
	rowTexts  [][]carry.Text
}
