package app

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/tidewatch/tidewatch/internal/api"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/stream/jetstream"
	"github.com/tidewatch/tidewatch/windows/users"
)

func TestStatesAreThoseOfSignals(t *testing.T) {
	var kinds []string
	for _, k := range []users.SignalKind{users.SignalAtRisk, users.SignalChurned, users.SignalDeclining, users.SignalReturned} {
		kinds = append(kinds, string(k))
	}
	if !slices.Equal(kpi.SignalStates, kinds) {
		t.Errorf("webhooks and queries may name %v, signals tell of %v", kpi.SignalStates, kinds)
	}
}

// TestToldTo: of a parcel that goes beyond what was done before a rebuild, the signals
// that messages up to there brought were told then.
func TestToldTo(t *testing.T) {
	p := &parcel{
		batch:     &stream.Batch{Messages: []stream.Message{{Sequence: 5, Rows: 2}, {Sequence: 6, Rows: 3}, {Sequence: 7, Rows: 1}}},
		crossings: []stream.Crossing{{Row: 1, Watermark: 10}, {Row: 4, Watermark: 20}, {Row: 5, Watermark: 30}},
	}
	for sequence, want := range map[uint64]int64{4: math.MinInt64, 5: 10, 6: 20, 7: 30} {
		if got := toldTo(p, sequence); got != want {
			t.Errorf("messages up to %d bring the watermark to %d, want %d", sequence, got, want)
		}
	}
}

type signal struct {
	ID      string
	UserID  string `json:"user_id"`
	State   string
	Holdout bool
}

// signalling starts a service with a webhook that is told who is at risk, and answers with
// what arrives there.
func signalling(t *testing.T, c *config.Config) (*Service, <-chan []signal) {
	t.Helper()
	arrived := make(chan []signal, 100)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var signals []signal
		if err := json.NewDecoder(r.Body).Decode(&signals); err != nil {
			t.Error(err)
		}
		arrived <- signals
	}))
	t.Cleanup(hook.Close)
	c.Signals.Webhooks = []config.Webhook{{URL: hook.URL, States: []string{"at_risk"}}}
	s := openService(t, c)
	s.Start()
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s, arrived
}

// TestSignalsReachWebhooks: from events to a webhook, but for users held out, who are
// in the list with all others.
func TestSignalsReachWebhooks(t *testing.T) {
	c := config.Default()
	c.Data, c.Signals.Holdout = t.TempDir(), 500_000
	s, arrived := signalling(t, c)
	told := map[string]bool{} // whether each user is held out
	event := func(user string, at time.Time) {
		if _, err := s.broker.Append(t.Context(), fmt.Appendf(nil, `{"id":"1","time":%d,"type":"play","user_id":%q,"watch_ms":1}`, at.UnixMilli(), user)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 12 {
		user := fmt.Sprint("u", i)
		told[user] = kpi.HeldOut(user, c.Signals.Holdout)
		event(user, time.Now().AddDate(0, 0, -10))
	}
	event("who moves time on", time.Now())
	got := map[string]bool{}
	for len(got) < len(told)-held(told) {
		for _, m := range <-arrived {
			if m.State != "at_risk" || m.Holdout || told[m.UserID] || got[m.UserID] {
				t.Errorf("told of %+v", m)
			}
			got[m.UserID] = true
		}
	}
	list, err := s.Signals(t.Context(), api.SignalQuery{State: "at_risk", Limit: 100})
	if err != nil || len(list.Signals) != len(told) {
		t.Fatalf("%d in the list, %v, want %d", len(list.Signals), err, len(told))
	}
	for _, data := range list.Signals {
		var m signal
		if err := json.Unmarshal(data, &m); err != nil || m.Holdout != told[m.UserID] {
			t.Errorf("in the list: %s, %v, want holdout %t", data, err, told[m.UserID])
		}
	}
}

// TestSignalsOfRemovedStream: a stream of signals that somebody removes while the service
// runs is made anew by the next signal, which is in the list and reaches webhooks.
func TestSignalsOfRemovedStream(t *testing.T) {
	c := config.Default()
	c.Data, c.NATS.Listen = t.TempDir(), "127.0.0.1:0"
	s, arrived := signalling(t, c)
	seen := func(user string, days int) {
		if _, err := s.broker.Append(t.Context(), fmt.Appendf(nil, `{"id":"1","time":%d,"type":"play","user_id":%q,"watch_ms":1}`, time.Now().AddDate(0, 0, -days).UnixMilli(), user)); err != nil {
			t.Fatal(err)
		}
	}
	awaitSignal := func(user string) {
		if got := <-arrived; len(got) != 1 || got[0].UserID != user {
			t.Fatalf("told of %v, want %s", got, user)
		}
	}
	seen("first", 20)
	seen("second", 10)
	awaitSignal("first")
	nc, err := nats.Connect(s.broker.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := natsjs.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(t.Context(), jetstream.Signals); err != nil {
		t.Fatal(err)
	}
	seen("who moves time on", 0)
	awaitSignal("second")
	list, err := s.Signals(t.Context(), api.SignalQuery{State: "at_risk", Limit: 100})
	if err != nil || len(list.Signals) != 1 {
		t.Errorf("%d signals in the stream made anew, %v, want 1", len(list.Signals), err)
	}
}

func held(told map[string]bool) (n int) {
	for _, out := range told {
		if out {
			n++
		}
	}
	return n
}
