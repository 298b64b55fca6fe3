package oracle

import (
	"maps"
	"math/big"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

// attribution looks, from each conversion, back for the touch that it goes to.
func attribution(a *kpi.Attribution) journey {
	filters := []*kpi.Expr{a.Where, a.Conversion, a.Click.Where}
	if a.View != nil {
		filters = append(filters, a.View.Where)
	}
	return journey{
		filters: filters,
		follows: func(e *event) bool { return roleOf(a, e) != "" },
		facts:   func(o *Oracle, _ telling, rows []*row, joins []join) []fact { return o.attributionOf(a, rows, joins) },
	}
}

// roleOf is what an event is to an attribution, "" for nothing.
func roleOf(a *kpi.Attribution, e *event) string {
	switch {
	case !e.passes(a.Where):
		return ""
	case e.passes(a.Conversion):
		return "conversion"
	case e.texts["type"] == "refund":
		return "refund"
	case e.passes(a.Click.Where):
		return "click"
	case a.View != nil && e.passes(a.View.Where):
		return "view"
	}
	return ""
}

func (o *Oracle) attributionOf(a *kpi.Attribution, list []*row, joins []join) (out []fact) {
	// Rows of others are seen from the join on. What the user converts by itself is told.
	from := map[*row]int64{} // the second behind which others see it
	own := list
	for _, j := range joins {
		for _, r := range j.rows {
			from[r] = j.at
		}
		list = append(slices.Clone(list), j.rows...)
	}
	slices.SortStableFunc(list, func(a, b *row) int { return int(a.time - b.time) })
	sees := func(r, earlier *row) bool {
		at, others := from[earlier]
		mine, isOthers := from[r]
		switch {
		case others && isOthers:
			return at == mine && sameRows(joins, r, earlier)
		case others:
			return r.second > at
		}
		return !isOthers
	}
	// begins is the place of the conversion that a row is of, -1 if it is of none.
	begins := make([]int, len(list))
	for i, r := range list {
		begins[i] = -1
		role := roleOf(a, r.event)
		if id := r.texts["order_id"]; id != "" && (role == "conversion" || role == "refund") {
			for j := range i {
				if begins[j] == j && sees(r, list[j]) && list[j].texts["order_id"] == id && o.calendar.day(r.time) <= o.calendar.day(list[j].time)+joined {
					begins[i] = j
				}
			}
		}
		if role == "conversion" && begins[i] < 0 {
			begins[i] = i
		}
	}
	// last is the place of the last such touch before a row, -1 if it is too long ago.
	last := func(i int, role string, within int64) int {
		for j := i - 1; j >= 0; j-- {
			if roleOf(a, list[j].event) == role && sees(list[i], list[j]) {
				if list[i].time-list[j].time < within {
					return j
				}
				return -1
			}
		}
		return -1
	}
	touch := map[int]int{} // by the conversion that has one
	for i := range list {
		if begins[i] != i {
			continue
		}
		t := last(i, "click", a.Click.Within.Milliseconds())
		if t < 0 && a.View != nil {
			t = last(i, "view", a.View.Within.Milliseconds())
		}
		if t >= 0 && !(a.Once && slices.Contains(slices.Collect(maps.Values(touch)), t)) {
			touch[i] = t
		}
	}
	say := func(kind string, of, r, texts *row) fact {
		f := fact{event: &event{texts: maps.Clone(texts.texts), numbers: map[string]*big.Int{}}, weight: 1, at: r.second, day: o.calendar.day(of.time)}
		for _, field := range []string{"touch", "lag_ms", "amount_minor", "currency"} {
			delete(f.texts, field)
		}
		f.texts["fact"] = kind
		if c, ok := r.texts["currency"]; ok {
			f.texts["currency"] = c
		}
		if n := r.numbers["amount_minor"]; n != nil {
			f.numbers["amount_minor"] = n
		}
		out = append(out, f)
		return f
	}
	for i, r := range list {
		if begins[i] < 0 || !slices.Contains(own, r) {
			continue
		}
		place, has := touch[begins[i]]
		if !has {
			if begins[i] == i {
				say("unattributed", r, r, r)
			}
			continue
		}
		t := list[place]
		via := roleOf(a, t.event)
		lag := big.NewInt(r.time - t.time)
		lag.Mul(lag, big.NewInt(kpi.Scale))
		attributed := func(kind string, of *row) {
			f := say(kind, of, r, t)
			f.texts["touch"], f.numbers["lag_ms"] = via, lag
		}
		if begins[i] == i {
			attributed("conversion", r)
			attributed("touched", t)
		}
		kind := "payment"
		if roleOf(a, r.event) == "refund" {
			kind = "refund"
		}
		attributed(kind, t)
	}
	return out
}

// sameRows reports whether two rows were the same other's.
func sameRows(joins []join, a, b *row) bool {
	return slices.ContainsFunc(joins, func(j join) bool { return slices.Contains(j.rows, a) && slices.Contains(j.rows, b) })
}
