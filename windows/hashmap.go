package windows

import "iter"

// A hashMap maps 64-bit keys to 32-bit numbers: an open hash table with linear
// probing, so that a lookup waits for one cache line.
type hashMap struct {
	slots []hashSlot
	n     int
}

type hashSlot struct {
	key   uint64
	value uint32
	used  bool
}

// home is where a key's slot is looked for first. Keys need not be hashes.
func (m *hashMap) home(key uint64) int {
	return int((key*0x9E3779B97F4A7C15)>>32) & (len(m.slots) - 1)
}

// find is the key's slot, or the one that it would take.
func (m *hashMap) find(key uint64) int {
	i := m.home(key)
	for m.slots[i].used && m.slots[i].key != key {
		i = (i + 1) & (len(m.slots) - 1)
	}
	return i
}

func (m *hashMap) get(key uint64) (value uint32, ok bool) {
	if m.n == 0 {
		return 0, false
	}
	s := &m.slots[m.find(key)]
	return s.value, s.used
}

func (m *hashMap) set(key uint64, value uint32) {
	if 4*(m.n+1) > 3*len(m.slots) {
		m.grow()
	}
	s := &m.slots[m.find(key)]
	if !s.used {
		m.n++
	}
	*s = hashSlot{key, value, true}
}

func (m *hashMap) grow() {
	old := m.slots
	m.slots = make([]hashSlot, max(8, 2*len(old)))
	for _, s := range old {
		if s.used {
			m.slots[m.find(s.key)] = s
		}
	}
}

func (m *hashMap) delete(key uint64) {
	if m.n == 0 {
		return
	}
	i, mask := m.find(key), len(m.slots)-1
	if !m.slots[i].used {
		return
	}
	m.n--
	// What was displaced over the gap moves into it.
	for j := (i + 1) & mask; m.slots[j].used; j = (j + 1) & mask {
		if home := m.home(m.slots[j].key); (j-home)&mask >= (j-i)&mask {
			m.slots[i] = m.slots[j]
			i = j
		}
	}
	m.slots[i] = hashSlot{}
}

// all are the keys with their numbers, in no order; the map must not change
// while they are visited.
func (m *hashMap) all() iter.Seq2[uint64, uint32] {
	return func(yield func(uint64, uint32) bool) {
		for i := range m.slots {
			if s := &m.slots[i]; s.used && !yield(s.key, s.value) {
				return
			}
		}
	}
}
