package journey

import "container/heap"

// An agenda says by slice which users to look at.
type agenda struct {
	lists map[int64][]uint32 // by slice
	next  seconds            // a heap
	spare [][]uint32
}

func newAgenda() agenda { return agenda{lists: map[int64][]uint32{}} }

func (a *agenda) add(slice int64, user uint32) {
	list, known := a.lists[slice]
	if !known {
		heap.Push(&a.next, slice)
		if last := len(a.spare) - 1; last >= 0 {
			list, a.spare = a.spare[last], a.spare[:last]
		}
	}
	a.lists[slice] = append(list, user)
}

// before takes out the first slice before a second, if there is one.
func (a *agenda) before(second int64) (slice int64, list []uint32, ok bool) {
	if len(a.next) == 0 || a.next[0] >= second {
		return 0, nil, false
	}
	slice = heap.Pop(&a.next).(int64)
	list = a.lists[slice]
	delete(a.lists, slice)
	return slice, list, true
}

// move gives a whole list to another agenda.
func (a *agenda) move(slice int64, list []uint32) {
	if _, known := a.lists[slice]; known {
		for _, user := range list {
			a.add(slice, user)
		}
		return
	}
	heap.Push(&a.next, slice)
	a.lists[slice] = list
}

// recycle takes back the room of a list.
func (a *agenda) recycle(list []uint32) {
	if len(a.spare) < 1024 && cap(list) <= 1024 {
		a.spare = append(a.spare, list[:0])
	}
}

// seconds are a heap of slices, the earliest first.
type seconds []int64

func (s seconds) Len() int           { return len(s) }
func (s seconds) Less(i, j int) bool { return s[i] < s[j] }
func (s seconds) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *seconds) Push(x any)        { *s = append(*s, x.(int64)) }
func (s *seconds) Pop() any {
	last := len(*s) - 1
	x := (*s)[last]
	*s = (*s)[:last]
	return x
}
