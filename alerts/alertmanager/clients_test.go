//go:build clients

package alertmanager

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/delivery"
)

// A box is an outbox in memory.
type box struct {
	mu   sync.Mutex
	kept map[string][]byte
}

func (b *box) Put(entries map[string][]byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.Copy(b.kept, entries)
	return nil
}

func (b *box) Delete(ids ...string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		delete(b.kept, id)
	}
	return nil
}

func (b *box) All() (map[string][]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.kept), nil
}

// A manager is the API over a deliverer whose receiver is a real server.
type manager struct {
	*delivery.Deliverer
	url   string
	told  chan string
	alert alerts.Notification
}

// managing starts over what the box has.
func managing(t *testing.T, b *box) *manager {
	t.Helper()
	m := &manager{told: make(chan string, 10)}
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body struct{ Status string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		m.told <- body.Status
	}))
	t.Cleanup(hook.Close)
	receivers, err := delivery.LoadReceivers("am.yml", []byte("route: {receiver: oncall}\nreceivers: [{name: oncall, webhook_configs: [{url: '"+hook.URL+"'}]}]"))
	if err != nil {
		t.Fatal(err)
	}
	if m.Deliverer, err = delivery.New(receivers, b, delivery.Options{}); err != nil {
		t.Fatal(err)
	}
	m.Start()
	t.Cleanup(m.stop)
	m.alert = alerts.Notification{
		Group: "g", Rule: "Low", Status: alerts.Firing, StartsAt: time.Now(), WindowEnd: 1,
		Labels: map[string]string{"alertname": "Low", "channel": "douyin"}, Annotations: map[string]string{"summary": "too low"},
	}
	m.alert.Identify("douyin")
	api, err := New(m.Deliverer, receivers, "http://tide.example", func() []alerts.Notification { return []alerts.Notification{m.alert} })
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.StripPrefix("/alertmanager", api))
	t.Cleanup(s.Close)
	m.url = s.URL + "/alertmanager"
	return m
}

func (m *manager) stop() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	m.Stop(ctx)
}

// amtool runs the tool and returns what it says on its output.
func (m *manager) amtool(t *testing.T, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("amtool")
	if err != nil {
		t.Fatal("amtool is missing: install Debian's package prometheus-alertmanager")
	}
	cmd := exec.Command(path, append([]string{"--alertmanager.url=" + m.url}, args...)...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("amtool %s: %v\n%s%s", strings.Join(args, " "), err, out, &said)
	}
	return strings.TrimSpace(string(out))
}

// has expects that amtool says all of it.
func (m *manager) has(t *testing.T, args string, want ...string) {
	t.Helper()
	out := m.amtool(t, strings.Fields(args)...)
	for _, text := range want {
		if !strings.Contains(out, text) {
			t.Errorf("amtool %s: no %q in\n%s", args, text, out)
		}
	}
}

// amtool silences an alert, sees that, and ends it; a restart in between changes nothing.
func TestAmtool(t *testing.T) {
	b := &box{kept: map[string][]byte{}}
	m := managing(t, b)
	id := m.amtool(t, "silence", "add", "--author=ann", "--comment=works", "--duration=1h", "alertname=Low", "channel=~dou.*")
	m.has(t, "silence query", id, `alertname="Low" channel=~"dou.*"`, "ann", "works")
	if err := m.Notify([]alerts.Notification{m.alert}); err != nil {
		t.Fatal(err)
	}
	m.stop()

	m = managing(t, b)
	m.has(t, "silence query alertname=Low", id)
	m.has(t, "alert query --silenced", "Low", "too low", "suppressed")
	if out := m.amtool(t, "alert", "query"); strings.Contains(out, "Low") {
		t.Errorf("a silenced alert is listed:\n%s", out)
	}
	m.has(t, "alert query --silenced -o json", id)
	m.has(t, "config show", "receiver: oncall")
	select {
	case told := <-m.told:
		t.Errorf("told %s", told)
	default:
	}
	m.amtool(t, "silence", "expire", id)
	if told := <-m.told; told != "firing" {
		t.Errorf("told %s", told)
	}
	m.has(t, "alert query", "Low", "active")
	m.has(t, "silence query --expired", id)
	if out := m.amtool(t, "silence", "query"); strings.Contains(out, id) {
		t.Errorf("a silence that is over is listed:\n%s", out)
	}

	second := m.amtool(t, "silence", "add", "--author=ann", "--comment=again", "--duration=1h", "alertname=Low")
	m.has(t, "silence update --comment=longer --duration=2h "+second, "longer")
	m.has(t, "silence query", "longer")
}
