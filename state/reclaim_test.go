package state

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tidewatch/tidewatch/windows/history"
)

// bigBlock is one of n numbers that nothing compresses.
func bigBlock(index int64, n int) *history.Block {
	b := emptyBlock("ctr", index)
	b.First, b.Step, b.Count, b.Columns = 60, 60, 120, []string{"x"}
	s := history.Series{Labels: []string{}}
	for i := range n {
		s.Points = append(s.Points, history.Point{End: int64(60 * (i + 1)), Values: []int64{rand.Int64()}})
	}
	b.Series = []history.Series{s}
	return b
}

func sizeOf(t *testing.T, dir, pattern string) (n int64) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "history", pattern))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			n += info.Size()
		}
	}
	return n
}

// Blocks that are too large for a table give back their space.
func TestLargeBlocksGoBack(t *testing.T) {
	dir := t.TempDir()
	for range 14 {
		s := reopen(t, dir, Options{})
		for range 10 {
			if err := s.PutBlocks([]*history.Block{bigBlock(1, 1<<18)}); err != nil { // 2.5 MiB
				t.Fatal(err)
			}
		}
		if err := s.history.reclaim(historyUpkeep); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if n := sizeOf(t, dir, "*.vlog"); n > 200<<20 {
		t.Errorf("history has %d MiB for one block", n>>20)
	}
}

// Compacting is refused where the disk has no room for all that is written again.
func TestCompactRoom(t *testing.T) {
	dir := t.TempDir()
	o := Options{MinFree: 1 << 20, TidyEvery: 1000}
	put := func(from, n int64, points int) {
		s := reopen(t, dir, o)
		for i := range n {
			if err := s.PutBlocks([]*history.Block{bigBlock((from+i)*7%181, points)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	put(1, 15, 1<<15) // about 300 KiB each; two tables, as one is left alone
	put(16, 15, 1<<15)
	s := reopen(t, dir, o)
	if err := s.history.db.Flatten(1); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for r := range int64(5) {
		put(40+10*r, 4, 1<<13)
	}
	s = reopen(t, dir, o)
	fresh := s.history.db.Levels()[0]
	s.history.options.free = func(string) (uint64, error) { return 1<<20 + 2*uint64(fresh.Size), nil }
	if err := s.history.reclaim(historyUpkeep); err == nil || !strings.Contains(err.Error(), "make room") {
		t.Errorf("new tables %+v of %+v: %v, want no room", fresh, s.history.db.Levels(), err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// Whoever asks what is lost does not wait for a disk.
func TestLostDoesNotWait(t *testing.T) {
	var on atomic.Bool
	hold, at := make(chan struct{}), make(chan struct{}, 8)
	s := reopen(t, t.TempDir(), Options{Fault: func(op string) error {
		if on.Load() && strings.HasPrefix(op, "sync") {
			at <- struct{}{}
			<-hold
		}
		return nil
	}})
	on.Store(true)
	done := make(chan error)
	go func() { done <- s.Commit(Commit{}) }()
	<-at
	s.Lost() // while the commit waits for its sync
	close(hold)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
