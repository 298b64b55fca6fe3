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

	"github.com/tidewatch/tidewatch/internal/document"
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

	// writing is held while the outbox works, so that what was decided last is
	// written last. Whoever asks how things stand does not wait for it.
	writing sync.Mutex

	mu      sync.Mutex // never held while the outbox works
	senders []*sender
	entries map[string]*entry // owed and settled, by key
	// unwritten are the keys of entries that the outbox does not have as they are.
	unwritten map[string]bool
	held      []*entry // to be queued once they are durable
	order     int64
	last      []Delivery // those that came to an end, oldest first

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
	Queued     Outcome = "queued" // not tried yet
	Delivered  Outcome = "delivered"
	Retrying   Outcome = "retrying"
	Failed     Outcome = "failed"
	Superseded Outcome = "superseded"
	// Unsent is one that fires while nobody is to be told.
	Unsent Outcome = "unsent"
)

// Unheard is what to say where alerts fire and nobody is told.
var Unheard = &document.Problem{
	Rule:   "no receiver with a webhook is configured, so nobody is told of alerts",
	Remedy: "name an Alertmanager file under alertmanager",
}

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
	EndsAt   Time `json:"ends_at"`
	// At is the time of the last attempt, or since when it is queued.
	At       Time    `json:"at"`
	Attempts int     `json:"attempts"`
	Outcome  Outcome `json:"outcome"`
	Error    string  `json:"error"`
	// NextAttempt is zero for one that came to its end.
	NextAttempt Time `json:"next_attempt"`
}

// lastDeliveries is how many deliveries are shown that came to their end, and
// how many that are owed.
const lastDeliveries = 50

// giveUpAfter is how long a notification is tried. An alert of last week helps
// nobody, and what is never taken must not pile up.
const giveUpAfter = 7 * 24 * time.Hour

// An entry is a notification for one webhook, as the outbox keeps it. Once it
// is settled it only keeps older ones of its alert from being sent, and itself
// from being sent again, until an epoch has passed its window end.
type entry struct {
	Webhook      string       `json:"webhook"`
	Order        int64        `json:"order"`
	Queued       time.Time    `json:"queued"`
	Notification Notification `json:"notification"`
	Settled      Outcome      `json:"settled,omitempty"`
	// Attempts, Tried and Error tell of the last attempt. They are written at
	// the first, second, fourth, eighth ...: enough to be listed by a later run.
	Attempts int       `json:"attempts,omitempty"`
	Tried    time.Time `json:"tried,omitzero"`
	Error    string    `json:"error,omitempty"`

	// failures in a row in this run, refused if they were refusals.
	failures int
	refused  bool
	// notBefore is the earliest time of the next attempt: for what an earlier run
	// left at once, as what was wrong may be mended.
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
	d := &Deliverer{box: box, o: o, entries: map[string]*entry{}, unwritten: map[string]bool{}, stopping: make(chan struct{})}
	d.ctx, d.interrupt = context.WithCancel(context.Background())
	for _, w := range receivers.Told() {
		if o.Transport != nil {
			w.client.Transport = o.Transport
		}
		d.senders = append(d.senders, newSender(d, w))
	}
	if len(d.senders) == 0 {
		d.counter("", Unsent) // so that it is there from the start
	}
	if err := d.load(); err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	return d, nil
}

