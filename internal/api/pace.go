package api

import "time"

// A pace is the least speed of a transfer: in every span of ten seconds that it
// takes, that many bytes a second have to move. It is asked for the deadline of
// the next bytes and told how many moved.
type pace struct {
	rate  int64
	since time.Time
	moved int64
}

const paceSpan = 10 * time.Second

func newPace(rate int64) pace { return pace{rate: rate, since: time.Now()} }

// deadline is when the transfer is too slow, unless bytes move.
func (p *pace) deadline() time.Time {
	if p.moved >= p.rate*int64(paceSpan/time.Second) {
		p.since, p.moved = time.Now(), 0
	}
	return p.since.Add(paceSpan)
}
