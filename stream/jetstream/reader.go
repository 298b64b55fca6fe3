package jetstream

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// redeliverAfter is when the server gives again what a reader took and did not
	// acknowledge. It gives it when asked only, and takes late acknowledgements: a
	// reader may take its time, and the next one of the name does not wait long.
	redeliverAfter = 3 * time.Second
	// mostTaken bounds what is taken and not acknowledged.
	mostTaken = 500
	// consumers is the folder of a stream's consumers.
	consumers = "obs"
)

// A Reader reads the messages of a stream on some subjects, each until it is
// acknowledged: its place is the server's to keep, and a crash does not lose it.
// It belongs to one goroutine.
type Reader struct {
	b            *Broker
	stream, name string
	subjects     []string
	consumer     jetstream.Consumer // nil: to be looked up
	next         uint64             // where to begin should the server not know it
}

// Reader opens the reader of a name. It begins behind the stream's last message
// when there was none of the name.
func (b *Broker) Reader(ctx context.Context, stream, name string, subjects ...string) (*Reader, error) {
	info, err := b.StreamInfo(ctx, stream)
	if err != nil {
		return nil, err
	}
	r := &Reader{b: b, stream: stream, name: name, subjects: subjects, next: info.Last + 1}
	return r, r.open(ctx)
}

func (r *Reader) open(ctx context.Context) (err error) {
	r.consumer, err = r.b.readJS.Consumer(ctx, r.stream, r.name)
	switch {
	case err == nil:
		i := r.consumer.CachedInfo()
		r.next = max(i.Config.OptStartSeq, i.AckFloor.Stream+1)
		return nil
	case !errors.Is(err, jetstream.ErrConsumerNotFound):
		return fmt.Errorf("look up reader %s of %s: %w", r.name, r.stream, err)
	}
	if r.b.server != nil {
		if err := dropMeta(r.b.o.Dir, filepath.Join(r.stream, consumers, r.name)); err != nil {
			return fmt.Errorf("make reader %s of %s: %w", r.name, r.stream, err)
		}
	}
	r.consumer, err = r.b.readJS.CreateConsumer(ctx, r.stream, jetstream.ConsumerConfig{
		Durable:        r.name,
		FilterSubjects: r.subjects,
		DeliverPolicy:  jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:    r.next,
		AckPolicy:      jetstream.AckExplicitPolicy,
		AckWait:        redeliverAfter,
		MaxAckPending:  mostTaken,
	})
	if err != nil {
		return fmt.Errorf("make reader %s of %s: %w", r.name, r.stream, err)
	}
	return nil
}

// Next waits for a message, then at most wait for more, up to 500 in all. After an
// error it may be called again.
func (r *Reader) Next(ctx context.Context, wait time.Duration) ([]Stored, error) {
	for {
		if r.consumer == nil {
			if err := r.open(ctx); err != nil {
				return nil, err
			}
		}
		got, err := r.fetch(nil, 1, jetstream.FetchContext(ctx))
		if err == nil && len(got) > 0 {
			gathering, cancel := context.WithTimeout(ctx, wait)
			defer cancel()
			// What came is worth more than an error behind it.
			got, _ = r.fetch(got, mostTaken-len(got), jetstream.FetchContext(gathering))
			return got, ctx.Err()
		}
		if err != nil {
			r.consumer = nil
			return nil, fmt.Errorf("read %s: %w", r.stream, err)
		}
	}
}

// fetch appends up to n messages.
func (r *Reader) fetch(got []Stored, n int, how jetstream.FetchOpt) ([]Stored, error) {
	batch, err := r.consumer.Fetch(n, how)
	if err != nil {
		return got, err
	}
	taken := map[uint64]bool{}
	for _, m := range got {
		taken[m.Sequence] = true
	}
	for m := range batch.Messages() {
		meta, err := m.Metadata()
		if err != nil {
			return got, err
		}
		if sequence := meta.Sequence.Stream; !taken[sequence] { // else it is given again already
			taken[sequence] = true
			got = append(got, Stored{Sequence: sequence, Data: m.Data(), reply: m.Reply()})
		}
	}
	return got, batch.Error()
}

// Ack has the server not give these messages again. After an error it may.
func (r *Reader) Ack(ctx context.Context, ms []Stored) error {
	ctx, cancel := context.WithTimeout(ctx, r.b.ackTimeout)
	defer cancel()
	for i, m := range ms {
		ack := &nats.Msg{Subject: m.reply, Data: []byte("+ACK")}
		var err error
		if i < len(ms)-1 {
			err = r.b.read.PublishMsg(ack)
		} else { // they are worked off in order
			_, err = r.b.read.RequestMsgWithContext(ctx, ack)
		}
		if err != nil {
			return fmt.Errorf("acknowledge %d of %s: %w", m.Sequence, r.stream, err)
		}
		r.next = max(r.next, m.Sequence+1)
	}
	return nil
}

// Waiting is how many messages are not acknowledged. Any goroutine may call it.
func (r *Reader) Waiting(ctx context.Context) (uint64, error) {
	c, err := r.b.readJS.Consumer(ctx, r.stream, r.name)
	if err != nil {
		return 0, fmt.Errorf("look up reader %s of %s: %w", r.name, r.stream, err)
	}
	return waiting(c.CachedInfo()), nil
}

// First is the sequence that the stream begins with.
func (r *Reader) First(ctx context.Context) (uint64, error) {
	info, err := r.b.StreamInfo(ctx, r.stream)
	return info.First, err
}

func waiting(i *jetstream.ConsumerInfo) uint64 { return i.NumPending + uint64(i.NumAckPending) }

// Readers are the names that a stream has a place for, of readers and of other
// clients, with what waits for each.
func (b *Broker) Readers(ctx context.Context, stream string) (map[string]uint64, error) {
	s, err := b.readJS.Stream(ctx, stream)
	if err != nil {
		return nil, fmt.Errorf("look up stream %s: %w", stream, err)
	}
	names := map[string]uint64{}
	list := s.ListConsumers(ctx)
	for info := range list.Info() {
		names[info.Name] = waiting(info)
	}
	if err := list.Err(); err != nil {
		return nil, fmt.Errorf("list readers of %s: %w", stream, err)
	}
	return names, nil
}

// DropReader forgets the place of a name.
func (b *Broker) DropReader(ctx context.Context, stream, name string) error {
	if err := b.readJS.DeleteConsumer(ctx, stream, name); err != nil {
		return fmt.Errorf("drop reader %s of %s: %w", name, stream, err)
	}
	return nil
}
