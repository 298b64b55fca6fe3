package app

import (
	"context"
	"sync/atomic"
)

// flightBytes is what may be on its way through the pipeline, by weight: far more
// than its stages work on at a time. What is heavier goes alone.
const flightBytes = 32 << 20

// A flight is the bytes on their way. One goroutine adds to it.
type flight struct {
	bytes  atomic.Int64
	landed chan struct{}
}

func newFlight() *flight { return &flight{landed: make(chan struct{}, 1)} }

// add waits until there is room for so many bytes.
func (f *flight) add(ctx context.Context, n int64) error {
	for {
		if now := f.bytes.Load(); now == 0 || now+n <= flightBytes {
			f.bytes.Add(n)
			return nil
		}
		select {
		case <-f.landed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// done takes bytes off.
func (f *flight) done(n int64) {
	f.bytes.Add(-n)
	select {
	case f.landed <- struct{}{}:
	default:
	}
}
