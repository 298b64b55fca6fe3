//go:build !linux

package app

// background does nothing where threads have no priority of their own.
type background struct{}

func (*background) enter() {}

func (*background) end() {}

// yield does nothing there either.
func yield() {}
