package journey

import (
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
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
)

// Orders are the rules of kpi.Orders. Rows have their order_id as the key and
// amount_minor as the number. An item is an order: it begins with its first payment,
// or as long as it has none when it was made; it is kept until nothing can join it.
type Orders struct{ calendar *kpi.Calendar }

// NewOrders are the rules of an operator.
func NewOrders(c *kpi.Calendar) *Orders { return &Orders{c} }

// Row implements Rules.
func (o *Orders) Row(items []Item, r *Row, tell Tell) []Item {
	place := -1
	if r.Key != 0 {
		place = slices.IndexFunc(items, func(it Item) bool { return it.Key == r.Key })
	}
	say := func(kind uint8, day int32, texts uint32) {
		tell(Fact{At: second(r.Time), Day: day, Kind: kind, Of: r.Kind, Number: r.Number, Texts: texts, Money: r.Texts}, 1)
	}
	if r.Kind == Order || r.Kind == Pay {
		if place < 0 {
			place = len(items)
			items = append(items, Item{Key: r.Key, Begin: r.Time, Last: r.Time, Texts: r.Texts})
		}
		it := &items[place]
		switch {
		case r.Kind == Order:
			if it.Marks&isCreated == 0 {
				it.Marks |= isCreated
				it.Last = r.Time
				say(created, o.calendar.Day(r.Time), r.Texts)
			}
		case it.Marks&isPaid == 0:
			before := o.days(items)
			it.Begin, it.Texts, it.Marks = r.Time, r.Texts, it.Marks|isPaid
			say(paid, o.calendar.Day(r.Time), r.Texts)
			o.stand(before, o.days(items), second(r.Time), tell)
			fallthrough
		default:
			say(payment, o.calendar.Day(it.Begin), it.Texts)
		}
		it.Until = o.calendar.Start(o.calendar.Day(max(it.Begin, it.Last)) + kpi.OrderDays + 1)
		if r.Key == 0 && r.Kind == Order { // nothing can join it
			return items[:place]
		}
		return items
	}
	if place < 0 || r.Kind != Cancel && items[place].Marks&isPaid == 0 {
		say(unmatched, o.calendar.Day(r.Time), r.Texts)
		return items
	}
	it := &items[place]
	switch day := o.calendar.Day(it.Begin); r.Kind {
	case Refund:
		say(refund, day, it.Texts)
		if it.Marks&isRefunded == 0 {
			it.Marks |= isRefunded
			say(refunded, day, it.Texts)
		}
	case Settle:
		say(settlement, day, it.Texts)
	case Cancel:
		if it.Marks&isCancelled == 0 {
			it.Marks |= isCancelled
			say(cancelled, o.calendar.Day(it.Last), it.Texts)
		}
	}
	return items
}

// End implements Rules: an order that nothing can join any more is forgotten.
func (o *Orders) End(*Item, Tell) {}

// days are those on which orders were paid, ascending, one for each order.
func (o *Orders) days(items []Item) (days []int32) {
	for i := range items {
		if items[i].Marks&isPaid != 0 {
			days = append(days, o.calendar.Day(items[i].Begin))
		}
	}
	slices.Sort(days)
	return days
}

// stand tells what changes of who is a payer on which days: who paid for an order on
// one of the last so many days, and, of those, who paid for two.
func (o *Orders) stand(before, after []int32, at int64, tell Tell) {
	for times, kind := range []uint8{payer, repeatPayer} {
		for i, days := range [][]int32{before, after} {
			n := int64(2*i - 1)
			spans(days, times, func(from, to int32) {
				tell(Fact{At: at, Day: from, Kind: kind, Number: stream.Missing}, n)
				tell(Fact{At: at, Day: to, Kind: kind, Number: stream.Missing}, -n)
			})
		}
	}
}

// spans are the days from one to before another on which so many and one more of the
// days are among the last kpi.OrderDays.
func spans(days []int32, times int, visit func(from, to int32)) {
	from, to := int32(math.MinInt32), int32(math.MinInt32)
	for i := times; i < len(days); i++ {
		begin, end := days[i], days[i-times]+kpi.OrderDays
		if begin >= end {
			continue
		}
		if begin > to {
			if from < to {
				visit(from, to)
			}
			from = begin
		}
		to = max(to, end)
	}
	if from < to {
		visit(from, to)
	}
}
