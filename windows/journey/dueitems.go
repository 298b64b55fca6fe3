package journey

import "container/heap"

// dueItems say by slice of which users to look at the items.
type dueItems struct {
	lists map[int64][]uint32 // places of users, by slice
	next  seconds
	spare [][]uint32
}

func newDueItems() dueItems { return dueItems{lists: map[int64][]uint32{}} }

func (a *dueItems) add(slice int64, user uint32) {
	list, known := a.lists[slice]
	if !known {
		a.next.push(slice)
		if last := len(a.spare) - 1; last >= 0 {
			list, a.spare = a.spare[last], a.spare[:last]
		}
	}
	a.lists[slice] = append(list, user)
}

// take takes out the list of a slice, nil if there is none. The slice is the first one.
func (a *dueItems) take(slice int64) []uint32 {
	if a.next.first() != slice {
		return nil
	}
	a.next.pop()
	list := a.lists[slice]
	delete(a.lists, slice)
	return list
}

// spareUsers are those of a list whose room is kept.
const spareUsers = 4096

// recycle takes back the room of a list.
func (a *dueItems) recycle(list []uint32) {
	if cap(list) > 0 && cap(list) <= spareUsers && len(a.spare) < spareSlices {
		a.spare = append(a.spare, list[:0])
	}
}

// seconds are a heap, the earliest first.
type seconds []int64

func (s *seconds) push(second int64) { heap.Push((*secondHeap)(s), second) }
func (s *seconds) pop() int64        { return heap.Pop((*secondHeap)(s)).(int64) }

// first is the earliest, never if there is none.
func (s *seconds) first() int64 {
	if len(*s) == 0 {
		return never
	}
	return (*s)[0]
}

type secondHeap seconds

func (s secondHeap) Len() int           { return len(s) }
func (s secondHeap) Less(i, j int) bool { return s[i] < s[j] }
func (s secondHeap) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *secondHeap) Push(x any)        { *s = append(*s, x.(int64)) }
func (s *secondHeap) Pop() any {
	last := len(*s) - 1
	x := (*s)[last]
	*s = (*s)[:last]
	return x
}
