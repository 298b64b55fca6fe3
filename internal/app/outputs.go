package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/state"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/stream/jetstream"
)

// outputs brings messages to streams other than EVENTS: each once, known by its id,
// which is made from what caused it. Late events and dead letters come from the
// sequence and are known by the place of the event in the stream; signals come from
// the merge.
type outputs struct {
	broker *jetstream.Broker
	warn   func(error)
	queue  chan output
	// known are the ids that were out already when the service recovered, with
	// the sequences of their messages, as far as those were not read again.
	// Each is known until the message with the number is committed.
	known map[string]uint64
	since map[string]uint64 // by stream, the sequence behind which they are
	ends  map[string]uint64 // by stream, the last sequence
}

// An output is a message, or a barrier.
type output struct {
	stream  string
	message jetstream.Output
	barrier chan map[string]uint64
	known   bool // some of what is out belongs behind the barrier
}

func (s *Service) openOutputs(ctx context.Context) (err error) {
	if s.lane.outputs, err = s.newOutputs(ctx, "late events and dead letters", s.causeOf, jetstream.Late, jetstream.DeadLetters); err != nil {
		return err
	}
	info, err := s.broker.Info(ctx)
	if err != nil {
		return fmt.Errorf("open outputs: %w", err)
	}
	// What is out was caused by a message that there was then.
	s.lane.signals, err = s.newOutputs(ctx, "signals", func(string) uint64 { return info.Last }, jetstream.Signals)
	return err
}

// newOutputs is for some streams. cause is the message that an id comes from, 0 for one
// that does not come again.
func (s *Service) newOutputs(ctx context.Context, what string, cause func(id string) uint64, streams ...string) (*outputs, error) {
	o := &outputs{broker: s.broker, queue: make(chan output, 4096), known: map[string]uint64{}, since: map[string]uint64{}, ends: map[string]uint64{},
		warn: func(err error) { s.log.Warn().Err(err).Msg(what + " wait") }}
	var m state.Manifest
	if e := s.store.Current(); e != nil {
		m = e.Manifest()
	}
	for _, name := range streams {
		o.since[name] = m.Outputs[name]
		ids, err := s.broker.OutputIDs(ctx, name, o.since[name])
		if gap, ok := errors.AsType[*jetstream.GapError](err); ok && gap.Cause == jetstream.LostTail {
			s.tell("stream %s beside %s is shorter than it was: some of it can go out again", name, s.streamPlace())
			o.since[name] = 0
			ids, err = s.broker.OutputIDs(ctx, name, 0)
		}
		if _, ok := errors.AsType[*jetstream.GapError](err); ok {
			s.tell("stream %s beside %s is damaged: some of it can go out again: %v", name, s.streamPlace(), err)
			err = nil
		}
		if err != nil {
			return nil, fmt.Errorf("read stream %s: %w", name, err)
		}
		for _, id := range ids {
			if n := cause(id); n > 0 {
				o.known[id] = n
			}
		}
		info, err := s.broker.StreamInfo(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("read stream %s: %w", name, err)
		}
		o.ends[name] = info.Last
	}
	return o, nil
}

// causeOf is the message with the event that an output is about, as long as it is to
// be read again.
func (s *Service) causeOf(id string) uint64 {
	sequence, _, _ := strings.Cut(id, ".")
	if n, err := strconv.ParseUint(sequence, 10, 64); err == nil && n > s.lane.quietTo {
		return n
	}
	return 0
}

// collect queues the rows of a sequenced parcel that do not count and must not
// vanish. Messages up to quietTo were dealt with before.
func (o *outputs) collect(p *parcel, quietTo uint64) {
	row := 0
	for _, m := range p.batch.Messages {
		for i := range m.Rows {
			if v := p.batch.Verdict[row]; m.Sequence > quietTo && (v == stream.Late || v == stream.Quarantined || v == stream.Future) {
				// The fingerprint tells a message from one that was lost with its number.
				o.put(p.batch, row, fmt.Sprintf("%d.%d.%x", m.Sequence, i, m.Fingerprint))
			}
			row++
		}
	}
}

