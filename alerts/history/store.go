// Package history keeps which alerts fired: since when and for how long, with which
// figures, who was told and what held it back. An entry is an Episode, from the decision
// that an alert fires to the one that it is resolved; the same decision taken again, after a
// crash, changes nothing.
//
// It does no I/O: whoever has a Store writes what Changes says, and deletes what Dropped
// says.
package history

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/reason"
)

// Prefix begins the keys of episodes.
const Prefix = "history/"

// What is kept: so many episodes, of so many bytes, that were over no longer than that
// before the newest one began. One that fires goes last.
const (
	Most      = 10_000
	mostBytes = 32 << 20
	Retention = 30 * 24 * time.Hour
)

// A Store is the episodes, in the order in which they became known.
type Store struct {
	mu    sync.Mutex
	known map[string]*kept  // by id
	order []*kept           // the oldest first
	fires map[string]string // the id of the episode that goes on, by alert
	bytes int
	// changed are the ids of those that are not written as they are, dropped the keys of
	// those that are written and no longer kept.
	changed map[string]bool
	dropped map[string]bool
}

// A record is an episode as it is written. Serials are in the order of the list.
type record struct {
	Serial uint64 `json:"serial"`
	Episode
}

// kept is a record with what it is looked for by. Times are Unix milliseconds.
type kept struct {
	id, alert, rule         string
	labels                  map[string]string
	serial                  uint64
	active, fired, resolved int64 // resolved is 0 while it fires
	data                    []byte
}

func (k *kept) key() string { return Prefix + k.id }

// New makes a store without episodes.
func New() *Store {
	return &Store{known: map[string]*kept{}, fires: map[string]string{}, changed: map[string]bool{}, dropped: map[string]bool{}}
}

// Restore takes up an episode that was written. Call Restored behind the last.
func (s *Store) Restore(key string, data []byte) error {
	var r record
	if err := json.Unmarshal(data, &r); err != nil {
		return err
	}
	if key != Prefix+r.ID || r.Serial == 0 {
		return errors.New("it is not what its key says")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set(&r, data)
	return nil
}

// Restored puts what was taken up into its order.
func (s *Store) Restored() {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.SortFunc(s.order, func(a, b *kept) int { return cmp.Compare(a.serial, b.serial) })
	s.trim()
}

// Take enters what was decided. What is known is left alone.
func (s *Store) Take(ns []alerts.Notification) {
	if len(ns) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range ns {
		s.take(&ns[i])
	}
	s.trim()
}

func (s *Store) take(n *alerts.Notification) {
	id := idOf(n)
	if s.known[id] == nil {
		s.change(s.fires[n.Alert], func(before *Episode) bool {
			before.end(alerts.Time{Time: n.StartsAt}, map[string]string{"resolved_because": reason.EndUnseen})
			return true
		})
		s.add(begin(n))
	}
	if n.Status == alerts.Resolved {
		s.change(id, func(e *Episode) bool { return e.resolve(n) })
	}
}

// Hold notes what holds an episode back.
func (s *Store) Hold(n *alerts.Notification, h alerts.Hold) {
	if !h.Any() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.change(idOf(n), func(e *Episode) bool {
		before := len(e.SilencedBy) + len(e.InhibitedBy) + len(e.MutedBy)
		e.hold(h)
		return len(e.SilencedBy)+len(e.InhibitedBy)+len(e.MutedBy) > before
	})
}

// Tell notes how it went to tell an integration of what a notification says.
func (s *Store) Tell(n *alerts.Notification, t Telling) {
	if t.Status = n.Status; n.Corrected {
		t.Status = Corrected
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.change(idOf(n), func(e *Episode) bool { return e.tell(t) })
}

// add enters an episode behind all others.
func (s *Store) add(e Episode) {
	r := record{Serial: 1, Episode: e}
	if n := len(s.order); n > 0 {
		r.Serial = s.order[n-1].serial + 1
	}
	s.write(&r)
}

// change changes an episode, if there is one, and what change does is a change.
func (s *Store) change(id string, change func(*Episode) bool) {
	k := s.known[id]
	if k == nil {
		return
	}
	if r := k.record(); change(&r.Episode) {
		s.write(&r)
	}
}

// write has an episode written.
func (s *Store) write(r *record) {
	data, err := json.Marshal(r)
	if err != nil {
		panic(err) // it is made of texts and times
	}
	s.changed[r.ID] = true
	delete(s.dropped, Prefix+r.ID)
	s.set(r, data)
}

func (s *Store) set(r *record, data []byte) {
	k := s.known[r.ID]
	if k == nil {
		k = &kept{
			id: r.ID, alert: r.Alert, rule: r.Rule, labels: r.Labels, serial: r.Serial,
			active: r.ActiveAt.UnixMilli(), fired: r.FiredAt.UnixMilli(),
		}
		s.known[r.ID] = k
		s.order = append(s.order, k)
	}
	s.bytes += len(data) - len(k.data)
	k.data = data
	if r.State == alerts.Firing {
		s.fires[r.Alert] = r.ID
		return
	}
	if k.resolved = r.ResolvedAt.UnixMilli(); s.fires[r.Alert] == r.ID {
		delete(s.fires, r.Alert)
	}
}

func (k *kept) record() record {
	var r record
	if err := json.Unmarshal(k.data, &r); err != nil {
		panic(err) // it was read, or written, before
	}
	return r
}

// trim lets go of what is too old, and of the oldest if there is too much.
func (s *Store) trim() {
	newest := int64(0)
	for _, k := range s.order {
		newest = max(newest, k.fired)
	}
	s.drop(func(k *kept) bool { return k.resolved != 0 && k.resolved < newest-Retention.Milliseconds() })
	s.drop(func(k *kept) bool { return k.resolved != 0 && s.full() })
	s.drop(func(*kept) bool { return s.full() })
}

func (s *Store) full() bool { return len(s.known) > Most || s.bytes > mostBytes }

func (s *Store) drop(drop func(*kept) bool) {
	s.order = slices.DeleteFunc(s.order, func(k *kept) bool {
		if !drop(k) {
			return false
		}
		s.bytes -= len(k.data)
		delete(s.known, k.id)
		delete(s.changed, k.id)
		s.dropped[k.key()] = true
		if s.fires[k.alert] == k.id {
			delete(s.fires, k.alert)
		}
		return true
	})
}

// Changes are the episodes, by key, that are not written as they are. If they cannot be
// written call Unwritten.
func (s *Store) Changes() map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string][]byte, len(s.changed))
	for id := range s.changed {
		k := s.known[id]
		out[k.key()] = k.data
	}
	clear(s.changed)
	return out
}

