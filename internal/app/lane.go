package app

import (
	"sync"
	"sync/atomic"

	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows"
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
	plan   *windows.Plan
	timing stream.Timing

	sequencer  *stream.Sequencer
	labels     *windows.Labels
	partitions []*windows.Partition

	// mu guards merger against readers of windows that are closed.
	mu     sync.RWMutex
	merger *windows.Merger
	// shown is what other readers see; merge replaces it.
	shown atomic.Pointer[shown]
	users atomic.Int64 // known at the last checkpoint

	position position
	// quietTo is the sequence up to which everything was done before: while it is
	// done again, by other definitions, nothing leaves the engine.
	quietTo uint64
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
	live *windows.Live
}

// A parcel is some messages on their way through the lane.
type parcel struct {
	raws    []stream.Raw
	batch   *stream.Batch
	decoded chan struct{}

	crossings []stream.Crossing
	labels    []windows.NewLabel
	account   account
	settled   account // at the last crossing
	position  position

	show  bool  // what is in, closed or not, is to be seen from here on
	reach int64 // the head up to which it is
	ask   *ask
	mark  *mark

	partitions sync.WaitGroup
	steps      [][]*windows.Step // by partition, by crossing
	peeks      []*windows.Step   // by partition
}

// An ask wants the preview at a head.
type ask struct {
	head  int64
	reply chan *windows.Preview
}

func newLane(plan *windows.Plan, timing stream.Timing, partitions int) *lane {
	l := &lane{plan: plan, timing: timing, sequencer: stream.NewSequencer(timing), labels: plan.NewLabels(), merger: windows.NewMerger(plan, timing)}
	for i := range partitions {
		l.partitions = append(l.partitions, windows.NewPartition(plan, timing, i, partitions))
		l.partitions[i].Yield = yield
	}
	l.sequencer.Yield, l.merger.Yield = yield, yield
	l.publish(nil, account{})
	return l
}

// A decoder is what one decoding goroutine needs.
type decoder struct {
	*stream.Decoder
	schema stream.Schema
	filter *windows.Filter
}

func newDecoder(plan *windows.Plan, key stream.HashKey) *decoder {
	filter := plan.NewFilter()
	return &decoder{stream.NewDecoder(plan.Schema, key), plan.Schema, filter}
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
	p.steps = make([][]*windows.Step, len(l.partitions))
	p.peeks = make([]*windows.Step, len(l.partitions))
	if p.batch != nil {
		p.crossings = l.sequencer.Pass(p.batch, p.crossings[:0])
		p.labels = l.labels.Assign(p.batch)
		if n := len(p.batch.Messages); n > 0 {
			last := p.batch.Messages[n-1]
			l.position = position{last.Sequence, last.Fingerprint}
		}
	}
	p.position, p.account = l.position, account{l.sequencer.Ledger, l.position.Sequence}
	p.settled = account{l.sequencer.Settled, l.sequencer.SettledAt}
	p.partitions.Add(len(l.partitions))
}

// reveal has the parcel that was sequenced last show all that is in, and the
// ledger with it.
func (l *lane) reveal(p *parcel) {
	p.show = true
	if wm := l.sequencer.Watermark; wm != stream.NoTime {
		p.reach = (wm+l.timing.Disorder.Milliseconds())/1000 + 1
	}
}

// partition does one partition's share.
func (l *lane) partition(i int, p *parcel) {
	part := l.partitions[i]
	if p.batch != nil {
		p.steps[i] = part.Process(p.batch, p.crossings)
	}
	switch {
	case p.ask != nil:
		p.peeks[i] = part.Peek(p.ask.head)
	case p.show:
		p.peeks[i] = part.Peek(p.reach)
	}
	if p.mark != nil {
		p.mark.users[i] = part.Checkpoint(p.mark.number)
	}
	p.partitions.Done()
}

// merge brings the partitions' shares together, once all are there. The parcel
// is done then.
func (l *lane) merge(p *parcel) {
	if len(p.labels) > 0 {
		l.mu.Lock()
		l.merger.Label(p.labels)
		l.mu.Unlock()
	}
	steps := make([]*windows.Step, len(l.partitions))
	for c := range p.crossings {
		for i := range steps {
			steps[i] = p.steps[i][c]
		}
		l.mu.Lock()
		l.merger.Step(steps)
		l.mu.Unlock()
		for i, s := range steps {
			l.partitions[i].Recycle(s)
		}
	}
	if p.show {
		l.show(p)
	}
	if p.ask != nil {
		p.ask.reply <- l.merger.Show(p.peeks, p.ask.head)
	}
	if p.mark != nil {
		l.mark(p.mark)
	}
}

// show lets readers see what is in. Late rows that wait for the next crossing
// are not in the windows that are closed: as long as there are any, the account
// of the last crossing is the newest that holds.
func (l *lane) show(p *parcel) {
	told, v := l.shown.Load().account, l.merger.Show(p.peeks, p.reach)
	if v == nil || !v.Pending() {
		told = p.account
	} else if p.settled.position > told.position {
		told = p.settled
	}
	l.publish(v, told)
}

func (l *lane) publish(v *windows.Preview, told account) {
	l.shown.Store(&shown{told, l.merger.Publish(v)})
}

// mark adds the merger's share to a checkpoint. What it changes no reader sees.
func (l *lane) mark(m *mark) {
	m.root.Merger, m.pages, m.late = l.merger.Checkpoint(m.number)
	m.sealed = l.merger.Sealed()
	users := 0
	for _, u := range m.users {
		users += u.Rows
		m.pages = append(m.pages, u.Pages...)
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	m.blocks = l.merger.TakeBlocks()
	l.users.Store(int64(users))
}
