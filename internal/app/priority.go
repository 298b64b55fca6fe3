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

// yield gives the core to a thread that has just woken, to answer a query: some
// kernels would let it wait for their next tick, as long as 4 ms.
func yield() {
	_, _, _ = syscall.Syscall(syscall.SYS_SCHED_YIELD, 0, 0, 0)
}
