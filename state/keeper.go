package state

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/tidewatch/tidewatch/windows/history"
)

// Keys of the epochs directory, all fixed. See FORMAT.md.
var (
	manifestKeys = [2][]byte{[]byte("m0"), []byte("m1")}
	numberKey    = []byte("n")       // the highest epoch number ever tried
	witnessKey   = []byte("witness") // in the history directory
)

func slotKey(slot uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{'s'}, slot)
}

// A keeper keeps the two last epochs.
type keeper struct {
	recovered bool
	// kept are the epochs on disk that verify, the newest first; current, one
	// of them, is where the next starts from, and nil before the first.
	kept    []*Epoch
	current *Epoch
	// blank is set when the next epoch starts from nothing.
	blank bool
	// adopted is set once the extents are those that current names.
	adopted bool
	// begun is set once history bears witness that there are epochs.
	begun bool
	// raw are the manifests as they are on disk.
	raw    [2][]byte
	number uint64 // the highest ever tried
	slots  slots
	doubt  *doubt
	// commits since Open.
	commits int
}

// A doubt lasts from writing a manifest until its sync: after a crash either
// the new or the former one may be there.
type doubt struct {
	at    int      // the manifest's key
	slots []uint32 // named by the new one only
}

// slots are the places of chunks. One is free when neither kept epoch names
// it.
type slots struct {
	free []uint32
	// retired are those that the older epoch names and the newer does not.
	retired []uint32
	high    uint32 // all slots are below
}

func (s *slots) take() uint32 {
	if n := len(s.free); n > 0 {
		slot := s.free[n-1]
		s.free = s.free[:n-1]
		return slot
	}
	s.high++
	return s.high - 1
}

// Current is the epoch that the next Commit starts from, nil when it starts
// from nothing. After Open it is known once Epochs was called.
func (s *Store) Current() *Epoch {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.blank {
		return nil
	}
	return s.current
}

// Epochs are the kept epochs, the newest first, of which everything verifies;
// what does not is logged. After Open the first one is the current one. The
// error is ErrDamaged when there are epochs and none verifies, or there were
// some and none is left: Adopt(nil) then starts from nothing.
func (s *Store) Epochs() ([]*Epoch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.recover(); err != nil {
		return nil, fmt.Errorf("read epochs: %w", err)
	}
	return slices.Clone(s.kept), nil
}

// Adopt continues from an epoch that Epochs answered, or with nil from
// nothing, and looks whether history is as that epoch has it. Until the next
// commit all stays on disk as it is.
func (s *Store) Adopt(e *Epoch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recovered = true
	return s.adopt(e)
}

// StartOver has the next epoch start from nothing, as Adopt(nil) does, though
// some of history may go on to hold: see Retain. The epoch is adopted.
func (s *Store) StartOver() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blank = true
	s.extents.setAside()
}

// Retain says which blocks of before StartOver are still there for readers; the
// others are as if they never were. It is called before any is put.
func (s *Store) Retain(keep func(history.BlockID) bool) { s.extents.takeBack(keep) }

func (s *Store) adopt(e *Epoch) error {
	s.blank, s.adopted = e == nil, true
	if e == nil {
		s.extents.replace(map[extentKey]*extent{})
		return nil
	}
	s.current = e
	s.sortSlots()
	of, err := e.extents()
	if err == nil {
		s.extents.replace(of)
		err = s.inspect()
	}
	if err != nil {
		return fmt.Errorf("adopt epoch %d: %w", e.manifest.Epoch, err)
	}
	if lost := s.Lost(); lost != "" {
		s.options.Log("error", lost)
	}
	return nil
}

// begin adopts the current epoch, unless another one was adopted.
func (s *Store) begin() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.beginLocked()
}

func (s *Store) beginLocked() error {
	if err := s.recover(); err != nil || s.adopted {
		return err
	}
	return s.adopt(s.current)
}

