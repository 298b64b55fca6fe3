package users

import (
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/carry"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/step"
)

// A Partition owns some of the shards. Rows are added to their slices; when a
// slice closes, what it holds goes to the merger.
type Partition struct {
	// Yield is called every so often while rows are added. nil: not called.
	Yield func()
	// Exchange is that of all partitions of a lane. By default there is one partition.
	Exchange Exchange
	// LeastBase is how many bytes of what is known of users a checkpoint writes whole at the
	// least when anything changed, so that the journal does not grow. By default 32 KiB.
	LeastBase int

	plan   *plan.Plan
	timing stream.Timing
	index  int            // among the partitions
	of     int            // how many there are
	shards [Shards]*shard // nil where another partition owns it

	head   int64 // slices before it are closed
	sealed int64 // slices before it are sealed

	open   []*step.Slice             // ascending; closed slices are corrections
	recent [recentSlices]*step.Slice // of open, by second
	pool   chan *step.Slice          // that were read

	audiences []*audience
	tally     *tally
	moves     []move   // room for one entry
	places    []uint32 // of label combinations in a page, by number
	openUsers []int64  // slices with entries that are not closed, ascending
	// lateDays are active days found out late, lateOrigins that users were seen
	// earlier. They count from the next crossing on, as all that comes late.
	lateDays    []userDay
	lateOrigins []lateOrigin
	absences    map[uint32][]absence // by ref
	rosters     rosters
	dues        []due        // ascending by head
	facts       *facts       // nil where nobody asks for any
	origins     *carry.Texts // nil where facts are not told apart by them
	originTable carry.Table
	followers   []*follower
	customers   *customers // nil where none are told apart
	// waiting is what was seen of slices that are closed since the last crossing.
	waiting []activity

	forgetAfter int32 // days

	signals []Signal
	// entering goes with what is closed, so far ahead that a day is entered before a look
	// beyond that can reach it; judging and forgetting with what is sealed.
	entering, judging, forgetting walk

	out *step.Step
	journal
	restoring *restoring    // until Resume
	journeys  *journeyPages // until ReadOn
	chunk     chunk
	identity  int // the next of the batch's identities
	effects   plan.Effects
}

// A userDay is a slice in which a user was active on the day, with a label of a track.
type userDay struct {
	track *track
	group uint32
	ref   uint32
	day   int32
	slice int64
}

// An activity is a slice in which a member of an audience was seen with labels.
type activity struct {
	audience, ref, labels, second uint32
}

// recentSlices is how many slices are found without a search.
const recentSlices = 8

// NewPartition returns partition index of n.
func NewPartition(p *plan.Plan, t stream.Timing, index, n int) *Partition {
	q := &Partition{plan: p, timing: t, forgetAfter: int32(p.Catalogue.ForgetAfter), index: index, of: n, head: math.MinInt64, sealed: math.MinInt64, entering: newWalk(reach(t) + Shards), judging: newWalk(0), forgetting: newWalk(0),
		pool: make(chan *step.Slice, manySlices), rosters: rosters{}, out: &step.Step{}, Exchange: alone{}, LeastBase: leastBase}
	if p.Days != nil {
		q.facts = newFacts(p)
		if o := carry.New(p.Days.OriginColumns(), p.Days.About); o.Width() > 0 {
			q.origins = o
		}
	}
	for _, j := range p.Journeys {
		f := newFollower(p, j)
		f.book.Yield = func() {
			if q.Yield != nil {
				q.Yield()
			}
		}
		q.followers = append(q.followers, f)
	}
	q.chunk.adds = make([][]addition, len(p.Events.Sets))
	q.customers = newCustomers(p, q.followers)
	for _, a := range p.Audiences {
		q.audiences = append(q.audiences, newAudience(p, a))
	}
	for s := range q.shards {
		if s%n == index {
			q.shards[s] = newShard(len(q.audiences))
		}
	}
	for _, a := range q.audiences {
		a.days = slices.ContainsFunc(a.tracks, func(t track) bool { return t.days })
		a.traced = a.days && q.origins != nil
	}
	q.tally = newTally(q.audiences)
	return q
}

// Process adds the batch's rows of the partition's shards and answers with one
// step for each crossing.
func (p *Partition) Process(b *stream.Batch, crossings []stream.Crossing) []*step.Step {
	var steps []*step.Step
	from := 0
	p.identity = 0
	for _, c := range crossings {
		p.rows(b, from, c.Row)
		from = c.Row
		steps = append(steps, p.cross(c.Watermark, c.Moves))
	}
	p.rows(b, from, b.Rows)
	return steps
}

// slice is where the second is added up.
func (p *Partition) slice(second int64) *step.Slice {
	recent := &p.recent[second&(recentSlices-1)]
	if *recent != nil && (*recent).Second == second {
		return *recent
	}
	i, ok := slices.BinarySearchFunc(p.open, second, func(a *step.Slice, s int64) int { return int(a.Second - s) })
	if !ok {
		var s *step.Slice
		select {
		case s = <-p.pool:
		default:
			s = step.NewSlice(len(p.plan.Sums))
		}
		s.Reset(second)
		p.open = slices.Insert(p.open, i, s)
	}
	*recent = p.open[i]
	return *recent
}

// Recycle takes a step's slices back. The merger's owner calls it when they were
// read.
func (p *Partition) Recycle(s *step.Step) {
	for _, a := range s.Slices {
		if len(p.pool) >= fewSlices && a.Wide() {
			continue
		}
		select {
		case p.pool <- a:
		default:
		}
	}
}

