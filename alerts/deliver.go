package alerts

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
)

// An Outbox keeps what is owed through a crash. Put and Delete are durable when
// they return without an error; with one, any part may be done. A Put may hold
// thousands of entries: one sync for all of them is worth having.
type Outbox interface {
	Put(entries map[string][]byte) error
	Delete(ids ...string) error
	All() (map[string][]byte, error)
}

// DeliverOptions are the dependencies of a Deliverer.
type DeliverOptions struct {
	// Metrics takes the counters.
	Metrics *metrics.Set
	// Log is told of every attempt. It must not block. By default nothing is.
	Log func(Delivery)
	// Transport, for tests, carries the requests. By default each webhook has
	// its own.
	Transport http.RoundTripper
}

// A Deliverer brings notifications to the webhooks of the default receiver,
// one goroutine each.
type Deliverer struct {
	box Outbox
	o   DeliverOptions

	mu      sync.Mutex
	senders []*sender
	entries map[string]*entry // owed and settled, by key
	order   int64
	last    []Delivery // oldest first

	stopping  chan struct{}
	stop      sync.Once
	running   sync.WaitGroup
	ctx       context.Context
	interrupt context.CancelFunc
}

// Outcome is how far a delivery has come.
type Outcome string

// The outcomes. In the list of deliveries superseded ones stand as failed, if
// they were tried at all.
const (
	Delivered  Outcome = "delivered"
	Retrying   Outcome = "retrying"
	Failed     Outcome = "failed"
	Superseded Outcome = "superseded"
)

// A Delivery is a notification on its way to one webhook.
type Delivery struct {
	ID       string `json:"id"`
	Receiver string `json:"receiver"`
	Rule     string `json:"rule"`
	Status   State  `json:"status"`
	// Labels are those of the alert.
	Labels map[string]string `json:"labels"`
	// StartsAt and EndsAt are when the alert fired and when it was resolved, in
	// event time.
	StartsAt Time `json:"starts_at"`
	EndsAt   Time `json:"ends_at,omitzero"`
	// At is the time of the last attempt.
	At       Time    `json:"at"`
	Attempts int     `json:"attempts"`
	Outcome  Outcome `json:"outcome"`
	Error    string  `json:"error"`
}

// lastDeliveries is how many deliveries are shown.
const lastDeliveries = 50

// An entry is a notification for one webhook, as the outbox keeps it. Once it
// is settled it only keeps older ones of its alert from being sent, and itself
// from being sent again, until an epoch has passed its window end.
type entry struct {
	Webhook      string       `json:"webhook"`
	Order        int64        `json:"order"`
	Queued       time.Time    `json:"queued"`
	Notification Notification `json:"notification"`
	Settled      Outcome      `json:"settled,omitempty"`

	attempts int
	// notBefore is the earliest time of the next attempt.
	notBefore time.Time
}

func (e *entry) key() string { return e.Notification.ID + "/" + e.Webhook }

// settle makes the entry as small as it can be.
func (e *entry) settle(as Outcome) *entry {
	n := e.Notification
	return &entry{Webhook: e.Webhook, Order: e.Order, Settled: as, Notification: Notification{ID: n.ID, Alert: n.Alert, WindowEnd: n.WindowEnd}}
}

// NewDeliverer makes a deliverer and takes up what the outbox says is owed.
// receivers may be nil: then nobody is told.
func NewDeliverer(receivers *Receivers, box Outbox, o DeliverOptions) (*Deliverer, error) {
	if o.Log == nil {
		o.Log = func(Delivery) {}
	}
	if o.Metrics == nil {
		o.Metrics = metrics.NewSet()
	}
	d := &Deliverer{box: box, o: o, entries: map[string]*entry{}, stopping: make(chan struct{})}
	d.ctx, d.interrupt = context.WithCancel(context.Background())
	if receivers != nil {
		for _, w := range receivers.Of(receivers.Default) {
			if o.Transport != nil {
				w.client.Transport = o.Transport
			}
			d.senders = append(d.senders, newSender(d, w))
		}
	}
	if err := d.load(); err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	return d, nil
}

// load queues what is owed, in its order. What no webhook will ever take is
// dropped.
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
			d.o.Log(Delivery{ID: key, At: Time{time.Now()}, Outcome: Failed, Error: "the outbox entry is damaged"})
			continue
		}
		if e.Settled == "" && d.sender(e.Webhook) == nil {
			dropped = append(dropped, key)
			d.o.Log(d.delivery(e, Failed, "the receiver is no longer configured"))
			continue
		}
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *entry) int { return cmp.Compare(a.Order, b.Order) })
	changes := map[string][]byte{}
	for _, e := range all {
		d.entries[e.key()] = e
		d.order = max(d.order, e.Order)
		if s := d.sender(e.Webhook); s != nil {
			if older := s.push(e); older != nil {
				changes[older.key()] = encode(d.supersede(older))
			}
		}
	}
	if len(changes) > 0 {
		if err := d.box.Put(changes); err != nil {
			return err
		}
	}
	if len(dropped) == 0 {
		return nil
	}
	return d.box.Delete(dropped...)
}

