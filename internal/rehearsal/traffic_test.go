package rehearsal

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"time"

	"github.com/tidewatch/tidewatch/internal/generate"
)

var shanghai = time.FixedZone("Asia/Shanghai", 8*3600)

// day is the beginning of one in Shanghai.
func day(text string) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, text, shanghai)
	if err != nil {
		panic(err)
	}
	return t
}

// The generator's visits are thinned: so many of the clicks, the purchases and the
// watched plays that it gives are kept on a usual day, which leaves room for better days.
const (
	perSecond = 4.0
	visited   = 0.8
	clicked   = 0.8
	purchased = 0.4
	stayed    = 0.9
)

// A traffic is what the business does, but for incidents.
type traffic struct {
	seed  uint64
	start time.Time
	busy  map[int64]float64 // by minute, the last one asked for
}

// generator gives more visits than are kept.
func (t *traffic) generator() *generate.Generator {
	return generate.New(generate.Options{
		Seed: t.seed, Start: t.start, Rate: perSecond / visited, Users: 20_000, Contents: 2_000, Fresh: true,
		Disorder: 1500 * time.Millisecond, Late: 0.001, LateBy: 5 * time.Minute, Duplicates: 0.001,
		Busy: t.busyAt,
	})
}

// chance is a source for one purpose and number.
func (t *traffic) chance(purpose string, n int64) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(purpose))
	return rand.New(rand.NewPCG(t.seed^h.Sum64(), uint64(n)))
}

// luck multiplies by what a standard deviation of share comes to.
func (t *traffic) luck(purpose string, n int64, share float64) float64 {
	return math.Exp(share * t.chance(purpose, n).NormFloat64())
}

// dayOf and hourOf count in Shanghai.
func dayOf(second int64) int64  { return (second + 8*3600) / 86400 }
func hourOf(second int64) int64 { return (second + 8*3600) / 3600 }

// busyAt is how many visits there are at a second, beside the rhythm of the day and the
// week: a standard deviation of 3 % a day, 4 % an hour that lasts for a few, and 15 % a
// minute, and once in ten days something that many want to see.
func (t *traffic) busyAt(second int64) float64 {
	minute := second / 60
	if b, ok := t.busy[minute]; ok {
		return b
	}
	at, d, h := time.Unix(second, 0).In(shanghai), dayOf(second), hourOf(second)
	b := math.Pow(1.01, at.Sub(t.start).Hours()/(24*7)) * calendarOf(at).visits
	if w := at.Weekday(); (w == time.Saturday || w == time.Sunday) && at.Hour() >= 9 && at.Hour() < 18 {
		b *= 1.15 // when others work
	}
	slow := 0.0
	for i := range int64(6) {
		slow += t.chance("hour", h-i).NormFloat64() / math.Sqrt(6)
	}
	b *= t.luck("day", d, 0.03) * math.Exp(0.04*slow) * t.luck("minute", minute, 0.15)
	if r := t.chance("talk", d); r.IntN(10) == 0 {
		if from := 9 + r.IntN(12); at.Hour() >= from && at.Hour() < from+2 {
			b *= 1.4
		}
	}
	t.busy = map[int64]float64{minute: b}
	return b
}

// A season is how a day differs from others: how many visits and purchases there are.
type season struct{ visits, purchases float64 }

