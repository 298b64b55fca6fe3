package state

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tidewatch/tidewatch/windows/history"
)

// A block that an epoch names is there as it was put, or said to be lost, with
// the folder; one that was never put is nothing.
func TestLostBlocks(t *testing.T) {
	dir := t.TempDir()
	folder, older := filepath.Join(dir, "history"), filepath.Join(t.TempDir(), "older")
	put := func(s *Store, first int64, indexes ...int64) {
		t.Helper()
		for _, index := range indexes {
			b := emptyBlock("ctr", index)
			b.First = first
			if err := s.PutBlocks([]*history.Block{b}); err != nil {
				t.Fatal(err)
			}
		}
	}
	s := open(t, dir, Options{})
	put(s, 1, 1, 2)
	if err := errors.Join(s.Commit(Commit{}), s.Close(), os.CopyFS(older, os.DirFS(folder))); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, Options{})
	put(s, 2, 2, 4) // 2 anew
	if err := errors.Join(s.Commit(Commit{}), s.Close()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		damage func() error
		why    map[int64]string
		told   string
	}{
		{"whole", func() error { return nil }, map[int64]string{}, ""},
		{"older", func() error { return errors.Join(os.RemoveAll(folder), os.CopyFS(folder, os.DirFS(older))) },
			map[int64]string{2: anotherTime, 4: missing}, "has lost 2 blocks (1 missing, 1 of another time): some closed windows of 1m are not known"},
		{"gone", func() error { return os.RemoveAll(folder) },
			map[int64]string{1: missing, 2: missing, 4: missing}, "has lost 3 blocks (3 missing)"},
	} {
		if err := c.damage(); err != nil {
			t.Fatal(err)
		}
		var log []string
		s := reopen(t, dir, Options{Log: func(level, message string) {
			if level == "error" {
				log = append(log, message)
			}
		}})
		for index := range int64(6) {
			b, err := s.Block(history.BlockID{Set: "ctr", Window: minute, Index: index})
			lost, _ := errors.AsType[*LostError](err)
			switch why := c.why[index]; {
			case why == "":
				if there := index == 1 || index == 2 || index == 4; err != nil || (b != nil) != there {
					t.Errorf("%s: block %d: %v, %v", c.name, index, b, err)
				}
			case lost == nil || lost.Why != why || !strings.Contains(err.Error(), folder):
				t.Errorf("%s: block %d: %v, %v; want %s", c.name, index, b, err, why)
			}
		}
		if told := s.Lost(); (told == "") != (c.told == "") || !strings.Contains(told, c.told) || strings.Join(log, "") != told {
			t.Errorf("%s: told %q, logged %q", c.name, told, log)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	// What is put again is no longer lost.
	s = reopen(t, dir, Options{})
	put(s, 3, 1, 2, 4)
	if told := s.Lost(); told != "" {
		t.Errorf("told %q", told)
	}
}

// A later block in the ring, put behind the last epoch, is no loss: the stream is
// read on past what was there. Until then that is not known.
func TestReplacedBehindTheEpoch(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	later := 1 + s.ring(minute)
	if err := errors.Join(s.PutBlocks([]*history.Block{emptyBlock("ctr", 1)}), s.Commit(Commit{}),
		s.PutBlocks([]*history.Block{emptyBlock("ctr", later)}), s.Close()); err != nil {
		t.Fatal(err)
	}
	s = reopen(t, dir, Options{})
	if told := s.Lost(); told != "" {
		t.Errorf("told %q", told)
	}
	if b, err := s.Block(history.BlockID{Set: "ctr", Window: minute, Index: 1}); b != nil || err == nil {
		t.Errorf("the block before = %v, %v, want that it is not known", b, err)
	}
}

// Without a file that Badger cannot do without, a directory is damaged, not
// empty; which folder, and what to do, is said.
func TestDamagedDirectory(t *testing.T) {
	for _, c := range []struct{ folder, file, remedy string }{
		{"epochs", "MANIFEST", "start once with --rebuild"},
		{"epochs", "*.sst", "start once with --rebuild"},
		{"history", "MANIFEST", "all else goes on"},
		{"history", "*.sst", "all else goes on"},
	} {
		for name, damage := range map[string]func(path string) error{
			"gone": os.Remove,
			"half": func(path string) error {
				info, err := os.Stat(path)
				if err != nil {
					return err
				}
				return os.Truncate(path, info.Size()/2)
			},
		} {
			dir := t.TempDir()
			s := open(t, dir, Options{})
			for range 3 {
				if err := errors.Join(s.PutBlocks([]*history.Block{emptyBlock("ctr", 1)}), s.Commit(Commit{Write: []Page{{Data: make([]byte, 100_000)}}})); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			folder := filepath.Join(dir, c.folder)
			paths, err := filepath.Glob(filepath.Join(folder, c.file))
			if err != nil || len(paths) == 0 {
				t.Fatalf("%s: %v, %v", c.file, paths, err)
			}
			if err := damage(paths[0]); err != nil {
				t.Fatal(err)
			}
			s, err = Open(dir, Options{})
			if err == nil { // half a MANIFEST is one of an earlier time
				found, damage := s.Epochs()
				if damage == nil && found[0].Manifest().Epoch != 3 {
					t.Errorf("half %s of %s: epoch %d", c.file, c.folder, found[0].Manifest().Epoch)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), folder) || !strings.Contains(err.Error(), c.remedy) {
				t.Errorf("%s %s of %s: %v", name, c.file, c.folder, err)
			}
		}
	}
}

// Epochs that are gone, be it one that was committed, are not taken for a beginning.
func TestEpochsGone(t *testing.T) {
	for commits := range 3 {
		dir := t.TempDir()
		s := open(t, dir, Options{})
		for range commits {
			if err := s.Commit(Commit{}); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(s.Close(), os.RemoveAll(filepath.Join(dir, "epochs"))); err != nil {
			t.Fatal(err)
		}
		s = open(t, dir, Options{})
		if found, err := s.Epochs(); errors.Is(err, ErrDamaged) != (commits > 0) {
			t.Fatalf("of %d: epochs %v, %v; want ErrDamaged", commits, found, err)
		}
		if err := errors.Join(s.Adopt(nil), s.Commit(Commit{})); err != nil {
			t.Fatal(err)
		}
	}
}

// What starts over keeps of history what it says it keeps, in the epochs that
// follow too, and until then the former epoch has all.
func TestStartOver(t *testing.T) {
	dir := t.TempDir()
	there := func(s *Store) (indexes []int64) {
		t.Helper()
		for index := range int64(6) {
			b, err := s.Block(history.BlockID{Set: "ctr", Window: minute, Index: index})
			if err != nil {
				t.Fatal(err)
			}
			if b != nil {
				indexes = append(indexes, index)
			}
		}
		return indexes
	}
	check := func(when string, s *Store, want ...int64) {
		t.Helper()
		if got := there(s); !slices.Equal(got, want) {
			t.Errorf("%s: blocks %v, want %v", when, got, want)
		}
	}
	s := open(t, dir, Options{})
	if err := errors.Join(s.PutBlocks([]*history.Block{emptyBlock("ctr", 1), emptyBlock("ctr", 2), emptyBlock("ctr", 4)}), s.Commit(Commit{}), s.Close()); err != nil {
		t.Fatal(err)
	}
	for _, commit := range []bool{false, true} {
		s = reopen(t, dir, Options{})
		if err := s.Adopt(s.Current()); err != nil {
			t.Fatal(err)
		}
		check("adopted", s, 1, 2, 4)
		s.StartOver()
		check("started over", s)
		s.Retain(func(id history.BlockID) bool { return id.Index < 4 })
		check("retained", s, 1, 2)
		if err := s.PutBlocks([]*history.Block{emptyBlock("ctr", 5), emptyBlock("other", 5)}); err != nil {
			t.Fatal(err)
		}
		if commit {
			if err := s.Commit(Commit{}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s = reopen(t, dir, Options{})
	check("reopened", s, 1, 2, 5)
	if told := s.Lost(); told != "" {
		t.Error(told)
	}
}
