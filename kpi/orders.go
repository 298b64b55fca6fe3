package kpi

import (
	"fmt"

	"github.com/tidewatch/tidewatch/internal/document"
)

// Orders is an operator that joins what happens to an order by the user and order_id:
// events of the types in OrderEvents. An order is kept until OrderDays days after the
// day on which it was paid, or made; what comes later is unmatched.
//
// Its facts have a field "fact", one of OrderFacts, and a number amount_minor, that of
// the event. Of the day on which the order was paid first, with the texts of that
// payment:
//
//	paid        an order that is paid
//	payment     each payment of it
//	refunded    an order that is refunded, in part or as a whole
//	refund      each refund
//	settlement  each settlement
//
// and others:
//
//	created     an order that is made, on that day, with the texts of that event
//	cancelled   an order that is cancelled, of the day on which it was made, with the
//	            texts of its first payment, or else of its first event
//	unmatched   a refund, cancel or settle (by event) of no such order, on its own day
//	payer       a level: paid for an order on one of the last OrderDays days
//	repeat_payer  a level: paid for two or more
type Orders struct {
	// Where is what an event is that is looked at, nil for every one of these types.
	Where *Expr
}

// OrderEvents are the types of events that happen to an order.
var OrderEvents = []string{"order", "pay", "refund", "cancel", "settle"}

// Levels among the facts of Orders.
const (
	FactPayer       = "payer"
	FactRepeatPayer = "repeat_payer"
)

// OrderFacts are the kinds of facts of Orders.
var OrderFacts = []string{"created", "cancelled", "paid", "payment", "refunded", "refund", "settlement", "unmatched", FactPayer, FactRepeatPayer}

// OrderDays is for how many days after the one on which it was paid something can
// happen to an order, and how many days count for a payer.
const OrderDays = 30

// MaxOrders is how many orders of a user are known at a time; of more the oldest is
// forgotten.
const MaxOrders = 1000

// EventField says of what is unmatched which type of event it is.
const EventField = "event"

var orderFacts = func() factKinds {
	out := factKinds{}
	for _, name := range OrderFacts {
		out[name] = factKind{counted: true, numbers: []string{AmountField}}
	}
	out["unmatched"] = factKind{counted: true, numbers: []string{AmountField}, fields: map[string][]string{EventField: OrderEvents[2:]}}
	for _, name := range []string{"cancelled", "payment", "refunded", "refund", "settlement"} {
		kind := out[name]
		kind.later = OrderDays
		out[name] = kind
	}
	out[FactPayer], out[FactRepeatPayer] = factKind{bare: true}, factKind{bare: true}
	return out
}()

// Follows implements Journey.
func (o *Orders) Follows() (out []Followed) {
	for _, event := range OrderEvents {
		out = append(out, Followed{narrow(o.Where, textIs("type", event)), []string{AmountField}})
	}
	return out
}

// Key implements Journey.
func (o *Orders) Key() []string { return []string{"order_id"} }

// FactNames implements Journey.
func (o *Orders) FactNames() []string { return OrderFacts }

// Horizon implements Journey.
func (o *Orders) Horizon() int { return OrderDays }

func (o *Orders) kinds() factKinds { return orderFacts }

func (o *Orders) meaning() string { return fmt.Sprintf("orders(%s)", o.Where) }

func readOrders(n document.Node) Journey { return &Orders{Where: readWhere(n.Mapping("where"))} }
