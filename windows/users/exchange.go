package users

import (
	"sync"

	"github.com/tidewatch/tidewatch/windows/carry"
	"github.com/tidewatch/tidewatch/windows/journey"
)

// An Exchange is where partitions hand over what is known of users who turn out to be
// others. Each goes through the moves in their order and waits for nothing but moves
// before the one that it waits for: so none waits for ever, as long as all are at work.
type Exchange struct {
	// Aside is called with what waits, for whoever has to make room for others meanwhile.
	// By default it waits on the spot.
	Aside func(wait func())

	mu    sync.Mutex
	boxes map[uint64]chan *bundle // by number of the move
}

// NewExchange returns one without anything in it.
func NewExchange() *Exchange { return &Exchange{boxes: map[uint64]chan *bundle{}} }

func (e *Exchange) box(number uint64) chan *bundle {
	e.mu.Lock()
	defer e.mu.Unlock()
	box := e.boxes[number]
	if box == nil {
		box = make(chan *bundle, 1)
		e.boxes[number] = box
	}
	return box
}

// put hands over what one other partition takes.
func (e *Exchange) put(number uint64, b *bundle) { e.box(number) <- b }

// take waits for what is handed over.
func (e *Exchange) take(number uint64) *bundle {
	box := e.box(number)
	var b *bundle
	select {
	case b = <-box:
	default:
		wait := func() { b = <-box }
		if e.Aside == nil {
			wait()
		} else {
			e.Aside(wait)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.boxes, number)
	return b
}

// A bundle is what is known of a user, with texts in place of their numbers: these
// differ between partitions.
type bundle struct {
	days     activeDays
	origin   origin
	texts    []carry.Text // of the origin
	journeys []followed   // by operator
}

// followed is what an operator follows of a user: items, and rows that are not closed.
type followed struct {
	items     []journey.Item
	itemTexts [][]carry.Text
	rows      []journey.Row
	rowTexts  [][]carry.Text
}
