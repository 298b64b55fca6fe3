// Package oracle recomputes every number from the raw log in the simplest way
// there is: it keeps all events and looks at all of them for every question.
// What the engine answers is compared with it, and who wants to know what a
// number means can read it here.
//
// It imports the definitions (package kpi), reads events with encoding/json and
// adds with math/big; it shares nothing else with the engine. Who gets a place
// in a budget is not its business: it keeps every series, and judges by the
// bounds that an answer states.
package oracle

import (
	"maps"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

// Timing is how the log's time is read.
type Timing struct {
	// Disorder is how far the watermark stays behind the newest event.
	Disorder time.Duration
	// Lateness is how far behind the watermark an event still counts.
	Lateness time.Duration
	// DedupWindow is how far behind the watermark ids are remembered.
	DedupWindow time.Duration
}

// A Message is an entry of the log: some events, or a tick.
type Message struct {
	// Stamp is the time at which the broker took it, in Unix milliseconds.
	Stamp int64
	// Data is events: one JSON object a line, or an array of them.
	Data []byte
	// Tick says that the message only moves time: to To (Unix milliseconds),
	// or, if that is zero, by what passed since the message before.
	Tick bool
	To   int64
	// Erased is "user " or "anonymous " and the id of who is erased by the message, ""
	// for others.
	Erased string
}

// ahead is how far, in milliseconds, an event may be ahead of its message, and
// a tick may state that all is in.
const ahead = 10 * 60 * 1000

// An Oracle has read a log up to some message.
type Oracle struct {
	catalogue *kpi.Catalogue
	calendar  *calendar
	timing    Timing
	reads     reads

	watermark int64 // ms: before it the input is believed complete
	lastStamp int64
	ids       map[identity]int64 // the minute of the event that had it first
	accepted  map[identity]int64 // the same of types that are accepted late
	ledger    Ledger
	// accounts are the ledgers since the last crossing: as it was then, after
	// each message, and after the last whole one before. whole is the last.
	accounts []Ledger
	whole    Ledger
	rows     []row // the counted events, without the belated
	belated  []row // those that were accepted late
	// first and taken are the times of the earliest event that was counted or
	// filtered, and that was counted.
	first, taken int64
	// heads are the seconds before which everything was closed, after each
	// crossing: the moment at which the watermark passes the end of a second.
	// heads[0] is the time before the first.
	heads []int64
	// passed are the watermarks at the crossings.
	passed []int64
	// aliases are the users of anonymous ids, coming those from the next crossing on.
	aliases, coming map[string]alias
	moves           []move
	// erasures are who is erased with the next crossing.
	erasures []string
	// lives are how often who is known by a name was erased.
	lives map[string]int
	// spells are the newest ones, by user.
	spells map[string]spell
	// heard are the signals of who went that were sent; nil while they are not known.
	heard map[told]*heard
	// ranks are the fifths of operators and days that were found.
	ranks map[string]*fifths
}

type identity struct{ user, id string }

// A row is a counted event.
type row struct {
	*event
	second int64
	// crossings is how many crossings there were when the event came.
	crossings int
	belated   bool // it was accepted late
	spell     int  // the user's then
}

const never = math.MinInt64

// New returns an oracle that has read nothing.
func New(c *kpi.Catalogue, t Timing) *Oracle {
	return &Oracle{
		catalogue: c, calendar: newCalendar(c.Location), timing: t, reads: readsOf(c),
		watermark: never, passed: []int64{never}, first: math.MaxInt64, taken: math.MaxInt64,
		ids: map[identity]int64{}, accepted: map[identity]int64{}, aliases: map[string]alias{}, coming: map[string]alias{}, lives: map[string]int{}, spells: map[string]spell{}, ranks: map[string]*fifths{}, ledger: Ledger{}, whole: Ledger{}, accounts: []Ledger{{}}, heads: []int64{never},
	}
}

// Read reads the next message.
func (o *Oracle) Read(m Message) {
	if m.Erased != "" {
		o.erasures = append(o.erasures, m.Erased)
		return
	}
	if m.Tick {
		o.tick(m)
		o.lastStamp = m.Stamp
		return
	}
	for _, line := range lines(m.Data) {
		o.line(line, m.Stamp)
	}
	o.whole = maps.Clone(o.ledger)
	o.accounts = append(o.accounts, o.whole)
}

// tick moves the watermark without an event.
func (o *Oracle) tick(m Message) {
	switch {
	case m.To != 0:
		o.advance(min(m.To, m.Stamp+ahead))
	case o.watermark != never:
		passed := o.watermark + m.Stamp - o.lastStamp
		o.advance(min(passed, m.Stamp-o.timing.Disorder.Milliseconds()))
	}
}

// line gives one event its verdict.
func (o *Oracle) line(line []byte, stamp int64) {
	e, reason := o.reads.decode(line)
	belated := o.late(e)
	verdict := o.verdict(e, stamp)
	admitted := verdict == counted && !belated
	if admitted {
		o.first = min(o.first, e.time)
		o.lastStamp = stamp
		o.advance(min(e.time, stamp) - o.timing.Disorder.Milliseconds())
		o.see(e.user, e.time)
		if o.aliases[e.user].user != "" {
			e.texts["user_id"] = e.user // whoever it is, there is one
		}
		e.user = o.owner(e.user)
	}
	if verdict == counted && !o.wanted(e) {
		verdict = filtered
	}
	o.ledger["received"]++
	o.ledger[verdict]++
	switch {
	case verdict == quarantined:
		o.ledger[quarantined+" "+reason]++
	case verdict == counted && belated:
		o.belated = append(o.belated, row{event: e, second: floorDiv(e.time, 1000), crossings: len(o.heads) - 1, belated: true})
	case verdict == counted:
		o.taken = min(o.taken, e.time)
		o.rows = append(o.rows, row{event: e, second: floorDiv(e.time, 1000), crossings: len(o.heads) - 1, spell: o.spellOf(e)})
	}
	if admitted {
		o.identify(e)
	}
}

// The verdicts that the oracle itself looks at.
const (
	quarantined = "quarantined"
	filtered    = "filtered"
	counted     = "counted"
)

// verdict is the first that fits, against the watermark before the event: counted for one
// that is filtered if nobody wants it.
func (o *Oracle) verdict(e *event, stamp int64) string {
	switch {
	case e == nil:
		return quarantined
	case e.time > stamp+ahead:
		return "future"
	case o.late(e) && !o.accepts(e):
		return "late"
	case o.known(e):
		return "duplicate"
	}
	return counted
}

// late reports whether the event comes beyond the lateness.
func (o *Oracle) late(e *event) bool {
	return e != nil && o.watermark != never && e.time < o.watermark-o.timing.Lateness.Milliseconds()
}

// known reports whether the event's user sent its id before. Ids are
// remembered by the minute of their event, until that minute is before that of
// the watermark less the dedup window; those of types that are accepted late as
// long as any of these is. What is accepted late is only among the latter.
func (o *Oracle) known(e *event) bool {
	id, minute := identity{e.user, e.id}, floorDiv(e.time, 60_000)
	in := func(ids map[identity]int64, window time.Duration) bool {
		first, ok := ids[id]
		return ok && (o.watermark == never || first >= floorDiv(o.watermark-window.Milliseconds(), 60_000))
	}
	known := in(o.ids, o.timing.DedupWindow)
	if o.catalogue.AcceptLate[e.texts["type"]] > 0 && o.takesLate() {
		known = known || in(o.accepted, slices.Max(slices.Collect(maps.Values(o.catalogue.AcceptLate))))
		if !known {
			o.accepted[id] = minute
		}
	}
	if !known && !o.late(e) {
		o.ids[id] = minute
	}
	return known
}

// wanted reports whether any definition counts the event.
func (o *Oracle) wanted(e *event) bool {
	for _, k := range o.catalogue.KPIs {
		if k.From != nil && e.followed(k.From) || k.Also != nil && e.followed(k.Also) {
			return true
		}
		if slices.ContainsFunc(k.Measures(), func(m *kpi.Measure) bool { return (k.From == nil || m.Events) && e.passes(m.Where) }) {
			return true
		}
	}
	return false
}

// advance moves the watermark on, never back.
func (o *Oracle) advance(to int64) {
	if to <= o.watermark {
		return
	}
	// Who somebody is counts from the next second on, however long nothing comes.
	if end := (o.Head() + 1) * 1000; o.watermark != never && len(o.coming)+len(o.erasures) > 0 && end < to {
		o.advance(end)
	}
	o.watermark = to
	if head := floorDiv(to, 1000); head > o.heads[len(o.heads)-1] {
		o.cross(head)
		o.heads = append(o.heads, head)
		o.passed = append(o.passed, to)
		o.accounts = []Ledger{o.whole, maps.Clone(o.ledger)}
	}
}

// A Ledger is the account of every event, by the words of the verdicts;
// "quarantined" and a reason are what was quarantined for it.
type Ledger map[string]int64

// Ledger is the account of all that was read.
func (o *Oracle) Ledger() Ledger { return o.ledger }

// crossed is the watermark at the last crossing.
func (o *Oracle) crossed() int64 { return o.passed[len(o.passed)-1] }

// Head is the second before which everything is closed.
func (o *Oracle) Head() int64 { return o.heads[len(o.heads)-1] }

// Seconds are the seconds in which counted events happened, ascending.
func (o *Oracle) Seconds() []int64 {
	seen := map[int64]bool{}
	var out []int64
	for _, r := range o.rows {
		if !seen[r.second] {
			seen[r.second] = true
			out = append(out, r.second)
		}
	}
	slices.Sort(out)
	return out
}

// entered is the crossing at which the event entered closed windows: the one
// that closed its second or, if that was closed before it came, the next one, as
// of what was accepted late.
// It is len(o.heads) or more if that is still to come.
func (o *Oracle) entered(r *row) int {
	next := r.crossings + 1
	if r.belated || r.second < o.heads[r.crossings] {
		return next
	}
	return next + sort.Search(len(o.heads)-next, func(i int) bool { return o.heads[next+i] > r.second })
}

// waits reports whether the event came late and waits for the next crossing.
func (o *Oracle) waits(r *row) bool {
	return (r.belated || r.second < o.Head()) && o.entered(r) >= len(o.heads)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func ceilDiv(a, b int64) int64 { return -floorDiv(-a, b) }
