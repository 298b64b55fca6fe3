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

	mu     sync.Mutex
	boxes  map[uint64]chan *users.Bundle // by number of the move
	rounds map[uint64]*round
}

// A round is what partitions share.
type round struct {
	all   []users.Ranks
	full  chan struct{} // closed once all is there
	taken int
}

func newExchange() *exchange {
	return &exchange{boxes: map[uint64]chan *users.Bundle{}, rounds: map[uint64]*round{}}
}

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
		e.wait(func() { b = <-box })
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.boxes, number)
	return b
}

// Share implements users.Exchange.
func (e *exchange) Share(number uint64, of int, own users.Ranks) []users.Ranks {
	e.mu.Lock()
	r := e.rounds[number]
	if r == nil {
		r = &round{full: make(chan struct{})}
		e.rounds[number] = r
	}
	r.all = append(r.all, own)
	last := len(r.all) == of
	e.mu.Unlock()
	if last {
		close(r.full)
	} else {
		e.wait(func() { <-r.full })
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.taken++; r.taken == of {
		delete(e.rounds, number)
	}
	return r.all
}

func (e *exchange) wait(wait func()) {
	if e.aside == nil {
		wait()
	} else {
		e.aside(wait)
	}
}
