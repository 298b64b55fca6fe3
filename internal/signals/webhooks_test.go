package signals

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/stream/jetstream"
)

// TestDelivers: each webhook gets the signals of its states that are published while
// it is there, signed with its secret, and none of who is held out.
func TestDelivers(t *testing.T) {
	b := openBroker(t, jetstream.Options{Dir: t.TempDir()})
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1u\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	all, some := newReceiver(t, nil), newReceiver(t, nil)
	publish(t, b, "churned", 1)
	r := start(t, b, config.Webhook{URL: all.URL + "/a"}, config.Webhook{URL: some.URL, States: []string{"at_risk", "churned"}, SecretFile: secret})
	publish(t, b, "churned", 2, -3)
	publish(t, b, "returned", 4, -5)
	publish(t, b, "at_risk", 6)
	if _, err := b.PublishOutput(t.Context(), jetstream.Signals, jetstream.Output{ID: "x", Subject: "signals.churn.at_risk", Data: []byte("{nonsense")}); err != nil {
		t.Fatal(err)
	}
	for _, c := range all.want(t, "2", "4", "6") {
		if h := c.header; h.Get("webhook-signature") != "" || h.Get("webhook-id") == "" || strings.Contains(h.Get("webhook-id"), ".") || h.Get("webhook-timestamp") == "" {
			t.Errorf("headers without a secret: %v", h)
		}
	}
	for _, c := range some.want(t, "2", "6") {
		if !c.signed("0123456789abcdefghijklmn") || c.signed("another") {
			t.Errorf("not signed with the secret: %v", c.header)
		}
	}
	r.awaitTaken(t)
	r.stop()
	all.silent(t)
	some.silent(t)
	r.wantMetrics(t, strings.TrimPrefix(all.URL, "http://"), map[outcome]string{delivered: "3", heldOut: "2", unreadable: "1"})
	r.wantMetrics(t, strings.TrimPrefix(some.URL, "http://"), map[outcome]string{delivered: "2", heldOut: "1", unreadable: "1"})
	if !strings.Contains(r.log.String(), "only the service is to publish there") {
		t.Errorf("nothing is said of what is no signal: %s", r.log)
	}
}

// TestBatches: what waits goes in arrays of at most 500.
func TestBatches(t *testing.T) {
	b := openBroker(t, jetstream.Options{Dir: t.TempDir(), NoSync: true})
	hook := newReceiver(t, nil)
	r := start(t, b, config.Webhook{URL: hook.URL})
	r.stop()
	const all = 1200
	var ids []int
	var texts []string
	for i := range all {
		ids, texts = append(ids, i), append(texts, fmt.Sprint(i))
	}
	publish(t, b, "declining", ids...)
	r = start(t, b, config.Webhook{URL: hook.URL})
	calls := hook.want(t, texts...)
	for _, c := range calls {
		if len(c.ids) > 500 {
			t.Errorf("%d signals at once", len(c.ids))
		}
	}
	if len(calls) >= all {
		t.Error("no two signals go together")
	}
	r.awaitTaken(t)
}

// TestRetries: a batch is sent until it is taken, and stays the same; meanwhile it
// waits, and other webhooks do not.
func TestRetries(t *testing.T) {
	b := openBroker(t, jetstream.Options{Dir: t.TempDir()})
	answered := make(chan int)
	slow := newReceiver(t, func(_ http.ResponseWriter, _ int) int { return <-answered })
	fast := newReceiver(t, nil)
	r := start(t, b, config.Webhook{URL: slow.URL}, config.Webhook{URL: fast.URL})
	publish(t, b, "churned", 1)
	first := slow.next(t)
	fast.want(t, "1")
	publish(t, b, "churned", 2)
	fast.want(t, "2")
	host := strings.TrimPrefix(slow.URL, "http://")
	if n := r.metric(`tidewatch_signals_waiting{receiver="` + host + `"}`); n != "2" {
		t.Errorf("%s wait, want 2", n)
	}
	answered <- 503
	again := slow.next(t)
	if again.body != first.body || again.header.Get("webhook-id") != first.header.Get("webhook-id") {
		t.Errorf("retried as %v %s, was %v %s", again.header, again.body, first.header, first.body)
	}
	answered <- 200
	other := slow.next(t)
	if !slices.Equal(other.ids, []string{"2"}) || other.header.Get("webhook-id") == first.header.Get("webhook-id") {
		t.Errorf("then %v %v", other.header, other.ids)
	}
	answered <- 200
	r.awaitTaken(t)
	r.stop()
	r.wantMetrics(t, host, map[outcome]string{delivered: "2", retrying: "1"})
}

// TestRestart: a stop lets the attempt that is under way end, and the next run goes on
// behind it.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	b := openBroker(t, jetstream.Options{Dir: dir})
	answered := make(chan int, 1)
	hook := newReceiver(t, func(http.ResponseWriter, int) int { return <-answered })
	r := start(t, b, config.Webhook{URL: hook.URL})
	publish(t, b, "churned", 1)
	hook.want(t, "1")
	publish(t, b, "churned", 2)
	r.cancel()
	answered <- 200
	r.stop()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}

	b = openBroker(t, jetstream.Options{Dir: dir})
	answered <- 200
	r = start(t, b, config.Webhook{URL: hook.URL})
	hook.want(t, "2")
	r.awaitTaken(t)
	hook.silent(t)
}

