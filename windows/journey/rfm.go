package journey

import (
	"cmp"
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
)

// RFM are the rules of kpi.RFM. Rows have their order_id as the key and, in a currency
// with cuts, amount_minor as the number; their kind is twice the place of the currency,
// behind all that have cuts for any other, and one more for a refund. An item is an order,
// in the order of first payments; its mark is its currency, that of the first payment: what
// is paid for it or refunded in another is no part of its amount.
//
// All that a row changes of the days to come is told by it. An order is kept for a day
// longer than it counts, so that the tiers of a day that is just over are known. Where
// tiers have hysteresis the Rows of the last order, which leaves last, are the standing.
type RFM struct {
	cuts     rfmCuts
	loose    *rfmCuts // that keep a tier which a user has, nil without hysteresis
	daily    bool     // cuts are quintiles
	days     []dayCuts
	codes    []string // of the currencies
	calendar *kpi.Calendar

	before, after []stretch // room
}

// rfmCuts are where tiers begin.
type rfmCuts struct {
	recency   [4]int32 // days, up to which R is 5, 4, 3 and 2
	frequency [4]int64
	monetary  [][4]int64 // minor units, by currency
}

// The state of an order: the business days of its first and its last payment, and what was
// paid less what was refunded, in minor units.
const (
	firstDay = iota
	lastDay
	netAmount
)

// maxNet bounds the amount of an order on both sides, so that a sum of kpi.MaxOrders has
// room.
const maxNet = math.MaxInt64 / kpi.MaxOrders / 2

// NewRFM are the rules of an operator.
func NewRFM(o *kpi.RFM, c *kpi.Calendar) *RFM {
	f := &RFM{cuts: cutsOf(o, 0), daily: o.Quintiles, calendar: c}
	if o.Hysteresis > 0 {
		loose := cutsOf(o, int64(o.Hysteresis))
		f.loose = &loose
	}
	for _, m := range o.Monetary {
		f.codes = append(f.codes, m.Code)
	}
	return f
}

// cutsOf are the cuts of an operator, looser by so many per cent.
func cutsOf(o *kpi.RFM, loose int64) (out rfmCuts) {
	least := func(cut int64) int64 { return (cut*(100-loose) + 99) / 100 }
	for i := range o.Recency {
		out.recency[i] = int32(int64(o.Recency[i]) * (100 + loose) / 100)
		out.frequency[i] = least(int64(o.Frequency[i]))
	}
	for _, m := range o.Monetary {
		var cuts [4]int64
		for i, cut := range m.Cuts {
			cuts[i] = least(int64(cut) * kpi.MinorUnits(m.Code))
		}
		out.monetary = append(out.monetary, cuts)
	}
	return out
}

// Row implements Rules.
func (f *RFM) Row(items []Item, r *Row, tell Tell) []Item {
	day := f.calendar.Day(r.Time)
	had := f.heldBefore(items, day)
	old := 0
	for old < len(items) && !counts(&items[old], day) {
		old++
	}
	items = slices.Delete(items, 0, old)
	place := -1
	if r.Key != 0 {
		place = placeOf(items, r.Key)
	}
	currency, refund := r.Kind/2, r.Kind%2 == 1
	if refund && (place < 0 || items[place].Marks != currency) {
		return items
	}
	f.before = f.stretches(f.before[:0], items, day, had)
	if place < 0 {
		if len(items) >= kpi.MaxOrders { // the oldest is forgotten
			items = slices.Delete(items, 0, 1)
		}
		place = len(items)
		items = append(items, Item{Key: r.Key, State: [3]int64{firstDay: int64(day)}, Marks: currency, Until: f.calendar.Start(day + kpi.RFMDays + 1)})
	}
	it := &items[place]
	amount := r.Numbers[0]
	if amount == stream.Missing || it.Marks != currency {
		amount = 0
	}
	if refund {
		amount = -amount
	} else {
		it.State[lastDay] = int64(day)
	}
	it.State[netAmount] = min(max(it.State[netAmount]+amount, -maxNet), maxNet)
	f.stand(items, day, had)
	f.after = f.stretches(f.after[:0], items, day, had)
	f.tellChange(second(r.Time), tell)
	return items
}

