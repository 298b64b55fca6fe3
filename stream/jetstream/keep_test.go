package jetstream

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// TestCannotOpen: a stream that the server cannot open is there when it can.
func TestCannotOpen(t *testing.T) {
	for _, c := range []struct {
		name, path string
		forgotten  bool // the server does not know the stream, and makes it anew
		spoil      func(path string) error
	}{
		{"block is a folder", "msgs/1.blk", false, func(path string) error { return os.Mkdir(path, 0o700) }},
		{"block is away", "msgs/1.blk", false, func(path string) error { return os.Symlink("away", path) }},
		{"folder is a file", "obs", false, func(path string) error { return os.WriteFile(path, nil, 0o600) }},
		{"forgotten, and folder is a file", "obs", true, func(path string) error { return os.WriteFile(path, nil, 0o600) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, aside := t.TempDir(), filepath.Join(t.TempDir(), "aside")
			b := open(t, Options{Dir: dir})
			appendEvents(t, b, 0, 3)
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			folder := filepath.Join(streamsFolder(dir), Events)
			path := filepath.Join(folder, filepath.FromSlash(c.path))
			if c.forgotten {
				if err := os.Remove(filepath.Join(folder, server.JetStreamMetaFileSum)); err != nil {
					t.Fatal(err)
				}
			}
			if err := errors.Join(os.Rename(path, aside), c.spoil(path)); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				b, err := Open(t.Context(), Options{Dir: dir})
				if err == nil {
					b.Close()
					t.Fatal("got no error")
				}
				if !strings.Contains(err.Error(), path) && !c.forgotten {
					t.Errorf("%v does not name %s", err, path)
				}
			}
			if err := errors.Join(os.Remove(path), os.Rename(aside, path)); err != nil {
				t.Fatal(err)
			}
			holdsThree(t, dir)
		})
	}
}

// TestKilledInRemoval: what a server had removed when it was killed comes back.
func TestKilledInRemoval(t *testing.T) {
	dir := t.TempDir()
	b := open(t, Options{Dir: dir})
	appendEvents(t, b, 0, 3)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := keeping(dir, "", func() error {
		if err := os.RemoveAll(filepath.Join(streamsFolder(dir), Events)); err != nil {
			return err
		}
		holdsThree(t, dir) // another start
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	holdsThree(t, dir)
}

// TestBesideRemoval: what was removed on purpose, which a server may still be at, is no concern
// of the next start.
func TestBesideRemoval(t *testing.T) {
	dir := t.TempDir()
	gone := filepath.Join(streamsFolder(dir), "."+Late)
	if err := errors.Join(os.MkdirAll(gone, 0o700), os.WriteFile(filepath.Join(gone, "1.blk"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	refused := errors.New("refused")
	if err := keeping(dir, "", func() error { return errors.Join(refused, os.RemoveAll(gone)) }); !errors.Is(err, refused) {
		t.Error(err)
	}
	if _, err := os.Stat(gone); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is put back: %v", err)
	}
}

func holdsThree(t *testing.T, dir string) {
	t.Helper()
	b := open(t, Options{Dir: dir})
	if info, err := b.Info(t.Context()); err != nil || info.Messages != 3 {
		t.Fatalf("got %+v, %v", info, err)
	}
	if got := read(t, source(t, b, 1), 3); !bytes.Equal(got[2].Data, line(2)) {
		t.Errorf("got %q", got[2].Data)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, server.JetStreamStoreDir, "kept")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("second names are left: %v", err)
	}
}
