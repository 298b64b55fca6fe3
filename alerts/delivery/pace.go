package delivery

import "time"

// A pace keeps within limits: in any span of time no more than burst messages go out, and
// one more for each every that it lasts. A message counts from its end on, when it has
// surely arrived.
type pace struct {
	limits
	// full is when burst messages may be sent again.
	full time.Time
}

// ready is when the next message may begin.
func (p *pace) ready() time.Time {
	if p.burst == 0 {
		return time.Time{}
	}
	return p.full.Add(-time.Duration(p.burst-1) * p.every)
}

// left is how many messages may be sent at once.
func (p *pace) left(now time.Time) int {
	used := max(0, p.full.Sub(now))
	return p.burst - int((used+p.every-1)/p.every)
}

// spend notes that a message has been sent.
func (p *pace) spend(now time.Time) {
	if p.full.Before(now) {
		p.full = now
	}
	p.full = p.full.Add(p.every)
}
