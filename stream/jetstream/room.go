package jetstream

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
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
		if free, err := freeBytes(r.dir); err == nil && free < r.min {
			full = new(error(&shortage{r.dir, uint64(free), uint64(r.min)}))
		}
		r.full.Store(full)
	}
	if full := r.full.Load(); full != nil {
		return *full
	}
	return nil
}

// A shortage is ErrNoRoom, with how many bytes are free and needed.
type shortage struct {
	dir          string
	free, needed uint64
}

func (s *shortage) Error() string {
	return fmt.Sprintf("%v: %d MiB free at %s, %d MiB needed: make room", ErrNoRoom, s.free>>20, s.dir, s.needed>>20)
}

func (s *shortage) Unwrap() error { return ErrNoRoom }

// Room is where there is how much, and how much is needed.
func (s *shortage) Room() (dir string, free, needed uint64) { return s.dir, s.free, s.needed }