const superseded = "superseded by a newer state"

func (d *Deliverer) supersede(e *entry) *entry {
	if e.attempts > 0 {
		d.note(d.delivery(e, Failed, superseded))
	}
	settled := e.settle(Superseded)
	d.entries[e.key()] = settled
	d.sender(e.Webhook).count(Superseded)
	return settled
}

func (d *Deliverer) sender(webhook string) *sender {
	for _, s := range d.senders {
		if s.hook.Name == webhook {
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

// Notify takes over notifications, in the order of Engine.Evaluate: they are
// durable when it returns without an error. Those that it knows are left
// alone. After an error none is taken; call it again with the same.
func (d *Deliverer) Notify(ns []Notification) error {
	if len(ns) == 0 || len(d.senders) == 0 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var fresh []*entry
	changes := map[string][]byte{}
	// newest has the state that each alert has waiting, among those taken over
	// here too.
	newest := map[*sender]map[string]*entry{}
	order := d.order
	for _, n := range ns {
		for _, s := range d.senders {
			order++
			e := &entry{Webhook: s.hook.Name, Order: order, Queued: time.Now(), Notification: n}
			if d.entries[e.key()] != nil || changes[e.key()] != nil {
				continue
			}
			if newest[s] == nil {
				newest[s] = map[string]*entry{}
			}
			if older := cmp.Or(newest[s][n.Alert], s.waiting[n.Alert]); older != nil && older.Settled == "" {
				changes[older.key()] = encode(older.settle(Superseded))
			}
			if n.Status == Resolved && !s.hook.SendResolved {
				// Nobody is told, and nobody may be told any more that it fires.
				e = e.settle(Superseded)
			}
			newest[s][n.Alert] = e
			changes[e.key()] = encode(e)
			fresh = append(fresh, e)
		}
	}
	if len(changes) == 0 {
		return nil
	}
	if err := d.box.Put(changes); err != nil {
		return fmt.Errorf("write outbox: %w", err)
	}
	d.order = order
	for _, e := range fresh {
		d.entries[e.key()] = e
		if older := d.sender(e.Webhook).push(e); older != nil {
			d.supersede(older)
		}
	}
	return nil
}

func encode(e *entry) []byte {
	b, err := json.Marshal(e)
	if err != nil {
		panic(err) // an entry is made of texts and numbers
	}
	return b
}

// Committed says that an epoch covers all evaluations up to this event time
// (Unix milliseconds): what was delivered of them will not be asked for again.
// Give the time of the oldest epoch that a recovery may go back to.
func (d *Deliverer) Committed(windowEnd int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var over []string
	for key, e := range d.entries {
		if e.Settled != "" && e.Notification.WindowEnd <= windowEnd {
			over = append(over, key)
		}
	}
	if len(over) == 0 {
		return nil
	}
	if err := d.box.Delete(over...); err != nil {
		return fmt.Errorf("clear outbox: %w", err)
	}
	for _, key := range over {
		delete(d.entries, key)
	}
	return nil
}

// Owed is how many notifications each webhook has not taken yet.
func (d *Deliverer) Owed() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	owed := map[string]int{}
	for _, e := range d.entries {
		if e.Settled == "" {
			owed[e.Webhook]++
		}
	}
	return owed
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

// Deliveries are the last ones, newest first.
func (d *Deliverer) Deliveries() []Delivery {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := append([]Delivery{}, d.last...) // a list in JSON, even if empty
	slices.Reverse(out)
	return out
}

func (d *Deliverer) delivery(e *entry, o Outcome, because string) Delivery {
	n := &e.Notification
	return Delivery{
		ID: n.ID, Receiver: e.Webhook, Rule: n.Rule, Status: n.Status, Labels: n.Labels,
		StartsAt: Time{n.StartsAt}, EndsAt: Time{n.EndsAt}, At: Time{time.Now()}, Attempts: e.attempts, Outcome: o, Error: because,
	}
}

// note puts a delivery at the end of the list.
func (d *Deliverer) note(v Delivery) {
	d.last = slices.DeleteFunc(d.last, func(l Delivery) bool { return l.ID == v.ID && l.Receiver == v.Receiver })
	d.last = append(d.last, v)
	if len(d.last) > lastDeliveries {
		d.last = slices.Delete(d.last, 0, 1)
	}
}
