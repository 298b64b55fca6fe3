package delivery

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/history"
	"github.com/tidewatch/tidewatch/alerts/inhibition"
	"github.com/tidewatch/tidewatch/alerts/reason"
	"github.com/tidewatch/tidewatch/alerts/routing"
	"github.com/tidewatch/tidewatch/alerts/silences"
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
	// Alertmanagers get all alerts. By default there are none.
	Alertmanagers []Alertmanager
	// Firing are the alerts that fire, for them. It may be called at any time.
	Firing func() []alerts.Notification
	// Standing is a notification of an alert that fires, as it stands by now. It may be called
	// at any time. By default it stays as it was.
	Standing func(alerts.Notification) alerts.Notification
	// Unjudged has nothing be told of what fired in the end of an earlier run before Judged is
	// called, for five minutes: until then it is not known whether it still does. What was owed
	// to a receiver by then is sent.
	Unjudged bool
}

// A record is what the outbox keeps: an entry, an account or a resolution.
type record interface {
	key() string
	encode() []byte
}

// A Deliverer brings notifications to the integrations that their routes lead to,
// one goroutine each.
type Deliverer struct {
	box Outbox
	o   Options

	// deciding is held from what is decided to be told until it is durable and
	// with its sender.
	deciding turn

	// writing is held while the outbox works, so that what was decided last is
	// written last. Whoever asks how things stand does not wait for it.
	writing turn

	mu        sync.Mutex // never held while the outbox works
	receivers *Receivers
	routes    *routing.Tree
	told      []string // the integrations that a route leads to
	senders   []*sender
	peers     []*peer
	// resolved are the alerts that were resolved lately, by their ids.
	resolved map[string]*resolution
	entries  map[string]*entry // owed and settled, by key
	// accounts are the alerts, by their ids.
	accounts  map[string]*account
	groups    map[string]*group
	timetable timetable[*group] // when they are to be looked at
	overdue   timetable[*entry] // when they should have been taken
	// doubtful are the ids of those that fired when an earlier run ended.
	doubtful map[string]bool
	// proved is set once this run has said which alerts fire.
	proved bool
	// unwritten are records, by key, that the outbox does not have as they are.
	unwritten  map[string]record
	held       []*entry // to be queued once they are durable
	order      int64
	turn       int64
	silences   *silences.Store
	history    *history.Store
	inhibition *inhibition.Rules
	// review is when all groups are to be looked at: something that holds alerts back
	// may begin or end.
	review time.Time
	// stuck is set while the outbox does not take what was decided.
	stuck bool
	// covered is the event time up to which nothing comes again.
	covered int64
	last    []Delivery // those that came to an end, oldest first

	started   bool
	wake      chan struct{} // a group is due
	begun     time.Time
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
	if o.Standing == nil {
		o.Standing = func(n alerts.Notification) alerts.Notification { return n }
	}
	if o.Metrics == nil {
		o.Metrics = metrics.NewSet()
	}
	d := &Deliverer{box: box, o: o, deciding: newTurn(), writing: newTurn(),
		entries: map[string]*entry{}, accounts: map[string]*account{}, resolved: map[string]*resolution{}, history: history.New(), groups: map[string]*group{}, doubtful: map[string]bool{}, unwritten: map[string]record{},
		begun: time.Now(), wake: make(chan struct{}, 1), stopping: make(chan struct{})}
	var err error
	if d.silences, err = silences.New(box); err != nil {
		return nil, err
	}
	d.ctx, d.interrupt = context.WithCancel(context.Background())
	if o.Location == nil {
		d.o.Location = time.UTC
	}
	for _, to := range o.Alertmanagers {
		d.peers = append(d.peers, newPeer(d, to))
	}
	d.exchange(receivers)
	if err := d.load(); err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	return d, nil
}

// load takes up what is known of alerts and queues what is owed, in its order. What
// nobody will ever take is given up.
func (d *Deliverer) load() error {
	kept, err := d.box.All()
	if err != nil {
		return err
	}
	l := loading{d: d}
	for _, key := range slices.Sorted(maps.Keys(kept)) {
		l.take(key, kept[key])
	}
	d.history.Restored()
	for _, e := range l.gone {
		d.chronicle(e, d.delivery(e.orphaned(time.Now()), Failed))
	}
	if err := d.silences.Flush(); err != nil {
		return err
	}
	l.queue()
	d.review = time.Now()
	if err := d.catchUp(); err != nil { // what is held back is not tried at the start
		return err
	}
	if len(l.dropped) == 0 {
		return nil
	}
	return d.box.Delete(l.dropped...)
}

// giveUp tells of a notification that an earlier run left and nobody takes.
func (d *Deliverer) giveUp(v Delivery) {
	d.counter(v.Receiver, Failed).Inc()
	d.note(v)
	d.o.Log(v)
}

// queue hands an entry to its sender. An older one of its alert is superseded.
func (d *Deliverer) queue(e *entry) {
	s := d.sender(e.Integration)
	if s == nil {
		if e.Settled == "" {
			d.orphan(e)
		}
		return
	}
	older := s.push(e)
	if older != nil && e.follow(older) {
		d.change(e)
	}
	d.expect(s, e)
	if older == nil {
		return
	}
	d.carry(older, e)
	if older.Attempts > 0 {
		d.note(d.delivery(older, Failed).because(reason.Superseded.Alone()))
	}
	if !s.replaced(older) { // else what comes behind this one tells the same
		d.change(older.settle(Superseded))
	}
	s.count(Superseded)
}

