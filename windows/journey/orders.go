package journey

import (
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/carry"
)

// Kinds of rows of Orders.
const (
	Order uint8 = iota
	Pay
	Refund
	Cancel
	Settle
)

// Kinds of facts of Orders, places among kpi.OrderFacts.
const (
	created uint8 = iota
	cancelled
	paid
	payment
	refunded
	refund
	settlement
	unmatched
	payer
	repeatPayer
)

// Marks of an order.
const (
	isPaid uint8 = 1 << iota
	isCreated
	isRefunded
	isCancelled
	isStanding // no order, but when the user paid for the last two
)

// The state of an order: when it was paid first, and made, in ms; each of them the other
// as long as there is none.
const (
	paidAt = iota
	madeAt
)

// The state of the standing: when the last two orders were paid, in ms.
const (
	secondLast = iota
	lastPaid
)

// Orders are the rules of kpi.Orders. Rows have their order_id as the key and
// amount_minor as the number. An item is an order that something can join; the first
// one of a user who paid is the standing.
type Orders struct{ calendar *kpi.Calendar }

// NewOrders are the rules of an operator.
func NewOrders(c *kpi.Calendar) *Orders { return &Orders{c} }

// Row implements Rules.
func (o *Orders) Row(items []Item, r *Row, tell Tell) []Item {
	place := -1
	if r.Key != 0 {
		place = placeOf(items, r.Key)
	}
	if place < 0 && (r.Kind == Order || r.Kind == Pay) {
		first := 0
		if len(items) > 0 && items[0].Marks&isStanding != 0 {
			first = 1
		}
		if len(items)-first >= kpi.MaxOrders { // the oldest is forgotten
			items = slices.Delete(items, first, first+1)
		}
		place = len(items)
		items = append(items, Item{Key: r.Key, State: [3]int64{paidAt: r.Time, madeAt: r.Time}, Texts: r.Texts})
	}
	if place < 0 {
		tell(o.fact(r, unmatched, r.Time, r.Texts), 1)
		return items
	}
	it := &items[place]
	paidNow := r.Kind == Pay && it.Marks&isPaid == 0
	if r.Kind == Order || r.Kind == Pay {
		o.begin(it, r, tell)
	} else {
		o.join(it, r, tell)
	}
	if r.Key == 0 { // nothing can join it
		items = items[:place]
	}
	if paidNow {
		items = o.stand(items, r, tell)
	}
	return items
}

// fact is what a row says of an order, of the business day of an instant.
func (o *Orders) fact(r *Row, kind uint8, of int64, texts carry.Number) Fact {
	f := Fact{At: second(r.Time), Day: o.calendar.Day(of), Kind: kind, Numbers: [3]int64{r.Numbers[0]}, Texts: texts, Money: r.Texts}
	if kind == unmatched {
		f.Text = r.Kind - Refund
	}
	return f
}

// begin takes in that an order is made, or paid.
func (o *Orders) begin(it *Item, r *Row, tell Tell) {
	switch {
	case r.Kind == Order && it.Marks&isCreated == 0:
		it.Marks |= isCreated
		it.State[madeAt] = r.Time
		tell(o.fact(r, created, r.Time, r.Texts), 1)
	case r.Kind == Pay:
		if it.Marks&isPaid == 0 {
			it.State[paidAt], it.Texts, it.Marks = r.Time, r.Texts, it.Marks|isPaid
			tell(o.fact(r, paid, r.Time, r.Texts), 1)
		}
		tell(o.fact(r, payment, it.State[paidAt], it.Texts), 1)
	}
	since := it.State[madeAt]
	if it.Marks&isPaid != 0 {
		since = it.State[paidAt]
	}
	it.Until = o.calendar.Start(o.calendar.Day(since) + kpi.OrderDays + 1)
}

// join takes in what happens to an order that is known.
func (o *Orders) join(it *Item, r *Row, tell Tell) {
	switch {
	case r.Kind == Cancel:
		if it.Marks&isCancelled == 0 {
			it.Marks |= isCancelled
			tell(o.fact(r, cancelled, it.State[madeAt], it.Texts), 1)
		}
	case it.Marks&isPaid == 0:
		tell(o.fact(r, unmatched, r.Time, r.Texts), 1)
	case r.Kind == Settle:
		tell(o.fact(r, settlement, it.State[paidAt], it.Texts), 1)
	default:
		tell(o.fact(r, refund, it.State[paidAt], it.Texts), 1)
		if it.Marks&isRefunded == 0 {
			it.Marks |= isRefunded
			tell(o.fact(r, refunded, it.State[paidAt], it.Texts), 1)
		}
	}
}