// End implements Rules: there is nothing left to tell of an order.
func (f *RFM) End(*Item, Tell) {}

// counts reports whether an order counts on a day, no earlier than its first payment.
func counts(it *Item, day int32) bool { return day < int32(it.State[firstDay])+kpi.RFMDays }

// A stretch is the days from one on, up to the next stretch, on which a user is in a
// segment, or in none.
type stretch struct {
	from    int32
	segment int
}

const noSegment = -1

// stretches appends those of a user's orders from a day on, ascending, of who had tiers at
// the end of the day before; the last one is in no segment. The user's orders leave from the
// first on: those that count on a day are the last so many.
func (f *RFM) stretches(out []stretch, items []Item, from int32, had Tiers) []stretch {
	t := tally{last: math.MinInt32}
	if len(items) > 0 {
		var first Tiers
		if f.loose != nil {
			first = f.held(items, from, had)
		}
		segment := func(cuts *rfmCuts, day int32) int {
			tiers := cuts.tiers(&t, day)
			switch {
			case f.loose == nil:
			case day == from:
				tiers = first
			default: // without rows nobody rises
				tiers = tiers.lower(first)
			}
			return tiers.segment()
		}
		until := int32(items[len(items)-1].State[firstDay]) + kpi.RFMDays
		out = append(out, stretch{until, noSegment})
		for i := len(items) - 1; i >= 0; i-- {
			t.add(&items[i], math.MaxInt32)
			begin := from
			if i > 0 {
				begin = max(begin, int32(items[i-1].State[firstDay])+kpi.RFMDays)
			}
			for begin < until {
				cuts, since := f.keepOn(until - 1)
				since = max(since, begin)
				// R falls below 3 when the last payment is further back than its third cut.
				if low := t.last + cuts.recency[2] + 1; low > since && low < until {
					out = append(out, stretch{low, segment(cuts, low)})
				}
				out = append(out, stretch{since, segment(cuts, since)})
				until = since
			}
		}
		slices.Reverse(out)
	}
	return out
}

// tellChange tells how the days differ after a row from those before it.
func (f *RFM) tellChange(at int64, tell Tell) {
	var told [8]int64 // more than before the row, by segment
	before, after := noSegment, noSegment
	for b, a := f.before, f.after; len(b)+len(a) > 0; {
		day := int32(math.MaxInt32)
		if len(b) > 0 {
			day = b[0].from
		}
		if len(a) > 0 {
			day = min(day, a[0].from)
		}
		if len(b) > 0 && b[0].from == day {
			before, b = b[0].segment, b[1:]
		}
		if len(a) > 0 && a[0].from == day {
			after, a = a[0].segment, a[1:]
		}
		var now [8]int64
		if before != noSegment {
			now[before]--
		}
		if after != noSegment {
			now[after]++
		}
		for segment, n := range now {
			if n != told[segment] {
				tell(Fact{At: at, Day: day, Text: uint8(segment)}, n-told[segment])
			}
		}
		told = now
	}
}

// Tiers are what RFM makes of a user, each from 1 to 5; 0 of one who is none.
type Tiers struct{ R, F, M uint8 }

// Payments are what the tiers of a customer follow from.
type Payments struct {
	// Last is the day of the last one.
	Last int32
	// Orders is how many orders count, in any currency.
	Orders int
	// Net are the amounts of those in currencies with cuts, ascending by code.
	Net []Net
}

// Net is what was paid for orders less what was refunded of each, at least 0 of each, in
// minor units.
type Net struct {
	Currency string
	Amount   int64
}

// Tiers are those of a user's items at the end of a day, which is not over for longer than
// a day, by what is known of the orders that were paid first by then.
func (f *RFM) Tiers(items []Item, day int32) Tiers {
	if f.loose == nil || len(items) == 0 {
		return f.held(items, day, Tiers{})
	}
	switch s := standingOf(items); {
	case s.day > day:
		return s.before
	case s.day == day:
		return s.then
	default:
		return f.fallen(items, day, s.then)
	}
}

