package journey

import (
	"cmp"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

// Kinds of rows of Retention.
const (
	startingBack uint8 = iota // a start that is a return, too
	starting
	returning
)

// Kinds of facts of Retention, places among kpi.RetentionFacts.
const (
	cohort uint8 = iota
	returned
)

// The state of a start.
const (
	startedAt  = iota // ms
	startedDay        // the business day
	back              // after which days who started was back: a bit for each place
)

// dayLength is 24 hours in ms.
const dayLength = 24 * 3600 * 1000

// Retention are the rules of kpi.Retention. Items are the starts after which somebody may
// still be back, one a business day, the oldest first; or the user's first one, as long as
// it is known that there was one.
type Retention struct {
	first, rolling bool
	places         []int8 // among the days after a start that are told, by how many; -1 for none
	calendar       *kpi.Calendar
}

// NewRetention are the rules of an operator.
func NewRetention(r *kpi.Retention, c *kpi.Calendar) *Retention {
	out := &Retention{first: r.First, rolling: r.Rolling, calendar: c}
	for n := range slices.Max(r.After) + 1 {
		out.places = append(out.places, int8(slices.Index(r.After, n)))
	}
	return out
}

// Row implements Rules.
func (t *Retention) Row(items []Item, r *Row, tell Tell) []Item {
	day := t.calendar.Day(r.Time)
	if r.Kind != starting {
		for i := range items {
			t.comeBack(&items[i], r, day, tell)
		}
	}
	if r.Kind == returning {
		return items
	}
	if t.first && len(items) > 0 {
		items[0].Until = t.until(r.Time, day)
		return items
	}
	if last := len(items) - 1; last >= 0 && items[last].State[startedDay] == int64(day) {
		return items
	}
	tell(Fact{At: second(r.Time), Day: day, Kind: cohort, Texts: r.Texts}, 1)
	return append(items, Item{Until: t.until(r.Time, day), State: [3]int64{startedAt: r.Time, startedDay: int64(day)}, Texts: r.Texts})
}

// until is for how long a start is known, in ms.
func (t *Retention) until(at int64, day int32) int64 {
	switch {
	case t.first:
		return t.calendar.Start(day + kpi.StartDays + 1)
	case t.rolling:
		return at + int64(len(t.places))*dayLength
	}
	return t.calendar.Start(day + int32(len(t.places)))
}

// comeBack takes in that who started is there on a day.
func (t *Retention) comeBack(it *Item, r *Row, day int32, tell Tell) {
	started := int32(it.State[startedDay])
	after := int64(day - started)
	if t.rolling {
		after = (r.Time - it.State[startedAt]) / dayLength
	}
	if after >= int64(len(t.places)) || t.places[after] < 0 || it.State[back]&(1<<t.places[after]) != 0 {
		return
	}
	it.State[back] |= 1 << t.places[after]
	tell(Fact{At: second(r.Time), Day: started, Kind: returned, Text: uint8(t.places[after]), Texts: it.Texts}, 1)
}

// End implements Rules: nobody is back any more after a start that is forgotten.
func (t *Retention) End(*Item, Tell) {}

// Join implements Rules: of both first starts the earlier one stays, of two on one day the
// user's own.
func (t *Retention) Join(items, from []Item, _ int64, _ Tell) []Item {
	for _, it := range from {
		place := slices.IndexFunc(items, func(own Item) bool { return t.first || own.State[startedDay] == it.State[startedDay] })
		switch {
		case place < 0:
			items = append(items, it)
		case t.first:
			until := max(items[place].Until, it.Until)
			if it.State[startedAt] < items[place].State[startedAt] {
				items[place] = it
			}
			items[place].Until = until
		}
	}
	slices.SortStableFunc(items, func(a, b Item) int { return cmp.Compare(a.State[startedAt], b.State[startedAt]) })
	return items
}

// Leave implements Rules.
func (t *Retention) Leave([]Item, int64, Tell) {}
