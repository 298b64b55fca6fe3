package delivery

import (
	"cmp"
	"container/heap"
	"slices"
	"time"
)

// A timetable is what is due when: the first by time, and of those with the same time the
// one that has been on it for the longest.
type timetable[T comparable] struct {
	dates dates[T]
	of    map[T]*date[T]
	turn  int64
}

type date[T comparable] struct {
	what  T
	at    time.Time
	turn  int64
	index int
}

func (d *date[T]) compare(o *date[T]) int {
	return cmp.Or(d.at.Compare(o.at), cmp.Compare(d.turn, o.turn))
}

// put has something due at a time. What is on the timetable keeps its turn.
func (a *timetable[T]) put(what T, at time.Time) {
	if d := a.of[what]; d != nil {
		d.at = at
		heap.Fix(&a.dates, d.index)
		return
	}
	if a.of == nil {
		a.of = map[T]*date[T]{}
	}
	a.turn++
	d := &date[T]{what: what, at: at, turn: a.turn}
	a.of[what] = d
	heap.Push(&a.dates, d)
}

// remove takes something off the timetable, if it is there.
func (a *timetable[T]) remove(what T) {
	if d := a.of[what]; d != nil {
		delete(a.of, what)
		heap.Remove(&a.dates, d.index)
	}
}

// first is what is due first, if there is anything.
func (a *timetable[T]) first() (what T, at time.Time, ok bool) {
	if len(a.dates) == 0 {
		return what, at, false
	}
	return a.dates[0].what, a.dates[0].at, true
}

// byTurn is all that is on it, what has been there for the longest first.
func (a *timetable[T]) byTurn() []T {
	all := slices.SortedFunc(slices.Values(a.dates), func(x, y *date[T]) int { return cmp.Compare(x.turn, y.turn) })
	out := make([]T, len(all))
	for i, d := range all {
		out[i] = d.what
	}
	return out
}

// dates are a heap.
type dates[T comparable] []*date[T]

func (d dates[T]) Len() int           { return len(d) }
func (d dates[T]) Less(i, j int) bool { return d[i].compare(d[j]) < 0 }

func (d dates[T]) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].index, d[j].index = i, j
}

func (d *dates[T]) Push(one any) {
	added := one.(*date[T])
	added.index = len(*d)
	*d = append(*d, added)
}

func (d *dates[T]) Pop() any {
	last := len(*d) - 1
	one := (*d)[last]
	(*d)[last] = nil
	*d = (*d)[:last]
	return one
}
