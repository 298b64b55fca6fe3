package journey

import "math"

// A Row is what an operator looks at of an event.
type Row struct {
	Time  int64  // ms
	Key   uint64 // what tells apart the items that it may be of; 0 for none
	Dwell int64  // ms that the item went on for, below 0 if the row does not say
	Texts uint32 // their number
	Ends  bool   // the item
}

// An Item is something of a user that goes on.
type Item struct {
	Key         uint64
	Begin, Last int64 // its first row and its last, ms
	Until       int64 // when it ends if no row comes, ms
	Rows        int64
	Texts       uint32 // of its first row
}

// A Fact is what is told of an item that has ended.
type Fact struct {
	At       int64 // the slice by which it became known
	Begin    int64 // when the item began, ms
	Duration int64 // ms
	Rows     int64
	Texts    uint32
}

// Rules say what becomes of a user's items. What they tell is of items that have
// ended and are no longer among those returned.
type Rules interface {
	// Row takes in a row, behind all items whose time has come.
	Row(items []Item, r *Row, tell func(Fact)) []Item
	// End tells what there is to tell of an item whose time has come.
	End(it *Item, tell func(Fact))
}

// due is the place of the item that ends first, of several at once the one that began
// first, and when that is.
func due(items []Item) (place int, at int64) {
	at = math.MaxInt64
	for i := range items {
		if items[i].Until < at {
			place, at = i, items[i].Until
		}
	}
	return place, at
}

// derive goes on with items up to an instant, in ms, by the rows before it. It answers
// the items then and how many rows it took.
func derive(rules Rules, items []Item, rows []Row, to int64, tell func(Fact)) (after []Item, taken int) {
	for {
		place, at := due(items)
		next := int64(math.MaxInt64)
		if taken < len(rows) {
			next = rows[taken].Time
		}
		switch {
		case min(at, next) >= to:
			return items, taken
		case at <= next:
			it := items[place]
			items = append(items[:place], items[place+1:]...)
			rules.End(&it, tell)
		default:
			items = rules.Row(items, &rows[taken], tell)
			taken++
		}
	}
}
