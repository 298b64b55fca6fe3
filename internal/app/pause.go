package app

import (
	"context"
	"runtime"
	"runtime/metrics"
	"time"

	"github.com/tidewatch/tidewatch/alerts/reason"
)

const (
	// pauseStep is the time between two looks at why consumption pauses.
	pauseStep = 200 * time.Millisecond
	// trickleEvery is how often a message is let in all the same while the memory
	// budget is spent: time goes on by messages alone, and what has been kept for
	// long enough leaves with it.
	trickleEvery = time.Second
	// collectShare is how many times as long as a collection took there is none
	// after it while consumption pauses: each walks through all that is alive.
	collectShare = 10
)

// admit waits while nothing may be consumed: the disk is full, or the memory
// budget is spent. It returns how many bytes may be read, unpacked.
func (s *Service) admit(ctx context.Context) (bytes int, err error) {
	for began := time.Now(); ; {
		trickle, why := s.overBudget()
		if w := s.commitTrouble.Load(); w != nil {
			trickle, why = false, *w
		}
		if why == nil {
			if s.stalled.Swap(nil) != nil {
				s.log.Info().Msg("consuming again")
			}
			return parcelBytes, nil
		}
		if s.stalled.Swap(&why) == nil {
			s.log.Error().Msg("consumption pauses: " + why.Error())
		}
		if trickle && s.flight.bytes.Load() == 0 && time.Since(began) >= trickleEvery {
			return 1, nil
		}
		select {
		case <-time.After(pauseStep):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// overBudget says that the memory budget is spent, and whether by so little that
// a message can be let in now and then.
func (s *Service) overBudget() (trickle bool, why error) {
	budget := uint64(s.config.MemoryBudget)
	heap := heapBytes()
	if heap > budget && s.collecting.force(s.stalled.Load() == nil, s.flight.bytes.Load() > 0, runtime.GC) {
		heap = heapBytes()
	}
	if heap <= budget {
		return false, nil
	}
	return heap < budget+budget/2, reason.Memory.Of(reason.Args{"budget": budget >> 20, "used": heap >> 20})
}

// crowded reports whether the heap has grown so far that what is over must go to history
// even in the midst of a rebuild. A smaller one makes no epoch before its end, so that the
// definitions of before, put back, find theirs.
func (s *Service) crowded() bool { return heapBytes() > uint64(s.config.MemoryBudget)/4 }

// collecting is when garbage may be collected before its time.
type collecting struct {
	next time.Time
	// held says that what was on its way was alive at the last collection.
	held bool
}

// force collects: at once where a pause begins and once what was on its way has
// arrived, else later when it may again. It reports whether it did.
func (c *collecting) force(begins, flying bool, collect func()) bool {
	began := time.Now()
	arrived := c.held && !flying
	if !begins && !arrived && began.Before(c.next) {
		return false
	}
	c.held = flying
	collect()
	ended := time.Now()
	c.next = ended.Add(collectShare * ended.Sub(began))
	return true
}

func heapBytes() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
