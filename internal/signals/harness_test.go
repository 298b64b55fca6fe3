package signals

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/VictoriaMetrics/metrics"
	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream/jetstream"
)

func openBroker(t *testing.T, o jetstream.Options) *jetstream.Broker {
	t.Helper()
	b, err := jetstream.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// publish adds signals of a state; those with a minus are held out.
func publish(t *testing.T, b *jetstream.Broker, state string, ids ...int) {
	t.Helper()
	var out []jetstream.Output
	for _, id := range ids {
		data := fmt.Sprintf(`{"id":"%d","state":%q}`, id, state)
		if id < 0 {
			data = fmt.Sprintf(`{"id":"%d","state":%q,"holdout":true}`, id, state)
		}
		out = append(out, jetstream.Output{ID: fmt.Sprint(state, id), Subject: "signals.churn." + state, Data: []byte(data)})
	}
	if _, err := b.PublishOutput(t.Context(), jetstream.Signals, out...); err != nil {
		t.Fatal(err)
	}
}

// call is a request as the receiver saw it.
type call struct {
	header http.Header
	body   string
	ids    []string
}

// receiver is a webhook's other end.
type receiver struct {
	*httptest.Server
	calls chan call
}

// newReceiver answers its calls, counted from 0, with the status that answer gives.
func newReceiver(t *testing.T, answer func(w http.ResponseWriter, n int) int) *receiver {
	r := &receiver{calls: make(chan call, 100)}
	var mu sync.Mutex
	n := 0
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return // it was given up
		}
		c := call{header: req.Header, body: string(body)}
		var signals []struct{ ID string }
		if err := json.Unmarshal(body, &signals); err != nil || req.Method != http.MethodPost || req.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %v %s: %v", req.Method, req.Header, body, err)
		}
		for _, s := range signals {
			c.ids = append(c.ids, s.ID)
		}
		r.calls <- c
		status := http.StatusNoContent
		if answer != nil {
			status = answer(w, n)
		}
		n++
		w.WriteHeader(status)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) next(t *testing.T) call {
	t.Helper()
	select {
	case c := <-r.calls:
		return c
	case <-t.Context().Done():
		t.Fatal("no call")
		return call{}
	}
}

// want takes calls until they brought the ids, in any order.
func (r *receiver) want(t *testing.T, ids ...string) (calls []call) {
	t.Helper()
	left := map[string]bool{}
	for _, id := range ids {
		left[id] = true
	}
	for len(left) > 0 {
		c := r.next(t)
		for _, id := range c.ids {
			if !left[id] {
				t.Errorf("got %s, want %v", id, left)
			}
			delete(left, id)
		}
		calls = append(calls, c)
	}
	return calls
}

// silent fails if there is a call that nobody has taken.
func (r *receiver) silent(t *testing.T) {
	t.Helper()
	select {
	case c := <-r.calls:
		t.Errorf("got %v as well", c.ids)
	default:
	}
}

// signed reports whether a call has the signature of the key, as a receiver finds out.
func (c call) signed(key string) bool {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(c.header.Get("webhook-id") + "." + c.header.Get("webhook-timestamp") + "." + c.body))
	return c.header.Get("webhook-signature") == "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// running are webhooks under way.
type running struct {
	metrics *metrics.Set
	log     *strings.Builder // to be read after stop
	hooks   *Webhooks
	cancel  context.CancelFunc
	done    chan struct{}
}

func start(t *testing.T, b *jetstream.Broker, hooks ...config.Webhook) *running {
	t.Helper()
	for i := range hooks {
		if hooks[i].States == nil {
			hooks[i].States = kpi.SignalStates
		}
	}
	r := &running{metrics: metrics.NewSet(), log: &strings.Builder{}, done: make(chan struct{})}
	var err error
	if r.hooks, err = Open(t.Context(), b, hooks, Options{Metrics: r.metrics, Log: zerolog.New(zerolog.SyncWriter(r.log))}); err != nil {
		t.Fatal(err)
	}
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(context.Background())
	go func() {
		defer close(r.done)
		r.hooks.Run(ctx)
	}()
	t.Cleanup(r.stop)
	return r
}

func (r *running) stop() {
	r.cancel()
	<-r.done
}

// awaitTaken returns once nothing waits for any webhook.
func (r *running) awaitTaken(t *testing.T) {
	t.Helper()
	for _, h := range r.hooks.hooks {
		for {
			n, err := h.reader.Waiting(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				break
			}
		}
	}
}

// metric is the value of a line of the metrics, "none" without one.
func (r *running) metric(name string) string {
	var b strings.Builder
	r.metrics.WritePrometheus(&b)
	for line := range strings.Lines(b.String()) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return "none"
}

func (r *running) wantMetrics(t *testing.T, receiver string, outcomes map[outcome]string) {
	t.Helper()
	for _, o := range []outcome{delivered, retrying, heldOut, unreadable} {
		name := fmt.Sprintf(`tidewatch_signals_total{receiver=%q,outcome=%q}`, receiver, o)
		if got, want := r.metric(name), cmp.Or(outcomes[o], "0"); got != want {
			t.Errorf("%s %s, want %s", name, got, want)
		}
	}
}
