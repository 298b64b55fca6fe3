package app

import (
	"fmt"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/stream"
)

// A line takes messages through an engine one parcel after the other, without a pipeline:
// what comes of them is a function of the messages, and of when epochs are made.
type line struct {
	*engine
	decoder *decoder
	batch   stream.Batch
	// merged is called with each parcel that is through, and what the rules decided by it.
	merged func(p *parcel, told []alerts.Notification) error
	// shown says that readers see what is in.
	shown bool
}

// take takes messages in.
func (l *line) take(raws []stream.Raw) error {
	if l.decoder == nil {
		l.decoder = newDecoder(l.plan, l.key)
	}
	p := &parcel{raws: raws, batch: &l.batch}
	l.decoder.decode(p)
	return l.pass(p)
}

// pass takes a parcel through the lane.
func (l *line) pass(p *parcel) error {
	l.lane.sequence(p)
	if l.shown && p.ask == nil {
		l.lane.reveal(p)
	}
	last := len(l.lane.Partitions) - 1
	for i := range last { // side by side: they hand over users to each other
		go l.lane.partition(i, p)
	}
	l.lane.partition(last, p)
	p.partitions.Wait()
	before := len(l.notifications)
	l.merge(p)
	return l.merged(p, l.notifications[before:])
}

// Checkpoint makes an epoch of what was read.
func (l *line) Checkpoint() error {
	if l.lane.position == l.checkpointed {
		return nil
	}
	l.number, l.checkpointed = l.number+1, l.lane.position
	b := l.lane.newBarrier(l.number)
	if err := l.pass(&parcel{barrier: b}); err != nil {
		return err
	}
	l.saveAlerts(b)
	c, err := l.epoch(b, nil)
	if err != nil {
		return err
	}
	if err := again(func() error { return l.write(b.Blocks, c) }); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	_ = l.committed(b) // an outbox that is not tidied now is tidied with the next epoch
	return nil
}

// again does what a Service tries until it succeeds: here, once more.
func again(f func() error) error {
	if f() == nil {
		return nil
	}
	return f()
}
