package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/tidewatch/tidewatch/internal/codec"
)

// An Outbox keeps what is owed to the outside, each by its id. What Put and
// Delete did is on disk when they return without an error; with one, any part
// of it may be.
type Outbox struct {
	disk *disk

	mu sync.Mutex
	// places are those of the ids. They are numbered and reused: Badger may
	// never give back the space of keys that are deleted.
	places map[string]uint32
	vacant []uint32
	high   uint32 // all places are below
	lost   int    // entries that were owed and are not there when it opened
	// unnamed is set where the directory on disk may be that of other places.
	unnamed bool
}

const (
	letterMagic    = "TWO1"
	directoryMagic = "TWD2"
	// listMagic begins the directories of earlier builds: lists of numbers.
	listMagic = "TWD1"
)

var (
	placePrefix = []byte{'o'}
	// directoryKey has the places that are taken: what it names is owed, and lost
	// if it is not there.
	directoryKey = []byte("d")
)

func placeKey(place uint32) []byte {
	return binary.BigEndian.AppendUint32(placePrefix[:1:1], place)
}

// Outbox is the one of the store.
func (s *Store) Outbox() *Outbox { return s.outbox }

func openOutbox(d *disk) (*Outbox, error) {
	o := &Outbox{disk: d, places: make(map[string]uint32), unnamed: true}
	taken := make(map[uint32]bool)
	err := o.each(func(place uint32, id string, _ []byte, err error) {
		if err != nil {
			d.options.Log("error", fmt.Sprintf("read outbox place %d: what was owed is lost: %v", place, err))
			return
		}
		o.places[id], taken[place], o.high = place, true, max(o.high, place+1)
	})
	if err != nil {
		return nil, err
	}
	named, err := o.directory()
	if err != nil {
		return nil, err
	}
	for _, place := range named {
		if !taken[place] {
			o.lost++
		}
		o.high = max(o.high, place+1)
	}
	if o.lost > 0 {
		d.options.Log("error", fmt.Sprintf("outbox in %s: %d entries that were owed are lost", d.dir, o.lost))
	}
	for place := range o.high {
		if !taken[place] {
			o.vacant = append(o.vacant, place)
		}
	}
	return o, nil
}

// Put keeps the entries, by their ids, until they are deleted. They cost one
// sync together.
func (o *Outbox) Put(entries map[string][]byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	pairs := make([]pair, 0, len(entries))
	for id, data := range entries {
		body := binary.AppendUvarint(nil, uint64(len(id)))
		body = append(append(body, id...), data...)
		pairs = append(pairs, pair{placeKey(o.place(id)), seal(letterMagic, body)})
	}
	if o.unnamed && len(pairs) > 0 { // behind what it names
		pairs = append(pairs, o.named(nil))
	}
	if err := o.write(pairs); err != nil {
		return fmt.Errorf("put %d entries into outbox: %w", len(entries), err)
	}
	o.unnamed = false
	return nil
}

// place is where id is, or will be. It stays id's own after a Put that failed,
// which may have been done.
func (o *Outbox) place(id string) uint32 {
	place, known := o.places[id]
	if known {
		return place
	}
	if n := len(o.vacant); n > 0 {
		place, o.vacant = o.vacant[n-1], o.vacant[:n-1]
	} else {
		place = o.high
		o.high++
	}
	o.places[id], o.unnamed = place, true
	return place
}

// Delete forgets the ids. One that is not there is no error.
func (o *Outbox) Delete(ids ...string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	gone := map[uint32]bool{}
	var pairs []pair
	for _, id := range ids {
		if place, known := o.places[id]; known {
			gone[place] = true
			pairs = append(pairs, pair{placeKey(place), seal(letterMagic, nil)})
		}
	}
	if len(pairs) > 0 { // before what it no longer names
		pairs, o.unnamed = slices.Insert(pairs, 0, o.named(gone)), true
	}
	if err := o.write(pairs); err != nil {
		return fmt.Errorf("delete %d entries from outbox: %w", len(ids), err)
	}
	for _, id := range ids {
		if place, known := o.places[id]; known {
			delete(o.places, id)
			o.vacant = append(o.vacant, place)
		}
	}
	o.unnamed = false
	return nil
}

// named is the directory without the places that are to be vacant: a bit for each place.
func (o *Outbox) named(gone map[uint32]bool) pair {
	body := make([]byte, (o.high+7)/8)
	for _, place := range o.places {
		if !gone[place] {
			body[place/8] |= 1 << (place % 8)
		}
	}
	return pair{directoryKey, seal(directoryMagic, body)}
}

// directory is the places that are named.
func (o *Outbox) directory() (places []uint32, err error) {
	data, err := o.disk.get("outbox directory", directoryKey)
	if err != nil || len(data) == 0 {
		return nil, err
	}
	if list, err := unseal(listMagic, data); err == nil {
		for ; len(list) >= 4; list = list[4:] {
			places = append(places, binary.LittleEndian.Uint32(list))
		}
		return places, nil
	}
	body, err := unseal(directoryMagic, data)
	if err != nil {
		return nil, fmt.Errorf("read outbox directory: %w", err)
	}
	for place := range uint32(len(body)) * 8 {
		if body[place/8]&(1<<(place%8)) != 0 {
			places = append(places, place)
		}
	}
	return places, nil
}

// All is what is kept, by id.
func (o *Outbox) All() (map[string][]byte, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := make(map[string][]byte, len(o.places))
	err := o.each(func(_ uint32, id string, data []byte, err error) {
		if err == nil {
			all[id] = data
		}
	})
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	return all, nil
}

func (o *Outbox) write(pairs []pair) error {
	if len(pairs) == 0 {
		return nil
	}
	if err := o.disk.write("outbox", pairs); err != nil {
		return err
	}
	return o.disk.sync("outbox")
}

// each calls visit for every place that is not vacant, or with an error for one
// that does not verify.
func (o *Outbox) each(visit func(place uint32, id string, data []byte, err error)) error {
	keys, err := o.disk.keys("outbox", placePrefix)
	if err != nil {
		return err
	}
	for _, key := range keys {
		place := binary.BigEndian.Uint32(key[len(placePrefix):])
		body, err := o.disk.get("outbox", key)
		if err == nil {
			body, err = unseal(letterMagic, body)
		}
		if err != nil && !errors.Is(err, ErrDamaged) {
			return err
		}
		if err == nil && len(body) == 0 {
			continue
		}
		in := codec.NewReader(body)
		id := in.Text()
		visit(place, id, in.Rest(), err)
	}
	return nil
}
