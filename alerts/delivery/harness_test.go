package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	amwebhook "github.com/prometheus/alertmanager/notify/webhook"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/history"
)

// The package behind metrics starts its goroutine with the first summary: not
// inside a bubble.
var _ = metrics.NewSet().NewSummaryExt("outside", 5*time.Minute, []float64{0.5})

// box is an Outbox in memory.
type box struct {
	mu   sync.Mutex
	kept map[string][]byte
	err  error
	// mended, if there is one, holds up every write until it is closed.
	mended chan struct{}
}

func newBox() *box { return &box{kept: map[string][]byte{}} }

// hang holds up every write until mend is called.
func (b *box) hang() (mend func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	mended := make(chan struct{})
	b.mended = mended
	return func() { close(mended) }
}

func (b *box) wait() {
	b.mu.Lock()
	mended := b.mended
	b.mu.Unlock()
	if mended != nil {
		<-mended
	}
}

func (b *box) Put(entries map[string][]byte) error {
	b.wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		maps.Copy(b.kept, entries)
	}
	return b.err
}

func (b *box) Delete(ids ...string) error {
	b.wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		delete(b.kept, id)
	}
	return b.err
}

func (b *box) All() (map[string][]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.kept), b.err
}

// fail has every write fail, until it is called with nil.
func (b *box) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

// current is what is in it, beside the past: of alerts that fired, of how receivers fared.
func (b *box) current() map[string][]byte {
	return b.without(history.Prefix, healthPrefix)
}

// owed are the notifications in it.
func (b *box) owed() map[string][]byte {
	return b.without(history.Prefix, healthPrefix, accountPrefix)
}

func (b *box) without(prefixes ...string) map[string][]byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := maps.Clone(b.kept)
	maps.DeleteFunc(out, func(key string, _ []byte) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) })
	})
	return out
}

// call is a request as the receiver saw it.
type call struct {
	at   time.Duration
	path string
	key  string
	msg  amwebhook.Message
}

func (c call) String() string {
	a := c.msg.Alerts[0]
	return c.at.String() + " " + a.Labels["alertname"] + " " + a.Status
}

// receiver is a webhook's other end, in memory.
type receiver struct {
	t     *testing.T
	mu    sync.Mutex
	begin time.Time
	calls []call
	// answer gives the status of each call; 0 breaks the connection.
	answer func(c call) (status int, header http.Header)
	says   string // in the body
}

func (r *receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	c := call{at: time.Since(r.begin), path: req.URL.Path, key: req.Header.Get("Idempotency-Key")}
	if err := json.Unmarshal(body, &c.msg); err != nil {
		r.t.Errorf("body %s: %v", body, err)
	}
	r.mu.Lock()
	r.calls = append(r.calls, c)
	r.mu.Unlock()
	status, header := 200, http.Header{}
	if r.answer != nil {
		status, header = r.answer(c)
	}
	switch status {
	case 0:
		return nil, errors.New("connection refused")
	case hang:
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(r.says)), Request: req}, nil
}

const hang = -1

func (r *receiver) take() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.calls
	r.calls = nil
	return out
}

func (r *receiver) receivers() *Receivers {
	return &Receivers{Default: "oncall", Integrations: []*Integration{{
		Receiver: "oncall", Name: "oncall", protocol: webhook{receiver: "oncall"}, URL: "http://hook.example/?key=secret",
		SendResolved: true, Timeout: defaultTimeout, client: &http.Client{Transport: r},
	}}}
}

func newReceiver(t *testing.T, answer func(c call) (int, http.Header)) *receiver {
	return &receiver{t: t, begin: time.Now(), answer: answer, says: "no  such\nchannel"}
}

// deliverer starts one and stops it at the end of the test.
func deliverer(t *testing.T, rs *Receivers, b Outbox, o Options) *Deliverer {
	t.Helper()
	d, err := New(rs, b, o)
	if err != nil {
		t.Fatal(err)
	}
	d.Start()
	t.Cleanup(func() { stop(d) })
	return d
}

func stop(d *Deliverer) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	d.Stop(ctx)
}

// at1 is a second of the tests' event time.
func at1(second int64) int64 { return 1_800_000_000_000 + second*1000 }

// says is a notification of an alert.
func says(rule string, status alerts.State, second int64) alerts.Notification {
	n := alerts.Notification{
		Group: "g", Rule: rule, Status: status, Labels: map[string]string{"alertname": rule},
		Annotations: map[string]string{"value": "0.1"}, StartsAt: time.UnixMilli(at1(0)).UTC(), WindowEnd: at1(second),
	}
	if status == alerts.Resolved {
		n.EndsAt = time.UnixMilli(n.WindowEnd).UTC()
	}
	n.Identify("")
	return n
}

func notifyAll(t *testing.T, d *Deliverer, ns ...alerts.Notification) {
	t.Helper()
	if err := d.Notify(ns); err != nil {
		t.Fatal(err)
	}
}
