package api

import (
	"fmt"

	"github.com/VictoriaMetrics/metrics"
)

// Limits bound what those who ask can make the service hold.
type Limits struct {
	// Connections is the number of connections. By default 1000.
	Connections int
	// Bodies is the number of bytes that requests with bodies may take together.
	// By default 256 MiB.
	Bodies int64
	// BodyRate is the least speed of a body and of the reader of an answer, in
	// bytes a second. By default 32 KiB.
	BodyRate int64
	// Reads is the number of bytes that answers may take together; one takes at
	// most half of them. By default 256 MiB.
	Reads int64
}

func (l Limits) withDefaults() Limits {
	if l.Connections == 0 {
		l.Connections = 1000
	}
	if l.Bodies == 0 {
		l.Bodies = 256 << 20
	}
	if l.BodyRate == 0 {
		l.BodyRate = 32 << 10
	}
	if l.Reads == 0 {
		l.Reads = 256 << 20
	}
	return l
}

// A limit is why something was refused or cut off, as the metric has it.
type limit string

const (
	limitConnections limit = "connections" // too many, and all of them busy
	limitSilent      limit = "silent"      // a connection without a request made way for another
	limitHeader      limit = "header"      // a request's was not in in time, too large, or none
	limitBodies      limit = "bodies"      // no room for the body
	limitSlowBody    limit = "slow_body"
	limitLargeBody   limit = "large_body" // in bytes or in lines
	limitReads       limit = "reads"      // no room for the answer
	limitTooLarge    limit = "too_large"  // the answer would be
	limitSlowReader  limit = "slow_reader"
	limitLive        limit = "live" // too many clients of the live stream
)

// refusals count what met a limit.
type refusals map[limit]*metrics.Counter

func newRefusals(set *metrics.Set) refusals {
	r := refusals{}
	for _, l := range []limit{limitConnections, limitSilent, limitHeader, limitBodies, limitSlowBody, limitLargeBody, limitReads, limitTooLarge, limitSlowReader, limitLive} {
		r[l] = set.GetOrCreateCounter(fmt.Sprintf("tidewatch_http_limited_total{reason=%q}", string(l)))
	}
	return r
}
