package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/internal/app"
	"github.com/tidewatch/tidewatch/internal/config"
)

const (
	pulses     = 20 // series that go up and down
	pulseEvery = 8  // seconds
	liveFor    = 60 * time.Second
)

// measureAlerts lets a rule fire and resolve all the time, and takes the time
// from the end of the deciding second to the arrival of the webhook.
func measureAlerts(ctx context.Context, dir string, t *table) (err error) {
	arrivals := make(chan arrival, 4096)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at := time.Now()
		var body struct {
			Alerts []struct {
				Annotations map[string]string `json:"annotations"`
			} `json:"alerts"`
		}
		if json.NewDecoder(r.Body).Decode(&body) == nil {
			for _, a := range body.Alerts {
				arrivals <- arrival{at, a.Annotations["as_of"]}
			}
		}
	}))
	defer hook.Close()
	cfg, err := pulseConfig(filepath.Join(dir, "live"), hook.URL)
	if err != nil {
		return err
	}
	s, err := app.New(ctx, cfg, app.Options{Log: zerolog.Nop()})
	if err != nil {
		return err
	}
	s.Start()
	defer func() { err = errors.Join(err, s.Stop(ctx)) }()
	pulse(ctx, "http://"+s.Addr().String())
	var took []time.Duration
	for len(arrivals) > 0 {
		a := <-arrivals
		end, err := time.Parse(time.RFC3339Nano, a.end)
		if err != nil {
			return fmt.Errorf("annotation as_of: %w", err)
		}
		took = append(took, a.at.Sub(end))
	}
	t.row("deciding second's end to webhook (disorder 2s)", percentiles(took))
	return nil
}

type arrival struct {
	at  time.Time
	end string
}

func pulseConfig(dir, hook string) (*config.Config, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	files := map[string]string{
		"kpis.yml":         "kpis:\n  - name: pulse\n    title: {en: Pulse, zh: 脉冲}\n    count: {where: 'type == \"pulse\"'}\n    by: [channel]\n    windows: [2s]\n",
		"rules.yml":        "groups:\n  - name: bench\n    rules:\n      - alert: Pulse\n        expr: 'kpi_pulse{by=\"channel\",window=\"2s\"} > 2'\n",
		"alertmanager.yml": "route: {receiver: bench}\nreceivers:\n  - name: bench\n    webhook_configs: [{url: '" + hook + "'}]\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	cfg := config.Default()
	cfg.Data, cfg.Listen = filepath.Join(dir, "data"), "127.0.0.1:0"
	cfg.KPIs, cfg.Rules, cfg.Alertmanager = []string{filepath.Join(dir, "kpis.yml")}, []string{filepath.Join(dir, "rules.yml")}, filepath.Join(dir, "alertmanager.yml")
	return cfg, nil
}

// pulse posts events of now: each channel is busy for one second of eight.
func pulse(ctx context.Context, url string) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for began, n := time.Now(), 0; time.Since(began) < liveFor && ctx.Err() == nil; <-ticker.C {
		now := time.Now()
		var b strings.Builder
		for c := range pulses {
			if (now.Unix()+int64(c))%pulseEvery < pulseEvery/2 {
				n++
				fmt.Fprintf(&b, "{\"id\":%d,\"time\":%d,\"type\":\"pulse\",\"user_id\":%d,\"channel\":\"c%d\"}\n", n, now.UnixMilli(), n%1000, c)
			}
		}
		if r, err := http.Post(url+"/v1/events", "application/x-ndjson", strings.NewReader(b.String())); err == nil {
			r.Body.Close()
		}
	}
}

// measurePosts lets 64 clients post one event at a time.
func measurePosts(ctx context.Context, dir string, t *table) (err error) {
	cfg := config.Default()
	cfg.Data, cfg.Listen = filepath.Join(dir, "posts"), "127.0.0.1:0"
	s, err := app.New(ctx, cfg, app.Options{Log: zerolog.Nop()})
	if err != nil {
		return err
	}
	s.Start()
	defer func() { err = errors.Join(err, s.Stop(ctx)) }()
	url := "http://" + s.Addr().String() + "/v1/events"
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	const clients, each = 64, 500
	all := make([][]time.Duration, clients)
	var wg sync.WaitGroup
	cpu, began := cpuTime(), time.Now()
	for c := range clients {
		wg.Go(func() {
			for i := range each {
				event := fmt.Sprintf(`{"id":"%d-%d","time":%d,"type":"play","user_id":%d,"channel":"douyin","watch_ms":9000,"duration_ms":15000}`, c, i, time.Now().UnixMilli(), c*1000+i)
				at := time.Now()
				r, err := client.Post(url, "application/json", bytes.NewReader([]byte(event)))
				if err != nil {
					continue
				}
				r.Body.Close()
				if r.StatusCode == http.StatusOK {
					all[c] = append(all[c], time.Since(at))
				}
			}
		})
	}
	wg.Wait()
	took, cost := time.Since(began), cpuTime()-cpu
	var ds []time.Duration
	for _, d := range all {
		ds = append(ds, d...)
	}
	t.row("single-event POSTs, 64 clients, synced", fmt.Sprintf("%.0f/s, %s; %.0f core-µs each with the client", float64(len(ds))/took.Seconds(), percentiles(ds), float64(cost.Microseconds())/float64(max(len(ds), 1))))
	return nil
}
