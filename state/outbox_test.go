package state

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
)

func TestOutbox(t *testing.T) {
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(1, 2))
	injected := errors.New("injected")
	fail := false
	o := Options{Fault: func(string) error {
		if fail && r.IntN(5) == 0 {
			return injected
		}
		return nil
	}}
	s := open(t, dir, o)
	want := make(map[string][]byte)
	for n := range 300 {
		fail = true
		id := fmt.Sprint("page/", r.IntN(12))
		if r.IntN(2) == 0 {
			data := random(r, r.IntN(3000))
			if s.PutOutbox(id, data) == nil {
				want[id] = data
			} else if fail = false; s.PutOutbox(id, data) == nil { // the caller tries again
				want[id] = data
			}
		} else {
			for s.DeleteOutbox(id) != nil {
				fail = false
			}
			delete(want, id)
		}
		fail = false
		if n%50 == 0 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, dir, o)
		}
		if got := s.Outbox(); !same(got, want) {
			t.Fatalf("step %d: %d owed, want %d", n, len(got), len(want))
		}
	}
	if s.places > 12 {
		t.Errorf("%d places for at most 12 ids", s.places)
	}
}

func same(got, want map[string][]byte) bool {
	if len(got) != len(want) {
		return false
	}
	for id, data := range want {
		if g, ok := got[id]; !ok || len(g) != len(data) || len(data) > 0 && !reflect.DeepEqual(g, data) {
			return false
		}
	}
	return true
}