// TestCrash: what a receiver has taken, and that was not noted, comes again as it was.
func TestCrash(t *testing.T) {
	dir := t.TempDir()
	b := openBroker(t, jetstream.Options{Dir: dir})
	died := make(chan struct{})
	hook := newReceiver(t, func(_ http.ResponseWriter, n int) int {
		if n == 0 {
			<-died
		}
		return 200
	})
	r := start(t, b, config.Webhook{URL: hook.URL})
	publish(t, b, "churned", 1)
	before := hook.next(t)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	close(died)
	r.stop()

	b = openBroker(t, jetstream.Options{Dir: dir})
	r = start(t, b, config.Webhook{URL: hook.URL})
	after := hook.next(t)
	if after.body != before.body || after.header.Get("webhook-id") != before.header.Get("webhook-id") {
		t.Errorf("sent again as %v %s, was %v %s", after.header, after.body, before.header, before.body)
	}
	r.awaitTaken(t)
	hook.silent(t)
}

// TestHangs: an attempt that gets no answer does not hold up the end.
func TestHangs(t *testing.T) {
	dir := t.TempDir()
	b := openBroker(t, jetstream.Options{Dir: dir})
	hang := make(chan int)
	hook := newReceiver(t, func(http.ResponseWriter, int) int { return <-hang })
	r := start(t, b, config.Webhook{URL: hook.URL})
	publish(t, b, "churned", 1)
	hook.want(t, "1")
	r.stop()
	close(hang)
	if n, err := r.hooks.hooks[0].reader.Waiting(t.Context()); n != 1 || err != nil {
		t.Errorf("%d wait, %v, want 1", n, err)
	}
}

// TestForgets: a webhook that is not configured any more, or with other states, loses
// its place, which is told; nobody else's is touched.
func TestForgets(t *testing.T) {
	b := openBroker(t, jetstream.Options{Dir: t.TempDir()})
	hook := newReceiver(t, func(http.ResponseWriter, int) int { return 500 })
	if _, err := b.Reader(t.Context(), jetstream.Signals, "crm"); err != nil {
		t.Fatal(err)
	}
	r := start(t, b, config.Webhook{URL: hook.URL})
	publish(t, b, "churned", 1)
	hook.want(t, "1")
	r.stop()
	churned := config.Webhook{URL: hook.URL, States: []string{"churned"}}
	r = start(t, b, churned)
	r.stop()
	if !strings.Contains(r.log.String(), `"waiting":1`) || strings.Contains(r.log.String(), hook.URL) {
		t.Errorf("log %s, want it to say that one signal is not sent", r.log)
	}
	readers, err := b.Readers(t.Context(), jetstream.Signals)
	if _, foreign := readers["crm"]; err != nil || len(readers) != 2 || !foreign {
		t.Errorf("readers %v, %v, want crm and one more", readers, err)
	}
	if n, ok := readers[place(churned)]; n != 0 || !ok {
		t.Errorf("readers %v: a webhook with other states does not begin with what is published from then on", readers)
	}
}

// TestLost: what the stream gives up while a webhook is away is told.
func TestLost(t *testing.T) {
	b := openBroker(t, jetstream.Options{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	answered := make(chan int)
	hook := newReceiver(t, func(http.ResponseWriter, int) int { return <-answered })
	r := start(t, b, config.Webhook{URL: hook.URL})
	publish(t, b, "churned", 1)
	hook.want(t, "1")
	publish(t, b, "churned", 2, 3)
	if err := stream(t, b).Purge(t.Context(), natsjs.WithPurgeSequence(3)); err != nil {
		t.Fatal(err)
	}
	answered <- 500
	hook.want(t, "1")
	answered <- 200
	hook.want(t, "3")
	answered <- 200
	r.awaitTaken(t)
	r.stop()
	if got := r.log.String(); !strings.Contains(got, `"from":2,"to":2`) {
		t.Errorf("log %s, want it to say that message 2 is lost", got)
	}
}

// stream is SIGNALS as another client has it.
func stream(t *testing.T, b *jetstream.Broker) natsjs.Stream {
	t.Helper()
	nc, err := nats.Connect(b.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := natsjs.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	s, err := js.Stream(t.Context(), jetstream.Signals)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNames(t *testing.T) {
	hooks := []config.Webhook{{URL: "https://u:pw@crm.example/a"}, {URL: "https://crm.example:444/a"}, {URL: "http://crm.example/b?key=1"}}
	for i, want := range []string{"crm.example", "crm.example:444", "crm.example[1]"} {
		if got := name(hooks, i); got != want {
			t.Errorf("webhook %d is %s, want %s", i, got, want)
		}
	}
}
