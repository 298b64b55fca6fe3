// Package remote writes what the KPIs come to into stores that speak Prometheus' remote
// write protocol, version 1: https://prometheus.io/docs/specs/prw/remote_write_spec/. What
// is written is sealed, with the time of its window: it is written once, and a store that
// gets it twice has it once.
package remote
