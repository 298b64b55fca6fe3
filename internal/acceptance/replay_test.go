//go:build acceptance

package acceptance

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// spread is how far lines move from their place, in event time: most of the
// service's default lateness (10m), less the pauses of a service that is killed.
const spread = 8 * time.Minute

// sendingTime is how long the sending takes when the service is killed in it.
const sendingTime = 4 * time.Second

type line struct {
	text []byte
	at   time.Time
}

// replay starts a service on an empty folder, sends a data set in the way asked
// for and returns what queries it.
func replay(t *testing.T, bin, data string, s set, how way) *query {
	t.Helper()
	examples := filepath.Join("..", "..", "examples", s.example)
	file, mapFile := filepath.Join(data, s.file), filepath.Join(examples, "map.yaml")
	lines := mapped(t, bin, file, mapFile)
	svc := newService(t, bin, configure(t, examples, how.partitions))
	svc.start(t)

	q := &query{t: t, url: svc.url(), first: lines[0].at, last: lines[len(lines)-1].at, distinct: int64(len(lines))}
	args := []string{"send", "--url", svc.url(), "--close"}
	if how.shuffle || how.twice || how.kill > 0 {
		lines = disturb(lines, how)
		args = append(args, write(t, lines))
	} else {
		args = append(args, "--map", mapFile, "--sort", file)
	}
	q.sent = int64(len(lines))
	if how.kill > 0 {
		args = append(args, fmt.Sprintf("--rate=%d", len(lines)*int(time.Second)/int(sendingTime)))
	}
	var out bytes.Buffer
	send := exec.Command(bin, args...)
	send.Stdout, send.Stderr = &out, &out
	q.must(send.Start())
	sent := make(chan error, 1)
	go func() { sent <- send.Wait() }()
	for i := range how.kill {
		q.await(q.sent * int64(i+1) / int64(how.kill+1))
		svc.kill(t)
		svc.start(t)
	}
	if err := <-sent; err != nil {
		t.Fatalf("send: %v\n%s", err, out.String())
	}
	return q
}

// mapped is the file as the binary's map reads it, by time.
func mapped(t *testing.T, bin, file, mapFile string) []line {
	t.Helper()
	printed := exec.Command(bin, "send", "--map", mapFile, "--sort", "--print", file)
	printed.Stderr = os.Stderr
	text, err := printed.Output()
	if err != nil {
		t.Fatalf("read %s by its map: %v", file, err)
	}
	var lines []line
	for text := range bytes.Lines(text) {
		var e struct{ Time time.Time }
		if err := json.Unmarshal(text, &e); err != nil {
			t.Fatalf("a mapped event: %v: %s", err, text)
		}
		lines = append(lines, line{text, e.Time})
	}
	if len(lines) == 0 {
		t.Fatalf("%s holds no event", file)
	}
	return lines
}

// disturb shuffles and doubles lines. A line that moves comes at most spread
// after its time has come.
func disturb(lines []line, how way) []line {
	dice := rand.New(rand.NewPCG(1, 2))
	type placed struct {
		line
		key int64
	}
	var all []placed
	put := func(l line, move bool) {
		key := l.at.UnixNano()
		if move {
			key += dice.Int64N(int64(spread))
		}
		all = append(all, placed{l, key})
	}
	for _, l := range lines {
		put(l, how.shuffle)
		if how.twice {
			put(l, true)
		}
	}
	slices.SortStableFunc(all, func(a, b placed) int { return cmp.Compare(a.key, b.key) })
	out := make([]line, len(all))
	for i, p := range all {
		out[i] = p.line
	}
	return out
}

func write(t *testing.T, lines []line) string {
	t.Helper()
	var b bytes.Buffer
	for _, l := range lines {
		b.Write(l.text)
	}
	path := filepath.Join(t.TempDir(), "events.ndjson")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// configure copies the example's configuration, with a number of partitions.
func configure(t *testing.T, examples string, partitions int) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"config.yaml", "kpis.yaml"} {
		text, err := os.ReadFile(filepath.Join(examples, name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "config.yaml" && partitions > 0 {
			text = fmt.Appendf(text, "\npartitions: %d\n", partitions)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "config.yaml")
}

// A service is the real binary on a folder of its own. Started again, it keeps
// folder and address.
type service struct {
	bin, config, data, addr, log string
	cmd                          *exec.Cmd
	exited                       chan struct{}
}

func newService(t *testing.T, bin, config string) *service {
	dir := t.TempDir()
	s := &service{bin: bin, config: config, data: filepath.Join(dir, "data"), addr: "127.0.0.1:0", log: filepath.Join(dir, "log")}
	t.Cleanup(func() {
		s.cmd.Process.Kill()
		<-s.exited
		if text, err := os.ReadFile(s.log); err == nil && t.Failed() {
			t.Logf("the service's log ends with:\n%s", text[max(0, len(text)-4000):])
		}
	})
	return s
}

func (s *service) url() string { return "http://" + s.addr }

func (s *service) start(t *testing.T) {
	t.Helper()
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	s.cmd = exec.Command(s.bin, "serve", "--config", s.config, "--data", s.data, "--listen", s.addr)
	s.cmd.Stderr = log
	ready := &banner{url: make(chan string, 1)}
	s.cmd.Stdout = ready
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("start the service: %v", err)
	}
	exited := make(chan struct{})
	s.exited = exited
	go func(c *exec.Cmd) { c.Wait(); close(exited) }(s.cmd)
	select {
	case url := <-ready.url:
		s.addr = strings.TrimPrefix(url, "http://")
	case <-exited:
		t.Fatalf("the service ended before it was ready: %v", s.cmd.ProcessState)
	case <-time.After(30 * time.Second):
		t.Fatal("the service is not ready after 30 s")
	}
}

// kill ends the service as a crash does.
func (s *service) kill(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatalf("kill the service: %v", err)
	}
	<-s.exited
}

// banner finds the address in what the service prints.
type banner struct {
	text []byte
	url  chan string
	done bool
}

func (b *banner) Write(p []byte) (int, error) {
	b.text = append(b.text, p...)
	for l := range strings.Lines(string(b.text)) {
		if _, url, ok := strings.Cut(l, "listening on "); ok && strings.HasSuffix(url, "\n") && !b.done {
			b.done = true
			b.url <- strings.TrimSpace(url)
		}
	}
	return len(p), nil
}
