// Package generate simulates the event stream of a short-video shop: users who
// come in sessions, watch, like, comment, click, buy, leave and come back.
//
// The stream is a function of the options and of time: the sessions of a second
// depend on the seed and that second alone. So a generator that starts later
// continues one that started earlier, event for event, ids included.
package generate

import (
	"fmt"
	"iter"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"time"
)

// Options say what is simulated.
type Options struct {
	Seed uint64
	// Stream tells several streams of one seed apart: they share users and
	// contents, not visits.
	Stream uint64
	// Start and End bound the event times, [Start, End). Without End the
	// stream has none.
	Start, End time.Time
	// Fresh leaves out the visits that are under way at Start: what is first of
	// any user is a SessionStart. By default a generator goes on as one that
	// started earlier would.
	Fresh bool
	// Events ends the stream after so many. By default it does not.
	Events int64
	// Rate is the number of events a second, as a mean over a day. By default 10.
	Rate float64
	// Steady leaves out the rhythm of the day and of the week; Mild leaves a
	// third of it.
	Steady, Mild bool
	// Busy multiplies the rate at a second, a Unix time. By default it is 1.
	Busy func(second int64) float64
	// Users and Contents are how many there are. By default 10,000 and 2,000.
	Users, Contents int
	// Disorder is how much later than it happened an event arrives, at most.
	Disorder time.Duration
	// Late is the share of events that arrive after Disorder, by at most LateBy.
	Late   float64
	LateBy time.Duration
	// Duplicates is the share of events that arrive once more, within ten
	// seconds.
	Duplicates float64
	// Belated is how much later than it happened it is told what the clicks of every
	// fourth campaign cost. By default all costs are told as they happen.
	Belated time.Duration
	// Guests has some visits begin before their user has logged in.
	Guests bool
	// Counter has the shop sell at a counter, too, to people whom it never showed anything,
	// and take back there what was bought before the stream began.
	Counter bool
	// Incidents is when the completion of a channel begins to drop now and then;
	// see Incident. Zero: never.
	Incidents time.Time
	// Stop ends the stream early when it is closed.
	Stop <-chan struct{}
}

const (
	// perSession is the mean number of events of a session. A test holds it.
	perSession = 8.37
	// meanAge is how long before a mean event its session began, in seconds. A
	// test holds it.
	meanAge = 48.7
	// longest bounds a session, with what comes of it: a generator begins that
	// much before Start.
	longest = 255 // seconds
	// duplicateWithin is how much later than the first a duplicate arrives.
	duplicateWithin = 10 * time.Second
	day             = 86400
	// trial is how many events are counted before they are given.
	trial = 1_000_000
	// maxRate is the most events a second that Fit spreads.
	maxRate = 1e6
	// shanghai is the offset of the zone, without summer time since 1991.
	shanghai = 8 * 3600
)

// A Generator gives events in the order of their arrival. It is for one
// goroutine.
type Generator struct {
	o          Options
	salt       uint64 // of what Stream tells apart
	start, end int64  // Unix s
	users      zipf
	contents   zipf
	sessions   calendar[session]
	arrivals   calendar[Event]
	belated    []Event // that are told later, the first of them first
	mixed      bool    // events arrive in another order than they happen
	second     int64
	lambda     uint64 // sessions a second, 32.32 bits
	left       int64  // events to give
	stopped    bool
	ready      []Event
	next       int
	keys       []uint64
	written    dateText
}

// Fit sets the rate so that o.Events events lie between o.Start and o.End.
func Fit(o Options) (Options, error) {
	if o.End.Unix() <= o.Start.Unix() {
		return o, fmt.Errorf("from %s to %s is no second: give an end that is later", o.Start.Format(time.RFC3339), o.End.Format(time.RFC3339))
	}
	o.Rate = spread(o)
	// Chance may leave too few in the span: a trial shows it. Of many the share
	// that chance moves is less than the room for it.
	for o.Events <= trial && o.Rate <= maxRate {
		var e Event
		g := New(o)
		for g.Next(&e) {
		}
		if g.left == 0 || g.stopped {
			return o, nil
		}
		o.Rate *= 2
	}
	if o.Rate > maxRate {
		return o, fmt.Errorf("%d events between %s and %s are too many: give at most %d a second",
			o.Events, o.Start.Format(time.RFC3339), o.End.Format(time.RFC3339), int64(maxRate))
	}
	return o, nil
}

