//go:build !linux

package app

// background does nothing where threads have no priority of their own.
func background() {}

// yield does nothing there either.
func yield() {}
