package delivery

import (
	"math/rand/v2"
	"testing"
	"time"
)

// However messages begin, last and end, those that arrive in any span of time are no more
// than its limits say.
func TestPace(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, l := range []limits{{10, 6 * time.Second}, {4, time.Second}, {1, time.Second}} {
		p := pace{limits: l}
		now := time.UnixMilli(1_800_000_000_000)
		var arrived []time.Time
		for range 5000 {
			if random.IntN(3) == 0 {
				now = now.Add(time.Duration(random.IntN(20)) * time.Second)
			}
			if at := p.ready(); at.After(now) {
				if p.left(now) > 0 || p.left(at) != 1 {
					t.Fatalf("%d left before it is ready, %d then", p.left(now), p.left(at))
				}
				now = at
			}
			lasts := time.Duration(random.IntN(9000)) * time.Millisecond * time.Duration(random.IntN(2))
			arrived = append(arrived, now.Add(time.Duration(random.Float64()*float64(lasts))))
			now = now.Add(lasts)
			p.spend(now)
		}
		for i, from := range arrived {
			for j := i; j < len(arrived) && j < i+3*l.burst; j++ {
				if span := arrived[j].Sub(from); j-i+1 > l.burst+int(span/l.every)+1 {
					t.Fatalf("%+v: %d messages in %s", l, j-i+1, span)
				}
			}
		}
		if left := p.left(now.Add(time.Hour)); left != l.burst {
			t.Errorf("%+v: %d left after an hour", l, left)
		}
	}
}
