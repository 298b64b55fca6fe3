package state

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

var layoutKey = []byte("layout")

// arrange reads which generation of blocks is in use, and copies all blocks
// into another one when Options.Kept changed, since their places then differ.
// A crash leaves the old generation in use or the new one, both whole.
func (s *Store) arrange() error {
	var rings []string
	for w, kept := range s.options.Kept {
		rings = append(rings, fmt.Sprintf("%s=%s", w, kept))
	}
	slices.Sort(rings)
	want := strings.Join(rings, " ")

	layout, err := s.history.get("history layout", layoutKey)
	if err != nil {
		return err
	}
	if len(layout) > 0 {
		s.generation = layout[0]
		if string(layout[1:]) == want {
			return s.dropFormer()
		}
		s.generation++
		if err := s.copyBlocks(blockPrefix(layout[0])); err != nil {
			return fmt.Errorf("rearrange history: %w", err)
		}
	}
	if err := s.history.write("history layout", []pair{{layoutKey, append([]byte{s.generation}, want...)}}); err != nil {
		return err
	}
	if err := s.SyncHistory(); err != nil {
		return err
	}
	return s.dropFormer()
}

// dropFormer removes the blocks of every generation that is not in use: of the
// one before, of a copy or a removal that was interrupted. The layout that
// names the one in use may be of a run that ended before it was synced.
func (s *Store) dropFormer() error {
	generations, err := s.history.following("former blocks", keyOfBlocks)
	if err != nil {
		return err
	}
	for _, g := range generations {
		if g == s.generation {
			continue
		}
		if err := s.SyncHistory(); err != nil {
			return err
		}
		if err := s.history.drop("former blocks", blockPrefix(g)); err != nil {
			return err
		}
	}
	return nil
}

// copyBlocks puts the blocks of a former generation in their places. Of those
// that meet in one place the latest stays.
func (s *Store) copyBlocks(former []byte) error {
	// What an interrupted copy left behind.
	if err := s.history.drop("half a copy", blockPrefix(s.generation)); err != nil {
		return err
	}
	latest := make(map[string]int64)
	var lost []error
	err := s.history.each("blocks", former, func(_, data []byte) error {
		b, err := openBlock(data)
		if err != nil {
			lost = append(lost, err)
			return nil
		}
		key := string(s.blockKey(b.BlockID))
		if index, ok := latest[key]; !ok || b.Index > index {
			latest[key] = b.Index
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(lost) > 0 {
		s.options.Log("error", fmt.Sprintf("rearrange history: %d blocks are lost: %v", len(lost), lost[0]))
	}
	var pairs []pair
	size := 0
	flush := func() error {
		err := s.history.write("blocks", pairs)
		pairs, size = nil, 0
		return err
	}
	err = s.history.each("blocks", former, func(_, data []byte) error {
		b, err := openBlock(data)
		key := s.blockKey(b.BlockID)
		if err != nil || latest[string(key)] != b.Index {
			return nil
		}
		pairs = append(pairs, pair{key, bytes.Clone(data)})
		if size += len(data); size < 4<<20 {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}
