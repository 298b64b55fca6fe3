package users

import (
	"math"
	"time"

	"github.com/tidewatch/tidewatch/stream"
)

// A walk takes the users from day to day, a shard each second of event time: that
// makes no pause, and is the same at any number of partitions. After days without
// input it is one over all of them.
type walk struct {
	lead int64 // by how many seconds the first shard is ahead
	at   int64 // the second that was walked to
	next int64 // before that one no shard comes to another day
}

func newWalk(lead int64) walk { return walk{lead, math.MinInt64, math.MinInt64} }

// reach is for how many seconds behind the closed ones there may be events.
func reach(t stream.Timing) int64 { return int64((stream.MaxAhead+t.Disorder)/time.Second) + 2 }

// resume goes on from a second.
func (w *walk) resume(second int64) { w.at, w.next = second, second+1 }

// dayOf is the day on which a shard is at a second.
func (p *Partition) dayOf(w *walk, shard int, second int64) int32 {
	if second < 0 {
		return math.MinInt32
	}
	return p.plan.Calendar.Day((second + w.lead - int64(shard)) * 1000)
}

// walk goes on to a second; visit takes a shard's users behind a day up to another.
func (p *Partition) walk(w *walk, second int64, visit func(shard int, after, upTo int32)) {
	if second < w.next {
		return
	}
	for shard, sh := range p.shards {
		if sh == nil || sh.n == 0 {
			continue
		}
		if after, day := p.dayOf(w, shard, w.at), p.dayOf(w, shard, second); day > after {
			visit(shard, after, day)
		}
	}
	// Once the last shard is on a day, the first one goes on with the next.
	next := p.plan.Calendar.Start(p.dayOf(w, Shards, max(second, 0))+1) / 1000
	w.at, w.next = second, max(second+1, next-w.lead)
}

// pause lets others in now and then on a walk over rows.
func (p *Partition) pause(row uint32) {
	if p.Yield != nil && row%1024 == 1023 {
		p.Yield()
	}
}
