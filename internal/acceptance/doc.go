// Package acceptance replays real records against the real binary and compares
// every figure with those that were computed independently. It holds nothing
// but tests; docs/acceptance.md lists the query of each figure.
//
//	make acceptance DATA=DIR
//
// replays a folder: plain, out of order, doubled, with the service killed in
// between, and with other numbers of partitions. The tests that need no data
// hold the files in examples to what the service accepts.
package acceptance
