package endtoend

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Late events and dead letters leave once, with their reason, though the
// service is killed over and over.
func TestLettersOnce(t *testing.T) {
	t.Parallel()
	nats := freeAddr(t)
	s := serving(t, "checkpoint_interval: 50ms\nlateness: 1m\n", "--nats-listen", nats)
	_, js := dial(t, nats)
	forget(t, js, "LATE", "DEADLETTERS")
	now := time.Now().Truncate(time.Millisecond)
	s.post(t, event("first", now, "play"))
	received := int64(1)
	var late, dead []letter
	for round := range 4 {
		for i := range 10 {
			id := fmt.Sprintf("%d.%d", round, i)
			old := event("late"+id, now.Add(-time.Hour), "play")
			bad := fmt.Sprintf(`{"id":%q,"type":"play"}`, "bad"+id)
			ahead := event("ahead"+id, now.Add(time.Hour), "play")
			s.post(t, event("good"+id, now, "play"), old, bad, ahead)
			received += 4
			late = append(late, letter{subject: "late.late", reason: "late", data: old})
			dead = append(dead, letter{subject: "deadletters.missing_time", reason: "missing_time", data: bad},
				letter{subject: "deadletters.future", reason: "future", data: ahead})
		}
		if round%2 == 0 {
			awaitLetters(t, js, "LATE", len(late)) // some are out and no epoch knows it
		}
		s.kill(t)
		s.start(t)
	}
	s.awaitReceived(t, received)
	agree := func(stream string, want []letter) {
		t.Helper()
		got := awaitLetters(t, js, stream, len(want))
		ids := map[string]bool{}
		for i := range got {
			if ids[got[i].id] || got[i].id == "" {
				t.Errorf("%s has id %q twice", stream, got[i].id)
			}
			ids[got[i].id] = true
			got[i].id = ""
		}
		for _, x := range [][]letter{got, want} {
			slices.SortFunc(x, func(a, b letter) int { return cmp.Compare(a.data, b.data) })
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d messages, want %d:\n%v\n%v", stream, len(got), len(want), got, want)
		}
	}
	agree("LATE", late)
	agree("DEADLETTERS", dead)
	if l := s.ledger(t).Total; l.Late != int64(len(late)) || l.Future != int64(len(late)) || l.Quarantined != int64(len(late)) || l.Duplicate != 0 {
		t.Errorf("ledger %+v, want %d late, future and quarantined each", l, len(late))
	}
	s.stop(t)
	s.start(t)
	s.awaitReceived(t, received)
	s.post(t, event("last", now.Add(-time.Hour), "play"))
	agree("LATE", append(late, letter{subject: "late.late", reason: "late", data: event("last", now.Add(-time.Hour), "play")}))
}

// A stream that somebody removes while the service runs is made anew, and takes what is late
// from then on.
func TestLettersOfRemovedStream(t *testing.T) {
	t.Parallel()
	nats := freeAddr(t)
	s := serving(t, "lateness: 1m\n", "--nats-listen", nats)
	_, js := dial(t, nats)
	now := time.Now().Truncate(time.Millisecond)
	s.post(t, event("first", now, "play"), event("gone", now.Add(-time.Hour), "play"))
	awaitLetters(t, js, "LATE", 1)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := js.DeleteStream(ctx, "LATE"); err != nil {
		t.Fatal(err)
	}
	late := event("late", now.Add(-time.Hour), "play")
	s.post(t, late)
	eventually(t, "LATE anew", func() bool {
		_, err := js.Stream(ctx, "LATE")
		return err == nil
	}, func() any { return s.text() })
	if got := awaitLetters(t, js, "LATE", 1); got[0].data != late {
		t.Errorf("got %v, want %s", got, late)
	}
	if !s.says("stream LATE was removed, and is made anew: what it held is gone") {
		t.Errorf("nobody is told:\n%s", s.text())
	}
	s.stop(t)
	s.start(t)
	if l := s.awaitReceived(t, 3).Total; l.Late != 2 || l.Counted != 1 {
		t.Errorf("ledger %+v, want 2 late and 1 counted", l)
	}
}

// Every late event of the ledger is in the stream of late events exactly once,
// though the service is killed under load and JetStream knows no ids.
func TestLettersUnderLoad(t *testing.T) {
	t.Parallel()
	nats := freeAddr(t)
	s := serving(t, "checkpoint_interval: 10ms\nlateness: 1m\n", "--nats-listen", nats)
	_, js := dial(t, nats)
	forget(t, js, "LATE", "DEADLETTERS")
	now := time.Now().Truncate(time.Second)
	s.post(t, event("first", now, "play"))
	var lines [][]byte
	for i := range 12_000 {
		at := now
		if i%3 == 0 {
			at = now.Add(-time.Hour)
		}
		lines = append(lines, []byte(event(fmt.Sprint(i), at, "play")))
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	f := feed(t, s, lines)
	kills := 0
	for f.progress(1 + dice.IntN(40)) {
		s.kill(t)
		kills++
		s.start(t)
	}
	f.finish(t)
	l := s.settled(t, js).Total
	got := awaitLetters(t, js, "LATE", int(l.Late))
	ids := map[string]int{}
	for _, x := range got {
		ids[x.id]++
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%s is in LATE %d times", id, n)
		}
	}
	t.Logf("%d kills, %d letters, ledger %+v", kills, len(got), l)
	if len(got) != int(l.Late) || l.Late < int64(len(lines)/3) {
		t.Errorf("%d letters, %d late events in the ledger", len(got), l.Late)
	}
}
