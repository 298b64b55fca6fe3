package stream

import "unsafe"

// dedup is the set of keys seen lately. It is cut into many small hash tables,
// so that growth never stalls the stream. As keys come in, a table lets go of
// what is too old, a part of its slots at a time.
type dedup struct {
	tables  [dedupTables]keyTable
	horizon int32 // the oldest minute that still counts
	// fresh are the keys since the last Memory. Before the first there is none.
	fresh     []seenKey
	memorized bool
	room      []keySlot // of a table that is being rebuilt
	warmth    uint64    // keeps the compiler from leaving touch out
}

// dedupTables is how many tables there are: the lower tableBits of a key's Hi say
// which one it is in.
const (
	tableBits   = 16
	dedupTables = 1 << tableBits
)

// A seenKey is what is remembered of a key, with the minute of its event: Hi and
// the lower half of Lo. Of 10^9 ids two are taken for one with a chance of 10^-11.
type seenKey struct {
	hi     uint64
	lo     uint32
	minute int32
}

// A keyTable is an open hash table with linear probing. Its size is no power of
// two, so that it can grow little by little and stays dense.
type keyTable struct {
	slots []keySlot
	used  int32
	fresh int32 // keys since it was built
	base  int32 // the minute from which its slots count
}

// A keySlot is what a table does not say of a key, in 12 bytes: Lo, what is left
// of Hi, and the minute from the table's base on, 0 in an empty slot.
type keySlot struct {
	lo     uint32
	hi     uint32
	hi16   uint16
	minute uint16
}

// maxOffset is how far behind its base a table has minutes: 45 days.
const maxOffset = 1<<16 - 2

func (s *keySlot) empty() bool { return s.minute == 0 }

func slotOf(hi uint64, lo uint32) keySlot {
	return keySlot{lo: lo, hi: uint32(hi >> 32), hi16: uint16(hi >> tableBits)}
}

// same reports whether both have the same key, whenever it was.
func (s *keySlot) same(o keySlot) bool { return s.lo == o.lo && s.hi == o.hi && s.hi16 == o.hi16 }

func (t *keyTable) minute(s *keySlot) int32 { return t.base + int32(s.minute) - 1 }

// key is what the slot of table number i remembers.
func (t *keyTable) key(i int, s *keySlot) seenKey {
	return seenKey{uint64(s.hi)<<32 | uint64(s.hi16)<<tableBits | uint64(i), s.lo, t.minute(s)}
}

// see reports whether the key is in the set, and puts it there with its minute
// if not.
func (d *dedup) see(k Key, minute int32) bool {
	t := &d.tables[k.Hi%dedupTables]
	key := slotOf(k.Hi, uint32(k.Lo))
	var s *keySlot
	if len(t.slots) > 0 {
		if s = t.probe(key); !s.empty() && t.minute(s) >= d.horizon {
			return true
		}
	}
	if t.full() || t.stale() || !t.reaches(minute) {
		d.rebuild(t, minute)
		s = t.probe(key)
	}
	if s.empty() {
		t.used++
	}
	t.put(s, key, minute)
	if d.memorized {
		d.fresh = append(d.fresh, seenKey{k.Hi, uint32(k.Lo), minute})
	}
	t.fresh++
	return false
}

// has reports whether the key is in the set.
func (d *dedup) has(k Key) bool {
	t := &d.tables[k.Hi%dedupTables]
	if len(t.slots) == 0 {
		return false
	}
	s := t.probe(slotOf(k.Hi, uint32(k.Lo)))
	return !s.empty() && t.minute(s) >= d.horizon
}

// full reports whether a key more would be too many.
func (t *keyTable) full() bool { return 5*(int(t.used)+1) > 4*len(t.slots) }

// stale reports whether so many keys came that as many may have expired.
func (t *keyTable) stale() bool { return 4*int(t.fresh) > len(t.slots) }

// reaches reports whether the table can note the minute.
func (t *keyTable) reaches(minute int32) bool {
	return minute >= t.base && int64(minute)-int64(t.base) <= maxOffset
}

func (t *keyTable) put(s *keySlot, key keySlot, minute int32) {
	key.minute = uint16(minute - t.base + 1)
	*s = key
}

func (t *keyTable) next(at uint32) uint32 {
	if at++; at == uint32(len(t.slots)) {
		return 0
	}
	return at
}

// home is the place at which probes for a key begin.
func (t *keyTable) home(lo uint32) uint32 { return uint32(uint64(lo) * uint64(len(t.slots)) >> 32) }

// probe is the slot of the key, or the empty one that it would take.
func (t *keyTable) probe(key keySlot) *keySlot {
	for i := t.home(key.lo); ; i = t.next(i) {
		if s := &t.slots[i]; s.empty() || s.same(key) {
			return s
		}
	}
}

// rebuild drops the expired keys of a table, makes room for three quarters more than
// are left, and has it reach the minute of a key that it takes in. What is too far
// before that is expired as soon as the key's row lets time go on: no window of ids
// is that long.
func (d *dedup) rebuild(t *keyTable, minute int32) {
	base := max(min(d.horizon, minute), minute-maxOffset)
	live := d.room[:0]
	for _, s := range t.slots {
		if minute := t.minute(&s); !s.empty() && minute >= max(d.horizon, base) {
			s.minute = uint16(minute - base + 1)
			live = append(live, s)
		}
	}
	if n := roomFor(len(live)); len(t.slots) < n || len(t.slots) > n+n/4 {
		t.slots = newSlots(n)
	} else {
		clear(t.slots)
	}
	t.used, t.fresh, t.base = int32(len(live)), 0, base
	for _, s := range live {
		*t.probe(s) = s
	}
	d.room = live
}

// roomFor is how many slots a table of n keys begins with.
func roomFor(n int) int { return 4 + n + 3*n/4 }

// newSlots are empty slots. Each page of theirs is written to: one that is read
// first, as probes do, is mapped once for that and once more for the first write,
// which stops all cores.
func newSlots(n int) []keySlot {
	const page = 4096 / int(unsafe.Sizeof(keySlot{}))
	slots := make([]keySlot, n)
	for i := 0; i < n; i += page {
		slots[i].minute = 0
	}
	return slots
}

// touch brings the keys' places into the cache.
func (d *dedup) touch(keys []Key) {
	var sum uint64
	for _, k := range keys {
		if t := &d.tables[k.Hi%dedupTables]; len(t.slots) > 0 {
			sum += uint64(t.slots[t.home(uint32(k.Lo))].lo)
		}
	}
	d.warmth = sum
}