// calendarOf is what the calendar does to a time.
func calendarOf(at time.Time) season {
	of := func(text string) float64 { return at.Sub(day(text)).Hours() / 24 }
	between := func(x, from, to, low, high float64) float64 {
		return low + (high-low)*min(max((x-from)/(to-from), 0), 1)
	}
	s := season{1, 1}
	switch golden := of("2026-10-01"); {
	case golden >= 0 && golden < 8:
		s = season{1.15, 0.9}
	}
	switch singles := math.Floor(of("2026-11-11")); {
	case singles == -1:
		s = season{1.25, 1.3}
	case singles == 0:
		s = season{1.5, 2.3}
	case singles == 1:
		s = season{1.15, 1.2}
	case singles > -10 && singles < 0: // who waits for the sale
		s = season{1.02, 0.95}
	case singles > 1 && singles < 8: // who has bought
		s = season{1, between(singles, 2, 8, 0.85, 1)}
	}
	switch twelve := math.Floor(of("2026-12-12")); twelve {
	case -1:
		s = season{1.1, 1.2}
	case 0:
		s = season{1.25, 1.7}
	}
	if newYear := of("2027-01-01"); newYear >= 0 && newYear < 3 {
		s = season{1.06, 1}
	}
	switch spring := of("2027-02-06"); { // the new year of the moon
	case spring >= -10 && spring < -7:
		s = season{1, 0.95}
	case spring >= -7 && spring < -1: // parcels stop, people travel
		s = season{between(spring, -7, -1, 1, 0.85), between(spring, -7, -1, 0.9, 0.3)}
	case spring >= -1 && spring < 0:
		s = season{0.7, 0.25}
	case spring >= 0 && spring < 7:
		s = season{1.35, 0.35}
	case spring >= 7 && spring < 16:
		s = season{between(spring, 7, 16, 1.08, 1), between(spring, 7, 16, 0.85, 1)}
	}
	return s
}

// A visit has what a random number says of each of its events.
type visit struct {
	*generate.Event
	second int64
	random uint64 // of the visit, uniform
	own    uint64 // of the event, uniform
}

func mixed(x uint64) uint64 {
	x ^= x >> 32
	x *= 0xd6e8feb86659fd93
	x ^= x >> 32
	x *= 0xd6e8feb86659fd93
	return x ^ x>>32
}

func visitOf(e *generate.Event) visit {
	return visit{e, e.Time / 1000, mixed(e.Session * 0x9e3779b97f4a7c15), mixed(e.ID)}
}

// among reports whether a random number is among a share of all.
func among(random uint64, share float64) bool { return float64(random>>11)/(1<<53) < share }

// shares are how the days of a channel differ: each a multiple of what is usual.
type shares struct{ visits, clicks, purchases, stays, negative float64 }

// sharesOf says how a day of a channel is.
func (t *traffic) sharesOf(channel string, d int64) shares {
	both := func(what string, all, own float64) float64 {
		return t.luck(what, d, all) * t.luck(what+channel, d, own)
	}
	return shares{
		visits: t.luck("visits"+channel, d, 0.04), clicks: both("clicks", 0.02, 0.03), purchases: both("purchases", 0.06, 0.05),
		stays: both("stays", 0.008, 0.012), negative: both("negative", 0.15, 0.2),
	}
}

// A thinner decides what is kept of what the generator gives.
type thinner struct {
	*traffic
	day  int64
	days map[string]shares // of the day, by channel
}

// keep says whether an event happens, and changes it to what it is.
func (t *thinner) keep(v visit) bool {
	if d := dayOf(v.second); d != t.day || t.days == nil {
		t.day, t.days = d, map[string]shares{}
	}
	of, ok := t.days[v.Channel()]
	if !ok {
		of = t.sharesOf(v.Channel(), t.day)
		t.days[v.Channel()] = of
	}
	if !among(v.random, visited*of.visits) {
		return false
	}
	switch v.Type {
	case generate.Click, generate.AdCost:
		return among(mixed(v.random+1), clicked*of.clicks)
	case generate.Order, generate.Cancel, generate.Pay, generate.Settle, generate.Refund, generate.SurveyCSAT, generate.Complaint:
		return among(mixed(v.random+2), purchased*of.purchases*calendarOf(time.Unix(v.second, 0).In(shanghai)).purchases)
	case generate.Play, generate.PlayEnd:
		if v.WatchMS >= v.DurationMS && !among(v.own, stayed*of.stays) {
			v.WatchMS = v.DurationMS / 2
		}
	case generate.Comment:
		if among(v.own, 0.04*of.negative) {
			v.Sentiment = generate.Negative
		}
	}
	return true
}
