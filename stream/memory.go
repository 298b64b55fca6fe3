package stream

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/tidewatch/tidewatch/internal/codec"
)

// A Memory is a share of the ids that a Sequencer remembers, on its way to a
// checkpoint.
type Memory struct {
	keys []seenKey
}

// keyBytes is what an id takes in an encoded memory.
const keyBytes = 12

// Encode writes by minute a varint, the number of keys as a uvarint, and the keys,
// 12 bytes each. until is the event time in seconds from which on none of them is
// needed any more. Empty memories are nil.
func (m Memory) Encode() (data []byte, until int64) {
	if len(m.keys) == 0 {
		return nil, 0
	}
	counts := map[int32]int{}
	newest := int32(math.MinInt32)
	for lo, hi := 0, 0; lo < len(m.keys); lo = hi { // most keys of one minute come together
		hi = m.sameMinute(lo)
		counts[m.keys[lo].minute] += hi - lo
		newest = max(newest, m.keys[lo].minute)
	}
	data = make([]byte, 0, keyBytes*len(m.keys)+2*binary.MaxVarintLen32*len(counts))
	at := make(map[int32]int, len(counts)) // where the minute's next key goes
	for minute, n := range counts {
		data = binary.AppendVarint(data, int64(minute))
		data = binary.AppendUvarint(data, uint64(n))
		at[minute] = len(data)
		data = data[:len(data)+keyBytes*n]
	}
	for lo, hi := 0, 0; lo < len(m.keys); lo = hi {
		minute := m.keys[lo].minute
		to := at[minute]
		hi = m.sameMinute(lo)
		for _, k := range m.keys[lo:hi] {
			binary.LittleEndian.PutUint64(data[to:], k.hi)
			binary.LittleEndian.PutUint32(data[to+8:], k.lo)
			to += keyBytes
		}
		at[minute] = to
	}
	return data, (int64(newest) + 1) * 60
}

// sameMinute is the end of the keys from lo on that are of one minute.
func (m Memory) sameMinute(lo int) int {
	hi := lo + 1
	for hi < len(m.keys) && m.keys[hi].minute == m.keys[lo].minute {
		hi++
	}
	return hi
}

var errMemory = errors.New("remembered ids are cut short")

// eachMinute calls visit for the keys of each minute of an encoded memory.
func eachMinute(data []byte, visit func(minute int32, keys []byte)) error {
	for r := codec.NewReader(data); r.Len() > 0; {
		minute := r.Varint()
		keys := r.Bytes(uint64(r.Count(keyBytes)) * keyBytes)
		if r.Err() != nil {
			return errMemory
		}
		visit(int32(minute), keys)
	}
	return nil
}

func keyAt(b []byte) (hi uint64, lo uint32) {
	return binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint32(b[8:])
}

// memorize is what is new since the last time, at first all there is.
func (d *dedup) memorize() Memory {
	m := Memory{d.fresh}
	d.fresh = make([]seenKey, 0, len(d.fresh)+len(d.fresh)/8)
	if !d.memorized {
		d.memorized = true
		n := 0
		for i := range d.tables {
			n += int(d.tables[i].used)
		}
		m.keys = make([]seenKey, 0, n)
		for i := range d.tables {
			t := &d.tables[i]
			for j := range t.slots {
				if s := &t.slots[j]; !s.empty() && t.minute(s) >= d.horizon {
					m.keys = append(m.keys, t.key(i, s))
				}
			}
		}
	}
	return m
}

// recall fills an empty set with encoded memories. The horizon is set.
func (d *dedup) recall(memories [][]byte) error {
	d.memorized = true
	each := func(visit func(minute int32, keys []byte)) error {
		for _, data := range memories {
			err := eachMinute(data, func(minute int32, keys []byte) {
				if minute >= d.horizon {
					visit(minute, keys)
				}
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
	count := make([]int, dedupTables)
	err := each(func(_ int32, keys []byte) {
		for ; len(keys) > 0; keys = keys[keyBytes:] {
			hi, _ := keyAt(keys)
			count[hi%dedupTables]++
		}
	})
	if err != nil {
		return err
	}
	for i, n := range count {
		if n > 0 {
			d.tables[i].slots, d.tables[i].base = newSlots(roomFor(n)), d.horizon
		}
	}
	some := make([]Key, 0, ahead)
	return each(func(minute int32, keys []byte) {
		for len(keys) > 0 {
			some = some[:0]
			for ; len(keys) > 0 && len(some) < ahead; keys = keys[keyBytes:] {
				hi, lo := keyAt(keys)
				some = append(some, Key{hi, uint64(lo)})
			}
			d.touch(some)
			for _, k := range some {
				t := &d.tables[k.Hi%dedupTables]
				if t.full() || !t.reaches(minute) {
					d.rebuild(t, minute)
				}
				key := slotOf(k.Hi, uint32(k.Lo))
				s := t.probe(key)
				if s.empty() {
					t.used++
				} else if minute <= t.minute(s) {
					continue
				}
				t.put(s, key, minute)
			}
		}
	})
}
