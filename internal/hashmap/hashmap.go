// Package hashmap is an open hash table from 64-bit keys to 32-bit numbers.
package hashmap

import (
	"iter"
	"unsafe"
)

// A Map maps 64-bit keys to 32-bit numbers: an open hash table with linear
// probing, so that a lookup waits for one cache line.
type Map struct {
	slots []slot
	n     int
}

type slot struct {
	key   uint64
	value uint32
	used  bool
}

// LeastBytes and MostBytes are what a key takes: of a map that is full, and of one that has
// just grown.
const (
	LeastBytes = (slotBytes*4 + 2) / 3
	MostBytes  = (slotBytes*8 + 2) / 3
	slotBytes  = int(unsafe.Sizeof(slot{}))
)

// home is where a key's slot is looked for first. Keys need not be hashes.
func (m *Map) home(key uint64) int {
	return int((key*0x9E3779B97F4A7C15)>>32) & (len(m.slots) - 1)
}

// find is the key's slot, or the one that it would take.
func (m *Map) find(key uint64) int {
	i := m.home(key)
	for m.slots[i].used && m.slots[i].key != key {
		i = (i + 1) & (len(m.slots) - 1)
	}
	return i
}

// Get is the number of the key, if it has one.
func (m *Map) Get(key uint64) (value uint32, ok bool) {
	if m.n == 0 {
		return 0, false
	}
	s := &m.slots[m.find(key)]
	return s.value, s.used
}

// Touch brings the place of a key into the cache, so that the memory's latency is waited
// for together with that of other keys. What it answers means nothing.
func (m *Map) Touch(key uint64) uint32 {
	if m.n == 0 {
		return 0
	}
	return m.slots[m.home(key)].value
}

// Set gives the key a number.
func (m *Map) Set(key uint64, value uint32) {
	if 4*(m.n+1) > 3*len(m.slots) {
		m.grow()
	}
	s := &m.slots[m.find(key)]
	if !s.used {
		m.n++
	}
	*s = slot{key, value, true}
}

func (m *Map) grow() {
	old := m.slots
	m.slots = make([]slot, max(8, 2*len(old)))
	for _, s := range old {
		if s.used {
			m.slots[m.find(s.key)] = s
		}
	}
}

// Delete takes the key out.
func (m *Map) Delete(key uint64) {
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
	m.slots[i] = slot{}
}

// Clear takes all keys out and keeps their room.
func (m *Map) Clear() {
	clear(m.slots)
	m.n = 0
}

// All are the keys with their numbers, in no order; the map must not change
// while they are visited.
func (m *Map) All() iter.Seq2[uint64, uint32] {
	return func(yield func(uint64, uint32) bool) {
		for i := range m.slots {
			if s := &m.slots[i]; s.used && !yield(s.key, s.value) {
				return
			}
		}
	}
}

// Len is the number of keys.
func (m *Map) Len() int { return m.n }
