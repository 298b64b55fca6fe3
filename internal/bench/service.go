package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/procfs"
	"go.yaml.in/yaml/v3"

	"github.com/tidewatch/tidewatch/internal/send"
)

// A service is a build that serves.
type service struct {
	contender
	settings map[string]any
	url      string
	cmd      *exec.Cmd
	proc     procfs.Proc
	send.Client
}

// serve starts the build on the data of a folder. settings are added to its
// configuration.
func (c contender) serve(ctx context.Context, dir string, settings map[string]any) (*service, error) {
	cfg := map[string]any{"data": dataOf(dir), "listen": "127.0.0.1:0", "memory_budget": "64GiB", "retention": map[string]any{"size": "64GiB"}, "kpis": c.kpis, "rules": c.rules}
	maps.Copy(cfg, settings)
	text, err := yaml.Marshal(cfg)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "tidewatch.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s := &service{contender: c, settings: settings, cmd: exec.CommandContext(ctx, c.binary, "serve", "--config", file)}
	s.cmd.Stderr = log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		said, _ := os.ReadFile(log.Name()) // empty when that fails too
		return nil, fmt.Errorf("%s ended before it listened: %s", c.binary, said)
	}
	s.url = strings.TrimSpace(strings.TrimPrefix(line, "listening on "))
	s.Client = send.Client{URL: s.url, HTTP: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}}
	if s.proc, err = procfs.NewProc(s.cmd.Process.Pid); err != nil {
		s.kill()
		return nil, fmt.Errorf("read CPU times: %w", err)
	}
	return s, nil
}

func dataOf(dir string) string { return filepath.Join(dir, "data") }

// kill is the end without notice.
func (s *service) kill() {
	_ = s.cmd.Process.Kill() // fails when it has ended already
	_ = s.cmd.Wait()
}

// A reading is how far a service is, and what that has cost so far.
type reading struct {
	at       time.Time
	cpu      time.Duration // of all its threads, ended ones too
	received int64         // events in the ledger
}

func (s *service) read(ctx context.Context) (r reading, err error) {
	ledger, err := s.Ledger(ctx)
	if err != nil {
		return r, err
	}
	return s.spent(ledger.Total.Received)
}

// spent is a reading at a number of events.
func (s *service) spent(received int64) (reading, error) {
	stat, err := s.proc.Stat()
	if err != nil {
		return reading{}, fmt.Errorf("read CPU times: %w", err)
	}
	return reading{time.Now(), time.Duration(stat.CPUTime() * float64(time.Second)), received}, nil
}

// reach waits until the ledger has so many events. While there is a backlog the
// ledger moves once a second: a reading is taken as soon as it has.
func (s *service) reach(ctx context.Context, received int64) (reading, error) {
	for {
		r, err := s.read(ctx)
		if err != nil || r.received >= received {
			return r, err
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return r, err
		}
	}
}

// perEvent is what each event from a to b cost, in core-µs.
func perEvent(a, b reading) float64 {
	return float64((b.cpu - a.cpu).Microseconds()) / float64(b.received-a.received)
}

// cores is how many cores were used from a to b.
func cores(a, b reading) float64 { return (b.cpu - a.cpu).Seconds() / b.at.Sub(a.at).Seconds() }

// rss is the memory that is resident, in bytes.
func (s *service) rss() (float64, error) {
	stat, err := s.proc.Stat()
	if err != nil {
		return 0, fmt.Errorf("read memory: %w", err)
	}
	return float64(stat.ResidentMemory()), nil
}

// ready waits until the service answers queries.
func (s *service) ready(ctx context.Context) error { return ready(ctx, s.url) }

func ready(ctx context.Context, url string) error {
	for {
		if _, err := get(ctx, url+"/-/ready"); err == nil {
			return nil
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func get(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	r, err := http.DefaultClient.Do(req)
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

// restart kills the service, starts it again on the same data, and tells how
// long it took until it answered queries.
func (s *service) restart(ctx context.Context, dir string) (*service, time.Duration, error) {
	s.kill()
	began := time.Now()
	again, err := s.serve(ctx, dir, s.settings)
	if err != nil {
		return nil, 0, err
	}
	if err := again.ready(ctx); err != nil {
		again.kill()
		return nil, 0, err
	}
	return again, time.Since(began), nil
}
