package app

import (
	"time"

	"github.com/rs/zerolog"
)

// reassignments warns of anonymous ids that became another user's, at most once in
// warnedEvery: of all since.
type reassignments struct {
	told uint64
	next time.Time
}

const warnedEvery = time.Minute

// follow takes in how many there were, by a clock.
func (r *reassignments) follow(n uint64, now time.Time, log *zerolog.Logger) {
	if n == r.told || now.Before(r.next) {
		return
	}
	log.Warn().Uint64("anonymous_ids", n-r.told).Msg("anonymous ids of one user became another's, which get what they do from there on: devices that people share, or a fault in what sends identify")
	r.told, r.next = n, now.Add(warnedEvery)
}
