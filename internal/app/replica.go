package app

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/delivery"
	"github.com/tidewatch/tidewatch/dashboards"
	"github.com/tidewatch/tidewatch/internal/api"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/state"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/stream/jetstream"
	"github.com/tidewatch/tidewatch/windows/merge"
)

// A Log is an event stream in memory.
type Log struct {
	created  time.Time
	messages []stream.Raw
	purged   uint64 // the last one that is gone
	// signals are what services sent, each once by its id, and told what they were, by
	// the definitions and the key that orders users, too.
	signals []jetstream.Output
	sent    map[string]bool
	told    map[[2]string]string
	erased  []int64 // the stamps of erasures
}

// NewLog returns an empty log.
func NewLog() *Log {
	return &Log{created: time.Now(), sent: map[string]bool{}, told: map[[2]string]string{}}
}

// Append adds a message with events. Stamps are Unix milliseconds.
func (l *Log) Append(stamp int64, data []byte) {
	l.messages = append(l.messages, stream.Raw{Sequence: l.last() + 1, Stamp: stamp, Data: data})
}

// Tick adds a message by which time goes on.
func (l *Log) Tick(stamp int64, t stream.Tick) {
	data, _ := json.Marshal(t) // two numbers
	l.Append(stamp, data)
	l.messages[len(l.messages)-1].Tick = true
}

// Erase adds a message that erases a user.
func (l *Log) Erase(stamp int64, e stream.Erasure) {
	data, _ := json.Marshal(e) // two texts
	l.Append(stamp, data)
	l.messages[len(l.messages)-1].Erasure = true
	l.erased = append(l.erased, stamp)
}

// tell adds signals that are not in yet. By the same definitions and key the same one says
// the same again, unless users were erased since: who was can begin anew, and be back on the
// same day.
func (l *Log) tell(identity string, signals []jetstream.Output) error {
	for _, s := range signals {
		key := [2]string{identity, s.ID}
		if was, known := l.told[key]; known && was != string(s.Data) && !l.erasedSince(watermarkOf(was), watermarkOf(string(s.Data))) {
			return fmt.Errorf("a signal is told as %s, and again as %s", was, s.Data)
		}
		l.told[key] = string(s.Data)
		if !l.sent[s.ID] {
			l.sent[s.ID] = true
			l.signals = append(l.signals, s)
		}
	}
	return nil
}

// erasedSince reports whether a user was erased since the earlier of two watermarks.
func (l *Log) erasedSince(a, b time.Time) bool {
	return slices.ContainsFunc(l.erased, func(stamp int64) bool { return stamp >= min(a.UnixMilli(), b.UnixMilli()) })
}

// watermarkOf is that of a signal.
func watermarkOf(signal string) time.Time {
	var s struct{ Watermark time.Time }
	_ = json.Unmarshal([]byte(signal), &s) // ours
	return s.Watermark
}

// Purge drops the messages up to the sequence.
func (l *Log) Purge(sequence uint64) {
	for ; l.purged < sequence; l.purged++ {
		l.messages[l.purged].Data = nil
	}
}

// Fork is a log with the same messages, which goes on by itself.
func (l *Log) Fork() *Log {
	f := *l
	f.messages, f.signals = slices.Clone(l.messages), slices.Clone(l.signals)
	f.sent, f.told, f.erased = maps.Clone(l.sent), maps.Clone(l.told), slices.Clone(l.erased)
	return &f
}

// Messages are all that were added; of those that are gone without what was in them.
func (l *Log) Messages() []stream.Raw { return l.messages }

func (l *Log) last() uint64 { return uint64(len(l.messages)) }

// Info describes the log as a broker would.
func (l *Log) Info(context.Context) (jetstream.Info, error) {
	return jetstream.Info{Created: l.created, First: l.purged + 1, Last: l.last(), Messages: l.last() - l.purged}, nil
}

// Message is the one at the sequence.
func (l *Log) Message(_ context.Context, sequence uint64) (stream.Raw, error) {
	if sequence <= l.purged || sequence > l.last() {
		return stream.Raw{}, fmt.Errorf("read message %d: %w", sequence, jetstream.ErrNoMessage)
	}
	return l.messages[sequence-1], nil
}

// A Replica is a Service in line: the same engine over a log in memory, without
// broker, clock and pipeline, so that what it answers is a function of the log
// and of when epochs were made. Only notifications are delivered beside it.
type Replica struct {
	line
	events  *Log
	read    uint64 // sequence of the last message that went in
	decided func(alerts.Notification)
}

