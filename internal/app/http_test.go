package app

import (
	"context"
	"errors"
	"testing"

	"github.com/tidewatch/tidewatch/internal/api"
)

// TestPausedService: a service that consumes nothing takes nothing, and still
// answers queries.
func TestPausedService(t *testing.T) {
	s := &Service{engine: &engine{lane: &lane{}}}
	s.lane.progress.ready.Store(true)
	why := errors.New("memory_budget of 64 MiB is spent")
	s.stalled.Store(&why)
	if err := s.Ready(); err != nil {
		t.Errorf("Ready() = %v, want queries answered", err)
	}
	if err := s.Paused(); err == nil || !errors.Is(err, why) {
		t.Errorf("Paused() = %v, want %s", err, why)
	}
	_, err := ingester{s}.Append(context.Background(), []byte("{}"))
	if e, ok := errors.AsType[*api.Error](err); !ok || e.Kind != api.KindRateLimited || e.Msg != "not taking events: "+why.Error() {
		t.Errorf("Append() = %v, want it rate limited with the reason", err)
	}
}
