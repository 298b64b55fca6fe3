// Package silences keeps what people have silenced: Alertmanager's silences, each on
// disk in the outbox beside what is owed.
package silences

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/marker"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/alertmanager/silence/silencepb"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"google.golang.org/protobuf/encoding/protodelim"
)

// A Box keeps silences through a crash: Put and Delete are durable when they return
// without an error.
type Box interface {
	Put(entries map[string][]byte) error
	Delete(ids ...string) error
}

// Prefix begins the keys of silences in a box.
const Prefix = "silence/"

const (
	// retention is how long a silence that is over is shown.
	retention = 5 * 24 * time.Hour
	// most and mostBytes bound what clients can have kept.
	most, mostBytes = 10_000, 64 << 10
	// mostAsked bounds of how many alerts it is remembered what silences them.
	mostAsked = 100_000
)

// A Store is the silences. Its changes are in effect at once, and durable after Flush.
type Store struct {
	*silence.Silences
	silencer *silence.Silencer
	box      Box

	writing sync.Mutex // held while the box works

	mu sync.Mutex // never held while the box works
	// unwritten are silences, by key, that the box does not have as they are.
	unwritten map[string][]byte
	kept      map[string]bool // keys in the box
	asked     map[model.Fingerprint]struct{}
}

// New makes a store without silences.
func New(box Box) (*Store, error) {
	all, err := silence.New(silence.Options{
		Retention: retention, Metrics: prometheus.NewRegistry(),
		Limits: silence.Limits{MaxSilences: func() int { return most }, MaxSilenceSizeBytes: func() int { return mostBytes }},
	})
	if err != nil {
		return nil, err
	}
	s := &Store{Silences: all, box: box, unwritten: map[string][]byte{}, kept: map[string]bool{}, asked: map[model.Fingerprint]struct{}{}}
	s.silencer = silence.NewSilencer(all, promslog.NewNopLogger(), eventrecorder.NopRecorder())
	all.SetBroadcast(s.note)
	return s, nil
}

// Restore takes up a silence that the box has.
func (s *Store) Restore(key string, data []byte) error {
	s.kept[key] = true
	err := s.Merge(data)
	clear(s.unwritten) // it is there
	return err
}

// note takes a silence that has changed, as Alertmanager would tell it to its peers.
func (s *Store) note(told []byte) {
	var m silencepb.MeshSilence
	if err := protodelim.UnmarshalFrom(bufio.NewReader(bytes.NewReader(told)), &m); err != nil {
		panic(err) // it was written in this moment
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unwritten[Prefix+m.Silence.Id] = told
}

// Flush makes all changes durable. After an error they are in effect as long as the
// process runs, and the next call tries again.
func (s *Store) Flush() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	over, err := s.over()
	if err != nil {
		return err
	}
	s.mu.Lock()
	changes := s.unwritten
	s.unwritten = map[string][]byte{}
	for key := range changes {
		s.kept[key] = true
	}
	s.mu.Unlock()
	if len(changes) > 0 {
		if err := s.box.Put(changes); err != nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			maps.Copy(changes, s.unwritten) // what has changed since is newer
			s.unwritten = changes
			return fmt.Errorf("write silences: %w", err)
		}
	}
	if len(over) == 0 {
		return nil
	}
	if err := s.box.Delete(over...); err != nil {
		return fmt.Errorf("delete silences: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range over {
		delete(s.kept, key)
	}
	return nil
}

// over are the keys of those that were over long ago.
func (s *Store) over() (keys []string, err error) {
	if _, err := s.GC(); err != nil {
		return nil, fmt.Errorf("let go of silences: %w", err)
	}
	all, err := s.query()
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	for _, one := range all {
		there[Prefix+one.Id] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.kept {
		if !there[key] {
			keys = append(keys, key)
			delete(s.unwritten, key)
		}
	}
	return keys, nil
}

func (s *Store) query(params ...silence.QueryParam) ([]*silencepb.Silence, error) {
	all, _, err := s.Query(context.Background(), params...)
	if err != nil {
		return nil, fmt.Errorf("query silences: %w", err)
	}
	return all, nil
}

// By are the ids of the silences that an alert is silenced by, none if it is not.
func (s *Store) By(labels map[string]string) []string {
	set := labelSet(labels)
	m := marker.NewAlertMarker()
	if !s.Mark(marker.WithContext(context.Background(), m), set) {
		return nil
	}
	return slices.Sorted(slices.Values(m.Status(set.Fingerprint()).SilencedBy))
}

// Acknowledgements are the ids of the silences in effect that are to end when nothing that
// they silence fires any more: those with the annotation until=resolved.
func (s *Store) Acknowledgements() ([]string, error) {
	all, err := s.query(silence.QState(silence.SilenceStateActive))
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, one := range all {
		if one.Annotations["until"] == "resolved" {
			ids = append(ids, one.Id)
		}
	}
	return ids, nil
}

// Mark tells the marker in the context by what an alert is silenced, and reports whether
// it is.
func (s *Store) Mark(ctx context.Context, labels model.LabelSet) bool {
	s.remember(labels.Fingerprint())
	return s.silencer.Mutes(ctx, labels)
}

// remember has the silencer begin anew once it was asked for too many alerts: it keeps what
// it has found out, and some of them never come again.
func (s *Store) remember(alert model.Fingerprint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.asked[alert]; !known && len(s.asked) >= mostAsked {
		s.silencer.PostGC(slices.Collect(maps.Keys(s.asked)))
		clear(s.asked)
	}
	s.asked[alert] = struct{}{}
}

func labelSet(labels map[string]string) model.LabelSet {
	set := make(model.LabelSet, len(labels))
	for name, value := range labels {
		set[model.LabelName(name)] = model.LabelValue(value)
	}
	return set
}

// Next is when a silence will begin or be over by itself, zero if none will.
func (s *Store) Next(now time.Time) time.Time {
	all, err := s.query(silence.QState(silence.SilenceStateActive, silence.SilenceStatePending))
	if err != nil {
		return now.Add(time.Minute) // none of our queries can fail
	}
	var next time.Time
	for _, one := range all {
		// In the instant of its end it is still in effect.
		for _, at := range []time.Time{one.StartsAt.AsTime(), one.EndsAt.AsTime().Add(time.Millisecond)} {
			if at.After(now) && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
	}
	return next
}
