package journey

import (
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

// Kinds of rows of Sessions.
const (
	Ending uint8 = iota
	Going
)

// Sessions are the rules of kpi.Sessions. Rows have their session_id as the key and
// dwell_ms as the number.
type Sessions struct {
	gap      int64 // ms
	calendar *kpi.Calendar
}

// The state of a session: the times of its first and last row, in ms.
const (
	first = iota
	last
)

// NewSessions are the rules of an operator.
func NewSessions(s *kpi.Sessions, c *kpi.Calendar) *Sessions {
	return &Sessions{s.Gap.Milliseconds(), c}
}

// Row implements Rules.
func (s *Sessions) Row(items []Item, r *Row, tell Tell) []Item {
	place := placeOf(items, r.Key)
	if place < 0 {
		if len(items) >= kpi.MaxOpen { // the oldest is over
			tell(s.fact(&items[0], r.Time, items[0].State[last]-items[0].State[first]), 1)
			items = slices.Delete(items, 0, 1)
		}
		place = len(items)
		items = append(items, Item{Key: r.Key, State: [3]int64{first: r.Time}, Texts: r.Texts})
	}
	it := &items[place]
	it.State[last], it.Until, it.Rows = r.Time, r.Time+s.gap, it.Rows+1
	if r.Kind != Ending {
		return items
	}
	duration := it.State[last] - it.State[first]
	if dwell := r.Numbers[0]; dwell >= 0 {
		duration = dwell
	}
	tell(s.fact(it, r.Time, duration), 1)
	return slices.Delete(items, place, place+1)
}

// End implements Rules.
func (s *Sessions) End(it *Item, tell Tell) {
	tell(s.fact(it, it.Until, it.State[last]-it.State[first]), 1)
}

// fact is what is told of a session that is known to have ended at an instant.
func (s *Sessions) fact(it *Item, at, duration int64) Fact {
	return Fact{At: second(at), Day: s.calendar.Day(it.State[first]), Numbers: [3]int64{duration, int64(it.Rows) * kpi.Scale}, Texts: it.Texts}
}

// Join implements Rules: a session that both have is one.
func (s *Sessions) Join(items, from []Item, _ int64, _ Tell) []Item {
	return join(items, from, func(own, it *Item) {
		if it.State[first] < own.State[first] {
			own.State[first], own.Texts = it.State[first], it.Texts
		}
		own.State[last], own.Until, own.Rows = max(own.State[last], it.State[last]), max(own.Until, it.Until), own.Rows+it.Rows
	})
}

// Leave implements Rules.
func (s *Sessions) Leave([]Item, int64, Tell) {}
