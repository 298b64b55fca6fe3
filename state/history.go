package state

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

// A BlockID names a block: the kept windows of one set and one length whose
// ends lie in [Index*Span, (Index+1)*Span). See also IndexOf.
type BlockID struct {
	Set    string
	Window kpi.Window
	Index  int64
}

// Span is the event time that a block covers: 120 steps, or 32 days of days.
func Span(w kpi.Window) time.Duration {
	if w.IsDay() {
		return 32 * 24 * time.Hour
	}
	return 120 * w.Step()
}

// IndexOf is the block in which the window of this length that ends at end,
// in Unix seconds, is kept.
func IndexOf(w kpi.Window, end int64) int64 {
	return floorDiv(end, int64(Span(w)/time.Second))
}

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
	}
	return 400 * day
}

// ring is the number of blocks kept: those that Kept covers, and the one in
// progress.
func (s *Store) ring(w kpi.Window) int64 {
	span := Span(w)
	return int64((s.Kept(w)+span-1)/span) + 1
}

// blockKey is the block's place in its ring: it replaces the block that is as
// old as the ring is long.
func (s *Store) blockKey(id BlockID) []byte {
	window := id.Window.String()
	ring := s.ring(id.Window)
	key := append(blockPrefix(s.generation), byte(len(window)))
	key = append(append(key, window...), id.Set...)
	return binary.BigEndian.AppendUint32(key, uint32(id.Index-floorDiv(id.Index, ring)*ring))
}

func blockPrefix(generation byte) []byte { return []byte{'b', generation} }

// PutBlocks writes blocks, each whole and apart from the others. They are not
// synced: a caller whose next epoch relies on them calls SyncHistory first.
func (s *Store) PutBlocks(blocks []Block) error {
	pairs := make([]pair, len(blocks))
	for i := range blocks {
		b := &blocks[i]
		data, err := b.Append(nil)
		if err != nil {
			return fmt.Errorf("put block %v: %w", b.ID, err)
		}
		pairs[i] = pair{s.blockKey(b.ID), data}
	}
	if err := s.history.write("blocks", pairs); err != nil {
		return fmt.Errorf("put %d blocks: %w", len(blocks), err)
	}
	return nil
}

// SyncHistory returns when all blocks put before are on disk.
func (s *Store) SyncHistory() error {
	return s.history.sync("history")
}

// Block is a block, and whether it is there: it was put, and no later one took
// its place. The error is ErrDamaged when it does not verify.
func (s *Store) Block(id BlockID) (*Block, bool, error) {
	data, err := s.history.get("block", s.blockKey(id))
	if err != nil {
		return nil, false, fmt.Errorf("read block %v: %w", id, err)
	}
	if data == nil {
		return nil, false, nil
	}
	if found, _, err := openBlock(data); err == nil && found != id {
		return nil, false, nil
	}
	b, err := DecodeBlock(data)
	if err != nil {
		return nil, false, fmt.Errorf("read block %v: %w", id, err)
	}
	return b, true, nil
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
