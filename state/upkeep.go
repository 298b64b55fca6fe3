package state

import (
	"errors"
	"math"

	"github.com/dgraph-io/badger/v4"
)

// An upkeep says when it is worth it to compact tables: there are so many new ones,
// and they hold such a part of what is to be written again.
type upkeep struct {
	tables int
	part   int64
}

var (
	epochUpkeep   = upkeep{tables: 1, part: math.MaxInt64} // the values are elsewhere
	historyUpkeep = upkeep{tables: 5, part: 8}
)

// reclaim merges new tables with those that are older, and gives back the space of
// values that were overwritten. Badger learns what is garbage when it compacts.
// Without any table to compact it would take for wanted, and move, what the memtable
// overwrites.
func (d *disk) reclaim(u upkeep) error {
	d.open.RLock()
	defer d.open.RUnlock()
	if d.closed {
		return nil
	}
	levels := d.db.Levels()
	fresh, older := levels[0], int64(0)
	for _, l := range levels[1:] {
		older += l.Size
	}
	if fresh.NumTables < u.tables || fresh.Size < older/u.part {
		return nil
	}
	if err := d.room(int(fresh.Size + older)); err != nil {
		return err
	}
	if err := guarded(func() error { return d.db.Flatten(1) }); err != nil {
		return err
	}
	for {
		err := guarded(d.collect)
		if errors.Is(err, badger.ErrNoRewrite) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// collect rewrites one file of values, if enough of it is garbage.
func (d *disk) collect() error {
	if underRace() {
		d.writing.Lock()
		defer d.writing.Unlock()
	}
	return d.db.RunValueLogGC(0.3)
}
