package state

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/history"
)

// pageExtent is the kind of the pages in which an epoch names the blocks that
// history must hold, a page for each set and window.
const pageExtent = 2000

// A LostError says that a block that was written is not in history any more, or
// not as it was.
type LostError struct {
	Block history.BlockID
	// Dir is the folder in which it should be.
	Dir string
	// Why is a word for what is there instead.
	Why string
}

func (e *LostError) Error() string {
	return fmt.Sprintf("not known: what %s had of it is %s: put a copy of that folder back, or wait until it is older than what is kept", e.Dir, e.Why)
}

// What there is instead of a block.
const (
	missing     = "missing"
	damaged     = "damaged"
	anotherTime = "of another time"
)

// A held is a block that history must hold.
type held struct {
	index int64
	sum   uint64 // of what was written
}

// An extent is what history must hold of one set and window.
type extent struct {
	number uint64 // of its page
	held   []held // ascending by index
}

type extentKey struct {
	set    string
	window kpi.Window
}

// extents tell a block that is lost from one that never was.
type extents struct {
	mu     sync.RWMutex
	of     map[extentKey]*extent
	dirty  map[extentKey]bool    // not in an epoch as they are
	before map[extentKey]*extent // of before StartOver
	lost   []*LostError          // blocks that are held and not there
}

// lose notes that a block is lost.
func (x *extents) lose(l *LostError) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.lost = append(x.lost, l)
}

// losses are the blocks that are lost and still held.
func (x *extents) losses() []*LostError {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return slices.DeleteFunc(slices.Clone(x.lost), func(l *LostError) bool { _, known := x.held(l.Block); return !known })
}

// find is what was written as the block.
func (x *extents) find(id history.BlockID) (held, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.held(id)
}

func (x *extents) held(id history.BlockID) (held, bool) {
	e := x.of[extentKey{id.Set, id.Window}]
	if e == nil {
		return held{}, false
	}
	i, ok := e.search(id.Index)
	if !ok {
		return held{}, false
	}
	return e.held[i], true
}

func (e *extent) search(index int64) (int, bool) {
	return slices.BinarySearchFunc(e.held, index, func(h held, index int64) int { return int(h.index - index) })
}

// put notes a block that was written, and forgets those whose places newer ones
// take in a ring.
func (x *extents) put(id history.BlockID, sum uint64, ring int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	key := extentKey{id.Set, id.Window}
	e := x.of[key]
	if e == nil {
		e = &extent{number: uint64(len(x.of))}
		x.of[key] = e
	}
	i, ok := e.search(id.Index)
	if !ok {
		e.held = slices.Insert(e.held, i, held{index: id.Index})
	}
	e.held[i].sum = sum
	e.trim(ring)
	x.dirty[key] = true
	x.lost = slices.DeleteFunc(x.lost, func(l *LostError) bool { return l.Block == id })
}

// trim reports whether it forgot any.
func (e *extent) trim(ring int64) bool {
	n, newest := len(e.held), e.held[len(e.held)-1].index
	e.held = slices.DeleteFunc(e.held, func(h held) bool { return h.index <= newest-ring })
	return len(e.held) < n
}

// replace makes the extents those that an epoch names.
func (x *extents) replace(of map[extentKey]*extent) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.of, x.before, x.lost = of, nil, nil
	clear(x.dirty)
}

// setAside leaves nothing, until takeBack.
func (x *extents) setAside() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.of, x.before = map[extentKey]*extent{}, x.of
	clear(x.dirty)
}

// takeBack takes the blocks that keep wants out of what was set aside.
func (x *extents) takeBack(keep func(history.BlockID) bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for key, e := range x.before {
		e.held = slices.DeleteFunc(e.held, func(h held) bool { return !keep(history.BlockID{Set: key.set, Window: key.window, Index: h.index}) })
		if len(e.held) > 0 {
			e.number = uint64(len(x.of))
			x.of[key], x.dirty[key] = e, true
		}
	}
	x.before = nil
}

// take is the pages that changed since they were last taken.
func (x *extents) take() (pages []Page, taken []extentKey) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for key := range x.dirty {
		e := x.of[key]
		pages = append(pages, Page{ID: PageID{Kind: pageExtent, B: e.number}, Data: e.encode(key)})
		taken = append(taken, key)
	}
	clear(x.dirty)
	return pages, taken
}

