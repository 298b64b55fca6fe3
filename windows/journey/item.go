package journey

import "math"

// An Item is something of a user that goes on.
type Item struct {
	Key         uint64
	Begin, Last int64 // ms, as the rules have them
	Until       int64 // when its time has come if no row changes that, ms
	Rows        int64
	Texts       uint32
	Marks       uint8 // what happened to it
}

// A Fact is what is told, so many times.
type Fact struct {
	At     int64 // the slice by which it became known
	Day    int32 // the business day that it belongs to
	Kind   uint8 // which fact it is
	Of     uint8 // the kind of the row that it is because of
	Number int64 // stream.Missing for none
	Rows   int64
	// Texts are those that it carries, Money those that say which currency its number
	// is in.
	Texts, Money uint32
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

// derive goes on with items up to an instant, in ms, by the rows before it from one
// place to another. It answers the items then and the place behind the rows it took.
func derive(rules Rules, items []Item, of *rows, from, until int, to int64, tell Tell) (after []Item, place int) {
	for {
		place, at := due(items)
		next := int64(math.MaxInt64)
		if from < until {
			next = of.list[from].time
		}
		switch {
		case min(at, next) >= to:
			return items, from
		case at <= next:
			it := items[place]
			items = append(items[:place], items[place+1:]...)
			rules.End(&it, tell)
		default:
			r := of.at(from)
			items = rules.Row(items, &r, tell)
			from++
		}
	}
}

// quiet tells nobody.
func quiet(Fact, int64) {}

// second is the slice of an instant, in ms.
func second(ms int64) int64 {
	if ms < 0 {
		return (ms - 999) / 1000
	}
	return ms / 1000
}
