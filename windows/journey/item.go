package journey

import (
	"math"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/carry"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// A Row is what an operator looks at of an event.
type Row struct {
	Time    int64                 // ms
	Key     uint64                // what tells apart the items that it may be of; 0 for none
	Numbers [kpi.RowNumbers]int64 // that the operator reads of its kind, stream.Missing for none
	Texts   carry.Number
	Kind    uint8   // what it is to the rules, below MaxKinds
	joined  *[]Item // of the kind joining: what another had who is the user
}

// MaxKinds is how many kinds of rows there are at most.
const MaxKinds = 32

// joining is the kind of the row by which a user gets what another had. It goes behind
// all others of its second.
const joining = MaxKinds

// An Item is something of a user that goes on.
type Item struct {
	Key   uint64
	Until int64    // when its time has come if no row changes that, ms
	State [3]int64 // what the rules know of it
	Texts carry.Number
	Rows  uint32
	Marks uint8 // what happened to it
}

// A Fact is what is told, so many times.
type Fact struct {
	At      int64    // the slice by which it became known
	Day     int32    // the business day that it belongs to
	Kind    uint8    // which fact it is
	Text    uint8    // which text it has, of those that facts of its kind can have
	Numbers [3]int64 // by place, stream.Missing for none
	// Texts are those that it carries, Money those that say which currency its number
	// is in.
	Texts, Money carry.Number
}

// Tell tells a fact so many times, below 0 to take it back.
type Tell func(f Fact, n int64)

// Rules say what becomes of a user's items.
type Rules interface {
	// Row takes in a row, behind all items whose time has come.
	Row(items []Item, r *Row, tell Tell) []Item
	// End tells what there is to tell of an item whose time has come, and which is no
	// longer there.
	End(it *Item, tell Tell)
	// Join takes in the items of another, who is the same user from an instant on, in ms.
	Join(items, from []Item, at int64, tell Tell) []Item
	// Leave takes back what was told of the days from that of an instant on, in ms: the
	// user has no items any more.
	Leave(items []Item, at int64, tell Tell)
}

// Ordered are rules that take rows of one instant in the order of their kinds, not as
// they came.
type Ordered interface {
	Rules
	ByKind()
}

// placeOf is the place of the item with the key, -1 if there is none.
func placeOf(items []Item, key uint64) int {
	for i := range items {
		if items[i].Key == key {
			return i
		}
	}
	return -1
}

// join adds items to a user's own; both says what becomes of the own one of a key that both
// have.
func join(items, from []Item, both func(own, it *Item)) []Item {
	for i := range from {
		if place := placeOf(items, from[i].Key); place >= 0 {
			both(&items[place], &from[i])
		} else {
			items = append(items, from[i])
		}
	}
	return items
}

// due is the place of the item whose time comes first, of several at once the first of
// them, and when that is.
func due(items []Item) (place int, at int64) {
	at = math.MaxInt64
	for i := range items {
		if items[i].Until < at {
			place, at = i, items[i].Until
		}
	}
	return place, at
}

// pass lets end the items whose time comes before an instant, in ms.
func pass(rules Rules, items []Item, to int64, tell Tell) []Item {
	for {
		place, at := due(items)
		if at >= to {
			return items
		}
		it := items[place]
		items = append(items[:place], items[place+1:]...)
		rules.End(&it, tell)
	}
}

// take goes on with items by a row: those whose time has come end before it.
func take(rules Rules, items []Item, r *Row, tell Tell) []Item {
	items = pass(rules, items, r.Time+1, tell)
	if r.Kind == joining {
		return rules.Join(items, *r.joined, r.Time, tell)
	}
	return rules.Row(items, r, tell)
}

// quiet tells nobody.
func quiet(Fact, int64) {}

// second is the slice of an instant, in ms.
func second(ms int64) int64 { return plan.Floor(ms, 1000) / 1000 }
