package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// An outbox keeps what is owed to the outside, each by its id. Places are
// numbered and reused: Badger may never give back the space of keys that are
// deleted.
type outbox struct {
	boxMu  sync.Mutex
	box    map[string]letter
	vacant []uint32
	places uint32
}

type letter struct {
	place uint32
	data  []byte
}

const letterMagic = "TWO1"

func placeKey(place uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{'o'}, place)
}

// load reads the places up to the first that never was.
func (o *outbox) load(d *disk, log func(level, message string)) error {
	o.box = make(map[string]letter)
	for ; ; o.places++ {
		raw, err := d.get("outbox", placeKey(o.places))
		if err != nil && !errors.Is(err, ErrDamaged) {
			return err
		}
		if err == nil && raw == nil {
			return nil
		}
		body, err := unseal(letterMagic, raw)
		if err != nil {
			log("error", fmt.Sprintf("read outbox place %d: what was owed is lost: %v", o.places, err))
		}
		if len(body) == 0 {
			o.vacant = append(o.vacant, o.places)
			continue
		}
		in := reader{data: body}
		o.box[in.string()] = letter{place: o.places, data: in.data}
	}
}

// PutOutbox keeps data under id until DeleteOutbox; it is synced on return.
func (s *Store) PutOutbox(id string, data []byte) error {
	s.boxMu.Lock()
	defer s.boxMu.Unlock()
	l, known := s.box[id]
	n := len(s.vacant)
	switch {
	case known:
	case n > 0:
		l.place = s.vacant[n-1]
	default:
		l.place = s.places
	}
	body := binary.AppendUvarint(nil, uint64(len(id)))
	body = append(append(body, id...), data...)
	if err := s.putPlace(l.place, body); err != nil {
		return fmt.Errorf("put %s into outbox: %w", id, err)
	}
	switch {
	case known:
	case n > 0:
		s.vacant = s.vacant[:n-1]
	default:
		s.places++
	}
	l.data = slices.Clone(data)
	s.box[id] = l
	return nil
}

// DeleteOutbox forgets id; it is synced on return. An unknown id is no error.
func (s *Store) DeleteOutbox(id string) error {
	s.boxMu.Lock()
	defer s.boxMu.Unlock()
	l, known := s.box[id]
	if !known {
		return nil
	}
	if err := s.putPlace(l.place, nil); err != nil {
		return fmt.Errorf("delete %s from outbox: %w", id, err)
	}
	delete(s.box, id)
	s.vacant = append(s.vacant, l.place)
	return nil
}

func (s *Store) putPlace(place uint32, body []byte) error {
	if err := s.epochs.write("outbox", []pair{{placeKey(place), seal(letterMagic, body)}}); err != nil {
		return err
	}
	return s.epochs.sync("outbox")
}

// Outbox is what is owed, by id.
func (s *Store) Outbox() map[string][]byte {
	s.boxMu.Lock()
	defer s.boxMu.Unlock()
	out := make(map[string][]byte, len(s.box))
	for id, l := range s.box {
		out[id] = slices.Clone(l.data)
	}
	return out
}
