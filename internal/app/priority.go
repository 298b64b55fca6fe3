//go:build linux

package app

import (
	"runtime"
	"syscall"
)

// background moves the calling goroutine to a thread of its own that yields to
// all others: with every core busy consuming, a query is answered at once.
func background() {
	runtime.LockOSThread()
	const nice = 15
	// On Linux the priority is the calling thread's. Without the right to
	// change it the thread keeps the one it has.
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, nice)
}
