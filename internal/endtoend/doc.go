// Package endtoend tries the real binary: it is built, started on a folder of
// its own, fed over HTTP and NATS, stopped, killed and started again. What it
// then answers is compared with what was sent, counted here in the plainest
// way.
package endtoend
