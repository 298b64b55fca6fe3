package document

import (
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
	none := filepath.Join(dir, "none.yaml")
	for name, want := range map[string]string{
		none: none + ": does not exist: correct the name, or go to the folder that has the file",
		dir:  dir + ": is a folder: name the files in it",
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
