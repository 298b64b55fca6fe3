// Package access is whether a server may open the files of a folder. Servers that are
// embedded take one that they may not open for damaged, or remove it.
package access

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// spare is how many files more must be free to be opened at once.
const spare = 64

// Check opens every file below dir for reading and writing, and makes one in every
// folder. Names of folders have no dot in them; what begins with one is passed over.
// The error says what to do. A dir that is not there is none.
func Check(dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for range spare {
		f, err := os.Open(dir)
		if err != nil {
			return remedied(err)
		}
		defer f.Close()
	}
	return remedied(check(dir))
}

func check(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case info.Mode().IsRegular():
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		return f.Close()
	case !info.IsDir():
		return fmt.Errorf("%s is no regular file: put the file back in its place", path)
	}
	f, err := os.CreateTemp(path, ".access-")
	if err != nil {
		return err
	}
	if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
		return err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch below, ext := filepath.Join(path, e.Name()), filepath.Ext(e.Name()); {
		case strings.HasPrefix(e.Name(), "."):
		case e.IsDir() && ext != "":
			return fmt.Errorf("%s is a folder in the place of a file: put the file back", below)
		default:
			if err := check(below); err != nil {
				return err
			}
		}
	}
	return nil
}

// Denied reports whether the system did not open a file that may well be whole. It goes
// by the text: that is what Badger's errors have of their cause.
func Denied(err error) bool {
	return slices.ContainsFunc([]syscall.Errno{
		syscall.EACCES, syscall.EPERM, syscall.EROFS, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOSPC, syscall.EDQUOT,
	}, func(denied syscall.Errno) bool { return strings.Contains(err.Error(), denied.Error()) })
}

func remedied(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: let the user that runs the service read and write it (chown, chmod)", err)
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return fmt.Errorf("%w: raise the limit of open files (ulimit -n, LimitNOFILE)", err)
	}
	return err
}