// Unwritten takes back what Changes said.
func (s *Store) Unwritten(changes map[string][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range changes {
		if id := strings.TrimPrefix(key, Prefix); s.known[id] != nil {
			s.changed[id] = true
		}
	}
}

// Dropped are the keys of what is to be deleted. Call Deleted with them when it is.
func (s *Store) Dropped() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for key := range s.dropped {
		out = append(out, key)
	}
	return out
}

// Deleted says that keys are.
func (s *Store) Deleted(keys []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range keys {
		delete(s.dropped, key)
	}
}

// Firing are the episodes that go on.
func (s *Store) Firing() []Episode {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Episode
	for _, k := range s.order {
		if k.resolved == 0 {
			out = append(out, k.record().Episode)
		}
	}
	return out
}

// A Query asks for episodes. From and To are those of which any part lies in From <= time <
// To; zero is no bound. Rule is "" for all.
type Query struct {
	From, To time.Time
	Rule     string
	Limit    int
	// Before is where to begin: a Next, or 0 for the newest.
	Before uint64
}

// A Page is some episodes, the newest first. Next is where to go on, 0 at the end.
type Page struct {
	Episodes []Episode
	Next     uint64
}

// List answers a query.
func (s *Store) List(q Query) Page {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := Page{Episodes: []Episode{}}
	for _, k := range slices.Backward(s.order) {
		if q.Before != 0 && k.serial > q.Before || !q.takes(k) {
			continue
		}
		if len(p.Episodes) == q.Limit {
			p.Next = k.serial
			break
		}
		p.Episodes = append(p.Episodes, k.record().Episode)
	}
	return p
}

func (q *Query) takes(k *kept) bool {
	return (q.Rule == "" || k.rule == q.Rule) &&
		(q.To.IsZero() || k.fired < q.To.UnixMilli()) &&
		(q.From.IsZero() || k.resolved == 0 || k.resolved >= q.From.UnixMilli())
}
