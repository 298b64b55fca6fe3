//go:build linux

package app

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
)

// background are the threads that yield to all others: with every core busy
// consuming, a query is answered at once.
type background struct {
	mu      sync.Mutex
	threads []int
}

// enter moves the calling goroutine to such a thread, of its own.
func (b *background) enter() {
	runtime.LockOSThread()
	const nice = 15
	// On Linux the priority is the calling thread's. Without the right to
	// change it the thread keeps the one it has.
	if syscall.Setpriority(syscall.PRIO_PROCESS, 0, nice) == nil {
		b.mu.Lock()
		b.threads = append(b.threads, syscall.Gettid())
		b.mu.Unlock()
	}
}

// end has them yield to nobody any more, where that is allowed: a stop is not to wait
// for what else the machine does.
func (b *background) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, thread := range b.threads {
		if _, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", thread)); err == nil {
			_ = syscall.Setpriority(syscall.PRIO_PROCESS, thread, 0)
		}
	}
}

// yield gives the core to a thread that has just woken, to answer a query: some
// kernels would let it wait for their next tick, as long as 4 ms.
func yield() {
	_, _, _ = syscall.Syscall(syscall.SYS_SCHED_YIELD, 0, 0, 0)
}
