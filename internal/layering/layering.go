// Package layering holds no code. Its tests keep the shape of the project: who
// may import whom, which packages stay free of I/O, clock and goroutines, that
// no Go file drops out of the build unseen, and that no KPI is known by name.
package layering
