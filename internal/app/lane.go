package app

import (
	"iter"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/stream/jetstream"
	"github.com/tidewatch/tidewatch/windows"
	"github.com/tidewatch/tidewatch/windows/merge"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/step"
	"github.com/tidewatch/tidewatch/windows/users"
)

// A lane carries the messages of one ordered part of the stream through the
// engine, as parcels:
//
//	decode ─► sequence ─► partitions ─► merge
//
// Each stage is a method that one goroutine calls at a time, parcel by parcel
// in order; only decode may run for several parcels at once, with a decoder
// each.
type lane struct {
	*windows.Engine

	// mu guards the merger against lookups of windows that are closed.
	mu       sync.Mutex
	exchange *exchange // of the partitions
	// watch follows what rules read; queried says that some read more.
	watch   *merge.Watch
	queried bool
	// shown is what other readers see; merge replaces it.
	shown atomic.Pointer[shown]
	users atomic.Int64 // known at the last checkpoint
	hurry atomic.Bool  // it is about to stop
	day   int32        // on which the watermark is

	source   *jetstream.Source // nil where whoever has the lane gives it messages
	outputs  *outputs          // of the sequence
	signals  *outputs          // of the merge
	position position
	progress progress
	// quietTo is the sequence up to which everything was done before: while it is
	// done again, by other definitions, nothing leaves the engine.
	quietTo uint64
	// toldTo is the watermark, in ms, up to which signals were told then.
	toldTo int64
}

// position is the last message that went in.
type position struct {
	Sequence    uint64
	Fingerprint uint64
}

// An account is the ledger up to a message.
type account struct {
	ledger   stream.Ledger
	position uint64
}

// shown is what live windows show, and the account that belongs to it.
type shown struct {
	account
	live  *merge.Live
	first int64 // event time in ms of the earliest event, math.MaxInt64 before it
}

// A parcel is some messages on their way through the lane.
type parcel struct {
	raws    []stream.Raw
	bytes   int64 // of the messages, unpacked
	weight  int64 // see weigh
	batch   *stream.Batch
	decoded chan struct{}

	crossings []stream.Crossing
	meets     bool // partitions wait for each other on it: all of them must be at work
	labels    []users.NewLabel
	account   account
	settled   account // at the last crossing
	first     int64
	position  position

	passed  uint64        // parcels of messages before one that shows
	show    bool          // what is in, closed or not, is to be seen from here on
	reach   int64         // the head up to which it is
	cost    time.Duration // of showing it
	ask     *ask
	barrier *barrier

	partitions sync.WaitGroup
	steps      [][]*step.Step // by partition, by crossing
	signals    [][]users.Signal
	toldTo     int64        // the watermark up to which the messages before quietTo brought it
	peeks      []*step.Step // by partition
}

// meet reports whether partitions wait for each other at any of the crossings: they hand
// over users, or a day begins, of which customers may be ranked together.
func (l *lane) meet(crossings []stream.Crossing) (meet bool) {
	for _, c := range crossings {
		day := l.Plan.Calendar.Day(c.Watermark)
		meet = meet || len(c.Moves) > 0 || day != l.day
		l.day = day
	}
	return meet
}

// An ask wants to know what is in the lane behind all parcels before it: the preview
// at a head, or, with visit, what that finds in the partitions. It is called for
// several of them at once.
type ask struct {
	head  int64
	visit func(i int, p *users.Partition)
	long  bool             // the visit is worth that all partitions are at it at a time
	reply chan *merge.Live // takes one; of a visit nil
}

func newLane(name string, p *plan.Plan, timing stream.Timing, partitions int) *lane {
	l := &lane{watch: merge.NewWatch(p, nil), exchange: newExchange(), toldTo: math.MinInt64}
	l.Engine = windows.NewEngine(name, p, timing, partitions, l.yield)
	l.SetExchange(l.exchange)
	l.publish(account{}, l.Merger.Live(), math.MaxInt64)
	return l
}

// yield gives the core to others, unless there is an end to be made of it.
func (l *lane) yield() {
	if !l.hurry.Load() {
		yield()
	}
}

// A decoder is what one decoding goroutine needs.
type decoder struct {
	*stream.Decoder
	schema stream.Schema
	filter *plan.Filter
}

func newDecoder(p *plan.Plan, key stream.HashKey) *decoder {
	filter := p.Events.NewFilter()
	return &decoder{stream.NewDecoder(p.Events.Schema, key), p.Events.Schema, filter}
}

// yieldBytes is how much is decoded between two yields.
const yieldBytes = 192 << 10

// decode turns the parcel's messages into a batch with masks.
func (d *decoder) decode(p *parcel) {
	p.batch.Reset(d.schema)
	rested := 0
	for _, raw := range p.raws {
		if n := len(p.batch.Payload); n-rested >= yieldBytes {
			yield()
			rested = n
		}
		d.Append(p.batch, raw)
	}
	d.filter.Apply(p.batch)
}

// sequence fixes the order: verdicts, crossings, labels.
func (l *lane) sequence(p *parcel) {
	p.steps = make([][]*step.Step, len(l.Partitions))
	p.signals = make([][]users.Signal, len(l.Partitions))
	p.peeks = make([]*step.Step, len(l.Partitions))
	if p.batch != nil {
		p.crossings = l.Sequencer.Pass(p.batch, p.crossings[:0])
		p.meets = l.meet(p.crossings)
		p.labels = l.Labels.Assign(p.batch)
		p.toldTo = toldTo(p, l.quietTo)
		if n := len(p.batch.Messages); n > 0 {
			last := p.batch.Messages[n-1]
			l.position = position{last.Sequence, last.Fingerprint}
		}
	}
	p.position, p.account = l.position, account{l.Sequencer.Ledger, l.position.Sequence}
	p.settled = account{l.Sequencer.Settled, l.Sequencer.SettledAt}
	p.first = l.Sequencer.First
	p.partitions.Add(len(l.Partitions))
}