// load queues what is owed, in its order. What no webhook will ever take is
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
			d.giveUp(Delivery{ID: key, At: Time{time.Now()}, Outcome: Failed, Error: "the outbox entry is damaged"})
			continue
		}
		if e.Settled == "" && d.sender(e.Webhook) == nil {
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
		if d.sender(e.Webhook) != nil {
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

// giveUp tells of a notification that an earlier run left and no webhook takes.
func (d *Deliverer) giveUp(v Delivery) {
	d.counter(v.Receiver, Failed).Inc()
	d.note(v)
	d.o.Log(v)
}

const superseded = "superseded by a newer state"

// queue hands an entry to its sender. An older one of its alert is superseded.
func (d *Deliverer) queue(e *entry) {
	s := d.sender(e.Webhook)
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
	d.unwritten[e.key()] = true
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
// alone. After an error none of them is sent yet: call it again with the same.
func (d *Deliverer) Notify(ns []Notification) error {
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
func (d *Deliverer) complain(ns []Notification) {
	for _, n := range ns {
		if n.Status == Firing {
			d.counter("", Unsent).Inc()
			d.o.Log(d.delivery(&entry{Notification: n}, Unsent, Unheard.Error()))
		}
	}
}

// take makes entries of the notifications that are not known.
func (d *Deliverer) take(ns []Notification) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, n := range ns {
		for _, s := range d.senders {
			e := &entry{Webhook: s.hook.Name, Order: d.order + 1, Queued: time.Now(), Notification: n}
			if d.entries[e.key()] != nil {
				continue
			}
			if n.Status == Resolved && !s.hook.SendResolved {
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
	changes := make(map[string][]byte, len(d.unwritten))
	for key := range d.unwritten {
		changes[key] = encode(d.entries[key])
	}
	clear(d.unwritten)
	d.mu.Unlock()
	if len(changes) == 0 {
		return nil
	}
	err := d.box.Put(changes)
	if err != nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		for key := range changes {
			d.unwritten[key] = true
		}
	}
	return err
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

// A DeliveryStatus is how notifications fare, as the API shows it.
type DeliveryStatus struct {
	// Receivers are the webhooks that are told of every alert. Without any
	// nobody is.
	Receivers []Receiver `json:"receivers"`
	// Deliveries are what is owed and the last ones that came to their end,
	// newest first.
	Deliveries []Delivery `json:"deliveries"`
}

// A Receiver is a webhook, and how many notifications it has not taken yet.
type Receiver struct {
	Name string `json:"name"`
	Owed int    `json:"owed"`
}

// Status is how notifications fare.
func (d *Deliverer) Status() DeliveryStatus {
	s := DeliveryStatus{Receivers: []Receiver{}, Deliveries: d.Deliveries()} // lists in JSON, even if empty
	owed := d.Owed()
	for _, to := range d.senders {
		s.Receivers = append(s.Receivers, Receiver{Name: to.hook.Name, Owed: owed[to.hook.Name]})
	}
	return s
}

// Deliveries are what is owed and the last ones that came to their end, newest
// first.
func (d *Deliverer) Deliveries() []Delivery {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := []Delivery{} // a list in JSON, even if empty
	for _, e := range d.entries {
		if e.Settled == "" {
			out = append(out, d.owed(e))
		}
	}
	newest := func(a, b Delivery) int {
		return cmp.Or(b.At.Compare(a.At.Time), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Receiver, b.Receiver))
	}
	slices.SortFunc(out, newest)
	out = out[:min(len(out), lastDeliveries)]
	for _, v := range slices.Backward(d.last) {
		out = append(out, v)
	}
	slices.SortStableFunc(out, func(a, b Delivery) int { return b.At.Compare(a.At.Time) })
	return out
}

// owed tells of an entry that is not settled.
func (d *Deliverer) owed(e *entry) Delivery {
	v := d.delivery(e, Retrying, e.Error)
	if v.At = (Time{e.Tried}); e.Attempts == 0 {
		v.Outcome, v.At = Queued, Time{e.Queued}
	}
	v.NextAttempt = Time{e.notBefore}
	if held := d.sender(e.Webhook).notBefore; held.After(e.notBefore) {
		v.NextAttempt = Time{held}
	}
	return v
}

func (d *Deliverer) delivery(e *entry, o Outcome, because string) Delivery {
	n := &e.Notification
	return Delivery{
		ID: n.ID, Receiver: e.Webhook, Rule: n.Rule, Status: n.Status, Labels: n.Labels,
		StartsAt: Time{n.StartsAt}, EndsAt: Time{n.EndsAt}, At: Time{time.Now()}, Attempts: e.Attempts, Outcome: o, Error: because,
	}
}

// note puts a delivery that came to its end into the list.
func (d *Deliverer) note(v Delivery) {
	d.last = append(d.last, v)
	if len(d.last) > lastDeliveries {
		d.last = slices.Delete(d.last, 0, 1)
	}
}

func (d *Deliverer) counter(receiver string, o Outcome) *metrics.Counter {
	return d.o.Metrics.GetOrCreateCounter("tidewatch_notifications_total" + exposition.Labels("receiver", receiver, "outcome", string(o)))
}
