package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/stream"
)

// TestAnswersBeforeRecovery: while the state is not restored the service is
// healthy, takes events, and says of what it does not know that it recovers,
// instead of zeros.
func TestAnswersBeforeRecovery(t *testing.T) {
	c := config.Default()
	c.Data = t.TempDir()
	opened := func() (*Service, func(method, path, body string) (int, string)) {
		t.Helper()
		s := openService(t, c)
		return s, func(method, path, body string) (int, string) {
			w, r := httptest.NewRecorder(), httptest.NewRequest(method, "http://127.0.0.1"+path, strings.NewReader(body))
			r.Host = s.Addr().String()
			s.server.Handler.ServeHTTP(w, r)
			return w.Code, w.Body.String()
		}
	}
	event := func(id int) string {
		return fmt.Sprintf(`{"id":%d,"time":%d,"type":"play","user_id":"u","watch_ms":1}`, id, time.Now().UnixMilli())
	}
	awaitCounted := func(s *Service, n int64) {
		t.Helper()
		for {
			changed := s.Changes()
			if s.Ready() == nil && s.Ledger().Total.Verdicts[stream.Counted] == n {
				return
			}
			select {
			case <-changed:
			case <-t.Context().Done():
				t.Fatalf("ledger %+v, want %d counted", s.Ledger(), n)
			}
		}
	}
	stop := func(s *Service) {
		t.Helper()
		if err := s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}

	s, ask := opened()
	s.Start()
	if code, text := ask(http.MethodPost, "/v1/events", event(1)); code != http.StatusOK {
		t.Fatalf("ingest: %d %s", code, text)
	}
	awaitCounted(s, 1)
	stop(s)

	s, ask = opened()
	for _, tt := range []struct {
		method, path, body string
		code               int
		text               string
	}{
		{http.MethodGet, "/-/healthy", "", 200, "healthy"},
		{http.MethodGet, "/-/ready", "", 503, "recovering"},
		{http.MethodGet, "/api/v1/ledger", "", 503, "recovering"},
		{http.MethodGet, "/api/v1/kpis/plays", "", 503, "recovering"},
		{http.MethodGet, "/api/v1/alerts", "", 503, "recovering"},
		{http.MethodGet, "/api/v1/kpis", "", 200, "plays"},
		{http.MethodGet, "/metrics", "", 200, "tidewatch_consumer_lag_messages"},
		{http.MethodPost, "/v1/events", "{nonsense", 207, "quarantined"},
		{http.MethodPost, "/v1/events", event(2), 200, "accepted"},
	} {
		if code, text := ask(tt.method, tt.path, tt.body); code != tt.code || !strings.Contains(text, tt.text) {
			t.Errorf("%s %s before the recovery: %d %s, want %d with %q", tt.method, tt.path, code, text, tt.code, tt.text)
		}
	}
	states := func(want string) {
		t.Helper()
		if _, text := ask(http.MethodGet, "/metrics", ""); !strings.Contains(text, want) {
			t.Errorf("%q is not on /metrics:\n%s", want, text)
		}
	}
	states("\ntidewatch_ready 0\n")
	states("\ntidewatch_paused 0\n")
	states("\ntidewatch_warnings 0\n")
	states("\ntidewatch_disk_free_bytes ")
	why := errors.New("memory_budget is spent")
	s.stalled.Store(&why)
	states("\ntidewatch_paused 1\n")
	s.stalled.Store(nil)
	if _, text := ask(http.MethodGet, "/metrics", ""); strings.Contains(text, "tidewatch_ledger_events_total") {
		t.Errorf("a ledger that is not known is on /metrics:\n%s", text)
	}
	s.Start()
	awaitCounted(s, 2)
	if _, text := ask(http.MethodGet, "/metrics", ""); !strings.Contains(text, `tidewatch_ledger_events_total{verdict="counted"} 2`) {
		t.Errorf("no ledger on /metrics after the recovery:\n%s", text)
	}
	states("\ntidewatch_ready 1\n")
	states(`tidewatch_ledger_quarantined_total{reason="not_json"} 1`)
	if err := s.purgeOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	info, err := s.broker.Info(t.Context())
	if err != nil || info.Bytes == 0 || info.MaxBytes <= 0 {
		t.Fatalf("the stream holds %+v, %v", info, err)
	}
	states(fmt.Sprintf("\ntidewatch_stream_bytes %d\n", info.Bytes))
	states(fmt.Sprintf("\ntidewatch_stream_max_bytes %g\n", float64(info.MaxBytes)))
	stop(s)

	// Stopped before it has recovered, it leaves no more to read than it found.
	var text strings.Builder
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if s, err = New(t.Context(), c, Options{Log: zerolog.New(&text), Listener: listener}); err != nil {
		t.Fatal(err)
	}
	stop(s)
	if !strings.Contains(text.String(), "stopped: all that was read is committed") {
		t.Errorf("a stop before the recovery says %s", text.String())
	}

	// Stopped at once, as a rule before it has recovered, it loses nothing.
	s, _ = opened()
	s.Start()
	stop(s)
	s, _ = opened()
	s.Start()
	awaitCounted(s, 2)
	stop(s)
}

// TestReadyBehindNoEpoch: where no epoch is and the stream has messages, the service is ready
// once some of them are shown, not before.
func TestReadyBehindNoEpoch(t *testing.T) {
	c := config.Default()
	c.Data = t.TempDir()
	stop := func(s *Service) {
		t.Helper()
		if err := s.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	var events bytes.Buffer
	for id := range 4000 { // more than a small parcel
		fmt.Fprintf(&events, `{"id":%d,"time":%d,"type":"play","user_id":"u","watch_ms":1,"filler":"%0200d"}`+"\n", id, time.Now().UnixMilli(), 0)
	}
	s := openService(t, c)
	if _, err := s.broker.Append(t.Context(), events.Bytes()); err != nil {
		t.Fatal(err)
	}
	stop(s)

	s = openService(t, c)
	for range cap(s.gate) { // nothing is decoded
		s.gate <- struct{}{}
	}
	s.Start()
	for !s.going.Load() {
		runtime.Gosched()
	}
	if s.Ready() == nil {
		t.Error("ready with nothing to show")
	}
	for range cap(s.gate) {
		<-s.gate
	}
	for changed := s.Changes(); s.Ready() != nil; changed = s.Changes() {
		<-changed
	}
	if n := s.lane.shown.Load().ledger.Received(); n == 0 {
		t.Error("ready, and nothing is shown")
	}
	stop(s)
}