// toldTo is the watermark that the messages up to a sequence bring a parcel to which
// has others behind them.
func toldTo(p *parcel, sequence uint64) int64 {
	rows, told := 0, int64(math.MinInt64)
	for _, m := range p.batch.Messages {
		if m.Sequence > sequence {
			break
		}
		rows += m.Rows
	}
	if rows == 0 {
		return told
	}
	for _, c := range p.crossings {
		if c.Row < rows { // by the row behind it
			told = c.Watermark
		}
	}
	return told
}

// reveal has the parcel that was sequenced last show all that is in, and the
// ledger with it.
func (l *lane) reveal(p *parcel) {
	p.show = true
	if wm := l.Sequencer.Watermark; wm != stream.NoTime {
		p.reach = (wm+l.Timing.Disorder.Milliseconds())/1000 + 1
	}
}

// partition does one partition's share.
func (l *lane) partition(i int, p *parcel) {
	part := l.Partitions[i]
	if p.batch != nil {
		p.steps[i] = part.Process(p.batch, p.crossings)
		p.signals[i] = part.TakeSignals()
	}
	switch {
	case p.ask != nil && p.ask.visit != nil:
		p.ask.visit(i, part)
	case p.ask != nil:
		p.peeks[i] = part.Peek(p.ask.head)
	case p.show:
		p.peeks[i] = part.Peek(p.reach)
	}
	if p.barrier != nil {
		p.barrier.Partition(l.Engine, i)
	}
	p.partitions.Done()
}

// see is what rules are shown of a close, first being the time of the earliest event.
func (l *lane) see(now merge.Close, first int64) closed {
	out := closed{head: now.Head(), first: first, samples: l.watch.See(now)}
	if l.queried {
		out.live = now.Live()
	}
	return out
}

// merge brings the partitions' shares together, once all are there. The parcel
// is done when it has come to its end. It yields each close once its crossing is
// merged, with nothing locked: what is looked up then knows nothing of later rows,
// however many came in one parcel.
func (l *lane) merge(p *parcel) iter.Seq[closed] {
	return func(yield func(closed) bool) {
		if len(p.labels) > 0 {
			l.mu.Lock()
			l.Merger.Label(p.labels)
			l.mu.Unlock()
		}
		for c := range p.crossings {
			for _, now := range l.cross(p, c) {
				if !yield(now) {
					panic("closes are to be taken to the end")
				}
			}
		}
		l.finish(p)
	}
}

// cross merges a crossing, and returns what was watched at each close.
func (l *lane) cross(p *parcel, crossing int) (closes []closed) {
	steps := make([]*step.Step, len(l.Partitions))
	for i := range steps {
		steps[i] = p.steps[i][crossing]
	}
	round := l.Aligner.Add(l.Lane, steps)
	if round == nil {
		return nil
	}
	l.mu.Lock()
	for now := range l.Merger.Step(round) {
		closes = append(closes, l.see(now, p.first))
	}
	l.mu.Unlock()
	for i, s := range round {
		l.Partitions[i%len(l.Partitions)].Recycle(s)
	}
	return closes
}

// finish answers what the parcel asks for behind its rows.
func (l *lane) finish(p *parcel) {
	if p.show {
		began := time.Now()
		l.show(p)
		p.cost = time.Since(began)
	}
	switch {
	case p.ask == nil:
	case p.ask.visit != nil:
		p.ask.reply <- nil
	default:
		p.ask.reply <- l.preview(p, p.ask.head, false)
	}
	if p.barrier != nil {
		p.barrier.Merge(l.Engine)
		l.users.Store(int64(p.barrier.Users))
	}
}

func (l *lane) preview(p *parcel, head int64, reach bool) *merge.Live {
	l.mu.Lock() // tables are shared anew
	defer l.mu.Unlock()
	return l.Merger.Preview(p.peeks, head, reach)
}

// show lets readers see what is in. Late rows that wait for the next crossing
// are not in the windows that are closed: as long as there are any, the account
// of the last crossing is the newest that holds.
func (l *lane) show(p *parcel) {
	told, v := l.shown.Load().account, l.preview(p, p.reach, true)
	if !v.Pending() {
		told = p.account
	} else if p.settled.position > told.position {
		told = p.settled
	}
	l.publish(told, v, p.first)
}

func (l *lane) publish(told account, v *merge.Live, first int64) {
	l.shown.Store(&shown{told, v, first})
}

// lookup plans the answer to a question about a window that is closed.
func (l *lane) lookup(q merge.Question, ahead *merge.Live) (*merge.Lookup, error) {
	l.mu.Lock() // tables are shared anew
	defer l.mu.Unlock()
	return l.Merger.Lookup(q, ahead)
}

// sealed is the second up to which nothing changes any more.
func (l *lane) sealed() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Merger.Sealed()
}

// ripening plans how soon the facts of the KPI become known, as so many days up to one say.
func (l *lane) ripening(name string, day int32, days int, known *merge.Ripening) *merge.Ripening {
	l.mu.Lock() // tables are shared anew
	defer l.mu.Unlock()
	return l.Merger.Ripening(name, day, days, known)
}

// versions are those of closed windows.
func (l *lane) versions(q merge.Question, moments []merge.Moment) []uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Merger.Versions(q, moments)
}

// planRange plans the next piece of a range.
func (l *lane) planRange(r *merge.Range) bool {
	l.mu.Lock() // tables are shared anew
	defer l.mu.Unlock()
	return l.Merger.Plan(r)
}
