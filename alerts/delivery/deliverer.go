package delivery

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/exposition"
)

// An Outbox keeps what is owed through a crash. Put and Delete are durable when
// they return without an error; with one, any part may be done. A Put may hold
// thousands of entries: one sync for all of them is worth having.
type Outbox interface {
	Put(entries map[string][]byte) error
	Delete(ids ...string) error
	All() (map[string][]byte, error)
}

// Options are the dependencies of a Deliverer.
type Options struct {
	// Metrics takes the counters.
	Metrics *metrics.Set
	// Log is told of every attempt. It must not block. By default nothing is.
	Log func(Delivery)
	// Location is the zone of the times in messages that people read. By default UTC.
	Location *time.Location
	// Transport, for tests, carries the requests. By default each integration has
	// its own.
	Transport http.RoundTripper
}

// A Deliverer brings notifications to the integrations of the default receiver,
// one goroutine each.
type Deliverer struct {
	box Outbox
	o   Options

	// writing is held while the outbox works, so that what was decided last is
	// written last. Whoever asks how things stand does not wait for it.
	writing sync.Mutex

	mu      sync.Mutex // never held while the outbox works
	senders []*sender
	entries map[string]*entry // owed and settled, by key
	// unwritten are entries, by key, that the outbox does not have as they are.
	unwritten map[string]*entry
	held      []*entry // to be queued once they are durable
	order     int64
	last      []Delivery // those that came to an end, oldest first

	stopping  chan struct{}
	stop      sync.Once
	running   sync.WaitGroup
	ctx       context.Context
	interrupt context.CancelFunc
}

// New makes a deliverer and takes up what the outbox says is owed.
// receivers may be nil: then nobody is told.
func New(receivers *Receivers, box Outbox, o Options) (*Deliverer, error) {
	if o.Log == nil {
		o.Log = func(Delivery) {}
	}
	if o.Metrics == nil {
		o.Metrics = metrics.NewSet()
	}
	d := &Deliverer{box: box, o: o, entries: map[string]*entry{}, unwritten: map[string]*entry{}, stopping: make(chan struct{})}
	d.ctx, d.interrupt = context.WithCancel(context.Background())
	if o.Location == nil {
		d.o.Location = time.UTC
	}
	for _, g := range receivers.Told() {
		if o.Transport != nil {
			g.client.Transport = o.Transport
		}
		d.senders = append(d.senders, newSender(d, g))
	}
	if len(d.senders) == 0 {
		d.counter("", Unsent) // so that it is there from the start
	}
	if err := d.load(); err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	return d, nil
}

// load queues what is owed, in its order. What nobody will ever take is
// given up.
func (d *Deliverer) load() error {
	kept, err := d.box.All()
	if err != nil {
		return err
	}
	var all []*entry
	var dropped []string
	for _, key := range slices.Sorted(maps.Keys(kept)) {
		e := &entry{}
		if err := json.Unmarshal(kept[key], e); err != nil || e.key() != key {
			dropped = append(dropped, key)
			d.giveUp(Delivery{ID: key, Labels: map[string]string{}, At: alerts.Time{Time: time.Now()}, Outcome: Failed, Error: "the outbox entry is damaged"})
			continue
		}
		if e.Settled == "" && d.sender(e.Integration) == nil {
			dropped = append(dropped, key)
			d.giveUp(d.delivery(e, Failed, "the receiver is no longer configured"))
			continue
		}
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *entry) int { return cmp.Compare(a.Order, b.Order) })
	for _, e := range all {
		d.entries[e.key()] = e
		d.order = max(d.order, e.Order)
		if d.sender(e.Integration) != nil {
			d.queue(e)
		}
	}
	if err := d.flush(); err != nil {
		return err
	}
	if len(dropped) == 0 {
		return nil
	}
	return d.box.Delete(dropped...)
}

// giveUp tells of a notification that an earlier run left and nobody takes.
func (d *Deliverer) giveUp(v Delivery) {
	d.counter(v.Receiver, Failed).Inc()
	d.note(v)
	d.o.Log(v)
}

const superseded = "superseded by a newer state"

// queue hands an entry to its sender. An older one of its alert is superseded.
func (d *Deliverer) queue(e *entry) {
	s := d.sender(e.Integration)
	older := s.push(e)
	if older == nil {
		return
	}
	if older.Attempts > 0 {
		d.note(d.delivery(older, Failed, superseded))
	}
	d.change(older.settle(Superseded))
	s.count(Superseded)
}

