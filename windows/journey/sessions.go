package journey

import (
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

// Sessions are the rules of kpi.Sessions.
type Sessions struct{ gap int64 } // ms

// NewSessions are the rules of an operator.
func NewSessions(s *kpi.Sessions) *Sessions { return &Sessions{s.Gap.Milliseconds()} }

// Row implements Rules.
func (s *Sessions) Row(items []Item, r *Row, tell func(Fact)) []Item {
	place := slices.IndexFunc(items, func(it Item) bool { return it.Key == r.Key })
	if place < 0 {
		place = len(items)
		items = append(items, Item{Key: r.Key, Begin: r.Time, Texts: r.Texts})
	}
	it := &items[place]
	it.Last, it.Until, it.Rows = r.Time, r.Time+s.gap, it.Rows+1
	if !r.Ends {
		return items
	}
	duration := it.Last - it.Begin
	if r.Dwell >= 0 {
		duration = r.Dwell
	}
	tell(it.fact(r.Time, duration))
	return slices.Delete(items, place, place+1)
}

// End implements Rules.
func (s *Sessions) End(it *Item, tell func(Fact)) { tell(it.fact(it.Until, it.Last-it.Begin)) }

// fact is what is told of an item that is known to have ended at an instant.
func (it *Item) fact(at, duration int64) Fact {
	return Fact{At: second(at), Begin: it.Begin, Duration: duration, Rows: it.Rows, Texts: it.Texts}
}