// A batch closes many slices where there is little in each: manySlices are kept to
// be used again, of those that take room no more than fewSlices.
const (
	fewSlices  = 64
	manySlices = 4096
)

// cross closes and seals what the watermark says.
func (p *Partition) cross(watermark int64, moves []stream.Move) *step.Step {
	head, told := plan.Floor(watermark, 1000)/1000, len(p.signals)
	sealed := plan.Floor(watermark-plan.Unsealed(p.timing), 1000) / 1000
	if head > p.head {
		p.moveOrigins()
		for i := range p.lateDays {
			p.wasThere(&p.lateDays[i])
		}
		p.lateDays, p.waiting = p.lateDays[:0], p.waiting[:0]
		closing, _ := slices.BinarySearch(p.openUsers, head)
		p.closeUsers(p.tally, p.openUsers[:closing], head, true)
		p.dues, p.tally.taken = slices.Delete(p.dues, 0, p.tally.taken), 0
		p.openUsers = slices.Delete(p.openUsers, 0, closing)
		p.closeJourneys(head)
		p.handOver(moves, head)
		p.addJourneys()
		for i := range p.signals[told:] { // of who came back
			p.rank(&p.signals[told+i].Person)
		}
		p.judge(sealed, head)
		p.addFacts()
		p.head = head
		n := 0
		for n < len(p.open) && p.open[n].Second < head {
			n++
		}
		p.out.Slices = append(p.out.Slices, p.open[:n]...)
		p.open = slices.Delete(p.open, 0, n)
		clear(p.recent[:])
	}
	p.seal(sealed)
	for i := range p.signals[told:] {
		p.signals[told+i].Watermark = watermark
	}
	out := p.out
	out.Watermark = watermark
	p.out = &step.Step{}
	return out
}

// Peek answers what is in and not closed: the step of a crossing at head, or
// behind all that is in, made by the same code on a copy, so that nothing is
// changed. Facts become known when a slice closes: it has none.
func (p *Partition) Peek(head int64) *step.Step {
	out := &step.Step{Deltas: slices.Clone(p.out.Deltas)}
	if p.head == math.MinInt64 {
		return out
	}
	head = max(head, p.head)
	for _, s := range p.open { // whatever is in, also ahead of head
		out.Slices = append(out.Slices, s.Clone())
	}
	var own *step.Step
	own, p.out = p.out, out
	ahead := p.tally.clone()
	if n := len(p.openUsers); n > 0 {
		head = max(head, p.openUsers[n-1]+1)
	}
	if n := len(p.dues); n > 0 { // what is ahead may be another partition's
		head = max(head, int64(p.dues[n-1].head))
		for i := range p.lateDays { // those are in, if not in rosters
			d := &p.lateDays[i]
			ahead.met[metHeir{d.ref, attendance{d.day, int32(d.track.number), d.group}}] = true
		}
	}
	p.closeUsers(ahead, p.openUsers, head, false)
	p.out = own
	return out
}

// closeUsers takes the users of the slices into the live windows, and lets these go on to
// head. For good says that the users' active days change by it.
func (p *Partition) closeUsers(c *tally, seconds []int64, head int64, forGood bool) {
	for _, s := range seconds {
		p.advance(c, s+1)
		if forGood {
			p.enterDays(s)
		}
		p.takeDues(c, s+1)
		p.close(c, s, forGood)
	}
	p.advance(c, head)
	p.takeDues(c, head)
	if forGood {
		p.enterDays(head)
	}
}

// seal lets go of the entries of slices that no event can reach any more.
func (p *Partition) seal(sealed int64) {
	if sealed <= p.sealed {
		return
	}
	from, day := p.sealed, p.unsealedDay()
	p.sealed = sealed
	p.walk(&p.forgetting, sealed, func(shard int, _, today int32) { p.forgetShard(shard, today) })
	p.sealJourneys(sealed)
	if today := p.unsealedDay(); today > day {
		p.forgetAbsences()
		p.forgetMerges(today)
		p.forgetHeirs(today)
		p.handOverRosters(today)
	}
	for _, a := range p.audiences {
		if a.sealed = uint32(max(sealed, 0)); sealed-from > int64(len(a.slices)) || from < 0 {
			for second := range a.slices {
				if int64(second) < sealed {
					a.seal(second)
				}
			}
			continue
		}
		for second := from; second < sealed; second++ {
			a.seal(uint32(second))
		}
	}
}

// seal lets go of a slice, once it is saved.
func (a *audience) seal(second uint32) {
	s := a.slices[second]
	if s == nil {
		return
	}
	delete(a.slices, second)
	if s.unsaved {
		s.sealed = true
	} else {
		a.letGo(s)
	}
}

// letGo gives back what a slice has.
func (a *audience) letGo(s *slice) {
	for chunk := range s.chunks {
		for _, e := range a.some(s, chunk) {
			a.labels.drop(e.labels)
		}
	}
	a.release(s)
}

// trackAt is where a track is, by its number: the audience, and its place there.
func (p *Partition) trackAt(number int) (audience, k int) {
	for i, a := range p.audiences {
		if k := slices.IndexFunc(a.tracks, func(t track) bool { return t.number == number }); k >= 0 {
			return i, k
		}
	}
	return 0, 0 // not reached: there is no other
}

// track is one of all, by its number.
func (p *Partition) track(number int) *track {
	i, k := p.trackAt(number)
	return &p.audiences[i].tracks[k]
}

// delta says something to the merger.
func (p *Partition) delta(d step.Delta) { p.out.Deltas = append(p.out.Deltas, d) }
