package stream

// dedup is the set of keys seen lately. It is cut into many small hash tables,
// so that growth never stalls the stream; a table that is full first drops
// what is too old.
type dedup struct {
	tables [dedupTables]keyTable
	// horizon is the oldest minute that still counts.
	horizon int32
}

const dedupTables = 4096

type keyTable struct {
	keys    []Key
	minutes []int32
	used    int
}

// see reports whether the key is in the set, and puts it there with its minute
// if not.
func (d *dedup) see(k Key, minute int32) bool {
	t := &d.tables[k.Hi%dedupTables]
	if 4*(t.used+1) > 3*len(t.keys) {
		t.rebuild(d.horizon)
	}
	mask := uint64(len(t.keys) - 1)
	i := k.Lo & mask
	for ; t.keys[i] != (Key{}); i = (i + 1) & mask {
		if t.keys[i] == k {
			if t.minutes[i] >= d.horizon {
				return true
			}
			t.minutes[i] = minute
			return false
		}
	}
	t.keys[i], t.minutes[i] = k, minute
	t.used++
	return false
}

// rebuild drops the expired keys and makes room for as many again.
func (t *keyTable) rebuild(horizon int32) {
	live := 0
	for i, k := range t.keys {
		if k != (Key{}) && t.minutes[i] >= horizon {
			live++
		}
	}
	size := 16
	for size < 2*live+2 {
		size *= 2
	}
	keys, minutes := t.keys, t.minutes
	t.keys, t.minutes, t.used = make([]Key, size), make([]int32, size), live
	mask := uint64(size - 1)
	for j, k := range keys {
		if k == (Key{}) || minutes[j] < horizon {
			continue
		}
		i := k.Lo & mask
		for t.keys[i] != (Key{}) {
			i = (i + 1) & mask
		}
		t.keys[i], t.minutes[i] = k, minutes[j]
	}
}

// touch brings the key's place into the cache; the sum keeps the compiler from
// leaving it out.
func (d *dedup) touch(k Key) uint64 {
	t := &d.tables[k.Hi%dedupTables]
	if len(t.keys) == 0 {
		return 0
	}
	return t.keys[k.Lo&uint64(len(t.keys)-1)].Lo
}
