package app

import (
	"sync"

	"github.com/tidewatch/tidewatch/windows/users"
)

// An exchange is where partitions that are at work side by side hand users over.
type exchange struct {
	// aside is called with what waits, for whoever has to let others work meanwhile. By
	// default it waits on the spot.
	aside func(wait func())

	mu    sync.Mutex
	boxes map[uint64]chan *users.Bundle // by number of the move
}

func newExchange() *exchange { return &exchange{boxes: map[uint64]chan *users.Bundle{}} }

func (e *exchange) box(number uint64) chan *users.Bundle {
	e.mu.Lock()
	defer e.mu.Unlock()
	box := e.boxes[number]
	if box == nil {
		box = make(chan *users.Bundle, 1)
		e.boxes[number] = box
	}
	return box
}

// Put implements users.Exchange.
func (e *exchange) Put(number uint64, b *users.Bundle) { e.box(number) <- b }

// Take implements users.Exchange.
func (e *exchange) Take(number uint64) *users.Bundle {
	box := e.box(number)
	var b *users.Bundle
	select {
	case b = <-box:
	default:
		wait := func() { b = <-box }
		if e.aside == nil {
			wait()
		} else {
			e.aside(wait)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.boxes, number)
	return b
}