func (o *outputs) put(b *stream.Batch, row int, id string) {
	if o.isOut(id) {
		return
	}
	out := output{stream: jetstream.DeadLetters}
	reason := b.Verdict[row].String()
	if b.Verdict[row] == stream.Quarantined {
		reason = b.Reason[row].String()
	}
	out.message = jetstream.Output{ID: id, Subject: "deadletters." + reason, Header: map[string]string{"Tidewatch-Reason": reason}}
	if b.Verdict[row] == stream.Late {
		out.stream, out.message.Subject = jetstream.Late, "late."+reason
	}
	out.message.Data = append([]byte(nil), b.Bytes(b.Line[row])...)
	o.queue <- out
}

// isOut reports whether an output was out already, which is asked once.
func (o *outputs) isOut(id string) bool {
	_, ok := o.known[id]
	delete(o.known, id)
	return ok
}

// add queues messages.
func (o *outputs) add(stream string, messages []jetstream.Output) {
	for _, m := range messages {
		if !o.isOut(m.ID) {
			o.queue <- output{stream: stream, message: m}
		}
	}
}

// barrier delivers for each stream the sequence behind which a recovery that
// begins behind the position finds what is out already, when everything queued
// so far is out, and nothing that is queued later. It is closed without them
// when that cannot be.
func (o *outputs) barrier(position uint64) <-chan map[string]uint64 {
	// A message that is not the one it was does not take its id back.
	maps.DeleteFunc(o.known, func(_ string, sequence uint64) bool { return sequence <= position })
	done := make(chan map[string]uint64, 1)
	o.queue <- output{barrier: done, known: len(o.known) > 0}
	return done
}

// run publishes what is queued, in batches, until the queue is closed or ctx
// has ended and nothing gets out any more.
func (o *outputs) run(ctx context.Context) error {
	defer o.abandon()
	for first := range o.queue {
		messages, last := o.gather(first)
		for name, ms := range messages {
			if err := o.publish(ctx, name, ms); err != nil {
				if last.barrier != nil {
					close(last.barrier)
				}
				return err
			}
		}
		switch {
		case last.barrier == nil:
		case last.known:
			last.barrier <- o.since
		default:
			last.barrier <- maps.Clone(o.ends)
		}
	}
	return nil
}

// abandon keeps nobody waiting who still queues.
func (o *outputs) abandon() {
	for out := range o.queue {
		if out.barrier != nil {
			close(out.barrier)
		}
	}
}

// linger is for how long what comes shares a batch: the broker makes a store for each, and
// syncs it.
const linger = 50 * time.Millisecond

// gather takes what is at hand and what comes within the linger, by stream, up to a
// barrier, which is the last then: what is behind it must not be out before it.
func (o *outputs) gather(next output) (messages map[string][]jetstream.Output, last output) {
	messages = map[string][]jetstream.Output{}
	over := time.NewTimer(linger)
	defer over.Stop()
	for n := 1; ; n++ {
		if next.barrier != nil {
			return messages, next
		}
		messages[next.stream] = append(messages[next.stream], next.message)
		if n == 512 {
			return messages, output{}
		}
		var ok bool
		select {
		case next, ok = <-o.queue:
		case <-over.C:
		}
		if !ok {
			return messages, output{}
		}
	}
}

func (o *outputs) publish(ctx context.Context, name string, messages []jetstream.Output) error {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		publishing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		last, err := o.broker.PublishOutput(publishing, name, messages...)
		cancel()
		if err == nil {
			o.ends[name] = last
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("publish to %s: %w", name, err)
		}
		o.warn(err)
		if o.restore(ctx, name) {
			continue
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// restore makes a stream anew that was removed while the service ran: nothing could go out,
// and no checkpoint be made, until it is there.
func (o *outputs) restore(ctx context.Context, name string) bool {
	looking, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	made, err := o.broker.Restore(looking, name, o.ends[name])
	switch {
	case err != nil:
		o.warn(err)
	case made:
		o.warn(fmt.Errorf("stream %s was removed, and is made anew: what it held is gone", name))
	}
	return made
}
