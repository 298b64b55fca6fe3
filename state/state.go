package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tidewatch/tidewatch/internal/space"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/history"
)

// Errors to test for.
var (
	ErrClosed  = errors.New("state is closed")
	ErrDamaged = errors.New("does not verify")
	ErrFull    = errors.New("no room on disk")
	ErrLocked  = errors.New("in use by another process")
)

// Options of a Store. The zero value is ready to use.
type Options struct {
	// Kept is how long the windows of a length stay in history. By default
	// 1m 6 h, 5m 3 d, 1h 90 d, today 35 d, any other 400 d; an entry replaces that of its
	// window. After a change Open rearranges the history.
	Kept map[kpi.Window]time.Duration
	// TidyEvery is the number of epochs after which the space of replaced
	// pages and blocks is reclaimed, in the background. By default 10.
	TidyEvery int
	// MinFree is the room on disk, in bytes, below which nothing is written:
	// Badger maps its files and would die of a full disk. Open needs an eighth of
	// it. By default 256 MiB.
	MinFree uint64
	// Log takes what happens inside; level is debug, info, warn or error. By
	// default nothing is logged.
	Log func(level, message string)
	// Fault, for tests, is called before every operation on the store; what it
	// returns is that operation's error, and the operation is not done.
	Fault func(op string) error

	// free, for tests, replaces the room that the disk reports.
	free func(dir string) (uint64, error)
}

func (o *Options) setDefaults() error {
	if o.TidyEvery == 0 {
		o.TidyEvery = 10
	}
	if o.TidyEvery < 0 {
		return fmt.Errorf("tidy_every=%d must be positive", o.TidyEvery)
	}
	for w, kept := range o.Kept {
		if span := history.Span(w); kept < span {
			return fmt.Errorf("kept[%s]=%s must be at least %s, the span of one block", w, kept, span)
		}
	}
	if o.MinFree == 0 {
		o.MinFree = 256 << 20
	}
	if o.Log == nil {
		o.Log = func(string, string) {}
	}
	if o.Fault == nil {
		o.Fault = func(string) error { return nil }
	}
	if o.free == nil {
		o.free = space.Left
	}
	return nil
}

// A Store is a directory of state. Its methods may be called concurrently.
type Store struct {
	options Options
	lock    *os.File
	epochs  *disk
	history *disk
	outbox  *Outbox
	made    bool // by Open
	// generation of the blocks in use.
	generation byte
	extents    extents

	mu sync.Mutex // guards what follows
	keeper
	closed bool

	tidy   chan struct{}
	tidied sync.WaitGroup
}

// Open opens the state in dir and creates it if need be, for its owner only.
// One process at a time has it open; another gets ErrLocked.
func Open(dir string, o Options) (_ *Store, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("open state %s: %w", dir, err)
		}
	}()
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	if _, err := Private(dir); err != nil {
		return nil, err
	}
	s := &Store{options: o, tidy: make(chan struct{}, 1)}
	if _, err := os.Stat(filepath.Join(dir, "epochs")); errors.Is(err, fs.ErrNotExist) {
		s.made = true
	}
	s.extents = extents{of: map[extentKey]*extent{}, dirty: map[extentKey]bool{}}
	if s.lock, err = lock(filepath.Join(dir, "LOCK")); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.release())
		}
	}()
	if s.epochs, err = openDisk(filepath.Join(dir, "epochs"), epochOptions, &s.options); err != nil {
		return nil, remedied(err, RebuildEpochs(dir))
	}
	if s.outbox, err = openOutbox(s.epochs); err != nil {
		return nil, remedied(err, RebuildEpochs(dir))
	}
	if s.history, err = openDisk(filepath.Join(dir, "history"), historyOptions, &s.options); err == nil {
		err = s.arrange()
	}
	if err != nil {
		history := filepath.Join(dir, "history")
		return nil, remedied(err, fmt.Sprintf("put a copy of %s back, or move it away: what it held of closed windows is not known then, all else goes on", history))
	}
	s.epochs.floor, s.history.floor = o.MinFree, o.MinFree
	s.tidied.Go(s.keepTidy)
	return s, nil
}

// New reports whether Open has made the folder of the epochs.
func (s *Store) New() bool { return s.made }

// remedied adds what to do about damage.
func remedied(err error, remedy string) error {
	if errors.Is(err, ErrDamaged) {
		return fmt.Errorf("%w: %s", err, remedy)
	}
	return err
}

// RebuildEpochs is what to do about epochs of the state in dir that are lost.
func RebuildEpochs(dir string) string {
	return fmt.Sprintf("put a copy of %s back; or, if there is none, move it away and start once with --rebuild, which counts anew what the stream still holds", filepath.Join(dir, "epochs"))
}

// Private makes dir, if it is not there, and lets nobody but its owner in. It
// reports whether others could get in before. One that belongs to somebody else
// stays as it is.
func Private(dir string) (tightened bool, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false, err
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() == 0o700 {
		return false, err
	}
	err = os.Chmod(dir, 0o700)
	if errors.Is(err, fs.ErrPermission) {
		return false, nil
	}
	return err == nil, err
}

// Close waits for what runs and closes the state. Calling it again does
// nothing.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	close(s.tidy)
	s.mu.Unlock()

	s.tidied.Wait()
	if err := s.release(); err != nil {
		return fmt.Errorf("close state: %w", err)
	}
	return nil
}

// release closes what is open, last opened first.
func (s *Store) release() error {
	var errs []error
	for _, d := range []*disk{s.history, s.epochs} {
		if d != nil {
			errs = append(errs, d.close())
		}
	}
	return errors.Join(append(errs, s.lock.Close())...)
}

// keepTidy reclaims the space of pages and blocks that were replaced, whenever it
// is told to.
func (s *Store) keepTidy() {
	for range s.tidy {
		for d, u := range map[*disk]upkeep{s.epochs: epochUpkeep, s.history: historyUpkeep} {
			if err := d.reclaim(u); err != nil {
				s.options.Log("warn", fmt.Sprintf("reclaim %s: %v", d.dir, err))
			}
		}
	}
}
