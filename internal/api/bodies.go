package api

import (
	"errors"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// bodies bound the bytes of all requests with bodies that are under way. Room is
// taken as bytes arrive. When it is full, the slowest of the bodies that arrive
// makes way, if it is a slow one: a few that stand still keep nobody out.
type bodies struct {
	max      int64
	rate     int64 // the least, in bytes a second
	refusals refusals

	mu       sync.Mutex
	used     int64
	arriving map[*held]struct{}
}

// hurried is how many times the least rate a body must have to keep its place
// when there is no room.
const hurried = 16

func newBodies(l Limits, set *metrics.Set) *bodies {
	b := &bodies{max: l.Bodies, rate: l.BodyRate, refusals: newRefusals(set), arriving: make(map[*held]struct{})}
	set.GetOrCreateGauge("tidewatch_http_body_bytes", func() float64 {
		b.mu.Lock()
		defer b.mu.Unlock()
		return float64(b.used)
	})
	return b
}

// held is what one request takes.
type held struct {
	all   *bodies
	taken int64
	cut   func() // ends the body's arrival
	gone  bool   // it was cut

	// since and moved are of the last second, and rate of the one before it: -1
	// in the first. last is when bytes came.
	since time.Time
	moved int64
	rate  int64
	last  time.Time
}

func (b *bodies) hold(cut func()) *held {
	now := time.Now()
	h := &held{all: b, cut: cut, since: now, rate: -1, last: now}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.arriving[h] = struct{}{}
	return h
}

// arrived notes bytes of a body.
func (h *held) arrived(n int) {
	h.all.mu.Lock()
	defer h.all.mu.Unlock()
	h.last = time.Now()
	h.moved += int64(n)
	if took := h.last.Sub(h.since); took >= time.Second {
		h.rate, h.since, h.moved = h.moved*int64(time.Second)/int64(took), h.last, 0
	}
}

// pace is the speed of late; -1 when that is not known yet.
func (h *held) pace(now time.Time) int64 {
	if now.Sub(h.last) >= time.Second {
		return 0
	}
	return h.rate
}

// complete says that the body is in: it makes way for none any more.
func (h *held) complete() {
	h.all.mu.Lock()
	defer h.all.mu.Unlock()
	delete(h.all.arriving, h)
}

// madeWay reports whether it made way.
func (h *held) madeWay() bool {
	h.all.mu.Lock()
	defer h.all.mu.Unlock()
	return h.gone
}

// take takes more room; an error says why there is none.
func (h *held) take(n int64) error {
	b := h.all
	b.mu.Lock()
	defer b.mu.Unlock()
	for !h.gone && b.used+n > b.max {
		victim := b.slowest(h)
		if victim == nil {
			b.refusals[limitBodies].Inc()
			return RateLimited("the bodies of other requests fill %d MiB: send again a little later", b.max>>20)
		}
		victim.leave()
		victim.gone = true
		victim.cut()
	}
	if h.gone {
		return errSlow
	}
	h.taken += n
	b.used += n
	return nil
}

// slowest is the slow body that brings the least, but for h. The caller holds mu.
func (b *bodies) slowest(h *held) (victim *held) {
	now, least := time.Now(), hurried*b.rate
	for other := range b.arriving {
		if rate := other.pace(now); other != h && other.taken > 0 && rate >= 0 && rate < least {
			victim, least = other, rate
		}
	}
	return victim
}

// release gives all room back.
func (h *held) release() {
	h.all.mu.Lock()
	defer h.all.mu.Unlock()
	h.leave()
}

func (h *held) leave() {
	delete(h.all.arriving, h)
	h.all.used -= h.taken
	h.taken = 0
}

// errSlow says that the body made way.
var errSlow = errors.New("too slow")
