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
	// leastPercent is how much of it may at the least, of what is alive.
	leastPercent = 10
	// leastPause is the time between two collections that is worth the room: each
	// walks through all that is alive.
	leastPause = 20 * time.Second
)

// garbagePercent is how much garbage may wait for the collector, in percent of
// what is alive, at so many new bytes a second: as much as Go's default in a small
// heap, and while a backlog makes much of it; less in a large one.
func garbagePercent(alive, rate float64) int {
	alive = max(alive, 1)
	return int(min(100, max(leastPercent, 100*leastGarbage/alive, 100*rate*leastPause.Seconds()/alive)))
}

// limitGarbage has the collector follow garbagePercent until ctx ends, unless GOGC
// says otherwise.
func limitGarbage(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	const every = 5 * time.Second
	heap := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	before := uint64(0)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for set := 100; ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		metrics.Read(heap)
		alive, made := heap[0].Value.Uint64(), heap[1].Value.Uint64()
		percent := garbagePercent(float64(alive), float64(made-before)/every.Seconds())
		if before = made; percent != set {
			debug.SetGCPercent(percent)
			set = percent
		}
	}
}
