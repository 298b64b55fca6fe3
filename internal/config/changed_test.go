package config

import (
	"slices"
	"testing"
)

// What the file says otherwise is named, whatever was given beside it, and nothing else.
func TestChanged(t *testing.T) {
	setEnv(t)
	whole, err := Load("testdata/good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	of := func(text string) *Config {
		t.Helper()
		c, err := parse("testdata/other.yaml", []byte(text), lookup)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	again, err := Load("testdata/good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	flags := of("listen: 127.0.0.1:9000")
	flags.Listen, flags.Data = "127.0.0.1:0", "elsewhere"
	for _, tt := range []struct {
		name     string
		from, to *Config
		want     []string
	}{
		{"every key", whole, of(""), []string{"timezone", "disorder", "lateness", "accept_late", "idle_tick", "currency", "kpis", "rules", "alertmanager", "alertmanagers",
			"retention.events", "retention.size", "retention.history", "memory_budget", "listen", "external_url", "data", "nats.url", "partitions", "checkpoint_interval",
			"metrics.max_series", "limits.connections", "limits.bodies", "limits.body_rate", "limits.reads", "users.pseudonymise", "users.secret_file", "users.forget_after",
			"signals.holdout", "signals.webhooks", "remote_write", "clock_errors"}},
		{"none", whole, again, nil},
		{"in other words", of("lateness: 10m"), of("# as before\nlateness: 600s\ndisorder: 2s"), nil},
		{"what follows from it is none", of("lateness: 10m"), of("lateness: 20m"), []string{"lateness"}},
		{"beside flags", flags, of("listen: 127.0.0.1:9000\ndata: here"), []string{"data"}},
		{"no files", Default(), Default(), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.from.Changed(tt.to); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}
