package users

import (
	"math"
	"math/bits"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/carry"
	"github.com/tidewatch/tidewatch/windows/journey"
	"github.com/tidewatch/tidewatch/windows/roster"
)

// A Person is what is known of a user, as of the last slice that closed.
type Person struct {
	Ref  uint32 // shard << 24 | row
	Hash uint64
	// Name is the id; "" where only a page of names has it.
	Name string
	// AsOf is the business day that it is as of, First and Last are active ones.
	AsOf, First, Last int32
	// Activity has bit i set if the user was active i days before the last active day.
	Activity uint64
	// Patience is how many days away the user's rhythm explains: at risk is who is
	// away for longer.
	Patience int32
	// State is what the user is, since a day; 0 for longer than is remembered.
	State State
	Since int32
	// Segments are those that the user is in.
	Segments Segments
	// Identities are the anonymous ids that are the user's.
	Identities []string
	// RFM is zero of who is no customer, or where none are told apart.
	RFM journey.Tiers
	// Payments are what RFM follows from; nil without it, and in signals.
	Payments *journey.Payments
	// SeenAt is when the user was first seen, in ms, and Texts are those of the event
	// then, by plan.Days.OriginFields; nil where they are not kept.
	SeenAt int64
	Texts  []string
	// Touches are by attribution, in the order of the plan; only of who is found.
	Touches []Touch
}

// A Touch is what a conversion would go to as of the last slice that closed, by an
// attribution.
type Touch struct {
	Attribution string // the name of the operator
	Kind        string // of kpi.Touches; "" for no touch
	At          int64  // ms
	// Texts are those of its event, by field; of a field that it has not, "".
	Texts map[string]string
}

// A State is what a user is who was active once.
type State string

// The states.
const (
	StateActive  State = "active"
	StateAtRisk  State = "at_risk"
	StateChurned State = "churned"
)

// since is the state on a day, and since which it is so; 0 for longer than active
// days are remembered.
func (f *facts) since(d *activeDays, day int32) (State, int32) {
	last := d.before(day + 1)
	active := d.until(last)
	state := f.state(d, day)
	switch state {
	case StateChurned:
		return state, last + int32(f.days.Gap)
	case StateAtRisk:
		return state, last + threshold(active, int32(f.days.Gap)) + 1
	}
	// Active since the last return: an active day before which there was none for so
	// long that it was at risk.
	for rest := active; ; {
		back := last - int32(bits.TrailingZeros64(rest))
		rest &= rest - 1
		if rest == 0 {
			if back == d.first {
				return state, back
			}
			return state, 0
		}
		before := last - int32(bits.TrailingZeros64(rest))
		if back-before > minThreshold+1 && f.state(d, back-1) != StateActive {
			return state, back
		}
	}
}

func (f *facts) state(d *activeDays, day int32) State {
	switch in := f.segments(d, day); {
	case in&Churned != 0:
		return StateChurned
	case in&AtRisk != 0:
		return StateAtRisk
	}
	return StateActive
}

// Segments is a set of groups of users.
type Segments uint16

// The groups, with CustomerSegments behind them.
const (
	AtRisk Segments = 1 << iota
	Churned
	Declining
	New   // first seen in the last 7 days
	Loyal // active on 15 or more of the last 28
)

const (
	newDays   = 7
	loyalDays = 15
)

// segments are those of a user on a day.
func (f *facts) segments(d *activeDays, day int32) (in Segments) {
	s := f.on(d, day).facts
	add := func(to Segments, is bool) {
		if is {
			in |= to
		}
	}
	add(AtRisk, s>>f.gapBit&1 == 1)
	add(Churned, s>>(f.gapBit+1)&1 == 1)
	add(Declining, s>>declining&1 == 1)
	add(New, day-d.first < newDays)
	add(Loyal, bits.OnesCount64(d.until(day)&(1<<28-1)) >= loyalDays)
	return in
}

// A DayRange is some business days, both of its ends among them.
type DayRange struct{ From, To int32 }

// has reports whether any of the days is an active one. Those of the 64 days before
// the last active day are known, and so all since the day that OldestDay names.
func (r *DayRange) has(d *activeDays) bool {
	to := min(r.To, d.last)
	return r.From <= to && d.until(to)&(^uint64(0)>>(63-min(to-r.From, 63))) != 0
}

// OldestDay is the first day of which it is known who was active.
func (p *Partition) OldestDay() int32 { return p.today() - 63 }

// Dates are the active days that are remembered, ascending.
func (p *Person) Dates() (days []int32) {
	for rest := p.Activity; rest != 0; rest &= rest - 1 {
		days = append(days, p.Last-int32(bits.TrailingZeros64(rest)))
	}
	slices.Reverse(days)
	return days
}

// Active is on how many of the last n days, at most 64, the user was active.
func (p *Person) Active(n int) int {
	return bits.OnesCount64(on(p.AsOf, p.Activity, p.Last) & (1<<n - 1))
}

