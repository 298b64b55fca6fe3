package windows_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/page"
)

// TestEmptyTime: what lies between events costs nothing. A second that was
// looked at for each of nine years' would show in the closes, and in
// hours.
func TestEmptyTime(t *testing.T) {
	s := setup{catalogue(t), timing(2*time.Second, 10*time.Minute, 602*time.Second)}
	p := newPipeline(t, s, 2, newDisk())
	for i, at := range []int64{start, start + 9*365*86_400_000, start + 18*365*86_400_000} {
		p.feed([]stream.Raw{{Sequence: uint64(i + 1), Stamp: at, Data: fmt.Appendf(nil, `{"id":%d,"time":%d,"type":"play","user_id":"u","watch_ms":1}`, i, at)}})
	}
	if p.closes > 60 {
		t.Errorf("three events nine years apart close %d times, want a few", p.closes)
	}
}

// TestNoCheckpoint: where nothing is ever written, as in a replica, nothing
// waits for it.
func TestNoCheckpoint(t *testing.T) {
	s := setup{catalogue(t, crowded), timing(0, 10*time.Second, 10*time.Second)}
	p := newPipeline(t, s, 1, newDisk())
	at := start
	for n := range 2000 {
		at += 1000
		if n%500 == 499 {
			at += 86_400_000
		}
		for _, e := range []struct {
			at   int64
			user int
		}{{at, n}, {at, n}, {at - 5000, n + 1}} {
			id := p.position + 1
			p.feed([]stream.Raw{{Sequence: id, Stamp: at, Data: fmt.Appendf(nil, `{"id":%d,"time":%d,"type":"play","user_id":"u%d","content_id":"c%d"}`, id, e.at, e.user, n%9)}})
		}
		if n := p.Merger.Unwritten() + p.Partitions[0].Unwritten(); n > 1500 {
			t.Fatalf("after %d seconds %d changes wait to be written", (at-start)/1000, n)
		}
	}
	if p.Merger.Unwritten() == 0 {
		t.Error("no revision waits: the test is not about any")
	}
}

// TestRestarts: starts that follow each other quickly leave no more to be read
// than one long run.
func TestRestarts(t *testing.T) {
	s := setup{catalogue(t, small), timing(0, 10*time.Second, 10*time.Second)}
	p := newPipeline(t, s, 2, newDisk())
	play := func(user int) {
		id, at := p.position+1, start+int64(p.position)*1000
		p.feed([]stream.Raw{{Sequence: id, Stamp: at, Data: fmt.Appendf(nil, `{"id":%d,"time":%d,"type":"play","user_id":"u%d"}`, id, at, user)}})
	}
	for user := range 5000 {
		play(user)
	}
	p.checkpoint()
	for round := range 100 {
		p = recovered(t, s, 2, p.disk)
		for i := range 20 {
			play(round*37 + i*211)
		}
		p.checkpoint()
	}
	deltas := 0
	for id := range p.disk.pages {
		if id.kind == page.UserDelta {
			deltas++
		}
	}
	if deltas > 60 { // two partitions; the users are written whole in fewer than 30 checkpoints
		t.Errorf("%d deltas of users are kept", deltas)
	}
}
