package windows

import (
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/stream"
)

// A Partition owns some of the shards. It is the per-event path: rows are
// added to their slices; when a slice closes, what it holds goes to the
// merger. One goroutine uses it.
type Partition struct {
	// Yield is called every so often while rows are added. nil: not called.
	Yield func()

	plan   *Plan
	timing stream.Timing
	index  int            // among the partitions
	of     int            // how many there are
	shards [Shards]*shard // nil where another partition owns it

	head   int64 // slices before it are closed
	sealed int64 // slices before it are sealed

	open   []*accumulator             // by slice, ascending; closed slices are corrections
	recent [recentSlices]*accumulator // of open, by slice
	pool   chan *accumulator

	tracks             []track
	rowWords, rowWidth int // what a row holds, and takes up
	entryWidth         int
	ring               []*userSlice // unsealed slices by number
	spareSlices        []*userSlice
	closedWords        int // of the slice that closed last
	openSlices         []int64
	// lateDays are active days found out late. They count from the next
	// crossing on, as all that comes late.
	lateDays []userDay
	// waiting is what was seen of slices that are closed since the last crossing.
	waiting []activity
	touched []touchedGroup

	out *Step
	journal
	restoring *restoring // until Resume
	lot       lot
	patterns  patterns
}

// A Step is what a partition has to say about one crossing: the slices that
// close by it, and the corrections since the crossing before.
type Step struct {
	Watermark   int64          // ms
	Sums        []*accumulator // ascending; slices before the old head are corrections
	Changes     []Change
	Corrections []Correction
	Fresh       []Fresh
	Risk        []Risk
}

type userDay struct {
	ref uint32
	day int32
}

// An activity is a slice in which a user was seen in a track: code is that of
// the label + 1, 0 where the track is not keyed.
type activity struct {
	ref, track, code, slice uint32
}

// A Change adds N to the distinct users in the live windows from head X on.
type Change struct {
	X     int64
	Users int32
	Lens  int32
	Code  uint32
	N     int32
}

// A Correction adds one user to the live windows of the heads Lo to Hi.
type Correction struct {
	Users int32
	Lens  int32
	Code  uint32
	Lo    int64
	Hi    int64
}

// Fresh adds N to the users whose first slice of its day is Slice.
type Fresh struct {
	Slice int64
	Users int32
	Code  uint32
	N     int32
	Late  bool
}

// Risk adds N to a churn measure from Day on.
type Risk struct {
	Measure int32
	Day     int32
	N       int32
}

// recentSlices is how many open slices are found without a search.
const recentSlices = 8

// NewPartition returns partition index of n.
func NewPartition(p *Plan, t stream.Timing, index, n int) *Partition {
	span := int64((t.Lateness + t.Disorder + stream.MaxAhead).Seconds()) + 8
	size := int64(1)
	for size < span {
		size *= 2
	}
	q := &Partition{plan: p, timing: t, index: index, of: n, head: math.MinInt64, sealed: math.MinInt64,
		ring: make([]*userSlice, size), pool: make(chan *accumulator, 64)}
	for s := range q.shards {
		if s%n == index {
			q.shards[s] = &shard{}
		}
	}
	q.layout()
	q.out = &Step{}
	return q
}

// Process adds the batch's rows of the partition's shards and answers with one
// step for each crossing.
func (p *Partition) Process(b *stream.Batch, crossings []stream.Crossing) []*Step {
	var steps []*Step
	from := 0
	for _, c := range crossings {
		p.rows(b, from, c.Row)
		from = c.Row
		steps = append(steps, p.cross(c.Watermark))
	}
	p.rows(b, from, b.Rows)
	return steps
}

// accumulator is where the slice is added up.
func (p *Partition) accumulator(slice int64) *accumulator {
	recent := &p.recent[slice&(recentSlices-1)]
	if *recent != nil && (*recent).slice == slice {
		return *recent
	}
	i, ok := slices.BinarySearchFunc(p.open, slice, func(a *accumulator, s int64) int { return int(a.slice - s) })
	if !ok {
		var a *accumulator
		select {
		case a = <-p.pool:
		default:
			a = newAccumulator(p.plan)
		}
		a.reset(slice)
		p.open = slices.Insert(p.open, i, a)
	}
	*recent = p.open[i]
	return *recent
}

// Recycle takes a step's accumulators back. The merger calls it when it has
// read them.
func (p *Partition) Recycle(s *Step) {
	for _, a := range s.Sums {
		select {
		case p.pool <- a:
		default:
		}
	}
}

// cross closes and seals what the watermark says.
func (p *Partition) cross(watermark int64) *Step {
	head := floorTo(watermark, 1000) / 1000
	if head > p.head {
		for _, day := range p.lateDays {
			p.activeDay(day.ref, day.day)
		}
		p.lateDays, p.waiting = p.lateDays[:0], p.waiting[:0]
		for _, s := range p.openUsers(head) {
			p.advanceTails(s + 1)
			p.closeUsers(s)
		}
		p.advanceTails(head)
		p.head = head
		n := 0
		for n < len(p.open) && p.open[n].slice < head {
			n++
		}
		p.out.Sums = append(p.out.Sums, p.open[:n]...)
		p.open = slices.Delete(p.open, 0, n)
		clear(p.recent[:])
	}
	p.seal(floorTo(watermark-p.timing.Lateness.Milliseconds(), 1000) / 1000)
	out := p.out
	out.Watermark = watermark
	p.out = &Step{}
	return out
}

// openUsers are the slices with entries that are not closed, before head,
// ascending.
func (p *Partition) openUsers(head int64) []int64 {
	out := p.openSlices[:0]
	for _, s := range p.ring {
		if s != nil && len(s.words) > 0 && int64(s.slice) >= p.head && int64(s.slice) < head {
			out = append(out, int64(s.slice))
		}
	}
	slices.Sort(out)
	p.openSlices = out
	return out
}

// seal lets go of the entries of slices that no event can reach any more.
func (p *Partition) seal(sealed int64) {
	if sealed <= p.sealed {
		return
	}
	from := max(p.sealed, sealed-int64(len(p.ring)))
	p.sealed = sealed
	for s := from; s < sealed; s++ {
		e := p.ring[int(s)&(len(p.ring)-1)]
		if e == nil || int64(e.slice) >= sealed || len(e.words) == 0 {
			continue
		}
		p.ring[int(s)&(len(p.ring)-1)] = nil
		if e.unsaved {
			e.sealed = true // let go once it is saved
		} else {
			p.spare(e)
		}
	}
}

// spare keeps a slice's room for another.
func (p *Partition) spare(s *userSlice) {
	*s = userSlice{words: s.words[:0], again: s.again[:0]}
	if len(p.spareSlices) < 8 {
		p.spareSlices = append(p.spareSlices, s)
	}
}
