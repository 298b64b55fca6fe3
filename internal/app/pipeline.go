package app

import (
	"bytes"
	"context"
	"errors"
	"runtime"

	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/stream/jetstream"
)

const (
	// parcelBytes is what a stage works on at a time, unpacked.
	// Smaller parcels let queries in more often, as a thread that works may be
	// taken off its core no earlier than at the kernel's next tick; larger ones
	// cost fewer changes of threads.
	parcelBytes = 768 << 10
	// smallBytes is up to where a parcel goes through all stages on one goroutine,
	// if none is under way or waits: changes of threads would cost more than its
	// work.
	smallBytes = 256 << 10
)

// Threads is how many goroutines should run at a time for each core, as
// GOMAXPROCS has it: more than one, so that queries find a thread while all
// cores consume. Who owns the process sets it.
const Threads = 3

// A gate lets few stages work at a time: what runs beyond the cores only takes
// turns with the others, and keeps queries from a thread.
type gate chan struct{}

func newGate() gate { return make(gate, runtime.NumCPU()+1) }

func (g gate) pass(work func()) {
	g <- struct{}{}
	work()
	<-g
}

// aside lets others pass while one of those who passed waits.
func (g gate) aside(wait func()) {
	<-g
	wait()
	g <- struct{}{}
}

// A thread does work in the background, one after the other.
type thread chan func()

func (s *Service) newThread() thread {
	t := make(thread)
	s.run(func() error {
		s.background.enter()
		for work := range t {
			s.gate.pass(work)
		}
		return nil
	})
	return t
}

// do returns when the work is done.
func (t thread) do(work func()) {
	done := make(chan struct{})
	t <- func() { work(); close(done) }
	<-done
}

// consume restores the lane and starts the pipeline. What was restored is answered before
// the lane can go on.
func (s *Service) consume(ctx context.Context) error {
	err := s.restore(ctx, s.recovery)
	if err == nil {
		s.lane.progress.follow(&s.lane.Sequencer.Progress, s.timing.Disorder)
		if l := s.lane; l.position.Sequence >= l.quietTo && (l.position.Sequence > 0 || s.empty) { // else there is nothing to show yet
			p := &parcel{}
			l.sequence(p)
			l.reveal(p)
			s.handle(p)
		}
		err = s.readOn(ctx, s.recovery)
	}
	if err != nil {
		s.lane.source.Close()
		close(s.lane.outputs.queue)
		close(s.lane.signals.queue)
		return err
	}
	s.recovery = nil
	s.startPipeline(ctx)
	s.going.Store(true)
	return nil
}

// handle takes a parcel that was sequenced through all stages.
func (s *Service) handle(p *parcel) {
	for i := range s.lane.Partitions {
		s.lane.partition(i, p)
	}
	s.engine.merge(p)
	s.handOut(p)
}

// startPipeline starts a goroutine for each stage of the lane. Those that only
// wait for others are not in the background: a thread of their own would be two
// more changes each time.
func (s *Service) startPipeline(ctx context.Context) {
	work := make(chan *parcel, cap(s.parcels))
	for range runtime.NumCPU() {
		d := newDecoder(s.plan, s.key)
		s.run(func() error {
			s.background.enter()
			for p := range work {
				s.gate.pass(func() { d.decode(p) })
				s.weighAgain(p)
				close(p.decoded)
			}
			return nil
		})
	}
	var shares []chan *parcel
	s.lane.exchange.aside = s.gate.aside
	for i := range s.lane.Partitions {
		in := make(chan *parcel, 4)
		shares = append(shares, in)
		s.run(func() error {
			s.background.enter()
			for p := range in {
				s.gate.pass(func() { s.lane.partition(i, p) })
			}
			return nil
		})
	}
	merged := make(chan *parcel, 4)
	s.run(func() error { defer close(work); return s.read(ctx, work) })
	order := s.newThread()
	s.run(func() error {
		defer close(order)
		defer close(merged)
		defer close(s.lane.outputs.queue)
		for _, in := range shares {
			defer close(in)
		}
		s.sequence(order, shares, merged)
		return nil
	})
	// Readers of windows that are over wait for the merge, and alerts come from
	// it, so that it does not yield.
	s.run(func() error {
		defer close(s.barriers)
		defer close(s.lane.signals.queue)
		return s.merge(merged)
	})
	s.run(s.commit)
}