// ReplicaOptions are what a Replica needs beside its configuration.
type ReplicaOptions struct {
	// Webhooks carries the notifications. By default the network does.
	Webhooks http.RoundTripper
	// Decided is told what the rules decide, as they do.
	Decided func(alerts.Notification)
	// Attempted is told of every attempt to deliver.
	Attempted func(delivery.Delivery)
	// Fault is called before every operation of the store, as state.Options
	// has it.
	Fault func(op string) error
	// LeastBase is that of the partitions. By default they have their own.
	LeastBase int
	// Until is the last message that OpenReplica reads, 0 for the log's last one.
	Until uint64
	// Catalogue is that of an earlier replica with the same configuration, which
	// saves reading it again. By default it is read.
	Catalogue *kpi.Catalogue
}

// OpenReplica opens the state in c.Data, recovers, and reads the log, by default
// to its end.
func OpenReplica(c *config.Config, events *Log, o ReplicaOptions) (_ *Replica, err error) {
	e, err := openEngine(c, engineOptions{
		Lane:      theLane,
		Log:       zerolog.Nop(),
		Catalogue: o.Catalogue,
		Deliver:   delivery.Options{Transport: o.Webhooks, Log: o.Attempted},
		State:     state.Options{Fault: o.Fault},
	})
	if err != nil {
		return nil, err
	}
	r := &Replica{line: line{engine: e, shown: true}, events: events, decided: o.Decided}
	r.merged = r.publish
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Crash())
		}
	}()
	recovery, err := r.begin(context.Background(), events)
	if err != nil {
		return nil, err
	}
	for _, p := range r.lane.Partitions {
		p.LeastBase = cmp.Or(o.LeastBase, p.LeastBase)
	}
	if err := r.restore(context.Background(), recovery); err != nil {
		return nil, err
	}
	if err := r.engine.readOn(context.Background(), recovery); err != nil {
		return nil, err
	}
	r.read = max(recovery.after().Sequence, events.purged)
	r.engine.put = r.put
	r.deliver.Start()
	return r, r.readTo(cmp.Or(o.Until, events.last()))
}

// Read takes in what the log has that is not read yet, at once.
func (r *Replica) Read() error { return r.readTo(r.events.last()) }

func (r *Replica) readTo(last uint64) error {
	raws := r.events.messages[r.read:max(r.read, last)]
	r.read = max(r.read, last)
	return r.take(raws)
}

// publish tells what came of a parcel.
func (r *Replica) publish(p *parcel, told []alerts.Notification) error {
	if r.decided != nil {
		for _, n := range told {
			r.decided(n)
		}
	}
	if err := r.events.tell(fmt.Sprint(r.lane.Identity(), r.key), r.engine.signals(p)); err != nil {
		return err
	}
	return again(r.notify)
}

// put answers.
func (r *Replica) put(_ context.Context, a *ask) (*merge.Live, error) {
	a.reply = make(chan *merge.Live, 1)
	if err := r.pass(&parcel{ask: a}); err != nil {
		return nil, err
	}
	return <-a.reply, nil
}

// Owed is how many notifications each webhook has not taken yet.
func (r *Replica) Owed() map[string]int { return r.deliver.Owed() }

// Crash ends the replica on the spot: what no epoch holds and what was not
// delivered is left to the next.
func (r *Replica) Crash() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r.deliver.Stop(ctx)
	return r.close()
}

// Handler answers what the service answers over HTTP.
func (r *Replica) Handler() http.Handler {
	d := r.deps()
	d.Engine, d.Signals, d.KPIs, d.Page = r, r, r, dashboards.Page()
	return api.New(d)
}

// Ready is nil: a replica is always at the end of its log.
func (r *Replica) Ready() error { return nil }

// Paused is nil: whoever has a replica says when it reads.
func (r *Replica) Paused() error { return nil }

// Changes never happen while somebody waits.
func (r *Replica) Changes() <-chan struct{} { return nil }

// WriteKPIs writes the KPIs of the last closed windows.
func (r *Replica) WriteKPIs(w io.Writer) {
	out := bufio.NewWriter(w)
	defer out.Flush()
	families, _, _ := r.kpiFamilies()
	for _, f := range families {
		f.write(out)
	}
}
