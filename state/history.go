package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/history"
)

// Kept is how long windows of this length stay.
func (s *Store) Kept(w kpi.Window) time.Duration {
	if kept, ok := s.options.Kept[w]; ok {
		return kept
	}
	const day = 24 * time.Hour
	switch w.Length {
	case time.Minute:
		return 6 * time.Hour
	case 5 * time.Minute:
		return 3 * day
	case time.Hour:
		return 90 * day
	case kpi.Today.Length:
		return 35 * day
	}
	return 400 * day
}

// ring is the number of blocks kept: those that Kept covers, and the one in
// progress.
func (s *Store) ring(w kpi.Window) int64 {
	span := history.Span(w)
	return int64((s.Kept(w)+span-1)/span) + 1
}

// blockKey is the block's place in its ring: it replaces the block that is as
// old as the ring is long.
func (s *Store) blockKey(id history.BlockID) []byte {
	window := id.Window.String()
	ring := s.ring(id.Window)
	key := append(blockPrefix(s.generation), byte(len(window)))
	key = append(append(key, window...), id.Set...)
	return binary.BigEndian.AppendUint32(key, uint32(id.Index-floorDiv(id.Index, ring)*ring))
}

// keyOfBlocks is what the keys of all blocks begin with.
const keyOfBlocks = 'b'

func blockPrefix(generation byte) []byte { return []byte{keyOfBlocks, generation} }

// PutBlocks writes blocks, each whole and apart from the others. They are not
// synced: a caller whose next epoch relies on them, and names them, calls
// SyncHistory first.
func (s *Store) PutBlocks(blocks []*history.Block) error {
	if err := s.begin(); err != nil {
		return fmt.Errorf("put %d blocks: %w", len(blocks), err)
	}
	pairs := make([]pair, len(blocks))
	for i, b := range blocks {
		data, err := encodeBlock(b)
		if err != nil {
			return fmt.Errorf("put block %v: %w", b.BlockID, err)
		}
		pairs[i] = pair{s.blockKey(b.BlockID), data}
	}
	if err := s.history.write("blocks", pairs); err != nil {
		return fmt.Errorf("put %d blocks: %w", len(blocks), err)
	}
	for i, b := range blocks {
		s.extents.put(b.BlockID, sealOf(pairs[i].value), s.ring(b.Window))
	}
	return nil
}

// SyncHistory returns when all blocks put before are on disk.
func (s *Store) SyncHistory() error {
	return s.history.sync("history")
}

// Block is a block with some of its columns at least, as merge.History has it: nil when
// none was put, or a later one took its place. Without columns it has all. The error is a *LostError when it was put, and is not there
// as it was.
func (s *Store) Block(id history.BlockID, columns ...string) (*history.Block, error) {
	h, ok := s.extents.find(id)
	if !ok {
		return nil, nil
	}
	data, err := s.read(id, h)
	if err != nil {
		return nil, fmt.Errorf("read block %v: %w", id, err)
	}
	packed, err := openBlock(data)
	var b *history.Block
	if err == nil {
		b, err = packed.unpack(columns)
	}
	if err != nil {
		return nil, fmt.Errorf("read block %v: %w: %w", id, &LostError{id, s.history.dir, damaged}, err)
	}
	return b, nil
}

// read is the sealed block, of which no more is verified than that it is the
// one that was put.
func (s *Store) read(id history.BlockID, h held) ([]byte, error) {
	data, err := s.history.get("block", s.blockKey(id))
	switch {
	case errors.Is(err, ErrDamaged):
		return nil, fmt.Errorf("%w: %w", &LostError{id, s.history.dir, damaged}, err)
	case err != nil:
		return nil, err
	case len(data) == 0:
		return nil, &LostError{id, s.history.dir, missing}
	case sealOf(data) != h.sum:
		return nil, &LostError{id, s.history.dir, anotherTime}
	}
	return data, nil
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
