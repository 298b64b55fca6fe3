package document

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// maxFile is far above what people write.
const maxFile = 16 << 20

// ReadFile reads a file that somebody named. Its errors are problems.
func ReadFile(name string) ([]byte, error) {
	info, err := os.Stat(name) // to open a pipe would wait for its writer
	switch {
	case err != nil:
		return nil, Unreadable(name, err)
	case !info.Mode().IsRegular() && !info.IsDir():
		return nil, &Problem{File: name, Rule: Irregular, Remedy: RegularRemedy}
	case info.Size() > maxFile:
		return nil, &Problem{File: name, Rule: fmt.Sprintf("is larger than %d MiB", maxFile>>20), Remedy: "split it, or name another file"}
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, Unreadable(name, err)
	}
	return data, nil
}

// What to say of a pipe or a device.
const (
	Irregular     = "is no regular file"
	RegularRemedy = "write what is to be read into a file, and name that"
)

// Unreadable is what to say of a file that could not be read.
func Unreadable(name string, err error) *Problem {
	p := &Problem{File: name}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p.Rule, p.Remedy = "does not exist", "correct the name, or go to the folder that has the file"
	case errors.Is(err, fs.ErrPermission):
		p.Rule, p.Remedy = "may not be read", "let the user of this process read it"
	case errors.Is(err, syscall.EISDIR):
		p.Rule, p.Remedy = "is a folder", "name the files in it"
	default:
		if at, ok := errors.AsType[*fs.PathError](err); ok {
			err = at.Err // the name is said
		}
		p.Rule, p.Remedy = "cannot be read, "+err.Error(), "correct that, or name another file"
	}
	return p
}