// read takes messages from the stream, until ctx ends.
func (s *Service) read(ctx context.Context, work chan<- *parcel) error {
	defer close(s.parcels)
	defer s.lane.source.Close()
	for {
		most, err := s.admit(ctx)
		if err != nil {
			return err
		}
		raws, err := s.lane.source.Next(ctx, nil, most)
		if err != nil {
			if gap, ok := errors.AsType[*jetstream.GapError](err); ok {
				s.gap.Store(true)
				return s.broken(gap)
			}
			return err
		}
		s.lane.progress.end.Store(s.lane.source.End())
		b, _ := s.batches.Get().(*stream.Batch)
		if b == nil {
			b = &stream.Batch{}
		}
		p := &parcel{raws: raws, batch: b}
		for _, raw := range raws {
			size := int64(min(raw.Size(), stream.MaxMessage))
			p.bytes += size
			p.weight += weigh(raw, size)
		}
		if err := s.flight.add(ctx, p.weight); err != nil {
			return err
		}
		if p.bytes > smallBytes {
			p.decoded = make(chan struct{})
			work <- p
		}
		select {
		case s.parcels <- p:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// rowBytes is about what a row takes in the columns of a batch.
const rowBytes = 512

// weigh is about what a message of so many bytes, unpacked, takes on its way: more than
// these if it has far more rows than events would be, as lines, or squeezed to next to nothing.
func weigh(m stream.Raw, size int64) int64 {
	const squeezed = 64
	switch {
	case m.ContentEncoding == "":
		return max(size, rowBytes*int64(bytes.Count(m.Data, []byte("\n"))))
	case size > squeezed*int64(len(m.Data)):
		return rowBytes * size
	}
	return size
}

// weighAgain knows how many rows there are: no more is let in until what is heavier than it
// seemed has passed.
func (s *Service) weighAgain(p *parcel) {
	if more := rowBytes*int64(p.batch.Rows) - p.weight; more > 0 && p.batch.Rows > stream.ManyRows {
		p.weight += more
		s.flight.bytes.Add(more)
	}
}

// merge brings the parcels together that are under way.
func (s *Service) merge(merged <-chan *parcel) error {
	for p := range merged {
		p.partitions.Wait()
		s.gate.pass(func() { s.engine.merge(p) })
		s.handOut(p)
		s.underWay.Add(-1)
	}
	return s.untold
}

// handOut passes on what the merge of a parcel gave: notifications, a checkpoint,
// and that there is something to see.
func (s *Service) handOut(p *parcel) {
	if p.position.Sequence <= s.lane.quietTo {
		s.notifications = nil // who is to be told was told when it happened
	}
	if s.untold == nil {
		s.untold = s.notify()
	}
	s.lane.signals.add(jetstream.Signals, s.signals(p))
	s.lane.progress.position.Store(p.position.Sequence)
	if !s.lane.progress.ready.Load() && p.show && p.position.Sequence >= s.lane.quietTo {
		s.lane.progress.ready.Store(true)
		if p.batch != nil {
			s.log.Info().Uint64("position", p.position.Sequence).Msg("rebuilt")
		}
	}
	switch {
	case p.barrier != nil && s.untold == nil:
		s.saveAlerts(p.barrier)
		p.barrier.signalled = s.lane.signals.barrier(p.barrier.position.Sequence)
		s.barriers <- p.barrier
	case p.barrier != nil: // an epoch would forget what is owed
		s.checkpointing.Store(false)
	}
	if p.show {
		s.sight.reveals(p)
	}
	if p.show || p.batch != nil {
		s.changed.notify()
	}
	if p.batch != nil {
		if p.bytes <= 2*parcelBytes && cap(p.batch.Time) <= stream.ManyRows { // the memory of larger ones is let go
			s.batches.Put(p.batch)
		}
		p.batch, p.raws = nil, nil
		s.flight.done(p.weight)
	}
}
