package app

import "time"

// A sequencing is the stage that fixes the order and decides when to show and to commit.
// Small parcels it takes through all stages.
type sequencing struct {
	*Service
	decoder *decoder
	order   thread
	shares  []chan *parcel
	merged  chan<- *parcel

	uncommitted int64 // bytes since the last barrier, which says what came since
	pace        pace
	due         bool // whether an epoch is
	show        *time.Timer
	shownAt     time.Time
	reassigned  reassignments
}

func (s *Service) sequence(order thread, shares []chan *parcel, merged chan<- *parcel) {
	q := &sequencing{Service: s, decoder: newDecoder(s.plan, s.key), order: order, shares: shares, merged: merged,
		show: time.NewTimer(time.Hour), reassigned: reassignments{told: s.lane.Sequencer.Reassigned}}
	defer q.show.Stop()
	checkpoints := time.NewTicker(s.config.CheckpointInterval)
	defer checkpoints.Stop()
	for {
		select {
		case p, ok := <-s.parcels:
			if !ok {
				q.finish()
				return
			}
			if !s.lane.hurry.Load() { // else it is read again at the next start
				q.take(p)
			}
		case a := <-s.asks:
			p := &parcel{ask: a}
			s.lane.sequence(p)
			q.send(p)
		case <-q.show.C:
			q.look()
		case <-s.sight.wanted:
			q.look()
		case <-checkpoints.C:
			if q.pace.worth(q.uncommitted) {
				q.commit()
			}
		case <-s.unsettled:
			if s.lane.position != q.checkpointed {
				q.commit()
			}
		}
	}
}

// commit has an epoch begin, or if it cannot yet behind the next parcel.
func (q *sequencing) commit() {
	q.due = true
	p := &parcel{}
	if q.checkpoint(p); p.barrier != nil {
		q.lane.sequence(p)
		q.send(p)
	}
}

// take passes a parcel of messages on.
func (q *sequencing) take(p *parcel) {
	l := q.lane
	q.pass(p)
	l.progress.follow(&l.Sequencer.Progress, q.timing.Disorder)
	q.awaitTick()
	if l.position.Sequence > l.quietTo {
		l.outputs.collect(p, l.quietTo)
	}
	q.sight.passed.Add(1)
	q.sight.behind.Store(len(q.parcels) > 0 || !l.source.CaughtUp())
	now, every := time.Now(), q.sight.every()
	q.reassigned.follow(l.Sequencer.Reassigned, now, &q.log)
	switch {
	case l.position.Sequence < l.quietTo:
	case !l.progress.ready.Load(), now.Sub(q.shownAt) > every && q.sight.expected():
		q.reveal(p)
	case q.sight.expected():
		q.show.Reset(every)
	}
	q.checkpoint(p)
	q.send(p)
}

func (q *sequencing) pass(p *parcel) {
	if p.decoded == nil {
		q.decoder.decode(p)
		q.weighAgain(p)
		q.lane.sequence(p)
		return
	}
	<-p.decoded
	q.order.do(func() { q.lane.sequence(p) })
}

func (q *sequencing) send(p *parcel) {
	work := p.bytes
	q.uncommitted += p.bytes
	if p.barrier != nil {
		work, q.uncommitted = q.uncommitted, 0
	}
	if p.ask != nil && p.ask.long {
		work = max(work, smallBytes+1)
	}
	if work <= smallBytes && len(q.parcels) == 0 && q.underWay.Load() == 0 && !p.meets {
		q.handle(p)
		return
	}
	q.underWay.Add(1)
	for _, in := range q.shares {
		in <- p
	}
	q.merged <- p
}

func (q *sequencing) reveal(p *parcel) {
	q.lane.reveal(p)
	p.passed, q.shownAt = q.sight.passed.Load(), time.Now()
}

// look shows what was passed and not shown.
func (q *sequencing) look() {
	if q.sight.passed.Load() == q.sight.shown.Load() || q.lane.position.Sequence < q.lane.quietTo {
		return
	}
	p := &parcel{}
	q.lane.sequence(p)
	q.reveal(p)
	q.send(p)
}

// checkpoint has an epoch begin behind a parcel, if one is due and can.
func (q *sequencing) checkpoint(p *parcel) {
	l := q.lane
	if q.due && (l.position.Sequence >= l.quietTo || q.crowded()) && l.position != q.checkpointed && q.checkpointing.CompareAndSwap(false, true) {
		q.due = false
		q.number++
		q.checkpointed = l.position
		p.barrier = l.newBarrier(q.number)
		p.barrier.flushed = l.outputs.barrier(l.position.Sequence)
	}
}

// finish commits what was read.
func (q *sequencing) finish() {
	if q.gap.Load() {
		return // the epochs before may be the ones that match the stream
	}
	q.due = true
	for q.checkpointing.Load() && q.commitTrouble.Load() == nil {
		time.Sleep(time.Millisecond)
	}
	p := &parcel{}
	q.lane.sequence(p)
	q.checkpoint(p)
	q.send(p)
}