// giveBack has the pages taken once more, as no epoch has them.
func (x *extents) giveBack(taken []extentKey) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, key := range taken {
		x.dirty[key] = true
	}
}

func (e *extent) encode(key extentKey) []byte {
	out := binary.AppendVarint(nil, int64(key.window.Length))
	out = codec.AppendText(out, key.set)
	out = binary.AppendUvarint(out, uint64(len(e.held)))
	last := int64(0)
	for _, h := range e.held {
		out = binary.AppendVarint(out, h.index-last)
		out = binary.LittleEndian.AppendUint64(out, h.sum)
		last = h.index
	}
	return out
}

func decodeExtent(number uint64, data []byte) (extentKey, *extent, error) {
	in := codec.NewReader(data)
	var key extentKey
	key.window.Length = time.Duration(in.Varint())
	key.set = in.Text()
	e := &extent{number: number, held: make([]held, in.Count(9))}
	last := int64(0)
	for i := range e.held {
		last += in.Varint()
		e.held[i] = held{last, in.Uint64()}
	}
	if err := ended(in); err != nil {
		return key, nil, fmt.Errorf("decode extent: %w", err)
	}
	return key, e, nil
}

// extents is what the epoch says of history.
func (e *Epoch) extents() (map[extentKey]*extent, error) {
	of := map[extentKey]*extent{}
	for page, err := range e.Pages(pageExtent) {
		if err != nil {
			return nil, err
		}
		key, x, err := decodeExtent(page.ID.B, page.Data)
		if err != nil {
			return nil, err
		}
		of[key] = x
	}
	return of, nil
}

// inspect looks at every block that history must hold, as far as its head.
func (s *Store) inspect() error {
	type wanted struct {
		id  history.BlockID
		sum uint64
	}
	want := map[string]wanted{}
	for key, x := range s.extents.of {
		if len(x.held) > 0 && x.trim(s.ring(key.window)) { // it is shorter than it was
			s.extents.dirty[key] = true
		}
		for _, h := range x.held {
			id := history.BlockID{Set: key.set, Window: key.window, Index: h.index}
			want[string(s.blockKey(id))] = wanted{id, h.sum}
		}
	}
	lose := func(w wanted, why string) { s.extents.lose(&LostError{w.id, s.history.dir, why}) }
	err := s.history.each("blocks", blockPrefix(s.generation), func(key, data []byte) error {
		w, ok := want[string(key)]
		delete(want, string(key))
		switch {
		case !ok:
		case len(data) == 0:
			lose(w, damaged)
		case sealOf(data) != w.sum && !takesPlace(data, w.id):
			lose(w, anotherTime)
		}
		return nil
	})
	for _, w := range want {
		lose(w, missing)
	}
	return err
}

// takesPlace reports whether what is stored is a later block in the ring, written
// behind the epoch: what was there is read on past by the stream that is behind the
// epoch too.
func takesPlace(data []byte, id history.BlockID) bool {
	later, err := openBlock(data)
	return err == nil && later.Index > id.Index
}

// Lost says what the state knows to be lost, "" when that is nothing. What is
// older than what is kept is no loss.
func (s *Store) Lost() string {
	count := map[string]int{}
	lengths := map[string]bool{}
	lost := s.extents.losses()
	for _, l := range lost {
		count[l.Why]++
		lengths[l.Block.Window.String()] = true
	}
	var told []string
	if n := len(lost); n > 0 {
		var why []string
		for _, w := range slices.Sorted(maps.Keys(count)) {
			why = append(why, fmt.Sprintf("%d %s", count[w], w))
		}
		told = append(told, fmt.Sprintf("history in %s has lost %d blocks (%s): some closed windows of %s are not known; put a copy of that folder back",
			s.history.dir, n, strings.Join(why, ", "), strings.Join(slices.Sorted(maps.Keys(lengths)), ", ")))
	}
	if n := s.outbox.lost; n > 0 {
		told = append(told, fmt.Sprintf("outbox in %s has lost %d notifications that were owed", s.epochs.dir, n))
	}
	return strings.Join(told, "; ")
}