// spread is the rate at which so many events are over just before the end: by
// the rhythm of the span, and with room for chance.
func spread(o Options) float64 {
	busy, start, end := 0.0, o.Start.Unix(), o.End.Unix()
	step := max(1, (end-start)/1000)
	for s := start; s < end; s += step {
		busy += float64(rhythm(s)) / 1000 * float64(min(step, end-s))
	}
	if o.Fresh { // each session has at least its beginning in the span
		busy = max(busy-meanAge*float64(rhythm(start))/1000, busy/perSession)
	}
	events := float64(o.Events)
	sessions := events / perSession
	return events / max(busy, 1) * (1.02 + 4/math.Sqrt(sessions+1))
}

// New returns a generator. Options out of range take the nearest value that
// makes sense.
func New(o Options) *Generator {
	if o.Rate <= 0 {
		o.Rate = 10
	}
	if o.Users <= 0 {
		o.Users = 10_000
	}
	if o.Contents <= 0 {
		o.Contents = 2_000
	}
	o.Disorder, o.LateBy, o.Belated = max(o.Disorder, 0), max(o.LateBy, time.Millisecond), max(o.Belated, 0)
	g := &Generator{
		o: o, salt: mix(o.Seed ^ o.Stream<<32), start: o.Start.Unix(), end: 1 << 40, left: o.Events,
		users: newZipf(o.Users, flat), contents: newZipf(o.Contents, steep),
		sessions: newCalendar[session](longest + 2),
		lambda:   max(1, uint64(o.Rate/perSession*(1<<32))),
		mixed:    o.Disorder > 0 || o.Late > 0 || o.Duplicates > 0 || o.Belated > 0,
	}
	if !o.End.IsZero() {
		g.end = o.End.Unix()
	}
	if o.Events <= 0 {
		g.left = 1 << 62
	}
	g.second = g.start - longest - 1
	if g.mixed {
		delay := int64((o.Disorder + o.LateBy + duplicateWithin) / time.Second)
		g.arrivals = newCalendar[Event](delay + 2)
		g.second -= delay + 1 + int64(o.Belated/time.Second)
	}
	if o.Fresh {
		g.second = g.start
	}
	return g
}

// Next fills in the next event, if there is one.
func (g *Generator) Next(e *Event) bool {
	if g.left == 0 {
		return false
	}
	for g.next == len(g.ready) {
		if g.second >= g.end+int64(len(g.arrivals.seconds))+int64(g.o.Belated/time.Second) {
			return false
		}
		select {
		case <-g.o.Stop:
			g.stopped = true
			return false
		default:
		}
		g.advance()
	}
	*e = g.ready[g.next]
	g.next++
	g.left--
	return true
}

// Events are the events to come.
func (g *Generator) Events() iter.Seq[*Event] {
	return func(yield func(*Event) bool) {
		var e Event
		for g.Next(&e) {
			if !yield(&e) {
				return
			}
		}
	}
}

// AppendLines appends up to n events as NDJSON and says how many.
func (g *Generator) AppendLines(dst []byte, n int) ([]byte, int) {
	var e Event
	for i := range n {
		if !g.Next(&e) {
			return dst, i
		}
		dst = append(g.Append(dst, &e), '\n')
	}
	return dst, n
}

