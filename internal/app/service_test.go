package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"testing"
	"time"

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

// A stop waits for what is under way, not for all that was read: that is read again at the
// next start.
func TestStopBehindBacklog(t *testing.T) {
	c := config.Default()
	c.Data = t.TempDir()
	s := openService(t, c)
	s.Start()
	id := 0
	publish := func(n int) (last uint64) {
		var b bytes.Buffer
		for range n {
			id++
			fmt.Fprintf(&b, `{"id":%d,"time":%d,"type":"play","user_id":"u","watch_ms":1,"filler":"%0200d"}`+"\n", id, time.Now().UnixMilli(), 0)
		}
		last, err := s.broker.Append(t.Context(), b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		return last
	}
	if err := s.WaitFor(t.Context(), publish(1)); err != nil {
		t.Fatal(err)
	}
	for range cap(s.gate) { // no stage goes on
		s.gate <- struct{}{}
	}
	last, passed := uint64(0), s.sight.passed.Load()
	for range 12 {
		last = publish(4000)
	}
	for len(s.parcels) < 2 {
		runtime.Gosched()
	}
	stopped := make(chan error)
	go func() { stopped <- s.Stop(context.WithoutCancel(t.Context())) }()
	for !s.lane.hurry.Load() {
		runtime.Gosched()
	}
	for range cap(s.gate) {
		<-s.gate
	}
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	if kept, n := s.commits.last.position, s.sight.passed.Load()-passed; kept == 0 || kept >= last || n > 1 {
		t.Errorf("committed up to message %d of %d, %d parcels", kept, last, n)
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