// witness has history say that there are epochs, once there is one, so that none
// is not taken for none yet.
func (s *Store) witness() error {
	if s.begun || s.current == nil {
		return nil
	}
	if err := s.history.write("witness", []pair{{witnessKey, []byte{1}}}); err != nil {
		return err
	}
	if err := s.SyncHistory(); err != nil {
		return err
	}
	s.begun = true
	return nil
}

// recover reads and verifies both epochs, once.
func (s *Store) recover() error {
	if s.recovered {
		return nil
	}
	number, err := s.epochs.get("epoch number", numberKey)
	if err != nil {
		return err
	}
	if len(number) == 8 {
		s.number = binary.LittleEndian.Uint64(number)
	}
	s.kept = nil
	var damage inLine
	for at, key := range manifestKeys {
		e, err := s.recoverAt(at, key)
		if err != nil {
			s.options.Log("error", err.Error())
			damage = append(damage, err)
		} else if e != nil {
			s.kept = append(s.kept, e)
		}
	}
	if len(s.kept) == 0 && len(damage) > 0 {
		return fmt.Errorf("%w: %w", ErrDamaged, damage)
	}
	if len(s.kept) == 0 {
		if s.begun, err = s.history.has("witness", witnessKey); err != nil {
			return err
		}
		if s.begun {
			return fmt.Errorf("%w: there were epochs in %s, and none is left", ErrDamaged, s.epochs.dir)
		}
	}
	slices.SortFunc(s.kept, func(a, b *Epoch) int { return cmp.Compare(b.manifest.Epoch, a.manifest.Epoch) })
	s.recovered = true
	if len(s.kept) > 0 {
		s.current = s.kept[0]
	}
	s.sortSlots()
	return nil
}

// inLine are errors on one line.
type inLine []error

func (e inLine) Error() string {
	text := make([]string, len(e))
	for i, err := range e {
		text[i] = err.Error()
	}
	return strings.Join(text, "; ")
}

func (e inLine) Unwrap() []error { return e }

// recoverAt is the epoch of one manifest key, nil when there is none.
func (s *Store) recoverAt(at int, key []byte) (*Epoch, error) {
	raw, err := s.epochs.get("manifest", key)
	if err != nil || len(raw) == 0 {
		return nil, err
	}
	s.raw[at] = raw
	m, refs, err := decodeManifest(raw)
	if err != nil {
		return nil, err
	}
	s.number = max(s.number, m.Epoch)
	e := &Epoch{disk: s.epochs, manifest: *m, at: at}
	if err := e.load(refs, s.kept); err != nil {
		return nil, fmt.Errorf("epoch %d: %w", m.Epoch, err)
	}
	return e, nil
}

// sortSlots finds out which slots are free, retired and in use.
func (s *Store) sortSlots() {
	users := make(map[uint32]*Epoch)
	high := s.slots.high
	use := func(e *Epoch) {
		for r := range e.table.refs {
			for _, slot := range r.slots {
				high = max(high, slot+1)
				users[slot] = e
			}
		}
	}
	for _, e := range s.kept {
		use(e)
	}
	if s.current != nil {
		use(s.current)
	}
	s.slots = slots{high: high}
	for slot := range high {
		switch users[slot] {
		case nil:
			s.slots.free = append(s.slots.free, slot)
		case s.current:
		default:
			s.slots.retired = append(s.slots.retired, slot)
		}
	}
	slices.Reverse(s.slots.free) // the lowest is taken first
	if s.doubt != nil {
		s.doubt.slots = nil // free by now, and used by no one before it is settled
	}
}

// putBackManifest ends a doubt: it puts the former manifest back, so that nothing on
// disk names the slots of the commit that failed.
func (s *Store) putBackManifest() error {
	if s.doubt == nil {
		return nil
	}
	if err := s.epochs.write("former manifest", []pair{{manifestKeys[s.doubt.at], s.raw[s.doubt.at]}}); err != nil {
		return err
	}
	if err := s.epochs.sync("former manifest"); err != nil {
		return err
	}
	s.slots.free = append(s.slots.free, s.doubt.slots...)
	s.doubt = nil
	return nil
}
