package signals

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/tidewatch/tidewatch/stream/jetstream"
)

// In docs/operations.md too, where the import has no other name.
func subscribe(ctx context.Context, nc *nats.Conn, handle func(signal []byte) error) (natsjs.ConsumeContext, error) {
	js, err := natsjs.New(nc)
	if err != nil {
		return nil, err
	}
	place, err := js.CreateOrUpdateConsumer(ctx, "SIGNALS", natsjs.ConsumerConfig{
		Durable:        "crm", // its place in the stream
		FilterSubjects: []string{"signals.churn.at_risk", "signals.churn.churned"},
	})
	if err != nil {
		return nil, err
	}
	return place.Consume(func(m natsjs.Msg) {
		if handle(m.Data()) == nil {
			_ = m.Ack() // without it the signal comes again
		}
	})
}

// TestSubscriber: what the documentation shows works.
func TestSubscriber(t *testing.T) {
	b := openBroker(t, jetstream.Options{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	nc, err := nats.Connect(b.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	got := make(chan string, 10)
	consuming, err := subscribe(t.Context(), nc, func(signal []byte) error { got <- string(signal); return nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(consuming.Stop)
	publish(t, b, "returned", 1)
	publish(t, b, "churned", 2)
	if s := <-got; s != `{"id":"2","state":"churned"}` {
		t.Errorf("got %s", s)
	}

	source, err := os.ReadFile("subscriber_test.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(source), "\nfunc subscribe(")
	code, _, _ = strings.Cut(code, "\n}\n")
	if code = strings.ReplaceAll("func subscribe("+code+"\n}\n", "natsjs.", "jetstream."); !strings.Contains(string(page), code) {
		t.Errorf("docs/operations.md does not have\n%s", code)
	}
}