// Payments are what Tiers follow from, nil of who is no customer.
func (f *RFM) Payments(items []Item, day int32) *Payments {
	t := tallyOf(items, day)
	if t.orders == 0 {
		return nil
	}
	out := &Payments{Last: t.last, Orders: int(t.orders)}
	for currency, code := range f.codes {
		if t.paid>>currency&1 == 1 {
			out.Net = append(out.Net, Net{code, t.amounts[currency]})
		}
	}
	return out
}

// tallyOf adds up the orders that count at the end of a day.
func tallyOf(items []Item, day int32) tally {
	t := tally{last: math.MinInt32}
	for i := range items {
		if it := &items[i]; int32(it.State[firstDay]) <= day && counts(it, day) {
			t.add(it, day)
		}
	}
	return t
}

// segment is the place among kpi.RFMSegments.
func (t Tiers) segment() (place int) {
	const high = 3
	if t.M < high {
		place += 4
	}
	if t.R < high {
		place += 2
	}
	if t.F < high {
		place++
	}
	return place
}

// Segment is the word of kpi.RFMSegments, "" for who is none.
func (t Tiers) Segment() string {
	if t == (Tiers{}) {
		return ""
	}
	return kpi.RFMSegments[t.segment()]
}

// A tally is what the orders of a user come to.
type tally struct {
	orders  int64
	amounts [MaxKinds / 2]int64 // by currency
	paid    uint64              // has a bit for each currency of an order
	last    int32               // day of a payment
}

// add adds an order. A last payment behind a day is taken to be the first.
func (t *tally) add(it *Item, day int32) {
	t.orders++
	t.paid |= 1 << it.Marks
	t.amounts[it.Marks] += max(it.State[netAmount], 0)
	last := int32(it.State[lastDay])
	if last > day {
		last = int32(it.State[firstDay])
	}
	t.last = max(t.last, last)
}

func (c *rfmCuts) tiers(t *tally, day int32) Tiers {
	out := Tiers{5, 1, 1}
	for i := range c.recency {
		if day-t.last > c.recency[i] {
			out.R--
		}
		if t.orders >= c.frequency[i] {
			out.F++
		}
	}
	for currency, cuts := range c.monetary {
		m := uint8(1)
		for _, cut := range cuts {
			if t.amounts[currency] >= cut {
				m++
			}
		}
		out.M = max(out.M, m)
	}
	return out
}

// Join implements Rules: an order that both have is one.
func (f *RFM) Join(items, from []Item, at int64, tell Tell) []Item {
	day := f.calendar.Day(at)
	had := f.heldBefore(items, day)
	gone := func(it Item) bool { return !counts(&it, day) }
	items = slices.DeleteFunc(items, gone)
	f.before = f.stretches(f.before[:0], items, day, had)
	for _, it := range from {
		place := -1
		if it.Key != 0 {
			place = placeOf(items, it.Key)
		}
		switch {
		case gone(it):
		case place < 0:
			items = append(items, it)
		default:
			own := &items[place]
			if own.Marks == it.Marks {
				own.State[netAmount] = min(max(own.State[netAmount]+it.State[netAmount], -maxNet), maxNet)
			}
			own.State[firstDay], own.State[lastDay] = min(own.State[firstDay], it.State[firstDay]), max(own.State[lastDay], it.State[lastDay])
			own.Until = min(own.Until, it.Until)
		}
	}
	slices.SortStableFunc(items, func(a, b Item) int { return cmp.Compare(a.State[firstDay], b.State[firstDay]) })
	items = slices.Delete(items, 0, max(len(items)-kpi.MaxOrders, 0))
	f.stand(items, day, had)
	f.after = f.stretches(f.after[:0], items, day, had)
	f.tellChange(second(at), tell)
	return items
}

// Leave implements Rules.
func (f *RFM) Leave(items []Item, at int64, tell Tell) {
	day := f.calendar.Day(at)
	had := f.heldBefore(items, day)
	items = slices.DeleteFunc(slices.Clone(items), func(it Item) bool { return !counts(&it, day) })
	f.before, f.after = f.stretches(f.before[:0], items, day, had), f.after[:0]
	f.tellChange(second(at), tell)
}