// advance makes the events of one second ready.
func (g *Generator) advance() {
	s := g.second
	g.second++
	g.ready, g.next = g.ready[:0], 0
	g.begin(s)
	due := g.sessions.take(s)
	for _, k := range order(&g.keys, due, func(x *session) int64 { return x.at }) {
		x := &due[uint32(k)]
		var e Event
		more := g.step(x, &e)
		if more {
			// At least a second later, so never in the second being walked.
			g.sessions.put(x.at/1000, *x)
		}
		if e.Time >= g.end*1000 {
			continue
		}
		switch {
		case g.isBelated(&e):
			g.belated = append(g.belated, e)
		case g.mixed:
			g.arrive(e, e.Time)
		case s >= g.start:
			g.ready = append(g.ready, e)
		}
	}
	if !g.mixed {
		return
	}
	for len(g.belated) > 0 {
		told := g.belated[0].Time + g.o.Belated.Milliseconds()
		if told >= (s+1)*1000 {
			break
		}
		g.arrive(g.belated[0], told)
		g.belated = g.belated[1:]
	}
	arrived := g.arrivals.take(s)
	for _, k := range order(&g.keys, arrived, func(e *Event) int64 { return e.arrival }) {
		if e := arrived[uint32(k)]; e.Time >= g.start*1000 || s >= g.start && g.isBelated(&e) {
			g.ready = append(g.ready, e)
		}
	}
}

// isBelated reports whether an event is told later.
func (g *Generator) isBelated(e *Event) bool {
	return g.o.Belated > 0 && e.Type == AdCost && e.Campaign%4 == 0
}

// begin starts the sessions of a second.
func (g *Generator) begin(second int64) {
	if second >= g.end {
		return
	}
	dice := rand.NewPCG(g.salt, mix(uint64(second)))
	lambda := g.lambda
	if !g.o.Steady {
		busy := rhythm(second)
		if g.o.Mild {
			busy = (busy + 2000) / 3
		}
		hi, lo := bits.Mul64(lambda, busy)
		lambda, _ = bits.Div64(hi, lo, 1000)
	}
	if g.o.Busy != nil {
		lambda = uint64(float64(lambda) * g.o.Busy(second))
	}
	n := lambda >> 32
	if dice.Uint64()>>32 < lambda&(1<<32-1) {
		n++
	}
	for i := range n {
		x := g.session(second, i, dice.Uint64())
		g.sessions.put(second, x)
		if g.o.Counter && mix(x.id^g.salt)%atCounter == 0 {
			g.sessions.put(second, g.purchase(x))
		}
	}
}

// arrive schedules an event that is told at a time for when it arrives, and again if it is
// sent twice.
func (g *Generator) arrive(e Event, told int64) {
	r := dice(mix(e.ID ^ g.o.Seed))
	delay := r.upTo(g.o.Disorder.Milliseconds())
	if r.chance(g.o.Late) {
		delay = g.o.Disorder.Milliseconds() + r.upTo(g.o.LateBy.Milliseconds())
	}
	e.arrival = told + delay
	g.arrivals.put(e.arrival/1000, e)
	if r.chance(g.o.Duplicates) {
		e.arrival += r.upTo(duplicateWithin.Milliseconds())
		g.arrivals.put(e.arrival/1000, e)
	}
}

// order returns what sorts the items by time, their places in the low half.
// Items of one millisecond stay in the order in which they came.
func order[T any](keys *[]uint64, items []T, at func(*T) int64) []uint64 {
	k := (*keys)[:0]
	for i := range items {
		k = append(k, uint64(at(&items[i])%1000)<<32|uint64(i))
	}
	slices.Sort(k)
	*keys = k
	return k
}

// A calendar keeps items by second, for a number of seconds ahead.
type calendar[T any] struct{ seconds [][]T }

func newCalendar[T any](ahead int64) calendar[T] {
	return calendar[T]{make([][]T, ahead)}
}

func (c *calendar[T]) put(second int64, item T) {
	at := &c.seconds[uint64(second)%uint64(len(c.seconds))]
	*at = append(*at, item)
}

// take empties a second. What it returns is valid until the calendar comes
// round to that second again.
func (c *calendar[T]) take(second int64) []T {
	at := &c.seconds[uint64(second)%uint64(len(c.seconds))]
	items := *at
	*at = items[:0]
	return items
}
