package stream

// dedup is the set of keys seen lately. It is cut into many small hash tables,
// so that growth never stalls the stream. As keys come in, a table lets go of
// what is too old, a part of its slots at a time.
type dedup struct {
	tables [dedupTables]keyTable
	// horizon is the oldest minute that still counts, oldest that of any key ever.
	horizon int32
	oldest  int32
	// fresh are the keys since the last Memory. Before the first there is none.
	fresh     []keySlot
	memorized bool
	warmth    uint64 // keeps the compiler from leaving touch out
}

const dedupTables = 4096

type keyTable struct {
	slots []keySlot
	used  int
	swept uint32 // the slot at which the next sweep begins
	fresh uint32 // keys since the last sweep
}

// After sweepAfter keys sweepSlots slots are swept. At four slots a key the old
// keys take an eighth of a table.
const (
	sweepAfter = 64
	sweepSlots = 4 * sweepAfter
)

// A keySlot is a key with the minute of its event, or empty. Of the key it has
// Hi and the lower half of Lo, so that four slots fill a cache line: of 10^9 ids
// two are taken for one with a chance of 10^-11.
type keySlot struct {
	hi     uint64
	lo     uint32
	minute int32
}

func (s *keySlot) empty() bool { return s.hi == 0 && s.lo == 0 }

// see reports whether the key is in the set, and puts it there with its minute
// if not.
func (d *dedup) see(k Key, minute int32) bool {
	t := &d.tables[k.Hi%dedupTables]
	if 4*(t.used+1) > 3*len(t.slots) {
		t.rebuild(d.horizon)
	}
	s := t.probe(k.Hi, uint32(k.Lo))
	switch {
	case s.empty():
		t.used++
	case s.minute >= d.horizon:
		return true
	}
	*s = keySlot{k.Hi, uint32(k.Lo), minute}
	if d.memorized {
		d.fresh = append(d.fresh, *s)
	}
	d.oldest = min(d.oldest, minute)
	if t.fresh++; t.fresh >= sweepAfter && d.oldest < d.horizon {
		t.fresh = 0
		t.sweep(d.horizon)
	}
	return false
}

// sweep drops the expired keys of some slots. It looks at a slot again when a
// key moved there.
func (t *keyTable) sweep(horizon int32) {
	mask := uint32(len(t.slots) - 1)
	at := t.swept & mask
	for range min(sweepSlots, len(t.slots)) {
		for s := &t.slots[at]; !s.empty() && s.minute < horizon; {
			t.remove(at)
		}
		at = (at + 1) & mask
	}
	t.swept = at
	if 4*t.used < len(t.slots) { // there were more once
		t.rebuild(horizon)
	}
}

// remove empties a slot and closes the gap, so that probes find what is behind
// it: Knuth, The Art of Computer Programming, 6.4, algorithm R.
func (t *keyTable) remove(at uint32) {
	mask := uint32(len(t.slots) - 1)
	for next := (at + 1) & mask; !t.slots[next].empty(); next = (next + 1) & mask {
		if home := t.slots[next].lo & mask; (next-home)&mask >= (next-at)&mask {
			t.slots[at] = t.slots[next]
			at = next
		}
	}
	t.slots[at] = keySlot{}
	t.used--
}

// probe is the slot of the key that is hi and the lower half lo, or the empty one
// that it would take. It begins at a place that follows from these.
func (t *keyTable) probe(hi uint64, lo uint32) *keySlot {
	mask := uint32(len(t.slots) - 1)
	for i := lo & mask; ; i = (i + 1) & mask {
		if s := &t.slots[i]; s.hi == hi && s.lo == lo || s.empty() {
			return s
		}
	}
}

// rebuild drops the expired keys and makes room for as many again.
func (t *keyTable) rebuild(horizon int32) {
	t.swept = 0
	live := 0
	for i := range t.slots {
		if s := &t.slots[i]; !s.empty() && s.minute >= horizon {
			live++
		}
	}
	old := t.slots
	t.slots, t.used = make([]keySlot, roomFor(live)), live
	for _, s := range old {
		if !s.empty() && s.minute >= horizon {
			*t.probe(s.hi, s.lo) = s
		}
	}
}

// roomFor is how many slots a table of n keys begins with.
func roomFor(n int) int {
	size := 16
	for size < 2*n+2 {
		size *= 2
	}
	return size
}

// touch brings the keys' places into the cache.
func (d *dedup) touch(keys []Key) {
	var sum uint64
	for _, k := range keys {
		if t := &d.tables[k.Hi%dedupTables]; len(t.slots) > 0 {
			sum += t.slots[uint32(k.Lo)&uint32(len(t.slots)-1)].hi
		}
	}
	d.warmth = sum
}
