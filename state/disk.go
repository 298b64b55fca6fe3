package state

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"

	"github.com/tidewatch/tidewatch/internal/access"
	"github.com/tidewatch/tidewatch/internal/space"
)

// A disk is one Badger directory. Every operation passes Options.Fault, and
// none is done without room.
type disk struct {
	dir     string
	db      *badger.DB
	options *Options
	// alarms counts what Badger only logs, a failed sync of its value log
	// among it.
	alarms atomic.Int64
	// floor is the room that is to be left on disk: little while the store is
	// opened, so that it can be read, then Options.MinFree.
	floor uint64

	open   sync.RWMutex // read-held by whoever uses db
	closed bool

	writing sync.Mutex // held by writes and garbage collection, under the race detector

	naming sync.Mutex
	names  []string // of the files, as last synced
}

type pair struct{ key, value []byte }

// epochOptions put pages into the value log: there a byte is written once. A
// small memtable and compaction of level zero from its second table on (Flatten
// does nothing below that) find the garbage soon. Tables are compacted when space
// is reclaimed and only then: Badger's compactors look for work twenty times a
// second each, which is half of what an idle service costs. Writes do not wait for
// that.
// SyncWrites makes sure that a page moved by garbage collection is on disk
// before the file it came from goes.
func epochOptions(o badger.Options) badger.Options {
	return o.WithMemTableSize(128 << 10).WithValueThreshold(1 << 10).WithValueLogFileSize(64 << 20).
		WithNumLevelZeroTables(1).WithNumLevelZeroTablesStall(math.MaxInt).WithNumCompactors(0).WithSyncWrites(true)
}

// historyOptions keep blocks in the tables, and those above 1 MiB in the value log.
// Both are tidied on demand, and SyncWrites is for what moves, as with epochs.
func historyOptions(o badger.Options) badger.Options {
	return o.WithMemTableSize(16 << 20).WithValueThreshold(1 << 20).WithValueLogFileSize(64 << 20).
		WithNumLevelZeroTables(1).WithNumLevelZeroTablesStall(math.MaxInt).WithNumCompactors(0).WithSyncWrites(true)
}

func openDisk(dir string, tune func(badger.Options) badger.Options, o *Options) (*disk, error) {
	d := &disk{dir: dir, options: o, floor: o.MinFree / 8}
	if err := d.room(0); err != nil {
		return nil, err
	}
	if err := access.Check(dir); err != nil {
		return nil, err
	}
	if err := dropEmpty(dir); err != nil {
		return nil, err
	}
	err := intact(dir)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	// Pages and blocks are few and large, blocks are compressed already:
	// nothing is left for Badger to cache or to compress.
	opt := badger.DefaultOptions(dir).WithLogger(logger{d}).WithDetectConflicts(false).WithNumMemtables(2).
		WithChecksumVerificationMode(options.OnBlockRead).WithCompression(options.None).WithBlockCacheSize(0).WithIndexCacheSize(0).WithMetricsEnabled(false)
	err = guarded(func() (err error) { d.db, err = badger.Open(tune(opt)); return err })
	switch {
	case err == nil:
		return d, nil
	case access.Denied(err):
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	return nil, fmt.Errorf("open %s: %w: %s", dir, ErrDamaged, firstLine(err))
}

// guarded makes an error of a panic: Badger trusts lengths that it reads from a
// damaged file.
func guarded(run func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %s", ErrDamaged, firstLine(fmt.Errorf("%v", r)))
		}
	}()
	return run()
}

func (d *disk) close() error {
	d.open.Lock()
	defer d.open.Unlock()
	d.closed = true
	return d.db.Close()
}

// do runs one operation, unless the disk is closed or a test has it fail.
func (d *disk) do(op string, run func() error) error {
	d.open.RLock()
	defer d.open.RUnlock()
	err := ErrClosed
	if !d.closed {
		err = d.options.Fault(op)
	}
	if err == nil {
		err = guarded(run)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return nil
}

// room reports ErrFull unless the disk can take n bytes and keep the floor.
// What is written may be written once more when garbage is collected.
func (d *disk) room(n int) error {
	have, err := d.options.free(filepath.Dir(d.dir))
	if err != nil {
		return err
	}
	if need := d.floor + 2*uint64(n); have < need {
		return &space.Shortage{Dir: d.dir, Free: have, Needed: need, For: ErrFull}
	}
	return nil
}

// underRace reports whether the race detector looks on. Then writes wait for
// garbage collection: Badger's reads the highest version without a lock. An older
// one only makes it keep more, but the detector cannot know.
var underRace = sync.OnceValue(func() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
})

// write writes the pairs, in no order and not as one.
func (d *disk) write(op string, pairs []pair) error {
	return d.do("write "+op, func() error {
		size := 0
		for _, p := range pairs {
			size += len(p.value)
		}
		if err := d.room(size); err != nil {
			return err
		}
		if underRace() {
			d.writing.Lock()
			defer d.writing.Unlock()
		}
		alarms := d.alarms.Load()
		batch := d.db.NewWriteBatch()
		defer batch.Cancel()
		for _, p := range pairs {
			if err := batch.Set(p.key, p.value); err != nil {
				return err
			}
		}
		if err := batch.Flush(); err != nil {
			return err
		}
		if d.alarms.Load() != alarms {
			return errors.New("badger reported an error: see the log")
		}
		return nil
	})
}

