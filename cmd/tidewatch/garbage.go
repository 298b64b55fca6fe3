package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// leastGarbage is how much garbage may always wait for the collector.
	leastGarbage = 256 << 20
	// leastPercent is how much of it may at the least, of what is alive: nearly all
	// that is alive in a large heap holds no pointers, so that a collection is cheap.
	leastPercent = 30
)

// garbagePercent is how much garbage may wait for the collector, in percent of
// what is alive: as much as Go's default in a small heap, less in a large one.
func garbagePercent(alive uint64) int {
	return int(min(100, max(leastPercent, 100*leastGarbage/max(alive, 1))))
}

// limitGarbage has the collector follow garbagePercent until ctx ends, unless GOGC
// says otherwise.
func limitGarbage(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	alive := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	ticker := time.NewTicker(5 * time.Second)
	defer ticker.Stop()
	for set := 100; ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		metrics.Read(alive)
		if percent := garbagePercent(alive[0].Value.Uint64()); percent != set {
			debug.SetGCPercent(percent)
			set = percent
		}
	}
}
