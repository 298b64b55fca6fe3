//go:build unix

package app

import "golang.org/x/sys/unix"

// maxFiles is how many files the process may have open at a time.
func maxFiles() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return manyFiles
	}
	return int(min(uint64(limit.Cur), manyFiles))
}
