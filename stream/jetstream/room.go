package jetstream

import (
	"sync/atomic"
	"time"
)

// A room watches the free space of a disk, at most once in 100 ms.
type room struct {
	dir  string // "" when the disk is not ours
	min  int64
	next atomic.Int64
	low  atomic.Bool
}

// check returns ErrFull when the disk has less than the minimum.
func (r *room) check() error {
	if r.dir == "" || r.min < 0 {
		return nil
	}
	now, next := time.Now().UnixMilli(), r.next.Load()
	if now >= next && r.next.CompareAndSwap(next, now+100) {
		free, err := freeBytes(r.dir)
		r.low.Store(err == nil && free < r.min)
	}
	if r.low.Load() {
		return ErrFull
	}
	return nil
}