// change replaces an entry, or marks one that has changed, for the next flush.
func (d *Deliverer) change(e *entry) {
	d.entries[e.key()] = e
	d.unwritten[e.key()] = e
}

func (d *Deliverer) sender(integration string) *sender {
	for _, s := range d.senders {
		if s.to.Name == integration {
			return s
		}
	}
	return nil
}

// Start begins to send.
func (d *Deliverer) Start() {
	for _, s := range d.senders {
		d.running.Go(s.run)
	}
}

// Notify takes over notifications, in the order of alerts.Engine.Evaluate: they are
// durable when it returns without an error. Those that it knows are left
// alone. After an error none of them is sent yet: call it again with the same.
func (d *Deliverer) Notify(ns []alerts.Notification) error {
	if len(d.senders) == 0 {
		d.complain(ns)
		return nil
	}
	d.take(ns)
	if err := d.flush(); err != nil {
		return fmt.Errorf("write outbox: %w", err)
	}
	d.release()
	// Without a note of it, the next run finds out by their order what is
	// superseded.
	_ = d.flush()
	return nil
}

// complain says of each alert that fires that nobody is told.
func (d *Deliverer) complain(ns []alerts.Notification) {
	for _, n := range ns {
		if n.Status == alerts.Firing {
			d.counter("", Unsent).Inc()
			d.o.Log(d.delivery(&entry{Notification: n}, Unsent, Unheard.Error()))
		}
	}
}

// take makes entries of the notifications that are not known.
func (d *Deliverer) take(ns []alerts.Notification) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, n := range ns {
		for _, s := range d.senders {
			e := &entry{Integration: s.to.Name, Order: d.order + 1, Queued: time.Now(), Notification: n}
			if d.entries[e.key()] != nil {
				continue
			}
			if n.Status == alerts.Resolved && !s.to.SendResolved {
				// Nobody is told, and nobody may be told any more that it fires.
				e = e.settle(Superseded)
			}
			d.order++
			d.held = append(d.held, e)
			d.change(e)
		}
	}
}

func (d *Deliverer) release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.held {
		d.queue(e)
	}
	d.held = nil
}

// flush writes into the outbox what it does not have as it is.
func (d *Deliverer) flush() error {
	d.writing.Lock()
	defer d.writing.Unlock()
	d.mu.Lock()
	taken := d.unwritten
	d.unwritten = map[string]*entry{}
	changes := make(map[string][]byte, len(taken))
	for key, e := range taken {
		changes[key] = encode(e)
	}
	d.mu.Unlock()
	if len(changes) == 0 {
		return nil
	}
	err := d.box.Put(changes)
	if err != nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		maps.Copy(taken, d.unwritten) // what has changed since is newer
		d.unwritten = taken
	}
	return err
}

// Committed says that an epoch covers all evaluations up to this event time
// (Unix milliseconds): what was delivered of them will not be asked for again.
// Give the time of the oldest epoch that a recovery may go back to.
func (d *Deliverer) Committed(windowEnd int64) error {
	d.writing.Lock()
	defer d.writing.Unlock()
	over := d.over(windowEnd)
	if len(over) == 0 {
		return nil
	}
	if err := d.box.Delete(over...); err != nil {
		return fmt.Errorf("clear outbox: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, key := range over {
		delete(d.entries, key)
		delete(d.unwritten, key)
	}
	return nil
}

// over are the keys of what is settled and was decided by then.
func (d *Deliverer) over(windowEnd int64) (keys []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for key, e := range d.entries {
		if e.Settled != "" && e.Notification.WindowEnd <= windowEnd {
			keys = append(keys, key)
		}
	}
	return keys
}

// Stop ends sending: what is queued gets one more try each until ctx is done,
// and what is still owed stays in the outbox.
func (d *Deliverer) Stop(ctx context.Context) {
	d.stop.Do(func() { close(d.stopping) })
	defer context.AfterFunc(ctx, d.interrupt)()
	d.running.Wait()
	d.interrupt()
}

// ends reports whether Stop was called.
func (d *Deliverer) ends() bool {
	select {
	case <-d.stopping:
		return true
	default:
		return false
	}
}

func (d *Deliverer) counter(receiver string, o Outcome) *metrics.Counter {
	return d.o.Metrics.GetOrCreateCounter("tidewatch_notifications_total" + exposition.Labels("receiver", receiver, "outcome", string(o)))
}
