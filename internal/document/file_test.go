package document

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// What is wrong with a name comes with a remedy.
func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good.yaml")
	if err := os.WriteFile(good, []byte("a: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if data, err := ReadFile(good); err != nil || string(data) != "a: 1\n" {
		t.Errorf("got %q, %v", data, err)
	}
	none, pipe, large := filepath.Join(dir, "none.yaml"), filepath.Join(dir, "pipe.yaml"), filepath.Join(dir, "large.yaml")
	if err := errors.Join(syscall.Mkfifo(pipe, 0o600), os.WriteFile(large, nil, 0o600), os.Truncate(large, maxFile+1)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		none:       none + ": does not exist: correct the name, or go to the folder that has the file",
		dir:        dir + ": is a folder: name the files in it",
		pipe:       pipe + ": is no regular file: write what is to be read into a file, and name that",
		large:      large + ": is larger than 16 MiB: split it, or name another file",
		os.DevNull: os.DevNull + ": is no regular file: write what is to be read into a file, and name that",
	} {
		if _, err := ReadFile(name); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	for err, want := range map[syscall.Errno]string{
		syscall.EACCES: "x.yaml: may not be read: let the user of this process read it",
		syscall.EIO:    "x.yaml: cannot be read, input/output error: correct that, or name another file",
	} {
		if got := Unreadable("x.yaml", &fs.PathError{Op: "read", Path: "x.yaml", Err: err}).Error(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
