package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	pulses   = 160 // series that go up and down
	pulsing  = 8   // seconds of one up and down
	pulseFor = 30 * time.Second
	// busy is how many events a second come in beside them.
	busy = 25_000
)

// pulse lets a rule fire and resolve all the time, under load, and takes the time from the
// end of the deciding second to the arrival of the webhook.
func pulse(ctx context.Context, b *bench, c contender, dir string) (f figures, err error) {
	var arrived arrivals
	hook := httptest.NewServer(&arrived)
	defer hook.Close()
	settings, err := c.pulseSettings(dir, hook.URL)
	if err != nil {
		return nil, err
	}
	s, err := c.serve(ctx, dir, settings)
	if err != nil {
		return nil, err
	}
	defer s.kill()
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	p := b.timeline(pace{busy, settle + pulseFor + time.Second}).play(ctx, s)
	defer p.cancel()
	if err := pause(ctx, settle); err != nil {
		return nil, err
	}
	if err := s.pulse(ctx); err != nil {
		return nil, err
	}
	arrived.mu.Lock()
	defer arrived.mu.Unlock()
	f.add("notifications", float64(len(arrived.took)))
	f.times("deciding second's end to webhook", arrived.took)
	return f, arrived.err
}

// arrivals takes notifications.
type arrivals struct {
	mu   sync.Mutex
	took []time.Duration
	err  error
}

func (a *arrivals) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	at := time.Now()
	var body struct {
		Alerts []struct {
			Annotations map[string]string `json:"annotations"`
		} `json:"alerts"`
	}
	err := json.NewDecoder(r.Body).Decode(&body)
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, alert := range body.Alerts {
		var end time.Time
		if end, err = time.Parse(time.RFC3339Nano, alert.Annotations["as_of"]); err == nil {
			a.took = append(a.took, at.Sub(end))
		}
	}
	if err != nil {
		a.err = fmt.Errorf("read notification: %w", err)
	}
}

// pulseSettings adds a KPI to the contender's, with a rule and a receiver.
func (c contender) pulseSettings(dir, hook string) (map[string]any, error) {
	var names []string
	for _, file := range []struct{ name, text string }{
		{"pulse.yml", "kpis:\n  - name: pulse\n    title: {en: Pulse, zh: 脉冲}\n    count: {where: 'type == \"pulse\"'}\n    by: [channel]\n    windows: [2s]\n"},
		{"pulse-rules.yml", "groups:\n  - name: bench\n    rules:\n      - alert: Pulse\n        expr: 'kpi_pulse{by=\"channel\",window=\"2s\"} > 2'\n"},
		{"alertmanager.yml", "route: {receiver: bench}\nreceivers:\n  - name: bench\n    webhook_configs: [{url: '" + hook + "'}]\n"},
	} {
		name := filepath.Join(dir, file.name)
		if err := os.WriteFile(name, []byte(file.text), 0o600); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return map[string]any{"kpis": append(slices.Clip(c.kpis), names[0]), "rules": names[1:2], "alertmanager": names[2]}, nil
}

// pulse posts events of now: each channel is busy for half of the time.
func (s *service) pulse(ctx context.Context) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for began, n := time.Now(), 0; time.Since(began) < pulseFor; <-ticker.C {
		now := time.Now()
		var body strings.Builder
		before := n
		for c := range pulses {
			if (now.Unix()+int64(c))%pulsing < pulsing/2 {
				n++
				fmt.Fprintf(&body, "{\"id\":%d,\"time\":%d,\"type\":\"pulse\",\"user_id\":%d,\"channel\":\"c%d\"}\n", n, now.UnixMilli(), n%1000, c)
			}
		}
		if _, err := s.Publish(ctx, []byte(body.String()), n-before); err != nil {
			return err
		}
	}
	return nil
}
