package state

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func all(t *testing.T, o *Outbox) map[string]string {
	t.Helper()
	found, err := o.All()
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]string)
	for id, data := range found {
		out[id] = string(data)
	}
	return out
}

// Whatever fails, an entry is as it was or as it was to be, until the next call
// that names it succeeds.
func TestOutbox(t *testing.T) {
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(1, 2))
	injected := errors.New("injected")
	fail := false
	o := Options{Fault: func(string) error {
		if fail && r.IntN(4) == 0 {
			return injected
		}
		return nil
	}}
	s := open(t, dir, o)
	const none = "none"
	may := make(map[string][]string) // what an id may have; nothing is none
	failed := 0
	for n := range 600 {
		change := make(map[string]string)
		entries := make(map[string][]byte)
		remove := r.IntN(2) == 0
		for range r.IntN(5) {
			id := fmt.Sprint("page/", r.IntN(12))
			change[id] = none
			if !remove {
				entries[id] = random(r, r.IntN(3000))
				change[id] = string(entries[id])
			}
		}
		var err error
		fail = true
		if remove {
			err = s.Outbox().Delete(slices.Collect(maps.Keys(change))...)
		} else {
			err = s.Outbox().Put(entries)
		}
		fail = false
		for id, to := range change {
			switch {
			case err == nil:
				may[id] = []string{to}
			case may[id] == nil:
				may[id] = []string{none, to}
			default:
				may[id] = append(may[id], to)
			}
		}
		if err != nil {
			failed++
		}
		if n%50 == 0 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, dir, o)
		}
		got := all(t, s.Outbox())
		for id, any := range may {
			is, ok := got[id]
			if !ok {
				is = none
			}
			if !slices.Contains(any, is) {
				t.Fatalf("step %d: %s has %d bytes, want one of %d others", n, id, len(is), len(any))
			}
			delete(got, id)
		}
		if len(got) > 0 {
			t.Fatalf("step %d: %d ids that were never put", n, len(got))
		}
	}
	if failed < 100 {
		t.Errorf("%d operations failed, want more", failed)
	}
	if s.outbox.high > 12 {
		t.Errorf("%d places for at most 12 ids", s.outbox.high)
	}
}

func TestOutboxSyncsOnce(t *testing.T) {
	var ops []string
	s := open(t, t.TempDir(), Options{Fault: func(op string) error { ops = append(ops, op); return nil }})
	once := []string{"write outbox", "sync outbox"}
	for name, c := range map[string]struct {
		err  func() error
		want []string
	}{
		"put":            {func() error { return s.Outbox().Put(map[string][]byte{"a": nil, "b": nil, "c": nil}) }, once},
		"put nothing":    {func() error { return s.Outbox().Put(nil) }, nil},
		"delete":         {func() error { return s.Outbox().Delete("a", "b", "x", "a") }, once},
		"delete nothing": {func() error { return s.Outbox().Delete("x") }, nil},
	} {
		if name == "delete" {
			if err := s.Outbox().Put(map[string][]byte{"a": nil, "b": nil}); err != nil {
				t.Fatal(err)
			}
		}
		ops = nil
		if err := c.err(); err != nil || !slices.Equal(ops, c.want) {
			t.Errorf("%s: %v, operations %q, want %q", name, err, ops, c.want)
		}
	}
}

// A Put that a crash cut short leaves places that were never written; damage
// takes one entry and no other.
func TestOutboxGaps(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	letter := seal(letterMagic, append([]byte{1}, "elate"...))
	damaged := slices.Clone(letter)
	damaged[len(damaged)-1]++
	if err := errors.Join(s.epochs.write("part", []pair{{placeKey(5), letter}, {placeKey(2), damaged}}), s.Close()); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	s = open(t, dir, Options{Log: func(level, message string) {
		if level == "error" {
			log.WriteString(message)
		}
	}})
	want := map[string]string{"e": "late"}
	if got := all(t, s.Outbox()); !maps.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	if said := "read outbox place 2: what was owed is lost: does not verify: magic word or checksum"; log.String() != said {
		t.Errorf("log %q, want %q", log.String(), said)
	}
	for i := range 5 {
		id := fmt.Sprint(i)
		want[id] = id
		if err := s.Outbox().Put(map[string][]byte{id: []byte(id)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(s.Outbox().Delete("e"), s.Close()); err != nil {
		t.Fatal(err)
	}
	delete(want, "e")
	s = open(t, dir, Options{})
	if got := all(t, s.Outbox()); !maps.Equal(got, want) || s.outbox.high != 5 {
		t.Errorf("found %q in %d places, want %q in 5", got, s.outbox.high, want)
	}
}

// The directory is small, is written when others are taken, and is read as earlier builds
// wrote it.
func TestOutboxDirectory(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	entries := map[string][]byte{}
	for i := range 10_000 {
		entries[fmt.Sprint(i)] = nil
	}
	directory := func() []byte {
		t.Helper()
		data, err := s.epochs.get("directory", directoryKey)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	put := func(entries map[string][]byte) {
		t.Helper()
		if err := s.Outbox().Put(entries); err != nil {
			t.Fatal(err)
		}
	}
	put(entries)
	if n := len(directory()); n > 1300 {
		t.Errorf("%d bytes for 10,000 places", n)
	}
	list := []byte{0, 0, 0, 0, 0x20, 0x4e, 0, 0} // 0, and 20,000, which is vacant
	if err := s.epochs.write("part", []pair{{directoryKey, seal(listMagic, list)}}); err != nil {
		t.Fatal(err)
	}
	put(map[string][]byte{"7": []byte("again")})
	if _, err := unseal(listMagic, directory()); err != nil {
		t.Error("the directory was written, though no other place was taken")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, Options{Log: func(string, string) {}})
	if s.outbox.lost != 1 || s.outbox.high != 20_001 {
		t.Errorf("%d lost of %d", s.outbox.lost, s.outbox.high)
	}
	put(map[string][]byte{"7": []byte("healed")})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, Options{})
	if s.outbox.lost != 0 || len(all(t, s.Outbox())) != 10_000 {
		t.Errorf("%d lost of %d", s.outbox.lost, len(s.outbox.places))
	}
}
