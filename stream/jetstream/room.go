package jetstream

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/tidewatch/tidewatch/internal/space"
)

// ErrNoRoom says that the disk below the streams is as good as full. It passes
// when somebody makes room.
var ErrNoRoom = errors.New("no room on disk for the event stream")

// A room watches the free space of a disk, at most once in 100 ms.
type room struct {
	dir  string // "" when the disk is not ours
	min  int64
	next atomic.Int64
	full atomic.Pointer[error]
}

// check returns ErrNoRoom when the disk has less than the minimum.
func (r *room) check() error {
	if r.dir == "" || r.min < 0 {
		return nil
	}
	now, next := time.Now().UnixMilli(), r.next.Load()
	if now >= next && r.next.CompareAndSwap(next, now+100) {
		var full *error
		if free, err := space.Left(r.dir); err == nil && free < uint64(r.min) {
			full = new(error(&space.Shortage{Dir: r.dir, Free: free, Needed: uint64(r.min), For: ErrNoRoom}))
		}
		r.full.Store(full)
	}
	if full := r.full.Load(); full != nil {
		return *full
	}
	return nil
}
