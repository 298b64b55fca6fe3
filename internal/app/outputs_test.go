package app

import (
	"context"
	"maps"
	"testing"

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