// A Selection says which users are wanted: those in one of the segments, active on a
// day of one range and on none of another, in one set and not in another, first seen with
// these texts.
type Selection struct {
	In               Segments // 0 for all users
	Active, Inactive *DayRange
	Among, Except    *roster.Set // nil: everybody, nobody
	// Texts are by field of plan.Days.OriginFields; "" is no text.
	Texts map[string]string
}

// Head is the second before which slices are closed.
func (p *Partition) Head() int64 { return p.head }

// Select looks through at most rows users from a ref on, ascending, until it has found
// so many. It answers the ref behind the last one that it looked at, and whether any
// are left.
func (p *Partition) Select(s Selection, from uint32, rows, most int) (found []Person, next uint32, more bool) {
	next, more = p.each(s, from, rows, func(ref uint32, d activeDays, day int32) bool {
		found = append(found, p.person(ref, &d, day))
		p.explain(&found[len(found)-1])
		return len(found) < most
	})
	return found, next, more
}

// each gives visit the days by value, so that they are not on the heap for every row.
func (p *Partition) each(s Selection, from uint32, rows int, visit func(ref uint32, d activeDays, day int32) bool) (next uint32, more bool) {
	if p.head == math.MinInt64 {
		return 0, false
	}
	day := p.today()
	match := p.matching(s.Texts)
	for shard := int(from >> 24); shard < Shards; shard++ {
		sh := p.shards[shard]
		if sh == nil {
			continue
		}
		row := uint32(0)
		if shard == int(from>>24) {
			row = from & 0xffffff
		}
		for ; row < uint32(sh.n); row++ {
			ref := uint32(shard)<<24 | row
			if rows == 0 {
				return ref, true
			}
			rows--
			days := p.daysOf(ref)
			switch {
			case !p.isThere(&days, day):
			case s.Among != nil && !s.Among.Has(ref) || s.Except != nil && s.Except.Has(ref):
			case match != nil && !match(p.originOf(ref)):
			case s.Active != nil && !s.Active.has(&days):
			case s.Inactive != nil && s.Inactive.has(&days):
			case s.In != 0 && p.facts.segments(&days, day)&s.In == 0 && (s.In&allCustomers == 0 || customerSegment(p.tiers(ref, day))&s.In == 0):
			case !visit(ref, days, day):
				return ref + 1, true
			}
		}
	}
	return 0, false
}

// Find is the user with the hash, of a slice that closed.
func (p *Partition) Find(hash uint64) (Person, bool) {
	sh := p.shards[ShardOf(hash)]
	if sh == nil || p.head == math.MinInt64 {
		return Person{}, false
	}
	row, ok := sh.lookUp(hash)
	if !ok {
		return Person{}, false
	}
	ref := uint32(ShardOf(hash))<<24 | row
	days, today := p.daysOf(ref), p.today()
	if !p.isThere(&days, today) {
		return Person{}, false
	}
	out := p.person(ref, &days, today)
	p.explain(&out)
	out.Identities = slices.Clone(p.shards[ref>>24].identities[row])
	out.Touches = p.touches(ref)
	return out, true
}

// isThere reports whether somebody with these active days is known as of a day. Events of
// a day to come may be a user's who was anonymous.
func (p *Partition) isThere(d *activeDays, day int32) bool {
	return d.activity != 0 && d.first <= day && !p.isForgotten(d.last, day)
}

// person is a user as of a day, on which there was an active one.
func (p *Partition) person(ref uint32, d *activeDays, day int32) Person {
	sh, row := p.shards[ref>>24], ref&0xffffff
	last := d.before(day + 1)
	active := d.until(last)
	out := Person{Ref: ref, Hash: sh.row(row).hash, Name: string(sh.names.of(int(row))), AsOf: day, First: d.first, Last: last, Activity: active,
		Patience: threshold(active, int32(p.facts.days.Gap)), Segments: p.facts.segments(d, day)}
	p.rank(&out)
	out.State, out.Since = p.facts.since(d, day)
	if p.origins != nil {
		o := sh.originAt(row)
		out.SeenAt = o.at
		for _, t := range p.origins.At(o.number) {
			out.Texts = append(out.Texts, t.Text)
		}
	}
	return out
}

// today is the business day of the last slice that closed.
func (p *Partition) today() int32 { return p.plan.Calendar.Day(p.head*1000 - 1) }

// matching tells the origins that have the texts; nil for all.
func (p *Partition) matching(texts map[string]string) func(number carry.Number) bool {
	if len(texts) == 0 {
		return nil
	}
	known := map[carry.Number]bool{}
	fields := p.facts.days.OriginFields()
	return func(number carry.Number) bool {
		is, ok := known[number]
		if !ok {
			is = true
			for i, t := range p.origins.At(number) {
				if want, asked := texts[fields[i]]; asked && (t.Hash == 0 && want != kpi.None || t.Hash != 0 && want != t.Text) {
					is = false
				}
			}
			is = is && number != (carry.Number{})
			known[number] = is
		}
		return is
	}
}
