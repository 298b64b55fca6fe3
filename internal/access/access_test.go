//go:build unix

package access

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(path string) error
		want  string // in the error, beside the path; "" is none
	}{
		{"whole", func(path string) error { return os.WriteFile(path, []byte("x"), 0o600) }, ""},
		{"folder", func(path string) error { return os.Mkdir(path, 0o700) }, "in the place of a file"},
		{"pipe", func(path string) error { return syscall.Mkfifo(path, 0o600) }, "no regular file"},
		{"nowhere", func(path string) error { return os.Symlink("away", path) }, "no such file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			below := filepath.Join(dir, "msgs")
			if err := os.Mkdir(below, 0o700); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(below, "1.blk")
			if err := c.spoil(path); err != nil {
				t.Fatal(err)
			}
			switch err := Check(dir); {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %s and %q", err, path, c.want)
			}
			if left, err := os.ReadDir(below); err != nil || len(left) != 1 {
				t.Errorf("left %v, %v", left, err)
			}
		})
	}
}

func TestCheckOfNothing(t *testing.T) {
	if err := Check(filepath.Join(t.TempDir(), "none")); err != nil {
		t.Error(err)
	}
}

// TestCheckLimit: a server opens many files at once.
func TestCheckLimit(t *testing.T) {
	dir := t.TempDir()
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: spare / 2, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	err := Check(dir)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, syscall.EMFILE) || !Denied(err) || !strings.Contains(err.Error(), "raise the limit") {
		t.Errorf("got %v", err)
	}
}

func TestRemedied(t *testing.T) {
	denied := &os.PathError{Op: "open", Path: "/x/1.blk", Err: syscall.EACCES}
	want := "open /x/1.blk: permission denied: let the user that runs the service read and write it (chown, chmod)"
	if got := remedied(denied); got.Error() != want || !Denied(got) {
		t.Errorf("got  %v\nwant %s", got, want)
	}
	if text := fmt.Errorf("while opening err: %v", denied); !Denied(text) { //nolint:errorlint // as Badger does
		t.Errorf("%v is not denied", text)
	}
	if Denied(os.ErrNotExist) {
		t.Error("a missing file is denied")
	}
}
