package state

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/space"
)

// A model is what an epoch must hold.
type model map[PageID][]byte

// change is a random commit, and the model after it.
func (m model) change(r *rand.Rand, pages, size int) (Commit, model) {
	after := maps.Clone(m)
	if after == nil {
		after = make(model)
	}
	var c Commit
	for range r.IntN(pages) + 1 {
		id := PageID{Kind: uint16(r.IntN(3)), A: uint32(r.IntN(40)), B: uint64(r.IntN(3)) << 60}
		if r.IntN(4) == 0 && !slices.ContainsFunc(c.Write, func(p Page) bool { return p.ID == id }) {
			c.Drop = append(c.Drop, id)
			delete(after, id)
			continue
		}
		data := random(r, r.IntN(r.IntN(size)+1))
		c.Write = append(c.Write, Page{ID: id, Data: data})
		after[id] = data
	}
	c.Manifest = Manifest{
		Lanes: map[string]Lane{"0": {Position: r.Uint64(), Fingerprint: r.Uint64(), Watermark: -1}}, HashKey: [2]uint64{r.Uint64(), 1},
		Shards: 256, Config: "c", Tzdata: "2026a", StreamCreated: time.Unix(1, 2).UTC(), Outputs: map[string]uint64{"LATE": 9}, Root: random(r, 100),
	}
	return c, after
}

func random(r *rand.Rand, n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return data
}

// matches reports how an epoch differs from the model.
func (m model) matches(e *Epoch) error {
	if e == nil {
		if len(m) > 0 {
			return errors.New("no epoch")
		}
		return nil
	}
	got := make(model)
	for kind := range uint16(3) {
		last := PageID{}
		for p, err := range e.Pages(kind) {
			if err != nil {
				return err
			}
			if p.ID.Kind != kind || p.ID.compare(last) < 0 {
				return fmt.Errorf("page %v after %v in kind %d", p.ID, last, kind)
			}
			last = p.ID
			got[p.ID] = p.Data
		}
	}
	if len(got) != len(m) {
		return fmt.Errorf("%d pages, want %d", len(got), len(m))
	}
	for id, want := range m {
		data, ok, err := e.Page(id)
		if err != nil || !ok || !bytes.Equal(data, want) || !bytes.Equal(got[id], want) {
			return fmt.Errorf("page %v: %d bytes, %t, %w; want %d", id, len(data), ok, err, len(want))
		}
	}
	return nil
}

func epochs(t testing.TB, s *Store) []*Epoch {
	t.Helper()
	found, err := s.Epochs()
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func adopt(t testing.TB, s *Store, e *Epoch) {
	t.Helper()
	if err := s.Adopt(e); err != nil {
		t.Fatal(err)
	}
}

func TestEpochsMatchModel(t *testing.T) {
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(1, 2))
	s := open(t, dir, Options{TidyEvery: 7})
	models := []model{nil, nil} // newest first
	var manifests []Manifest
	for n := uint64(1); n <= 400; n++ {
		c, after := models[0].change(r, 12, 200_000)
		if err := s.Commit(c); err != nil {
			t.Fatal(err)
		}
		c.Manifest.Epoch = n
		models = []model{after, models[0]}
		manifests = append([]Manifest{c.Manifest}, manifests...)
		if n%40 == 0 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, dir, Options{TidyEvery: 7})
		}
		if n%10 != 0 {
			continue
		}
		for i, e := range epochs(t, s) {
			if err := models[i].matches(e); err != nil {
				t.Fatalf("commit %d, epoch %d: %v", n, e.Manifest().Epoch, err)
			}
			if got := e.Manifest(); !reflect.DeepEqual(got, manifests[i]) {
				t.Fatalf("manifest %+v, want %+v", got, manifests[i])
			}
		}
		checkSlots(t, s)
	}
}

// checkSlots checks that every slot has one use.
func checkSlots(t *testing.T, s *Store) {
	t.Helper()
	named := make(map[uint32]bool)
	for _, e := range s.kept {
		for r := range e.table.refs {
			for _, slot := range r.slots {
				named[slot] = true
			}
		}
	}
	unused := make(map[uint32]bool)
	for _, slot := range s.slots.free {
		if named[slot] || unused[slot] {
			t.Fatalf("slot %d is free and in use, or free twice", slot)
		}
		unused[slot] = true
	}
	for _, slot := range s.slots.retired { // the older epoch's, or written twice in one commit
		if unused[slot] {
			t.Fatalf("slot %d is retired and free, or retired twice", slot)
		}
		unused[slot] = true
		delete(named, slot)
	}
	if got := len(named) + len(unused); got != int(s.slots.high) {
		t.Fatalf("%d slots in use or free, want %d: some are lost", got, s.slots.high)
	}
}

