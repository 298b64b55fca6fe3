package oracle

import (
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

// lookback is on how many days an order counts.
const lookback = 365

// rfm tells in which segment a user is on the day of the telling.
func rfm(j *kpi.RFM) journey {
	return journey{
		filters: []*kpi.Expr{j.Where},
		follows: func(e *event) bool {
			return (e.texts["type"] == "pay" || e.texts["type"] == "refund") && e.passes(j.Where)
		},
		facts: func(o *Oracle, t telling, list []*row, joins []join) []fact {
			if !t.day {
				return nil
			}
			s := o.standing(j, list, joins, t.date)
			if s == nil {
				return nil
			}
			return []fact{{&event{texts: map[string]string{"fact": "customer", "segment": s.Segment}}, 1, never, t.date}}
		},
	}
}

// A Standing is the tiers of a customer.
type Standing struct {
	R, F, M int
	Segment string

	// What they follow from; signals have none of it.
	DaysSince int              `json:"days_since_payment"`
	Orders    int              `json:"paid_orders"`
	NetPaid   map[string]int64 `json:"net_paid"` // minor units
}

// String writes it, "none" of who is no customer.
func (s *Standing) String() string {
	if s == nil {
		return "none"
	}
	return fmt.Sprintf("%d%d%d %s", s.R, s.F, s.M, s.Segment)
}

// explained is String with what it follows from.
func (s *Standing) explained() string {
	if s == nil {
		return "none"
	}
	return fmt.Sprintf("%s by %d orders, %d days ago, %v", s, s.Orders, s.DaysSince, s.NetPaid)
}

// A purchase is an order that was paid.
type purchase struct {
	first, last int32 // days of payments
	currency    string
	net         *big.Int // millionths of minor units
}

// purchases are what a user's rows say of orders until the end of a day. The rows are in
// the order of their times.
func (o *Oracle) purchases(list []*row, joins []join, day int32) (all []*purchase, known map[string]*purchase) {
	known = map[string]*purchase{}
	for _, next := range inOrder(list, joins) {
		if next.join != nil {
			today := o.calendar.day(next.join.at * 1000)
			if today > day {
				continue
			}
			others, ids := o.purchases(next.join.rows, nil, day)
			others = slices.DeleteFunc(others, func(p *purchase) bool { return today-p.first >= lookback })
			for id, other := range ids {
				own := known[id]
				switch {
				case id == "" || !slices.Contains(others, other):
				case own == nil || today-own.first >= lookback:
					known[id] = other
				default: // both are one
					if own.currency == other.currency {
						own.net.Add(own.net, other.net)
					}
					own.first, own.last = min(own.first, other.first), max(own.last, other.last)
					others = slices.DeleteFunc(others, func(p *purchase) bool { return p == other })
				}
			}
			all = append(all, others...)
			continue
		}
		r := next.row
		on := o.calendar.day(r.time)
		if on > day {
			continue
		}
		id := r.texts["order_id"]
		one := known[id]
		if id == "" || one != nil && on-one.first >= lookback {
			one = nil
		}
		sign := int64(-1)
		if r.texts["type"] == "pay" {
			sign = 1
			if one == nil {
				one = &purchase{first: on, currency: r.texts["currency"], net: new(big.Int)}
				known[id], all = one, append(all, one)
			}
			one.last = on
		}
		if n := r.numbers["amount_minor"]; one != nil && n != nil && one.currency == r.texts["currency"] {
			one.net.Add(one.net, new(big.Int).Mul(n, big.NewInt(sign)))
		}
	}
	return all, known
}

// standing is what a user's rows say at the end of a day, nil of who is no customer. With
// hysteresis it follows from day to day, as one tier does from the one before.
func (o *Oracle) standing(j *kpi.RFM, list []*row, joins []join, day int32) (s *Standing) {
	if j.Hysteresis == 0 {
		return o.ranked(j, list, joins, day, 0)
	}
	from := day
	for _, next := range inOrder(list, joins) {
		if next.join != nil {
			from = min(from, o.calendar.day(next.join.at*1000))
		} else {
			from = min(from, o.calendar.day(next.row.time))
		}
	}
	for d := from; d <= day; d++ {
		today, least := o.ranked(j, list, joins, d, 0), o.ranked(j, list, joins, d, j.Hysteresis)
		if s != nil && today != nil {
			today.R = max(today.R, min(s.R, least.R))
			today.F = max(today.F, min(s.F, least.F))
			today.M = max(today.M, min(s.M, least.M))
			today.name()
		}
		s = today
	}
	return s
}

// comesTo is what a user's orders come to that count on a day, by rows up to the end of
// another, and what was paid by currency; nil of who is no customer.
func (o *Oracle) comesTo(list []*row, joins []join, day, upTo int32) (s *Standing, paid map[string]*big.Int) {
	all, _ := o.purchases(list, joins, upTo)
	all = slices.DeleteFunc(all, func(p *purchase) bool { return day-p.first >= lookback })
	if len(all) == 0 {
		return nil, nil
	}
	paid = map[string]*big.Int{}
	last := all[0].last
	for _, p := range all {
		last = max(last, p.last)
		if paid[p.currency] == nil {
			paid[p.currency] = new(big.Int)
		}
		if p.net.Sign() > 0 {
			paid[p.currency].Add(paid[p.currency], p.net)
		}
	}
	return &Standing{R: 1, F: 1, M: 1, DaysSince: int(day - last), Orders: len(all), NetPaid: map[string]int64{}}, paid
}

// ranked is what the cuts give at the end of a day, with each so many per cent easier to
// reach.
func (o *Oracle) ranked(j *kpi.RFM, list []*row, joins []join, day int32, easier int) *Standing {
	out, paid := o.comesTo(list, joins, day, day)
	if out == nil {
		return nil
	}
	if fifths := o.fifths(j, day); fifths != nil {
		out.rank(j, fifths, paid)
		return out
	}
	for tier, cut := range j.Recency {
		if out.DaysSince*100 <= cut*(100+easier) {
			out.R = max(out.R, 5-tier)
		}
	}
	for tier, cut := range j.Frequency {
		if out.Orders*100 >= cut*(100-easier) {
			out.F = tier + 2
		}
	}
	for _, c := range j.Monetary {
		n := paid[c.Code]
		if n == nil {
			continue
		}
		out.NetPaid[c.Code] = new(big.Int).Div(n, big.NewInt(kpi.Scale)).Int64()
		for tier, cut := range c.Cuts {
			least := new(big.Int).Mul(big.NewInt(int64(cut*(100-easier))), unit(c.Code))
			if new(big.Int).Mul(n, big.NewInt(100)).Cmp(least) >= 0 {
				out.M = max(out.M, tier+2)
			}
		}
	}
	out.name()
	return out
}

// name says which segment the tiers make.
func (s *Standing) name() {
	word := map[[2]bool]string{{true, true}: "value", {true, false}: "development", {false, true}: "keeping", {false, false}: "recall"}[[2]bool{s.R > 2, s.F > 2}]
	if s.Segment = "general_" + word; s.M > 2 {
		s.Segment = "important_" + word
	}
}

// unit is one unit of a currency, in millionths of its minor units. The oracle knows this
// much of ISO 4217.
func unit(code string) *big.Int {
	minor := map[string]int64{"JPY": 1, "KWD": 1000}[code]
	if minor == 0 {
		minor = 100
	}
	return big.NewInt(minor * kpi.Scale)
}

// ranking is the operator by which users and signals are told apart, nil without one.
func (o *Oracle) ranking() *kpi.RFM {
	for _, k := range o.catalogue.KPIs {
		if k.From != nil {
			if j, is := k.From.Journey.(*kpi.RFM); is {
				return j
			}
		}
	}
	return nil
}

// customer is the standing of a user by some rows, whoever they are of, nil of who has none.
func (o *Oracle) customer(user string, day int32, rows []*row) *Standing {
	j := o.ranking()
	if j == nil {
		return nil
	}
	byUser, joins, _ := o.split(rfm(j), rows, o.moved(o.Head(), math.MaxInt))
	return o.standing(j, byUser[user], joins[user], day)
}

// judgeRanks holds what signals say of customers to what was known then of the rows until
// the end of the day that they are as of. Where some of the day behind it were sealed by
// then, it is left open.
func (o *Oracle) judgeRanks(sent map[told]*Signal, rows []*row, differ func(what, user, state string, day int32, got, want string)) {
	for t, s := range sent {
		day := t.day
		if t.state == "returned" {
			day--
		}
		end, at := o.calendar.start(day+1), s.Watermark.UnixMilli()
		sealed := floorDiv(at-o.unsealed(), 1000)
		var known []*row
		open := false
		for _, r := range rows {
			if c := o.entered(r); r.user == t.user && c < len(o.heads) && o.heads[c] <= floorDiv(at, 1000) {
				known = append(known, r)
				open = open || r.second >= end && r.second < sealed
			}
		}
		if got, want := s.RFM.String(), o.customer(t.user, day, known).String(); !open && got != want {
			differ("rfm", t.user, t.state, t.day, got, want)
		}
	}
}

// fifths are what stand between the five fifths of the customers as a day begins: of the
// days since the last payment, of orders, and of amounts by currency; nil without customers,
// and of what none has.
type fifths struct {
	days, orders []*big.Int
	paid         map[string][]*big.Int
}

// fifths are those of a day, by what was known when it began. Of a day that has not begun
// they are those of the last one that has.
func (o *Oracle) fifths(j *kpi.RFM, day int32) *fifths {
	if !j.Quintiles || len(o.heads) < 2 {
		return nil
	}
	if day = min(day, o.calendar.day(o.Head()*1000)); day < o.calendar.day(o.heads[1]*1000) {
		return nil
	}
	begins := o.calendar.start(day)
	at := slices.IndexFunc(o.heads, func(head int64) bool { return head >= begins })
	key := fmt.Sprintf("%p %d", j, day)
	if known, is := o.ranks[key]; is {
		return known
	}
	var rows []*row
	for i := range o.rows {
		if r := &o.rows[i]; r.second < begins && o.entered(r) <= at {
			rows = append(rows, r)
		}
	}
	byUser, joins, gone := o.split(rfm(j), rows, o.moved(math.MaxInt64, at-1))
	var days, orders []*big.Int
	paid := map[string][]*big.Int{}
	for user, list := range byUser {
		if _, moved := gone[user]; moved {
			continue
		}
		one, sums := o.comesTo(list, joins[user], day, day-1)
		if one == nil {
			continue
		}
		days, orders = append(days, big.NewInt(int64(one.DaysSince))), append(orders, big.NewInt(int64(one.Orders)))
		for currency, sum := range sums {
			paid[currency] = append(paid[currency], sum)
		}
	}
	var out *fifths
	if len(days) > 0 {
		out = &fifths{between(days), between(orders), map[string][]*big.Int{}}
		for currency, sums := range paid {
			out.paid[currency] = between(sums)
		}
	}
	o.ranks[key] = out
	return out
}

// between are the values at the end of the first four fifths of some.
func between(values []*big.Int) (out []*big.Int) {
	slices.SortFunc(values, (*big.Int).Cmp)
	for k := 1; k < 5; k++ {
		out = append(out, values[(k*len(values)+4)/5-1])
	}
	return out
}

// rank gives tiers by which fifth of the customers one is in.
func (s *Standing) rank(j *kpi.RFM, by *fifths, paid map[string]*big.Int) {
	above := func(points []*big.Int, n *big.Int) (passed int) {
		for _, p := range points {
			if n.Cmp(p) > 0 {
				passed++
			}
		}
		return passed
	}
	s.R = 5 - above(by.days, big.NewInt(int64(s.DaysSince)))
	s.F = 1 + above(by.orders, big.NewInt(int64(s.Orders)))
	for _, c := range j.Monetary {
		n, points := paid[c.Code], by.paid[c.Code]
		if n == nil {
			continue
		}
		s.NetPaid[c.Code] = new(big.Int).Div(n, big.NewInt(kpi.Scale)).Int64()
		if points == nil { // nobody had paid in it
			for _, cut := range c.Cuts {
				points = append(points, new(big.Int).Sub(new(big.Int).Mul(big.NewInt(int64(cut)), unit(c.Code)), big.NewInt(1)))
			}
		}
		s.M = max(s.M, 1+above(points, n))
	}
	s.name()
}
