package differential

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/oracle"
)

var aFact = regexp.MustCompile(`fact == "(\w+)"`)

// firstFact is the kind of the first facts that a measure is of: by these a KPI says how
// mature a day is.
func firstFact(measure string) string { return aFact.FindStringSubmatch(measure)[1] }

// TestMaturity holds to the oracle how mature days are whose conversions come seconds to
// days after their touches.
func TestMaturity(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			ripening(seed).hold(t)
		})
	}
}

// ripening is a case of two months of clicks, each paid up to four days later, once or
// twice.
func ripening(seed uint64) *trial {
	c := &trial{seed: seed, zone: starts[seed].zone, currency: "CNY", active: `type == "pay"`, forgetAfter: 400,
		timing:    oracle.Timing{Disorder: 2 * time.Second, Lateness: []time.Duration{10 * time.Minute, 30 * time.Hour, 0}[seed%3]},
		operators: []string{"{name: slow, attribution: {click: {within: 4d}, view: none}}"},
		kpis: []string{
			`{name: rate, from: slow, horizon: 3, maturity: lag_ms, by: [channel], windows: [1h, day], ratio: {numerator: {count: {where: 'fact == "touched"'}}, denominator: {from: events, count: {where: 'type == "click"'}}}}`,
			`{name: returns, from: slow, horizon: 5, maturity: lag_ms, unit: money, sum: {field: amount_minor, where: 'fact == "payment"'}, by: [channel], windows: [day]}`,
			`{name: costs, from: slow, horizon: 1, maturity: lag_ms, split: [touch], count: {where: 'fact == "touched" and channel != "c1"'}, by: [channel], windows: [day]}`,
		}}
	c.timing.DedupWindow = c.timing.Lateness + c.timing.Disorder
	c.later = c.timing
	r, begin := c.random(1), instant(c.zone, starts[seed].at)
	type event struct {
		at   int64
		line string
	}
	var events []event
	say := func(at int64, kind string, user int, rest string) {
		events = append(events, event{at, fmt.Sprintf(`{"id":%d,"time":%d,"type":%q,"user_id":"u%d"%s}`, len(events), at, kind, user, rest)})
	}
	for user := range 100 {
		at := begin + r.Int64N(60*day)
		say(at, "click", user, fmt.Sprintf(`,"channel":"c%d"`, r.IntN(3)))
		for range 1 + r.IntN(2) {
			lag := int64(math.Exp(r.Float64() * math.Log(float64(4*day)))) // as many of seconds as of days
			say(at+lag, "pay", user, fmt.Sprintf(`,"order_id":"o%d","amount_minor":100`, r.IntN(2)))
		}
	}
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	for i, e := range events {
		stamp := e.at
		if i > 0 && r.IntN(8) == 0 { // late, or on the way to it
			stamp = max(stamp, events[i-1].at) + r.Int64N(20*60*second)
		}
		if n := len(c.steps); n > 0 {
			stamp = max(stamp, c.steps[n-1].message.Stamp)
		}
		c.steps = append(c.steps, step{act: send, message: oracle.Message{Stamp: stamp, Data: []byte(e.line + "\n")}})
		for p := range players {
			switch r.IntN(60) {
			case 0:
				c.steps = append(c.steps, step{act: checkpoint, player: p, message: oracle.Message{Stamp: stamp}})
			case 1:
				c.steps = append(c.steps, step{act: crash, player: p, partitions: 1 + r.IntN(3), message: oracle.Message{Stamp: stamp}})
			}
		}
		if r.IntN(25) == 0 {
			c.steps = append(c.steps, step{act: ask, whole: true, message: oracle.Message{Stamp: stamp}})
		}
	}
	return c
}
