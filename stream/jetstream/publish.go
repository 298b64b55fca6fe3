package jetstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"github.com/tidewatch/tidewatch/stream"
)

const (
	// bodyBytes is where a body is split into several messages.
	bodyBytes  = 1 << 20
	maxFlying  = 256
	ackTimeout = 10 * time.Second
	// batchMessages is the most that an atomic batch takes.
	batchMessages = 1000
)

// Append publishes events, NDJSON, and returns the sequence of the last message
// that holds some, once all are synced; 0 when there are none. After an error,
// also of ctx, some may be in the stream: repeating the call is safe, as events
// are known by their ids. The text is the broker's until then, and after an
// error for good.
func (b *Broker) Append(ctx context.Context, text []byte) (uint64, error) {
	if err := b.room.check(); err != nil {
		return 0, err
	}
	if text = trim(text); len(text) == 0 {
		return 0, nil
	}
	if len(text) > groupBytes {
		return b.appendAlone(ctx, text)
	}
	g, err := b.group.add(text)
	if err != nil {
		return 0, err
	}
	select {
	case <-g.done:
		return g.sequence, g.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// trim takes off what is no line.
func trim(text []byte) []byte { return bytes.Trim(text, " \t\r\n") }

// appendAlone publishes what is too large to share a message.
func (b *Broker) appendAlone(ctx context.Context, text []byte) (uint64, error) {
	var bodies []*nats.Msg
	for len(text) > 0 {
		body := text
		if len(text) > bodyBytes {
			end := bytes.LastIndexByte(text[:bodyBytes], '\n')
			if end < 0 { // a line that is longer
				end = bytes.IndexByte(text, '\n')
			}
			if end >= 0 {
				body = text[:end]
			}
		}
		text = trim(text[len(body):])
		bodies = append(bodies, eventMessage(trim(body)))
	}
	return b.publish(ctx, bodies...)
}

func (b *Broker) send(body []byte) (uint64, error) {
	return b.publish(context.Background(), eventMessage(body))
}

// Tick publishes a message by which time goes on.
func (b *Broker) Tick(ctx context.Context, t stream.Tick) (uint64, error) {
	data, err := json.Marshal(t)
	if err != nil {
		return 0, fmt.Errorf("encode tick: %w", err)
	}
	return b.publish(ctx, &nats.Msg{Subject: tickSubject, Data: data, Header: nats.Header{headerTick: {"1"}}})
}

// Erase publishes a message by which a user is erased.
func (b *Broker) Erase(ctx context.Context, e stream.Erasure) (uint64, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return 0, fmt.Errorf("encode erasure: %w", err)
	}
	return b.publish(ctx, &nats.Msg{Subject: eraseSubject, Data: data, Header: nats.Header{headerErasure: {"1"}}})
}

// publish sends messages to EVENTS, then waits for the acknowledgement of each,
// and returns the last sequence.
func (b *Broker) publish(ctx context.Context, messages ...*nats.Msg) (uint64, error) {
	futures := make([]jetstream.PubAckFuture, len(messages))
	for i, m := range messages {
		var err error
		futures[i], err = b.writeJS.PublishMsgAsync(m, jetstream.WithExpectStream(Events), jetstream.WithStallWait(ackTimeout))
		if err != nil {
			return 0, b.publishError(Events, err)
		}
	}
	var last uint64
	for _, f := range futures {
		select {
		case ack := <-f.Ok():
			last = max(last, ack.Sequence)
		case err := <-f.Err():
			return 0, b.publishError(Events, err)
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return last, nil
}

// publishError puts a refusal in our words.
func (b *Broker) publishError(stream string, err error) error {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		switch api.ErrorCode {
		case 10077: // the message could not be stored
			if strings.Contains(api.Description, "maximum") {
				return ErrFull
			}
		case 10002, 10023, 10047: // the account's or the server's resources
			return ErrFull
		}
	}
	select {
	case <-b.done:
		return ErrClosed
	default:
	}
	if api == nil {
		go b.revive()
	}
	return fmt.Errorf("publish to %s: %w", stream, err)
}

// An Output is a message on another stream than EVENTS.
type Output struct {
	Subject string
	// ID is made from what caused the output: JetStream refuses it twice
	// within its window of two minutes, and OutputIDs lists it.
	ID     string
	Header map[string]string
	Data   []byte
}

func (o Output) message() *nats.Msg {
	h := nats.Header{jetstream.MsgIDHeader: {o.ID}, headerID: {o.ID}}
	for k, v := range o.Header {
		h[k] = []string{v}
	}
	return &nats.Msg{Subject: o.Subject, Header: h, Data: o.Data}
}

// PublishOutput publishes to one of the streams and returns the sequence of
// the last message. Several outputs share a sync.
func (b *Broker) PublishOutput(ctx context.Context, stream string, outputs ...Output) (last uint64, err error) {
	for len(outputs) > 0 && err == nil {
		n := min(len(outputs), batchMessages)
		last, err = b.publishBatch(ctx, stream, outputs[:n])
		outputs = outputs[n:]
	}
	return last, err
}

func (b *Broker) publishBatch(ctx context.Context, stream string, outputs []Output) (last uint64, err error) {
	if len(outputs) > 1 {
		messages := make([]*nats.Msg, len(outputs))
		for i, o := range outputs {
			messages[i] = o.message()
		}
		ack, err := jetstreamext.PublishMsgBatch(ctx, b.writeJS, messages)
		if err == nil {
			return ack.Sequence, nil
		}
		// An id that is out already refuses the batch as a whole, and a
		// stream of a cluster may take no batches: one by one, then.
		if api := (*jetstream.APIError)(nil); !errors.As(err, &api) || api.ErrorCode == 10077 {
			return 0, b.publishError(stream, err)
		}
	}
	for _, o := range outputs {
		ack, err := b.writeJS.PublishMsg(ctx, o.message(), jetstream.WithExpectStream(stream))
		if err != nil {
			return 0, b.publishError(stream, err)
		}
		last = max(last, ack.Sequence)
	}
	return last, nil
}

// OutputIDs lists the ids of the messages that a stream holds behind a
// sequence: what is already out since an epoch. It fails with a *GapError when
// the stream ends before that, and, with the ids so far, when the server does not
// find a message that it has.
func (b *Broker) OutputIDs(ctx context.Context, stream string, after uint64) ([]string, error) {
	info, err := b.StreamInfo(ctx, stream)
	if err != nil {
		return nil, err
	}
	if after > info.Last {
		return nil, info.gap(stream, after+1)
	}
	from := max(after+1, info.First) // old outputs may be gone by age
	if from > info.Last {
		return nil, nil
	}
	var ids []string
	err = b.each(ctx, info, jetstream.OrderedConsumerConfig{OptStartSeq: from, HeadersOnly: true}, stream, func(m jetstream.Msg, _ uint64) bool {
		if id := m.Headers().Get(headerID); id != "" {
			ids = append(ids, id)
		}
		return true
	})
	if gap, ok := errors.AsType[*GapError](err); ok {
		return ids, gap
	}
	return ids, err
}

// A Stored is a message of a stream.
type Stored struct {
	Sequence uint64
	Data     []byte
	reply    string // where to acknowledge it
}

// Outputs reads the messages of a stream on a subject behind a sequence, one by
// one, until visit answers false.
func (b *Broker) Outputs(ctx context.Context, stream, subject string, after uint64, visit func(Stored) bool) error {
	info, err := b.StreamInfo(ctx, stream)
	if err != nil {
		return err
	}
	from := max(after+1, info.First)
	if from > info.Last {
		return nil
	}
	c := jetstream.OrderedConsumerConfig{OptStartSeq: from, FilterSubjects: []string{subject}}
	return b.each(ctx, info, c, stream, func(m jetstream.Msg, sequence uint64) bool { return visit(Stored{Sequence: sequence, Data: m.Data()}) })
}

// each visits the messages that a stream has, from a sequence on that is there. It
// fails with a *GapError when the server does not find one that it has.
func (b *Broker) each(ctx context.Context, info Info, config jetstream.OrderedConsumerConfig, stream string, visit func(m jetstream.Msg, sequence uint64) bool) error {
	config.DeliverPolicy = jetstream.DeliverByStartSequencePolicy
	c, err := b.readJS.OrderedConsumer(ctx, stream, config)
	if err != nil {
		return fmt.Errorf("read %s from %d: %w", stream, config.OptStartSeq, err)
	}
	if len(config.FilterSubjects) > 0 {
		if of, err := c.Info(ctx); err == nil && of.NumPending == 0 {
			return nil // none on the subject
		}
	}
	it, err := c.Messages(jetstream.PullMaxBytes(pullBytes))
	if err != nil {
		return fmt.Errorf("read %s from %d: %w", stream, config.OptStartSeq, err)
	}
	defer it.Stop()
	for next := config.OptStartSeq; ; {
		arriving, cancel := context.WithTimeout(ctx, ackTimeout)
		m, err := it.Next(jetstream.NextContext(arriving))
		cancel()
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			return &GapError{Stream: stream, Cause: Unreadable, Want: next, First: info.First, Last: info.Last}
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", stream, err)
		}
		meta, err := m.Metadata()
		if err != nil {
			return fmt.Errorf("read %s: %w", stream, err)
		}
		if next = meta.Sequence.Stream + 1; !visit(m, meta.Sequence.Stream) || next > info.Last || meta.NumPending == 0 {
			return nil
		}
	}
}
