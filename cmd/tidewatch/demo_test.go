package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidewatch/tidewatch/internal/demo"
)

// The demo runs with what a file says, and with addresses, data, rules and receivers of its
// own.
func TestDemoConfig(t *testing.T) {
	name := filepath.Join(t.TempDir(), "demo.yaml")
	configured := func(text string) error {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		own := demo.Settings{Listen: "127.0.0.1:1", Data: "own", Rules: []string{"own.yml"}, Alertmanager: "own.yml", Config: name}
		c, err := demoConfig(own)
		if err != nil {
			return err
		}
		if c.Listen != own.Listen || c.Data != own.Data || c.Rules[0] != own.Rules[0] || len(c.Rules) > 1 || c.Alertmanager != own.Alertmanager {
			t.Errorf("%s: %+v", text, c)
		}
		if c.NATS.Listen != "127.0.0.1:4222" || len(c.Signals.Webhooks) != 1 || c.Signals.Webhooks[0].URL != "http://127.0.0.1:9000/hook" {
			t.Errorf("%s: NATS %+v, signals %+v", text, c.NATS, c.Signals)
		}
		return nil
	}
	const signals = "\nsignals: {webhooks: [{url: 'http://127.0.0.1:9000/hook'}]}\n"
	if err := configured("nats: {listen: 127.0.0.1:4222}" + signals + "listen: 0.0.0.0:8080\ndata: other\nrules: []\n"); err != nil {
		t.Error(err)
	}
	if err := configured("nats: {listen: 0.0.0.0:4222}" + signals); err == nil || !strings.Contains(err.Error(), "not loopback") {
		t.Errorf("an address for everybody: %v", err)
	}
	if err := configured("signals: {webhooks: [{url: nowhere}]}"); err == nil || !strings.Contains(err.Error(), "demo.yaml:1: signals.webhooks[0].url") {
		t.Errorf("a bad file: %v", err)
	}
	if c, err := demoConfig(demo.Settings{Listen: "127.0.0.1:1"}); err != nil || c.NATS.Listen != "" {
		t.Errorf("without a file: %+v, %v", c, err)
	}
}