func TestFallBack(t *testing.T) {
	a, b := PageID{A: 1}, PageID{A: 2}
	page := func(id PageID, data string) Page { return Page{ID: id, Data: []byte(data)} }
	for name, damage := range map[string]func(s *Store, newest *Epoch) pair{
		"page": func(s *Store, e *Epoch) pair {
			r, _ := e.table.find(b)
			return pair{slotKey(r.slots[0]), []byte("B3")}
		},
		"index page": func(s *Store, e *Epoch) pair {
			return pair{slotKey(e.table[bucketOf(b)].ref.slots[0]), []byte("x")}
		},
		"manifest": func(s *Store, e *Epoch) pair {
			return pair{manifestKeys[e.at], append([]byte{1}, s.raw[e.at]...)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			var log strings.Builder
			s := open(t, dir, Options{})
			for _, c := range []Commit{
				{Write: []Page{page(a, "A1"), page(b, "B1")}},
				{Write: []Page{page(b, "B2")}},
				{Write: []Page{page(b, "B3")}},
			} {
				if err := s.Commit(c); err != nil {
					t.Fatal(err)
				}
			}
			p := damage(s, s.Current())
			p.value = append([]byte{p.value[0] + 1}, p.value[1:]...)
			if err := errors.Join(s.epochs.write("damage", []pair{p}), s.Close()); err != nil {
				t.Fatal(err)
			}

			s = open(t, dir, Options{Log: func(level, message string) {
				if level == "error" {
					log.WriteString(message)
				}
			}})
			found := epochs(t, s)
			if len(found) != 1 || found[0].Manifest().Epoch != 2 || !strings.Contains(log.String(), "does not verify") {
				t.Fatalf("%d epochs, log %q", len(found), log.String())
			}
			adopt(t, s, found[0])
			if err := (model{a: []byte("A1"), b: []byte("B2")}).matches(s.Current()); err != nil {
				t.Error(err)
			}
			if err := s.Commit(Commit{Write: []Page{page(a, "A4")}}); err != nil {
				t.Fatal(err)
			}
			if got := s.Current().Manifest().Epoch; got != 4 {
				t.Errorf("epoch %d after falling back from 3 to 2, want 4", got)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, dir, Options{})
			found = epochs(t, s)
			if len(found) != 2 {
				t.Fatalf("%d epochs, want 2", len(found))
			}
			if err := (model{a: []byte("A4"), b: []byte("B2")}).matches(found[0]); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAdopt(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	dir := t.TempDir()
	s := open(t, dir, Options{})
	var models []model
	var last model
	commit := func() {
		t.Helper()
		c, after := last.change(r, 8, 100_000)
		if err := s.Commit(c); err != nil {
			t.Fatal(err)
		}
		models, last = append([]model{after}, models...), after
		checkSlots(t, s)
	}
	check := func() {
		t.Helper()
		for i, e := range epochs(t, s) {
			if err := models[i].matches(e); err != nil {
				t.Fatalf("epoch %d: %v", i, err)
			}
		}
	}
	for range 30 {
		commit()
		commit()
		check()
		// The older one goes on; the newer stays readable until the commit.
		adopt(t, s, epochs(t, s)[1])
		check()
		models, last = models[1:], models[1]
		commit()
		check()
		// From nothing; both stay.
		adopt(t, s, nil)
		if s.Current() != nil {
			t.Fatal("a current epoch after Adopt(nil)")
		}
		check()
		last = nil
		commit()
		check()
	}
	if got := s.Current().Manifest().Epoch; got != 120 {
		t.Errorf("epoch %d, want 120", got)
	}
}

func TestAllDamaged(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	for range 2 {
		if err := s.Commit(Commit{Write: []Page{{Data: []byte("x")}}}); err != nil {
			t.Fatal(err)
		}
	}
	pairs := []pair{{manifestKeys[0], []byte("no")}, {manifestKeys[1], []byte("no")}}
	if err := errors.Join(s.epochs.write("damage", pairs), s.Close()); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, Options{})
	if _, err := s.Epochs(); !errors.Is(err, ErrDamaged) {
		t.Errorf("Epochs: %v, want ErrDamaged", err)
	}
	if err := s.Commit(Commit{}); !errors.Is(err, ErrDamaged) {
		t.Errorf("Commit: %v, want ErrDamaged", err)
	}
	adopt(t, s, nil)
	if err := s.Commit(Commit{}); err != nil || s.Current().Manifest().Epoch != 3 {
		t.Errorf("Commit after Adopt(nil): epoch %d, %v; want 3", s.Current().Manifest().Epoch, err)
	}
}

// A value log that lost its end, or is gone, leaves no epoch with other content,
// also when what was replaced has been purged from it.
func TestTruncatedFile(t *testing.T) {
	damaged := 0
	for keep := range 4 { // quarters; of none the file is gone
		r := rand.New(rand.NewPCG(7, 8))
		dir := t.TempDir()
		s := open(t, dir, Options{})
		models := []model{nil}
		for range 12 {
			c, after := models[0].change(r, 8, 100_000)
			if err := s.Commit(c); err != nil {
				t.Fatal(err)
			}
			models = append([]model{after}, models...)
			if err := s.Close(); err != nil { // a table and a log for each
				t.Fatal(err)
			}
			s = open(t, dir, Options{})
		}
		if err := errors.Join(s.epochs.reclaim(epochUpkeep), s.Close()); err != nil {
			t.Fatal(err)
		}
		logs, err := filepath.Glob(filepath.Join(dir, "epochs", "*.vlog"))
		if err != nil || len(logs) == 0 {
			t.Fatal(logs, err)
		}
		if last := filepath.Base(logs[len(logs)-1]); last == fmt.Sprintf("%06d.vlog", len(logs)) {
			t.Fatalf("nothing was purged of %q", logs)
		}
		for _, log := range logs {
			info, err := os.Stat(log)
			if err != nil {
				t.Fatal(err)
			}
			if keep == 0 {
				err = os.Remove(log)
			} else {
				err = os.Truncate(log, info.Size()*int64(keep)/4)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		s, err = Open(dir, Options{})
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("%d quarters: Open: %v, want ErrDamaged", keep, err)
			}
			damaged++
			continue
		}
		found, err := s.Epochs()
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("%d quarters: Epochs: %v, want ErrDamaged", keep, err)
			}
			damaged++
		}
		for _, e := range found {
			if err := models[12-e.Manifest().Epoch].matches(e); err != nil {
				t.Errorf("%d quarters: epoch %d: %v", keep, e.Manifest().Epoch, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if damaged == 0 {
		t.Error("no damage was found: the logs held nothing")
	}
}

// Whatever happens to the bytes of the value log, an epoch that is answered
// has the right content.
func TestDamagedFile(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 15 {
		dir := t.TempDir()
		s := open(t, dir, Options{})
		models := []model{nil}
		for range 6 {
			c, after := models[0].change(r, 8, 100_000)
			if err := s.Commit(c); err != nil {
				t.Fatal(err)
			}
			models = append([]model{after}, models...)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		logs, err := filepath.Glob(filepath.Join(dir, "epochs", "*.vlog"))
		if err != nil || len(logs) == 0 {
			t.Fatal(logs, err)
		}
		data, err := os.ReadFile(logs[0])
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			data[20+r.IntN(len(data)-20)] ^= byte(1 << r.IntN(8))
		}
		if err := os.WriteFile(logs[0], data, 0o600); err != nil {
			t.Fatal(err)
		}
		s = open(t, dir, Options{})
		found, err := s.Epochs()
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("Epochs: %v, want ErrDamaged", err)
		}
		for _, e := range found {
			if err := models[6-e.Manifest().Epoch].matches(e); err != nil {
				t.Errorf("epoch %d: %v", e.Manifest().Epoch, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSyncOrder(t *testing.T) {
	var ops []string
	s := open(t, t.TempDir(), Options{Fault: func(op string) error { ops = append(ops, op); return nil }})
	epochs(t, s)
	commit := []string{"write pages", "sync pages", "write manifest", "sync manifest"}
	for _, behind := range [][]string{{"write witness", "sync history"}, nil} {
		ops = nil
		if err := s.Commit(Commit{Write: []Page{{Data: make([]byte, 300_000)}}}); err != nil {
			t.Fatal(err)
		}
		if want := slices.Concat(commit, behind); !slices.Equal(ops, want) {
			t.Errorf("operations %q, want %q", ops, want)
		}
	}
}

func TestFullDisk(t *testing.T) {
	var room atomic.Uint64 // a tidy store looks beside us
	room.Store(1 << 30)
	s := open(t, t.TempDir(), Options{free: func(string) (uint64, error) { return room.Load(), nil }})
	page := []Page{{Data: make([]byte, 1<<20)}}
	if err := s.Commit(Commit{Write: page}); err != nil {
		t.Fatal(err)
	}
	room.Store(257 << 20)
	err := s.Commit(Commit{Write: page})
	if !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "257 MiB free") {
		t.Errorf("Commit: %v, want ErrFull", err)
	}
	short, ok := errors.AsType[*space.Shortage](err)
	if !ok {
		t.Fatalf("Commit: %v, want how much room there is", err)
	}
	if short.Dir == "" || short.Free != 257<<20 || short.Needed <= short.Free {
		t.Errorf("at %q %d bytes are free, %d needed", short.Dir, short.Free, short.Needed)
	}
	if got := s.Current().Manifest().Epoch; got != 1 {
		t.Errorf("epoch %d, want 1", got)
	}
	room.Store(1 << 30)
	if err := s.Commit(Commit{Write: page}); err != nil {
		t.Errorf("Commit with room: %v", err)
	}
	checkSlots(t, s)
}

// TestOpenFullDisk: what is there can be read on a disk that takes nothing more.
// Badger itself needs a little.
func TestOpenFullDisk(t *testing.T) {
	dir := t.TempDir()
	var room atomic.Uint64
	room.Store(100 << 20)
	o := Options{free: func(string) (uint64, error) { return room.Load(), nil }}
	for _, epoch := range []uint64{1, 2} { // the second time there is something to read
		s := open(t, dir, o)
		page := []Page{{Data: []byte("page")}}
		if err := s.Commit(Commit{Write: page}); !errors.Is(err, ErrFull) {
			t.Errorf("Commit: %v, want ErrFull", err)
		}
		room.Store(1 << 30)
		if err := s.Commit(Commit{Write: page}); err != nil {
			t.Errorf("Commit with room: %v", err)
		}
		if got := s.Current().Manifest().Epoch; got < epoch {
			t.Errorf("epoch %d, want %d at least", got, epoch)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		room.Store(100 << 20)
	}
	room.Store(16 << 20)
	if _, err := Open(dir, o); !errors.Is(err, ErrFull) {
		t.Errorf("Open without any room: %v, want ErrFull", err)
	}
}

func TestBoundedSize(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	const live, dirty = 100, 25 // chunks
	r := rand.New(rand.NewPCG(7, 8))
	data := random(r, chunkSize)
	sizes := make([]int64, 0, 500)
	for n := range 500 {
		var c Commit
		for range dirty {
			c.Write = append(c.Write, Page{ID: PageID{B: r.Uint64N(live)}, Data: data})
		}
		if n%5 == 0 {
			c.Drop = append(c.Drop, PageID{B: r.Uint64N(live)})
		}
		if err := s.Commit(c); err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, size(t, dir))
	}
	checkSlots(t, s)
	// Pages and index pages of two epochs and of what changed from one to the next.
	if limit := uint32(2*live + 2*2*dirty); s.slots.high > limit {
		t.Errorf("%d slots, want at most %d", s.slots.high, limit)
	}
	t.Logf("written %d MiB, live %d MiB, directory at most %d MiB, at the end %d MiB",
		500*dirty*chunkSize>>20, live*chunkSize>>20, slices.Max(sizes)>>20, sizes[499]>>20)
	// Badger collects beside the writes: how soon is up to the machine.
	if most := slices.Max(sizes); most > 500<<20 {
		t.Errorf("directory of %d MiB: it grows", most>>20)
	}
}

// size is what the files take on disk; Badger's have holes.
func size(t *testing.T, dir string) (total int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			total += info.Sys().(*syscall.Stat_t).Blocks * 512
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return total
}

// Readers of an epoch, a committer and a late Close do not disturb each other.
func TestConcurrent(t *testing.T) {
	s := open(t, t.TempDir(), Options{TidyEvery: 1})
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for n := range 50 {
				id := PageID{A: uint32(g)}
				if err := s.Commit(Commit{Write: []Page{{ID: id, Data: make([]byte, n*1000)}}}); err != nil {
					t.Error(err)
				}
				if data, ok, err := s.Current().Page(id); err == nil && (!ok || len(data) != n*1000) {
					t.Errorf("page of %d bytes, %t", len(data), ok)
				}
				if err := s.Outbox().Put(map[string][]byte{fmt.Sprint(g): {byte(n)}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
