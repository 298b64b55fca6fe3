package app

import (
	"errors"
	"net"
	"testing"

	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/internal/config"
)

// A service that was never started can be stopped, twice, and leaves its folder
// and its address to the next.
func TestStopBeforeStart(t *testing.T) {
	c := config.Default()
	c.Data, c.Listen = t.TempDir(), "127.0.0.1:0"
	for range 2 {
		s, err := New(t.Context(), c, Options{Log: zerolog.Nop()})
		if err != nil {
			t.Fatal(err)
		}
		c.Listen = s.Addr().String()
		for range 2 {
			if err := s.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
}

// All is closed, the last first, and every error is told.
func TestCleanup(t *testing.T) {
	var s Service
	var order []int
	first, second := errors.New("first"), errors.New("second")
	for i, err := range []error{first, nil, second} {
		s.onCleanup(func() error { order = append(order, i); return err })
	}
	err := s.cleanup()
	if !errors.Is(err, first) || !errors.Is(err, second) || len(order) != 3 || order[0] != 2 {
		t.Errorf("%v in the order %v", err, order)
	}
	if err := s.cleanup(); err != nil || len(order) != 3 {
		t.Errorf("again: %v in the order %v", err, order)
	}
}

// openService opens a service on a free port of the loopback.
func openService(t *testing.T, c *config.Config) *Service {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(t.Context(), c, Options{Log: zerolog.Nop(), Listener: listener})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
