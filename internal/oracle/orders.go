package oracle

import (
	"maps"
	"math/big"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

var orderTypes = []string{"order", "pay", "refund", "cancel", "settle"}

// joined is for how many days after its own something joins an order, and how many
// days count for a payer.
const joined = 30

// orders tell what happened to orders, and on the day of the telling who is a payer.
func orders(j *kpi.Orders) journey {
	return journey{
		filters: []*kpi.Expr{j.Where},
		follows: func(e *event) bool { return slices.Contains(orderTypes, e.texts["type"]) && e.passes(j.Where) },
		facts:   (*Oracle).ordersOf,
	}
}

// An order is what is known of one.
type order struct {
	made, paid          *row // its first event of the type
	refunded, cancelled bool
}

// accounts are what is known of a user's orders, and on which days some were paid.
type accounts struct {
	known map[string]*order
	paid  []payment
}

// A payment is the first of an order.
type payment struct {
	*row
	of *order
}

func (o *Oracle) ordersOf(t telling, list []*row, joins []join) []fact {
	out, a := o.accountsOf(list, joins)
	if !t.day {
		return out
	}
	for _, j := range joins { // levels change from the day of the join on
		if o.calendar.day(j.at*1000) > t.date {
			a.paid = slices.DeleteFunc(a.paid, func(p payment) bool { return slices.Contains(j.rows, p.row) })
		}
	}
	recent := slices.DeleteFunc(a.paid, func(p payment) bool {
		day := o.calendar.day(p.time)
		return day > t.date || day <= t.date-joined
	})
	for n, kind := range []string{"payer", "repeat_payer"} {
		if len(recent) > n {
			out = append(out, fact{&event{texts: map[string]string{"fact": kind}}, 1, never, t.date})
		}
	}
	return out
}

func (o *Oracle) accountsOf(list []*row, joins []join) (out []fact, a accounts) {
	say := func(kind string, of int32, r, texts *row) {
		f := fact{event: &event{texts: maps.Clone(texts.texts), numbers: map[string]*big.Int{}}, weight: 1, at: r.second, day: of}
		f.texts["fact"], f.texts["event"] = kind, r.texts["type"]
		delete(f.texts, "currency")
		if c, ok := r.texts["currency"]; ok {
			f.texts["currency"] = c
		}
		if n := r.numbers["amount_minor"]; n != nil {
			f.numbers["amount_minor"] = n
		}
		out = append(out, f)
	}
	known := map[string]*order{}
	var paid []payment
	for _, next := range inOrder(list, joins) {
		if next.join != nil {
			today := o.calendar.day(next.join.at * 1000)
			_, other := o.accountsOf(next.join.rows, nil)
			for _, p := range other.paid[max(len(other.paid)-2, 0):] { // who pays again has paid two
				double := false
				for id, one := range other.known {
					own := known[id]
					double = double || one == p.of && own != nil && own.paid != nil && today <= own.until(o) && today <= one.until(o)
				}
				if !double {
					paid = append(paid, p)
				}
			}
			for id, one := range other.known {
				if own := known[id]; today <= one.until(o) && (own == nil || today > own.until(o)) {
					known[id] = one
				}
			}
			continue
		}
		r := next.row
		day := o.calendar.day(r.time)
		one := &order{} // without an id nothing joins it
		if id := r.texts["order_id"]; id != "" {
			if known[id] != nil && day > known[id].until(o) {
				delete(known, id)
			}
			if known[id] == nil && (r.texts["type"] == "order" || r.texts["type"] == "pay") {
				known[id] = one
			}
			if known[id] != nil {
				one = known[id]
			}
		}
		switch r.texts["type"] {
		case "order":
			if one.made == nil {
				one.made = r
				say("created", day, r, r)
			}
		case "pay":
			if one.paid == nil {
				one.paid = r
				paid = append(paid, payment{r, one})
				say("paid", day, r, r)
			}
			say("payment", o.calendar.day(one.paid.time), r, one.paid)
		case "cancel":
			switch begun := one.begun(); {
			case begun == nil:
				say("unmatched", day, r, r)
			case !one.cancelled:
				one.cancelled = true
				say("cancelled", o.calendar.day(begun.time), r, one.texts())
			}
		case "refund", "settle":
			if one.paid == nil {
				say("unmatched", day, r, r)
				continue
			}
			of := o.calendar.day(one.paid.time)
			if r.texts["type"] == "settle" {
				say("settlement", of, r, one.paid)
				continue
			}
			say("refund", of, r, one.paid)
			if !one.refunded {
				one.refunded = true
				say("refunded", of, r, one.paid)
			}
		}
	}
	return out, accounts{known, paid}
}

// begun is the event by which the order was made, nil if nothing is known of it.
func (one *order) begun() *row {
	if one.made != nil {
		return one.made
	}
	return one.paid
}

// texts is the event whose texts the order has.
func (one *order) texts() *row {
	if one.paid != nil {
		return one.paid
	}
	return one.made
}

// until is the last day on which something joins the order.
func (one *order) until(o *Oracle) int32 {
	since := one.made
	if one.paid != nil {
		since = one.paid
	}
	return o.calendar.day(since.time) + joined
}