// sync returns when all that was written is on disk.
func (d *disk) sync(op string) error {
	return d.do("sync "+op, func() error {
		return d.syncNames()
	})
}

// syncNames syncs the directory when there are other files in it than the
// last time, which Badger does not always do.
func (d *disk) syncNames() error {
	d.naming.Lock()
	defer d.naming.Unlock()
	files, err := os.ReadDir(d.dir)
	if err != nil {
		return err
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = f.Name()
	}
	if slices.Equal(names, d.names) {
		return nil
	}
	if err := syncFile(d.dir); err != nil {
		return err
	}
	d.names = names
	return nil
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// view calls read for the value of each key in turn, nil where there is none.
// The value is valid during the call only.
func (d *disk) view(op string, keys [][]byte, read func(value []byte)) error {
	return d.do("read "+op, func() error {
		return d.db.View(func(tx *badger.Txn) error {
			for _, key := range keys {
				item, err := tx.Get(key)
				if errors.Is(err, badger.ErrKeyNotFound) {
					read(nil)
					continue
				}
				if err != nil {
					return err
				}
				err = item.Value(func(v []byte) error {
					if len(v) == 0 && item.ValueSize() > 0 { // Badger only logs that it cannot read it
						return errors.New("value log has no such value")
					}
					read(v)
					return nil
				})
				if err != nil {
					return fmt.Errorf("%w: %w", ErrDamaged, err)
				}
			}
			return nil
		})
	})
}

// get is the value of one key, nil where there is none.
func (d *disk) get(op string, key []byte) (value []byte, err error) {
	err = d.view(op, [][]byte{key}, func(v []byte) { value = append([]byte(nil), v...) })
	return value, err
}

// has reports whether there is a value.
func (d *disk) has(op string, key []byte) (bool, error) {
	value, err := d.get(op, key)
	return len(value) > 0, err
}

// keys are those with the prefix, in their order.
func (d *disk) keys(op string, prefix []byte) (keys [][]byte, err error) {
	err = d.do("list "+op, func() error {
		return d.db.View(func(tx *badger.Txn) error {
			it := tx.NewIterator(badger.IteratorOptions{Prefix: prefix})
			defer it.Close()
			for it.Rewind(); it.Valid(); it.Next() {
				keys = append(keys, it.Item().KeyCopy(nil))
			}
			return nil
		})
	})
	return keys, err
}

// following are the bytes that follow the given one at the head of keys.
func (d *disk) following(op string, first byte) (next []byte, err error) {
	err = d.do("list "+op, func() error {
		return d.db.View(func(tx *badger.Txn) error {
			it := tx.NewIterator(badger.IteratorOptions{Prefix: []byte{first}})
			defer it.Close()
			for it.Rewind(); it.Valid(); {
				n := it.Item().Key()[1]
				next = append(next, n)
				if n == math.MaxUint8 {
					break
				}
				it.Seek([]byte{first, n + 1})
			}
			return nil
		})
	})
	return next, err
}

// each calls read for every key with the prefix and its value, as it was when
// each was called: read may write. Both are valid during the call only; the value
// is nil when it cannot be read.
func (d *disk) each(op string, prefix []byte, read func(key, value []byte) error) error {
	err := guarded(func() error {
		tx := d.db.NewTransaction(false)
		defer tx.Discard()
		it := tx.NewIterator(badger.IteratorOptions{Prefix: prefix})
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			if err := it.Item().Value(func(v []byte) error { return read(it.Item().Key(), v) }); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read %s: %w", op, err)
	}
	return nil
}

// scan calls read for the values of those keys, of all from one to another, that are
// wanted, as far as they can be read. A value is valid during the call only.
func (d *disk) scan(op string, from, to []byte, wanted func(key []byte) bool, read func(value []byte)) error {
	return d.do("scan "+op, func() error {
		return d.db.View(func(tx *badger.Txn) error {
			it := tx.NewIterator(badger.IteratorOptions{Prefix: from[:1]})
			defer it.Close()
			for it.Seek(from); it.Valid() && bytes.Compare(it.Item().Key(), to) <= 0; it.Next() {
				if !wanted(it.Item().Key()) {
					continue
				}
				if err := it.Item().Value(func(v []byte) error { read(v); return nil }); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// drop removes every key with the prefix.
func (d *disk) drop(op string, prefix []byte) error {
	return d.do("drop "+op, func() error { return d.db.DropPrefix(prefix) })
}

// logger hands Badger's log on.
type logger struct{ d *disk }

func (l logger) log(level, format string, args []any) {
	l.d.options.Log(level, filepath.Base(l.d.dir)+": "+strings.TrimSpace(fmt.Sprintf(format, args...)))
}

func (l logger) Errorf(format string, args ...any) {
	l.d.alarms.Add(1)
	l.log("error", format, args)
}
func (l logger) Warningf(format string, args ...any) { l.log("warn", format, args) }
func (l logger) Infof(format string, args ...any)    { l.log("debug", format, args) }
func (l logger) Debugf(string, ...any)               {}
