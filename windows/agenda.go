package windows

import "slices"

// An agenda is the seconds at which sealing has something to do, ascending.
// Between them it jumps.
type agenda struct{ seconds []int64 }

func (a *agenda) note(second int64) {
	n := len(a.seconds)
	if n == 0 || a.seconds[n-1] < second {
		a.seconds = append(a.seconds, second)
		return
	}
	if i, ok := slices.BinarySearch(a.seconds, second); !ok {
		a.seconds = slices.Insert(a.seconds, i, second)
	}
}

// next is the first second after the given one, at most limit. Those before
// are forgotten.
func (a *agenda) next(after, limit int64) int64 {
	i, _ := slices.BinarySearch(a.seconds, after+1)
	a.seconds = slices.Delete(a.seconds, 0, i)
	if len(a.seconds) > 0 {
		return min(limit, a.seconds[0])
	}
	return limit
}
