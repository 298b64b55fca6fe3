package state

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/access"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/history"
)

// A test that needs another process starts this binary again with childRole
// set; its directory is in childDir.
const (
	childRole = "STATE_TEST_ROLE"
	childDir  = "STATE_TEST_DIR"
)

func TestMain(m *testing.M) {
	switch os.Getenv(childRole) {
	case "open":
		_, err := Open(os.Getenv(childDir), Options{})
		fmt.Print(err)
		os.Exit(0)
	case "crash":
		crashAt(os.Getenv(childDir))
	}
	os.Exit(m.Run())
}

func child(t *testing.T, role, dir string, env ...string) (string, error) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), childRole+"="+role, childDir+"="+dir), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	return string(out), err
}

func open(t testing.TB, dir string, o Options) *Store {
	t.Helper()
	s, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestOneProcess(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s := open(t, dir, Options{})
	said, err := child(t, "open", dir)
	want := fmt.Sprintf("open state %s: in use by another process (process %d): stop it or choose another data directory", dir, os.Getpid())
	if err != nil || said != want {
		t.Errorf("second process: %q, %v; want %q", said, err, want)
	}
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrLocked) {
		t.Errorf("second Open: %v, want ErrLocked", err)
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode of %s: %v, %v; want 0700", dir, info.Mode(), err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Errorf("Close twice: %v", err)
	}
	if said, _ := child(t, "open", dir); said != "<nil>" {
		t.Errorf("second process after Close: %q", said)
	}
}

func TestClosed(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	put := emptyBlock("ctr", 1)
	if err := errors.Join(s.PutBlocks([]*history.Block{put}), s.Commit(Commit{Write: []Page{{Data: []byte("x")}}})); err != nil {
		t.Fatal(err)
	}
	e := s.Current()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, _, pageErr := e.Page(PageID{})
	_, blockErr := s.Block(put.BlockID)
	_, boxErr := s.Outbox().All()
	_, epochsErr := open(t, t.TempDir(), Options{}).Epochs()
	for name, err := range map[string]error{
		"Commit": s.Commit(Commit{}), "Page": pageErr, "Block": blockErr, "PutBlocks": s.PutBlocks(nil),
		"SyncHistory": s.SyncHistory(), "All": boxErr, "Put": s.Outbox().Put(map[string][]byte{"a": nil}),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v, want ErrClosed", name, err)
		}
	}
	if epochsErr != nil {
		t.Errorf("Epochs of a new store: %v", epochsErr)
	}
}

func TestBadOptions(t *testing.T) {
	for want, o := range map[string]Options{
		"tidy_every=-1 must be positive": {TidyEvery: -1},
		"kept[1m]=1s must be at least 2m0s, the span of one block": {
			Kept: map[kpi.Window]time.Duration{{Length: time.Minute}: time.Second},
		},
	} {
		if _, err := Open(t.TempDir(), o); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("Open: %v, want %q", err, want)
		}
	}
}

// A crash can leave the log of a memtable, or of values, without a byte.
func TestEmptyLog(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Outbox().Put(map[string][]byte{"a": []byte("owed")}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, disk := range []string{"epochs", "history"} {
		for _, name := range []string{"00099.mem", "000099.vlog"} {
			if err := os.WriteFile(filepath.Join(dir, disk, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	kept, err := open(t, dir, Options{}).Outbox().All()
	if err != nil || string(kept["a"]) != "owed" {
		t.Errorf("got %q, %v after the crash, want %q", kept["a"], err, "owed")
	}
}

// TestCannotOpen: what may not be opened may be whole, and nothing is to be moved away.
func TestCannotOpen(t *testing.T) {
	for _, folder := range []string{"epochs", "history"} {
		dir := t.TempDir()
		if err := open(t, dir, Options{}).Close(); err != nil {
			t.Fatal(err)
		}
		path, aside := filepath.Join(dir, folder, "000001.vlog"), filepath.Join(t.TempDir(), "aside")
		if err := errors.Join(os.Rename(path, aside), os.Mkdir(path, 0o700)); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, Options{}); err == nil || errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v, want %s named and no damage", err, path)
		}
		if err := errors.Join(os.Remove(path), os.Rename(aside, path)); err != nil {
			t.Fatal(err)
		}
		open(t, dir, Options{})
	}
}

// TestNoMoreFiles: a table that could not be opened for want of a file is not damaged.
func TestNoMoreFiles(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	if err := errors.Join(s.Commit(Commit{}), s.Close()); err != nil {
		t.Fatal(err)
	}
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	for limit := range uint64(100) {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: limit + 3, Max: old.Max}); err != nil {
			t.Fatal(err)
		}
		s, err := Open(dir, Options{})
		if limited := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old); limited != nil {
			t.Fatal(limited)
		}
		if err == nil {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		} else if errors.Is(err, ErrDamaged) || !access.Denied(err) {
			t.Errorf("of %d files: %v", limit+3, err)
		}
	}
}
