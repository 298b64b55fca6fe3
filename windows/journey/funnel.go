package journey

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
)

// Kinds of facts of Funnel, places among kpi.FunnelFacts.
const (
	reached uint8 = iota
	possible
	entered
	completed
)

// Marks of a funnel.
const (
	isOver   uint8 = 1 << iota // all steps are reached
	isBroken                   // none is reached any more
)

// The state of a funnel.
const (
	openedAt = iota // ms
	latest          // when the latest step was reached, ms
	told            // what was told of the day on which it opened: a bit for each step, and isTold
)

// isTold is the bit of told for a completed funnel.
const isTold = 1 << 32

// Funnel are the rules of kpi.Funnel. Rows have what is held as the key and their step
// as the kind. An item is the newest funnel of a value, its Rows a bit for each step that
// is reached; as long as the day on which it opened goes on, also one that is over, for
// another may open on that day. The items stand in the order in which they opened.
type Funnel struct {
	window   int64 // ms
	mode     kpi.FunnelMode
	last     uint8 // step
	calendar *kpi.Calendar
}

// NewFunnel are the rules of an operator.
func NewFunnel(f *kpi.Funnel, c *kpi.Calendar) *Funnel {
	return &Funnel{f.Window.Milliseconds(), f.Mode, uint8(len(f.Steps) - 1), c}
}

// ByKind implements Ordered.
func (f *Funnel) ByKind() {}

// Row implements Rules.
func (f *Funnel) Row(items []Item, r *Row, tell Tell) []Item {
	place := 0
	for place < len(items) && items[place].Key != r.Key {
		place++
	}
	if place == len(items) || items[place].Marks&isOver != 0 || r.Time >= items[place].State[openedAt]+f.window {
		if r.Kind == 0 {
			items = f.open(items, place, r, tell)
		}
		return items
	}
	it := &items[place]
	step := uint32(1) << r.Kind
	switch {
	case it.Rows&step != 0 || it.Marks&isBroken != 0:
		return items
	case f.mode != kpi.AnyOrder && step != it.Rows+1: // those before are 1
		if f.mode == kpi.Strict {
			it.Marks |= isBroken
		}
		return items
	}
	f.reach(it, r, r.Time-it.State[latest], tell)
	if it.Rows == 2<<f.last-1 {
		return f.complete(items, place, r, tell)
	}
	return items
}

// open opens a funnel, in place of the one that is over, if there is one: it opened on
// the same day.
func (f *Funnel) open(items []Item, place int, r *Row, tell Tell) []Item {
	it := Item{Key: r.Key, Texts: r.Texts}
	switch {
	case place < len(items):
		it.State[told], it.Texts = items[place].State[told], items[place].Texts
		items = slices.Delete(items, place, place+1)
	case len(items) == kpi.MaxFunnels:
		items = slices.Delete(items, 0, 1)
	}
	it.State[openedAt] = r.Time
	day := f.calendar.Day(r.Time)
	it.Until = max(r.Time+f.window, f.calendar.Start(day+1))
	if it.State[told] == 0 {
		tell(Fact{At: second(r.Time), Day: day, Kind: entered, Texts: it.Texts}, 1)
	}
	f.reach(&it, r, stream.Missing, tell)
	return append(items, it)
}

// reach takes in that a step is reached, so long after the one before.
func (f *Funnel) reach(it *Item, r *Row, since int64, tell Tell) {
	it.Rows |= 1 << r.Kind
	it.State[latest] = r.Time
	if it.State[told]&(1<<r.Kind) != 0 {
		return
	}
	it.State[told] |= 1 << r.Kind
	fact := Fact{At: second(r.Time), Day: f.calendar.Day(it.State[openedAt]), Kind: reached, Text: r.Kind, Texts: it.Texts}
	fact.Numbers[0] = (r.Time - it.State[openedAt]) * kpi.Scale
	if fact.Numbers[1] = since; since != stream.Missing {
		fact.Numbers[1] *= kpi.Scale
	}
	tell(fact, 1)
	fact.Kind, fact.Numbers = possible, [3]int64{}
	next, last := r.Kind+1, r.Kind+1
	if f.mode == kpi.AnyOrder {
		last = 0
		if r.Kind == 0 {
			last = f.last
		}
	}
	for step := next; step <= min(last, f.last); step++ {
		fact.Text = step - 1 // the first step is not among the texts of possible
		tell(fact, 1)
	}
}

// complete takes in that the last step was reached. What is over is known for the rest
// of its day.
func (f *Funnel) complete(items []Item, place int, r *Row, tell Tell) []Item {
	it := &items[place]
	day := f.calendar.Day(it.State[openedAt])
	if it.State[told]&isTold == 0 {
		it.State[told] |= isTold
		tell(Fact{At: second(r.Time), Day: day, Kind: completed, Numbers: [3]int64{(r.Time - it.State[openedAt]) * kpi.Scale}, Texts: it.Texts}, 1)
	}
	it.Marks |= isOver
	if it.Until = f.calendar.Start(day + 1); it.Until <= r.Time {
		return slices.Delete(items, place, place+1)
	}
	return items
}

// End implements Rules: a funnel by which nothing is told any more is forgotten.
func (f *Funnel) End(*Item, Tell) {}

// Join implements Rules: of both funnels of a value the one goes on that reached more
// steps, the user's own if they are as many; none that is over in place of one that is
// not.
func (f *Funnel) Join(items, from []Item, _ int64, _ Tell) []Item {
	items = join(items, from, func(own, it *Item) {
		if it.Marks&isOver == 0 && (own.Marks&isOver != 0 || bits.OnesCount32(it.Rows) > bits.OnesCount32(own.Rows)) {
			*own = *it
		}
	})
	slices.SortStableFunc(items, func(a, b Item) int { return cmp.Compare(a.State[openedAt], b.State[openedAt]) })
	return slices.Delete(items, 0, max(len(items)-kpi.MaxFunnels, 0))
}

// Leave implements Rules.
func (f *Funnel) Leave([]Item, int64, Tell) {}
