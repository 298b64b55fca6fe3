package journey

import (
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
)

// Kinds of rows of Plays.
const (
	Start uint8 = iota
	Progress
	Completed
	Ended
)

// How a play ended, places among kpi.PlayEnds.
const (
	endCompleted uint8 = iota
	endEnded
	endReplaced
	endSilent
)

// Plays are the rules of kpi.Plays. Rows have session_id and content_id as the key, and
// duration_ms, position_ms and watch_ms as numbers.
type Plays struct {
	gap      int64 // ms
	calendar *kpi.Calendar
}

// The state of a play: when its first part came, in ms; what is known of its duration and
// its furthest position, stream.Missing for nothing. Its Rows are the position of the
// first part, and its last part came the gap before its time.
const (
	begun = iota
	duration
	furthest
)

// isPlaced marks a play whose last part has a position.
const isPlaced = 1

// NewPlays are the rules of an operator.
func NewPlays(p *kpi.Plays, c *kpi.Calendar) *Plays { return &Plays{p.Gap.Milliseconds(), c} }

// Row implements Rules.
func (p *Plays) Row(items []Item, r *Row, tell Tell) []Item {
	place := placeOf(items, r.Key)
	if place >= 0 && r.Kind == Start {
		p.tell(&items[place], r.Time, endReplaced, stream.Missing, tell)
		items = slices.Delete(items, place, place+1)
		place = -1
	}
	if place < 0 {
		if len(items) >= kpi.MaxOpen { // the oldest is over
			oldest := items[0]
			items = slices.Delete(items, 0, 1)
			p.tell(&oldest, r.Time, endSilent, stream.Missing, tell)
		}
		place = len(items)
		from := uint32(min(max(r.Numbers[1], 0), math.MaxUint32))
		items = append(items, Item{Key: r.Key, State: [3]int64{r.Time, stream.Missing, stream.Missing}, Rows: from, Texts: r.Texts})
	}
	it := &items[place]
	it.Until = r.Time + p.gap
	if it.Marks = 0; r.Numbers[1] != stream.Missing {
		it.Marks = isPlaced
	}
	if r.Numbers[0] > 0 {
		it.State[duration] = r.Numbers[0]
	}
	it.State[furthest] = max(it.State[furthest], r.Numbers[1])
	switch r.Kind {
	case Completed:
		p.tell(it, r.Time, endCompleted, r.Numbers[2], tell)
	case Ended:
		p.tell(it, r.Time, endEnded, r.Numbers[2], tell)
	default:
		return items
	}
	return slices.Delete(items, place, place+1)
}

// End implements Rules.
func (p *Plays) End(it *Item, tell Tell) { p.tell(it, it.Until, endSilent, stream.Missing, tell) }

// tell says of a play that it is over since an instant.
func (p *Plays) tell(it *Item, at int64, how uint8, watched int64, tell Tell) {
	length, position := it.State[duration], it.State[furthest]
	if watched == stream.Missing {
		if watched = it.Until - p.gap - it.State[begun]; length != stream.Missing {
			watched = min(watched, length)
		}
		if it.Marks&isPlaced != 0 {
			watched = min(watched, max(position-int64(it.Rows), 0))
		}
	}
	reached := watched
	if length != stream.Missing {
		reached = min(watched, length)
	}
	if position = max(position, reached); how == endCompleted && length != stream.Missing {
		position = length
	}
	tell(Fact{At: second(at), Day: p.calendar.Day(at), Text: how, Numbers: [3]int64{watched, length, position}, Texts: it.Texts}, 1)
}

// Join implements Rules: a play that both have is one, of which the last part says most.
func (p *Plays) Join(items, from []Item, _ int64, _ Tell) []Item {
	return join(items, from, func(own, it *Item) {
		if it.State[begun] < own.State[begun] {
			own.State[begun], own.Rows, own.Texts = it.State[begun], it.Rows, it.Texts
		}
		if it.State[duration] != stream.Missing && (it.Until > own.Until || own.State[duration] == stream.Missing) {
			own.State[duration] = it.State[duration]
		}
		own.State[furthest] = max(own.State[furthest], it.State[furthest])
		if it.Until > own.Until {
			own.Until, own.Marks = it.Until, it.Marks
		}
	})
}

// Leave implements Rules.
func (p *Plays) Leave([]Item, int64, Tell) {}
