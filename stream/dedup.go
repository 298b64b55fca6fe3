package stream

// dedup is the set of keys seen lately. It is cut into many small hash tables,
// so that growth never stalls the stream; a table that is full first drops
// what is too old.
type dedup struct {
	tables [dedupTables]keyTable
	// horizon is the oldest minute that still counts.
	horizon int32
	warmth  uint64 // keeps the compiler from leaving touch out
}

const dedupTables = 4096

type keyTable struct {
	slots []keySlot
	used  int
}

// A keySlot is a key with the minute of its event, or empty.
type keySlot struct {
	Key
	minute int32
}

// see reports whether the key is in the set, and puts it there with its minute
// if not.
func (d *dedup) see(k Key, minute int32) bool {
	t := &d.tables[k.Hi%dedupTables]
	if 4*(t.used+1) > 3*len(t.slots) {
		t.rebuild(d.horizon)
	}
	s := t.find(k)
	switch {
	case s.Key == Key{}:
		t.used++
	case s.minute >= d.horizon:
		return true
	}
	*s = keySlot{k, minute}
	return false
}

// find is the key's slot, or the empty one that it would take.
func (t *keyTable) find(k Key) *keySlot {
	mask := uint64(len(t.slots) - 1)
	for i := k.Lo & mask; ; i = (i + 1) & mask {
		if s := &t.slots[i]; s.Key == k || s.Key == (Key{}) {
			return s
		}
	}
}

// rebuild drops the expired keys and makes room for as many again.
func (t *keyTable) rebuild(horizon int32) {
	live := 0
	for _, s := range t.slots {
		if s.Key != (Key{}) && s.minute >= horizon {
			live++
		}
	}
	size := 16
	for size < 2*live+2 {
		size *= 2
	}
	old := t.slots
	t.slots, t.used = make([]keySlot, size), live
	for _, s := range old {
		if s.Key != (Key{}) && s.minute >= horizon {
			*t.find(s.Key) = s
		}
	}
}

// touch brings the keys' places into the cache.
func (d *dedup) touch(keys []Key) {
	var sum uint64
	for _, k := range keys {
		if t := &d.tables[k.Hi%dedupTables]; len(t.slots) > 0 {
			sum += t.slots[k.Lo&uint64(len(t.slots)-1)].Lo
		}
	}
	d.warmth = sum
}
