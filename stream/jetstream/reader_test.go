package jetstream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
)

func tell(t *testing.T, b *Broker, state string, ids ...int) {
	t.Helper()
	for _, id := range ids {
		if _, err := b.PublishOutput(t.Context(), Signals, Output{ID: fmt.Sprint(id), Subject: "signals.churn." + state, Data: fmt.Append(nil, id)}); err != nil {
			t.Fatal(err)
		}
	}
}

func reader(t *testing.T, b *Broker, name string, subjects ...string) *Reader {
	t.Helper()
	r, err := b.Reader(t.Context(), Signals, name, subjects...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// take reads until there are n messages.
func take(t *testing.T, r *Reader, n int) (got []Stored) {
	t.Helper()
	for len(got) < n {
		ms, err := r.Next(t.Context(), 100*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, ms...)
	}
	return got
}

func wantTexts(t *testing.T, got []Stored, want ...string) {
	t.Helper()
	var texts []string
	for _, m := range got {
		texts = append(texts, string(m.Data))
	}
	slices.Sort(texts)
	if !slices.Equal(texts, want) {
		t.Errorf("got %v, want %v", texts, want)
	}
}

// wantWaiting waits for it: the server counts behind what it stores.
func wantWaiting(t *testing.T, r *Reader, want uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		n, err := r.Waiting(ctx)
		if err != nil {
			t.Fatalf("%d wait, %v, want %d", n, err, want)
		}
		if n == want {
			return
		}
	}
}

// TestReader: a reader begins behind what is there, gets what is on its subjects,
// and goes on where the last one of its name was: what that did not acknowledge
// comes again.
func TestReader(t *testing.T) {
	dir := t.TempDir()
	b, err := Open(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	tell(t, b, "churned", 1)
	const name = "one"
	r := reader(t, b, name, "signals.churn.churned", "signals.churn.at_risk")
	tell(t, b, "churned", 2)
	tell(t, b, "returned", 3)
	tell(t, b, "at_risk", 4, 5)
	wantWaiting(t, r, 3)
	got := take(t, r, 3)
	wantTexts(t, got, "2", "4", "5")
	if err := r.Ack(t.Context(), got[:1]); err != nil {
		t.Fatal(err)
	}
	wantWaiting(t, r, 2)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Ack(t.Context(), got[1:]); err == nil {
		t.Error("acknowledged to nobody")
	}

	b = open(t, Options{Dir: dir})
	tell(t, b, "churned", 6)
	r = reader(t, b, name, "signals.churn.churned", "signals.churn.at_risk")
	got = take(t, r, 3)
	wantTexts(t, got, "4", "5", "6")
	if err := r.Ack(t.Context(), got); err != nil {
		t.Fatal(err)
	}
	wantWaiting(t, r, 0)
}

// TestReaderTakesItsTime: what is acknowledged long after the server would have
// given it again does not come again.
func TestReaderTakesItsTime(t *testing.T) {
	b := open(t, Options{})
	r, other := reader(t, b, "one"), reader(t, b, "two")
	tell(t, b, "churned", 1, 2)
	late := take(t, r, 2)
	take(t, other, 2)
	take(t, other, 2) // given again: by then the first ones are overdue too
	if err := r.Ack(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	tell(t, b, "churned", 3)
	wantTexts(t, take(t, r, 1), "3")
}

// TestReaderGathersOnce: what the server gives again while others are waited for is
// there once.
func TestReaderGathersOnce(t *testing.T) {
	b := open(t, Options{})
	r := reader(t, b, "one")
	tell(t, b, "churned", 1)
	got, err := r.Next(t.Context(), redeliverAfter+redeliverAfter/2)
	if err != nil {
		t.Fatal(err)
	}
	wantTexts(t, got, "1")
	if err := r.Ack(t.Context(), got); err != nil {
		t.Fatal(err)
	}
	wantWaiting(t, r, 0)
}

// TestReaderIsDropped: a dropped name begins anew; a reader whose place somebody else
// has dropped goes on behind what it has acknowledged.
func TestReaderIsDropped(t *testing.T) {
	b := open(t, Options{})
	r := reader(t, b, "one")
	reader(t, b, "two")
	tell(t, b, "churned", 1, 2)
	got := take(t, r, 2)
	if err := r.Ack(t.Context(), got[:1]); err != nil {
		t.Fatal(err)
	}
	names, err := b.Readers(t.Context(), Signals)
	if want := map[string]uint64{"one": 1, "two": 2}; err != nil || !maps.Equal(names, want) {
		t.Errorf("readers %v, %v, want %v", names, err, want)
	}
	for name := range names {
		if err := b.DropReader(t.Context(), Signals, name); err != nil {
			t.Error(err)
		}
	}
	if err := b.DropReader(t.Context(), Signals, "one"); !errors.Is(err, jetstream.ErrConsumerNotFound) {
		t.Errorf("dropped twice: %v", err)
	}
	ms, err := r.Next(t.Context(), time.Millisecond)
	if err == nil {
		t.Errorf("got %v from a consumer that is gone", ms)
	}
	wantTexts(t, take(t, r, 1), "2")
	wantWaiting(t, reader(t, b, "two"), 0)
}

// TestReaderOfRemovedStream: a stream that was removed and is made anew goes on with its
// sequences, and so does a reader in it.
func TestReaderOfRemovedStream(t *testing.T) {
	dir := t.TempDir()
	b := open(t, Options{Dir: dir})
	r := reader(t, b, "one")
	tell(t, b, "churned", 1, 2, 3)
	if err := r.Ack(t.Context(), take(t, r, 3)[:1]); err != nil {
		t.Fatal(err)
	}
	if err := b.writeJS.DeleteStream(t.Context(), Signals); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(t.Context(), time.Millisecond); err == nil {
		t.Error("read from a stream that is gone")
	}
	for _, want := range []bool{true, false} {
		if made, err := b.Restore(t.Context(), Signals, 3); made != want || err != nil {
			t.Errorf("restored %t, %v, want %t", made, err, want)
		}
	}
	tell(t, b, "churned", 4)
	got := take(t, r, 1)
	wantTexts(t, got, "4")
	if got[0].Sequence != 4 {
		t.Errorf("sequence %d in the stream made anew, want 4", got[0].Sequence)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = open(t, Options{Dir: dir})
	tell(t, b, "churned", 5)
	wantTexts(t, take(t, reader(t, b, "one"), 2), "4", "5")
}

// TestReaderKeepsItsPlace: of a description that a crash has cut off the place is left.
func TestReaderKeepsItsPlace(t *testing.T) {
	for _, file := range []string{server.JetStreamMetaFile, server.JetStreamMetaFileSum} {
		dir := t.TempDir()
		b, err := Open(t.Context(), Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		r := reader(t, b, "one")
		tell(t, b, "churned", 1, 2)
		if err := r.Ack(t.Context(), take(t, r, 2)); err != nil {
			t.Fatal(err)
		}
		tell(t, b, "churned", 3)
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, server.JetStreamStoreDir, server.DEFAULT_GLOBAL_ACCOUNT, "streams", Signals, consumers, "one", file)
		if err := os.Truncate(path, 5); err != nil {
			t.Fatal(err)
		}
		b = open(t, Options{Dir: dir})
		r = reader(t, b, "one")
		got := take(t, r, 1)
		wantTexts(t, got, "3")
		if err := r.Ack(t.Context(), got); err != nil {
			t.Fatal(err)
		}
		wantWaiting(t, r, 0)
	}
}

// TestReaderEnds: a reader that waits is let go.
func TestReaderEnds(t *testing.T) {
	b := open(t, Options{})
	r := reader(t, b, "one")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := r.Next(ctx, time.Minute)
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want it cancelled", err)
	}
}
