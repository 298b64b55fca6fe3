package api

import (
	"context"
	"slices"
	"sync"
	"time"
)

// A room bounds the bytes that answers take together. Who finds it full waits
// in a row; a small answer passes large ones that do not fit yet.
type room struct {
	max int64

	mu      sync.Mutex
	used    int64
	waiting []*waiter
}

type waiter struct {
	size  int64
	ready chan struct{}
}

// roomPatience is how long an answer waits for its room.
const roomPatience = 5 * time.Second

// large is the size from which an answer leaves the rest of the room to smaller
// ones.
func (r *room) large() int64 { return r.max / 16 }

// fits reports whether there is room. The caller holds mu.
func (r *room) fits(size int64) bool {
	most := r.max
	if size > r.large() {
		most -= r.large()
	}
	return r.used+size <= most
}

// take waits for room and reports whether there was some in time.
func (r *room) take(ctx context.Context, size int64) bool {
	r.mu.Lock()
	if r.fits(size) {
		r.used += size
		r.mu.Unlock()
		return true
	}
	w := &waiter{size, make(chan struct{})}
	r.waiting = append(r.waiting, w)
	r.mu.Unlock()

	patience := time.NewTimer(roomPatience)
	defer patience.Stop()
	select {
	case <-w.ready:
		return true
	case <-patience.C:
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.Index(r.waiting, w)
	if i < 0 { // it came at the last moment
		return true
	}
	r.waiting = slices.Delete(r.waiting, i, i+1)
	return false
}

// give returns bytes; a negative number takes more without asking.
func (r *room) give(size int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used -= size
	r.waiting = slices.DeleteFunc(r.waiting, func(w *waiter) bool {
		if !r.fits(w.size) {
			return false
		}
		r.used += w.size
		close(w.ready)
		return true
	})
}
