package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/internal/app"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/generate"
	"github.com/tidewatch/tidewatch/stream/jetstream"
)

// measure fills a stream, then lets a service consume it.
func (l load) measure(ctx context.Context, dir, binary string, t *table, profile, heap string) error {
	cfg := config.Default()
	cfg.Data, cfg.Listen, cfg.MemoryBudget = filepath.Join(dir, "load"), "127.0.0.1:0", 16<<30
	last, bytes, err := l.fill(ctx, cfg)
	if err != nil {
		return err
	}
	t.row("load", fmt.Sprintf("%d events of %d B, %d users, %d contents, %.0f events/s of event time, messages of %d", l.events, bytes/int64(l.events), l.users, l.contents, l.rate, l.message))
	undecoded, err := l.readOnly(ctx, cfg, last)
	if err != nil {
		return err
	}
	s, err := app.New(ctx, cfg, app.Options{Log: zerolog.Nop()})
	if err != nil {
		return err
	}
	runtime.GC()
	stopProfile, err := startProfile(profile)
	if err != nil {
		return err
	}
	cpu, began := cpuTime(), time.Now()
	s.Start()
	q, err := startQueries(ctx, "http://"+s.Addr().String())
	if err != nil {
		return err
	}
	if err := s.WaitFor(ctx, last); err != nil {
		return err
	}
	cost, took := cpuTime()-cpu, time.Since(began)
	stopProfile()
	lat, err := q.stop()
	if err != nil {
		return err
	}
	n := float64(l.events)
	t.row("cost", fmt.Sprintf("%.2f core-µs an event", float64(cost.Nanoseconds())/n/1000))
	t.row("throughput", fmt.Sprintf("%.0f events/s", n/took.Seconds()))
	t.row("reading undecoded", fmt.Sprintf("%.2f core-µs an event; the service costs %.1f times that", float64(undecoded.Nanoseconds())/n/1000, float64(cost)/float64(undecoded)))
	t.row("query under this load", percentiles(lat))
	body, err := get("http://" + s.Addr().String() + "/metrics")
	if err != nil {
		return err
	}
	for line := range strings.SplitSeq(body, "\n") {
		for _, name := range []string{"tidewatch_checkpoint_duration_seconds{", "tidewatch_checkpoint_pause_seconds{", "tidewatch_users ", "tidewatch_ledger_events_total{"} {
			if strings.HasPrefix(line, name) {
				t.row(strings.Fields(line)[0], strings.Fields(line)[1])
			}
		}
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	if err := writeHeap(heap); err != nil {
		return err
	}
	t.row("heap in use", fmt.Sprintf("%d MiB", m.HeapInuse>>20))
	if err := s.Stop(ctx); err != nil {
		return err
	}
	return recovery(ctx, cfg.Data, binary, last, t)
}

// fill publishes the load as the HTTP side would.
func (l load) fill(ctx context.Context, cfg *config.Config) (last uint64, size int64, err error) {
	b, err := jetstream.Open(ctx, jetstream.Options{Dir: filepath.Join(cfg.Data, "stream"), MaxBytes: cfg.Retention.Size})
	if err != nil {
		return 0, 0, err
	}
	defer b.Close()
	span := time.Duration(float64(l.events) / l.rate * float64(time.Second))
	g := generate.New(generate.Options{Seed: 1, Start: time.Now().Add(-span - time.Minute), Events: int64(l.events), Rate: l.rate, Steady: true,
		Users: l.users, Contents: l.contents, Disorder: cfg.Disorder, Late: 0.01, LateBy: 5 * time.Minute, Duplicates: 0.001})
	var buf []byte
	for {
		var n int
		if buf, n = g.AppendLines(buf[:0], l.message); n == 0 {
			return last, size, nil
		}
		size += int64(len(buf))
		if last, err = b.Append(ctx, buf); err != nil {
			return 0, 0, err
		}
	}
}

// readOnly is the cost of reading the stream without decoding it.
func (l load) readOnly(ctx context.Context, cfg *config.Config, last uint64) (time.Duration, error) {
	b, err := jetstream.Open(ctx, jetstream.Options{Dir: filepath.Join(cfg.Data, "stream"), MaxBytes: cfg.Retention.Size})
	if err != nil {
		return 0, err
	}
	defer b.Close()
	source, err := b.Source(ctx, 0, 0)
	if err != nil {
		return 0, err
	}
	defer source.Close()
	cpu := cpuTime()
	for {
		raws, err := source.Next(ctx, nil, 512<<10)
		if err != nil {
			return 0, err
		}
		if raws[len(raws)-1].Sequence >= last {
			return cpuTime() - cpu, nil
		}
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage // of ourselves: there is one always
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func get(url string) (string, error) {
	r, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", url, r.Status, body)
	}
	return string(body), err
}

func percentiles(ds []time.Duration) string {
	if len(ds) == 0 {
		return "none"
	}
	slices.Sort(ds)
	at := func(p float64) string { return round(ds[int(p*float64(len(ds)-1))]) }
	return fmt.Sprintf("p50 %s, p99 %s, max %s (n=%d)", at(0.5), at(0.99), at(1), len(ds))
}

// recovery kills a serving process and measures how long the next one takes to
// answer again.
func recovery(ctx context.Context, data, binary string, last uint64, t *table) error {
	if binary == "" {
		t.row("recovery after kill -9", "not measured: give -binary")
		return nil
	}
	url, kill, err := serve(ctx, binary, data)
	if err != nil {
		return err
	}
	if err := ready(ctx, url); err != nil {
		return err
	}
	kill()
	began := time.Now()
	if url, kill, err = serve(ctx, binary, data); err != nil {
		return err
	}
	defer kill()
	if err := ready(ctx, url); err != nil {
		return err
	}
	t.row("recovery after kill -9", round(time.Since(began)))
	return nil
}

func serve(ctx context.Context, binary, data string) (url string, kill func(), err error) {
	cmd := exec.CommandContext(ctx, binary, "serve", "--data", data, "--listen", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return "", nil, fmt.Errorf("%s ended before it listened", binary)
	}
	kill = func() {
		_ = cmd.Process.Kill() // fails when it has ended already
		_ = cmd.Wait()
	}
	return strings.TrimSpace(strings.TrimPrefix(line, "listening on ")), kill, nil
}

func ready(ctx context.Context, url string) error {
	for ctx.Err() == nil {
		if _, err := get(url + "/-/ready"); err == nil {
			return nil
		}
		time.Sleep(5 * time.Millisecond)
	}
	return ctx.Err()
}
