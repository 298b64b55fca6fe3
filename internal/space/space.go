// Package space is how much of it a disk has left.
package space

import (
	"fmt"
	"syscall"
)

// Left is how many bytes the disk below a folder takes.
func Left(dir string) (uint64, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, fmt.Errorf("stat file system of %s: %w", dir, err)
	}
	return uint64(fs.Bavail) * uint64(fs.Bsize), nil
}

// A Shortage is that the disk below a folder has too little room for something.
type Shortage struct {
	Dir          string
	Free, Needed uint64 // bytes
	For          error  // what the one who wrote there calls it
}

func (s *Shortage) Error() string {
	return fmt.Sprintf("%v: %d MiB free at %s, %d MiB needed: make room", s.For, s.Free>>20, s.Dir, s.Needed>>20)
}

func (s *Shortage) Unwrap() error { return s.For }
