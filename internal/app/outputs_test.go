package app

import (
	"context"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidewatch/tidewatch/stream/jetstream"
)

// TestOutputEnds: an epoch between two crashes names the place behind which the
// letters are that went out before the first one, for messages behind the epoch.
func TestOutputEnds(t *testing.T) {
	since, ends := map[string]uint64{jetstream.Late: 5}, map[string]uint64{jetstream.Late: 9}
	o := &outputs{queue: make(chan output, 4), since: since, ends: ends, known: map[string]uint64{"75.0.a": 75, "80.0.b": 80}}
	done := make(chan error)
	go func() { done <- o.run(context.Background()) }()
	for _, at := range []struct {
		position uint64
		want     map[string]uint64
	}{{74, since}, {75, since}, {80, ends}} {
		if got := <-o.barrier(at.position); !maps.Equal(got, at.want) {
			t.Errorf("at %d: the epoch names %v, want %v", at.position, got, at.want)
		}
	}
	close(o.queue)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestLinger: outputs that come within the linger are one batch; a barrier waits for nobody,
// and what is behind it is in the next.
func TestLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &outputs{queue: make(chan output, 8)}
		put := func(id string) { o.queue <- output{stream: jetstream.Late, message: jetstream.Output{ID: id}} }
		ids := func() (out string, barrier bool) {
			messages, last := o.gather(<-o.queue)
			for _, m := range messages[jetstream.Late] {
				out += m.ID
			}
			return out, last.barrier != nil
		}
		go func() {
			put("a")
			time.Sleep(linger / 2)
			put("b")
			time.Sleep(linger)
			put("c")
			o.queue <- output{barrier: make(chan map[string]uint64, 1)}
			put("d")
		}()
		began := time.Now()
		for i, want := range []struct {
			ids     string
			barrier bool
			took    time.Duration
		}{{"ab", false, linger}, {"c", true, linger / 2}, {"d", false, linger}} {
			got, barrier := ids()
			if took := time.Since(began); got != want.ids || barrier != want.barrier || took != want.took {
				t.Errorf("batch %d: %q, barrier %t, after %v, want %q, %t, %v", i, got, barrier, took, want.ids, want.barrier, want.took)
			}
			began = time.Now()
		}
	})
}
