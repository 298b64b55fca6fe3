package journey

import (
	"cmp"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/carry"
)

// Kinds of rows of Attribution.
const (
	Converting uint8 = iota
	Refunding
	Clicking
	Viewing
)

// Kinds of facts of Attribution, places among kpi.AttributionFacts.
const (
	conversion uint8 = iota
	touched
	touchPayment
	touchRefund
	unattributed
)

// Places among kpi.Touches.
const (
	click uint8 = iota
	view
)

// Marks of what Attribution keeps.
const (
	isClick      uint8 = 1 << iota // the last click
	isView                         // the last view
	isTaken                        // a touch that can have no further conversion
	isAttributed                   // an order that a touch has
)

const isTouch = isClick | isView

// The state of a touch, and of an order that one has: when the touch was, in ms, and its
// place among kpi.Touches. Of an order also when it was converted, in ms.
const (
	touchedAt = iota
	touchKind
	convertedAt
)

// Attribution are the rules of kpi.Attribution. Rows have their order_id as the key, and
// conversions and refunds amount_minor as the number. Items are the user's last click and
// view as long as a conversion can be attributed to them, and behind these the orders
// that something can join, the oldest first.
type Attribution struct {
	within   [2]int64 // by place among kpi.Touches, ms
	once     bool
	calendar *kpi.Calendar
}

// NewAttribution are the rules of an operator.
func NewAttribution(a *kpi.Attribution, c *kpi.Calendar) *Attribution {
	out := &Attribution{within: [2]int64{click: a.Click.Within.Milliseconds()}, once: a.Once, calendar: c}
	if a.View != nil {
		out.within[view] = a.View.Within.Milliseconds()
	}
	return out
}

// Row implements Rules.
func (a *Attribution) Row(items []Item, r *Row, tell Tell) []Item {
	switch r.Kind {
	case Clicking:
		return a.touch(items, r, click)
	case Viewing:
		return a.touch(items, r, view)
	}
	place := -1
	if r.Key != 0 {
		place = slices.IndexFunc(items, func(it Item) bool { return it.Marks&isTouch == 0 && it.Key == r.Key })
	}
	switch {
	case place < 0 && r.Kind == Converting:
		return a.convert(items, r, tell)
	case place < 0, items[place].Marks&isAttributed == 0:
	case r.Kind == Converting:
		tell(a.ofTouch(r, touchPayment, &items[place]), 1)
	default:
		tell(a.ofTouch(r, touchRefund, &items[place]), 1)
	}
	return items
}

// touch takes in a click, or a view, in the place of the last one.
func (a *Attribution) touch(items []Item, r *Row, kind uint8) []Item {
	mark := isClick << kind
	place := slices.IndexFunc(items[:touches(items)], func(it Item) bool { return it.Marks&mark != 0 })
	if place < 0 {
		place = 0
		items = slices.Insert(items, 0, Item{})
	}
	items[place] = Item{Until: r.Time + a.within[kind], State: [3]int64{touchedAt: r.Time, touchKind: int64(kind)}, Texts: r.Texts, Marks: mark}
	return items
}

// touches is how many items are touches: the first ones.
func touches(items []Item) (n int) {
	for n < len(items) && items[n].Marks&isTouch != 0 {
		n++
	}
	return n
}

// convert takes in a conversion, and has its order known.
func (a *Attribution) convert(items []Item, r *Row, tell Tell) []Item {
	order := Item{Key: r.Key}
	if t := a.last(items); t == nil {
		tell(Fact{At: second(r.Time), Day: a.calendar.Day(r.Time), Kind: unattributed, Numbers: [3]int64{r.Numbers[0]}, Texts: r.Texts}, 1)
	} else {
		if a.once {
			t.Marks |= isTaken
		}
		order.State, order.Texts, order.Marks = t.State, t.Texts, isAttributed
		f := a.ofTouch(r, touched, t)
		tell(f, 1)
		f.Kind, f.Day = conversion, a.calendar.Day(r.Time)
		tell(f, 1)
		tell(a.ofTouch(r, touchPayment, t), 1)
	}
	if r.Key == 0 { // nothing can join it
		return items
	}
	order.State[convertedAt] = r.Time
	order.Until = a.calendar.Start(a.calendar.Day(r.Time) + kpi.OrderDays + 1)
	if first := touches(items); len(items)-first >= kpi.MaxOrders { // the oldest is forgotten
		items = slices.Delete(items, first, first+1)
	}
	return append(items, order)
}

// last is the touch that a conversion goes to, nil if there is none.
func (a *Attribution) last(items []Item) (t *Item) {
	for i := range items[:touches(items)] {
		if t == nil || items[i].Marks&isClick != 0 {
			t = &items[i]
		}
	}
	if t != nil && t.Marks&isTaken != 0 {
		return nil
	}
	return t
}

// A Touch is a click or a view.
type Touch struct {
	Kind  string // of kpi.Touches
	At    int64  // ms
	Texts carry.Number
}

// Last is the touch that a conversion at an instant, in ms, goes to by a user's items, if
// there is one.
func (a *Attribution) Last(items []Item, at int64) (t Touch, is bool) {
	it := a.last(slices.DeleteFunc(slices.Clone(items[:touches(items)]), func(it Item) bool { return it.Until <= at }))
	if it == nil {
		return Touch{}, false
	}
	return Touch{kpi.Touches[it.State[touchKind]], it.State[touchedAt], it.Texts}, true
}

// ofTouch is what a row says of a touch, or of an order that it has, on the day of the
// touch.
func (a *Attribution) ofTouch(r *Row, kind uint8, it *Item) Fact {
	return Fact{
		At: second(r.Time), Day: a.calendar.Day(it.State[touchedAt]), Kind: kind, Text: uint8(it.State[touchKind]),
		Numbers: [3]int64{r.Numbers[0], (r.Time - it.State[touchedAt]) * kpi.Scale}, Texts: it.Texts, Money: r.Texts,
	}
}

// End implements Rules: what nothing can join any more is forgotten.
func (a *Attribution) End(*Item, Tell) {}

// Join implements Rules: of both the later touches stay, and of an order that both have
// the one that was converted later.
func (a *Attribution) Join(items, from []Item, _ int64, _ Tell) []Item {
	for _, it := range from[:touches(from)] {
		place := slices.IndexFunc(items[:touches(items)], func(own Item) bool { return own.Marks&isTouch == it.Marks&isTouch })
		if place < 0 {
			items = slices.Insert(items, 0, it)
		} else if it.State[touchedAt] > items[place].State[touchedAt] {
			items[place] = it
		}
	}
	for _, it := range from[touches(from):] {
		place := slices.IndexFunc(items, func(own Item) bool { return own.Marks&isTouch == 0 && own.Key == it.Key })
		if place < 0 {
			items = append(items, it)
		} else if it.State[convertedAt] > items[place].State[convertedAt] {
			items[place] = it
		}
	}
	orders := items[touches(items):]
	slices.SortStableFunc(orders, func(a, b Item) int { return cmp.Compare(a.State[convertedAt], b.State[convertedAt]) })
	return items
}

// Leave implements Rules.
func (a *Attribution) Leave([]Item, int64, Tell) {}
