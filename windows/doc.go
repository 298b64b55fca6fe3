// Package windows is the engine's face: it wires the rooms below it, through which
// an event goes downhill.
//
//	plan     the catalogue, compiled: filters, columns, targets
//	journey  what users do that goes on for a while, by rules
//	carry    the texts that facts carry of events
//	users    partitions, the per-event path: rows to slices, users and their days
//	roster   sets of users: who was active on a day
//	step     what a partition tells the merger at a crossing
//	merge    windows: live, closed, sealed; questions and previews
//	history  blocks of sealed windows
//	sample   what is answered
//	measure  the algebra of what is added up
//	page     what the state looks like in an epoch
//
// None of them has I/O, a clock or a goroutine: the same messages give the same
// state. Whoever has an Engine moves batches through its stages and keeps what a
// Checkpoint says.
package windows