// End implements Rules: an order that nothing can join any more is forgotten.
func (o *Orders) End(*Item, Tell) {}

// stand takes in that an order was paid, later than all others, and tells what changes
// of who is a payer on which days.
func (o *Orders) stand(items []Item, r *Row, tell Tell) []Item {
	day := o.calendar.Day(r.Time)
	if len(items) == 0 || items[0].Marks&isStanding == 0 {
		items = slices.Insert(items, 0, Item{State: [3]int64{secondLast: never, lastPaid: never}, Marks: isStanding})
	}
	it := &items[0]
	span := func(kind uint8, from, to, before int32) { // before is the end so far
		if from <= before {
			from = before
		}
		at := second(r.Time)
		tell(Fact{At: at, Day: from, Kind: kind}, 1)
		tell(Fact{At: at, Day: to, Kind: kind}, -1)
	}
	end := int32(math.MinInt32)
	if it.State[lastPaid] != never {
		end = o.calendar.Day(it.State[lastPaid]) + kpi.OrderDays
	}
	span(payer, day, day+kpi.OrderDays, end)
	if day < end {
		before := int32(math.MinInt32)
		if it.State[secondLast] != never {
			before = o.calendar.Day(it.State[secondLast]) + kpi.OrderDays
		}
		span(repeatPayer, day, end, before)
	}
	it.State[secondLast], it.State[lastPaid] = it.State[lastPaid], r.Time
	it.Until = o.calendar.Start(day + kpi.OrderDays + 1)
	return items
}

// Join implements Rules: of an order that both have the user's own stays, and that the
// other's was paid counts no more.
func (o *Orders) Join(items, from []Item, at int64, tell Tell) []Item {
	standing := func(list []Item) bool { return len(list) > 0 && list[0].Marks&isStanding != 0 }
	if standing(from) {
		paid := o.paidAlone(from, items)
		if standing(items) {
			o.Leave(items, at, tell)
			paid = append(paid, payments(&items[0])...)
		} else if len(paid) > 0 {
			items = slices.Insert(items, 0, Item{})
		}
		if len(paid) > 0 {
			items[0] = o.standing(paid)
			o.tellStanding(&items[0], at, 1, tell)
		}
		from = from[1:]
	}
	for _, it := range from {
		if !slices.ContainsFunc(items, func(own Item) bool { return own.Marks&isStanding == 0 && own.Key == it.Key }) {
			items = append(items, it)
		}
	}
	return items
}

// payments are when the last orders of a standing were paid.
func payments(it *Item) (paid []int64) {
	for _, t := range it.State[:lastPaid+1] {
		if t != never {
			paid = append(paid, t)
		}
	}
	return paid
}

// paidAlone are the payments of another's standing without those of orders that the user
// paid, too.
func (o *Orders) paidAlone(from, items []Item) []int64 {
	return slices.DeleteFunc(payments(&from[0]), func(t int64) bool {
		return slices.ContainsFunc(from[1:], func(it Item) bool {
			return it.Marks&isPaid != 0 && it.State[paidAt] == t && slices.ContainsFunc(items, func(own Item) bool {
				return own.Marks&(isStanding|isPaid) == isPaid && own.Key == it.Key
			})
		})
	})
}

// standing is that of who paid orders at these times.
func (o *Orders) standing(paid []int64) Item {
	slices.Sort(paid)
	last := len(paid) - 1
	it := Item{State: [3]int64{secondLast: never, lastPaid: paid[last]}, Until: o.calendar.Start(o.calendar.Day(paid[last]) + kpi.OrderDays + 1), Marks: isStanding}
	if last > 0 {
		it.State[secondLast] = paid[last-1]
	}
	return it
}

// Leave implements Rules.
func (o *Orders) Leave(items []Item, at int64, tell Tell) {
	if len(items) > 0 && items[0].Marks&isStanding != 0 {
		o.tellStanding(&items[0], at, -1, tell)
	}
}

// tellStanding tells n times who is a payer on which days, from that of an instant on.
func (o *Orders) tellStanding(it *Item, at, n int64, tell Tell) {
	day := o.calendar.Day(at)
	for kind, paid := range map[uint8]int64{payer: it.State[lastPaid], repeatPayer: it.State[secondLast]} {
		if paid == never {
			continue
		}
		if end := o.calendar.Day(paid) + kpi.OrderDays; day < end {
			tell(Fact{At: second(at), Day: day, Kind: kind}, n)
			tell(Fact{At: second(at), Day: end, Kind: kind}, -n)
		}
	}
}