// change replaces an entry, or marks one that has changed, for the next flush.
func (d *Deliverer) change(e *entry) {
	d.entries[e.key()] = e
	d.unwritten[e.key()] = e
}

func (d *Deliverer) sender(integration string) *sender {
	for _, s := range d.senders {
		if s.name == integration {
			return s
		}
	}
	return nil
}

// Start begins to send.
func (d *Deliverer) Start() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.started, d.begun = true, time.Now()
	for _, s := range d.senders {
		d.running.Go(s.run)
	}
	for _, p := range d.peers {
		d.running.Go(p.run)
	}
	d.running.Go(d.watch)
}

// Notify takes over notifications, in the order of alerts.Engine.Evaluate: they are
// durable when it returns without an error. Those that it knows are left
// alone. After an error none of them is sent yet: call it again with the same.
func (d *Deliverer) Notify(ns []alerts.Notification) error {
	d.deciding.take()
	defer d.deciding.leave()
	if d.unheard() {
		d.complain(ns)
	}
	d.take(ns, time.Now())
	defer d.rouse()
	if err := d.writeOut(); err != nil {
		return err
	}
	if !slices.ContainsFunc(ns, func(n alerts.Notification) bool { return n.Status == alerts.Resolved }) {
		return nil
	}
	return d.lapse()
}

// writeOut makes durable what was decided, and hands it to the senders. The caller holds
// deciding.
func (d *Deliverer) writeOut() error {
	err := d.flush()
	d.mu.Lock()
	d.stuck = err != nil
	for _, e := range d.held {
		if s := d.sender(e.Integration); s != nil && d.stuck { // what waits is not held up by that
			s.schedule(e.group())
		}
	}
	d.mu.Unlock()
	if err != nil {
		return fmt.Errorf("write outbox: %w", err)
	}
	d.release()
	// Without a note of it, the next run finds out by their order what is
	// superseded.
	_ = d.flush()
	return nil
}

// unheard reports whether nobody is told.
func (d *Deliverer) unheard() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.told)+len(d.peers) == 0
}

// complain says of each alert that fires that nobody is told.
func (d *Deliverer) complain(ns []alerts.Notification) {
	for _, n := range ns {
		if n.Status == alerts.Firing {
			d.counter("", Unsent).Inc()
			d.o.Log(d.delivery(&entry{Notification: n, Error: Unheard.Error()}, Unsent))
		}
	}
}

// take enters notifications into the history and the accounts, and queues what is due of
// them. Of an alert that changed twice both states are.
func (d *Deliverer) take(ns []alerts.Notification, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.history.Take(ns)
	defer d.remember(ns, now)
	taken := map[string]bool{}
	for _, n := range ns {
		if taken[n.Alert] {
			d.dispatch(now)
			clear(taken)
		}
		taken[n.Alert] = true
		d.receive(n, now)
	}
	d.dispatch(now)
}

func (d *Deliverer) release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.held {
		d.queue(e)
	}
	d.held = nil
	for _, p := range d.peers {
		p.rouse()
	}
}

// flush writes into the outbox what it does not have as it is.
func (d *Deliverer) flush() error {
	d.writing.take()
	defer d.writing.leave()
	d.mu.Lock()
	taken := d.unwritten
	d.unwritten = map[string]record{}
	changes := make(map[string][]byte, len(taken))
	for key, r := range taken {
		changes[key] = r.encode()
	}
	d.mu.Unlock()
	episodes := d.history.Changes()
	maps.Copy(changes, episodes)
	if len(changes) == 0 {
		return nil
	}
	err := d.box.Put(changes)
	if err != nil {
		d.history.Unwritten(episodes)
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
	d.deciding.take()
	defer d.deciding.leave()
	d.writing.take()
	defer d.writing.leave()
	over, dropped := d.over(windowEnd), d.history.Dropped()
	if len(over)+len(dropped) == 0 {
		return nil
	}
	if err := d.box.Delete(slices.AppendSeq(dropped, maps.Keys(over))...); err != nil {
		return fmt.Errorf("clear outbox: %w", err)
	}
	d.history.Deleted(dropped)
	d.mu.Lock()
	defer d.mu.Unlock()
	for key, r := range over {
		switch r := r.(type) {
		case *entry:
			delete(d.entries, key)
		case *account:
			delete(d.accounts, r.Notification.Alert)
		case *resolution:
			delete(d.resolved, r.Notification.Alert)
		}
		delete(d.unwritten, key)
	}
	return nil
}

// over is what is settled and was decided by then, and what Alertmanagers need not be told
// any more.
func (d *Deliverer) over(windowEnd int64) map[string]record {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.covered = windowEnd
	out, now := map[string]record{}, time.Now()
	for key, e := range d.entries {
		if e.Settled != "" && e.Notification.WindowEnd <= windowEnd && !e.kept(now) {
			out[key] = e
		}
	}
	for _, a := range d.accounts {
		if a.closed(windowEnd, now) {
			out[a.key()] = a
		}
	}
	for _, r := range d.resolved {
		if r.over(now) {
			out[r.key()] = r
		}
	}
	return out
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
