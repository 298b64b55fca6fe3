package differential

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/generate"
	"github.com/tidewatch/tidewatch/internal/oracle"
)

// casesAShop is for how many random cases there is one of the shop, which takes as long.
const casesAShop = 20

// TestShop holds all that is kept by default to the oracle on the stream of the simulated
// shop.
func TestShop(t *testing.T) {
	for i := range (*cases + casesAShop - 1) / casesAShop {
		seed := *first + uint64(i)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			shop(seed).hold(t)
		})
	}
}

// shop is a case of sixty days of few users. Some visit as guests, log in later on another
// visit, and ask to be forgotten; costs are told days late, some more than that.
func shop(seed uint64) *trial {
	c := &trial{
		seed: seed, zone: []string{"Asia/Shanghai", "America/New_York", "Europe/Berlin"}[seed%3], holdout: 35, forgetAfter: 400,
		leastBase: int(seed % 2), embedded: true,
		timing: oracle.Timing{Disorder: 2 * time.Second, Lateness: []time.Duration{30 * time.Hour, 10 * time.Minute, 2 * time.Hour}[seed/3%3]},
	}
	c.timing.DedupWindow = c.timing.Lateness + c.timing.Disorder
	c.later = c.timing
	const days, asked = 60, 3
	begin := time.UnixMilli(instant(c.zone, "2026-02-20 00:00:00")) // clocks are set forward in March
	end := begin.Add(days * 24 * time.Hour)
	g := generate.New(generate.Options{
		Seed: seed, Start: begin, End: end, Fresh: true, Rate: 0.0004, Users: 20, Contents: 30, Disorder: 2 * c.timing.Disorder,
		Late: 0.02, LateBy: c.timing.Lateness * 5 / 4, Duplicates: 0.02, Belated: 71*time.Hour + 59*time.Minute,
	})
	r := c.random(1)
	guests := map[uint64]bool{} // by visit
	stamp, next := begin.UnixMilli(), begin.UnixMilli()+days*day/asked
	for e := range g.Events() {
		stamp = max(stamp, e.Arrival())
		if stamp >= next && next < end.UnixMilli() {
			c.steps = append(c.steps, step{act: ask})
			next += days * day / asked
		}
		if _, known := guests[e.Session]; !known {
			guests[e.Session] = r.IntN(4) == 0
		}
		e.Guest = guests[e.Session]
		var lines []byte
		if !e.Guest && e.Type == generate.SessionStart && r.IntN(4) == 0 {
			login := *e
			login.Type, login.ID = generate.Identify, e.ID+1
			lines = append(g.Append(lines, &login), '\n')
		}
		lines = append(g.Append(lines, e), '\n')
		c.steps = append(c.steps, step{act: send, message: oracle.Message{Stamp: stamp, Data: lines}})
		if r.IntN(300) == 0 {
			who := fmt.Sprintf([]string{"user u%d", "anonymous w%d"}[r.IntN(2)], e.User+1)
			c.steps = append(c.steps, step{act: send, message: oracle.Message{Stamp: stamp, Erased: who}})
		}
		switch r.IntN(100) {
		case 0, 1:
			c.steps = append(c.steps, step{act: read, player: r.IntN(players)})
		case 2:
			c.steps = append(c.steps, step{act: checkpoint, player: 1 + r.IntN(players-1)})
		case 3:
			player := 1 + r.IntN(players-1)
			c.steps = append(c.steps, step{act: crash, player: player, partitions: []int{3, []int{8, 1, 3, 8}[r.IntN(4)]}[player-1]})
		}
	}
	closed := oracle.Message{Stamp: max(stamp, end.UnixMilli()), Tick: true, To: end.UnixMilli()}
	c.steps = append(c.steps, step{act: send, message: closed}, step{act: ask})
	return c
}
