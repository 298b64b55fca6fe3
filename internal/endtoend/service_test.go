package endtoend

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the service under test.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "tidewatch")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "tidewatch")
	if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/tidewatch").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the binary: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// patience bounds every wait: what takes longer is broken.
const patience = 30 * time.Second

// noteSources opens every folder of the project: the go command keeps a test's result for
// as long as what it opened is the same, and does not see what the binary is built from.
var noteSources = sync.OnceValue(func() error {
	return filepath.WalkDir("../..", func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() && (e.Name() == "node_modules" || e.Name() == ".git" || e.Name() == "bin") {
			return fs.SkipDir
		}
		return err
	})
})

// A service is the real binary on a folder of its own. Started again, it keeps
// folder and address.
type service struct {
	data   string // folder
	config string // text of the configuration, with paths relative to files
	files  string // folder of the configuration and what it names
	addr   string
	args   []string
	opens  int // the most files that the process may have open; 0 for no limit of its own

	cmd    *exec.Cmd
	exited chan struct{}
	log    *journal // of the current process
	past   []string // of those before
}

func newService(t *testing.T, config string, args ...string) *service {
	t.Helper()
	if err := noteSources(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s := &service{data: filepath.Join(dir, "data"), config: config, files: dir, addr: freeAddr(t), args: args}
	t.Cleanup(func() {
		if s.cmd != nil {
			s.kill(t)
		}
		if t.Failed() {
			for i, log := range append(s.past, s.text()) {
				t.Logf("log of start %d:\n%s", i+1, log[max(0, len(log)-60000):])
			}
		}
	})
	return s
}

// serving is a service that has been started.
func serving(t *testing.T, config string, args ...string) *service {
	t.Helper()
	s := newService(t, config, args...)
	s.start(t)
	return s
}

// file writes a file beside the configuration and returns its path.
func (s *service) file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(s.files, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// launch starts the process without waiting for it.
func (s *service) launch(t *testing.T) {
	t.Helper()
	args := append([]string{"serve", "--config", s.file(t, "config.yaml", s.config), "--data", s.data, "--listen", s.addr}, s.args...)
	if s.log != nil {
		s.past = append(s.past, s.text())
	}
	s.cmd, s.log, s.exited = exec.Command(binary, args...), newJournal(), make(chan struct{})
	if s.opens > 0 {
		limited := append([]string{"-c", fmt.Sprintf(`ulimit -n %d; exec "$0" "$@"`, s.opens), binary}, args...)
		s.cmd = exec.Command("sh", limited...)
	}
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("start the service: %v", err)
	}
	go func(c *exec.Cmd, exited chan struct{}) { c.Wait(); close(exited) }(s.cmd, s.exited)
}

// start starts the service and waits until it listens.
func (s *service) start(t *testing.T) {
	t.Helper()
	s.launch(t)
	if !s.says("listening on ") {
		t.Fatalf("the service does not listen:\n%s", s.text())
	}
	_, after, _ := strings.Cut(s.text(), "listening on http://")
	s.addr, _, _ = strings.Cut(after, "\n")
}

// refuses starts the service and returns what it says as it gives up.
func (s *service) refuses(t *testing.T) string {
	t.Helper()
	s.launch(t)
	select {
	case <-s.exited:
	case <-time.After(patience):
		t.Fatalf("the service runs, it should refuse to:\n%s", s.text())
	}
	if s.cmd.ProcessState.ExitCode() == 0 {
		t.Errorf("the service refused with exit code 0:\n%s", s.text())
	}
	return s.text()
}

// says waits for a text in the log; false when the process ended without it.
func (s *service) says(text string) bool {
	select {
	case <-s.log.await(text):
		return true
	case <-s.exited:
		return strings.Contains(s.text(), text)
	case <-time.After(patience):
		return false
	}
}

func (s *service) text() string {
	if s.log == nil {
		return ""
	}
	return s.log.String()
}

// kill ends the service as a crash does.
func (s *service) kill(t *testing.T) {
	t.Helper()
	s.cmd.Process.Kill()
	<-s.exited
}

// stop ends the service in order and returns how long that took.
func (s *service) stop(t *testing.T) time.Duration {
	t.Helper()
	began := time.Now()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("stop the service: %v", err)
	}
	select {
	case <-s.exited:
	case <-time.After(patience):
		_ = s.cmd.Process.Signal(syscall.SIGQUIT) // for its goroutines
		<-s.exited
		t.Fatal("the service does not stop")
	}
	took := time.Since(began)
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the service stopped with exit code %d", code)
	}
	return took
}

func (s *service) url(path string) string { return "http://" + s.addr + path }

// alive fails the test if the process is gone.
func (s *service) alive(t *testing.T) {
	t.Helper()
	select {
	case <-s.exited:
		t.Fatalf("the service died: %v", s.cmd.ProcessState)
	default:
	}
}

// A journal keeps what a process writes.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
	wait map[string]chan struct{}
}

func newJournal() *journal { return &journal{wait: map[string]chan struct{}{}} }

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.text.Write(p)
	j.wake()
	return len(p), nil
}

func (j *journal) wake() {
	text := j.text.Bytes()
	end := bytes.LastIndexByte(text, '\n') + 1
	for want, ch := range j.wait {
		if bytes.Contains(text[:end], []byte(want)) {
			close(ch)
			delete(j.wait, want)
		}
	}
}

// await is closed once a whole line holds the text.
func (j *journal) await(text string) <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	ch, ok := j.wait[text]
	if !ok {
		ch = make(chan struct{})
		j.wait[text] = ch
	}
	j.wake()
	return ch
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// freeAddr is an address that nobody listens on. Its port is below those that
// connections take for themselves, so that it stays free while a service is
// down.
func freeAddr(t *testing.T) string {
	t.Helper()
	for {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 12_000+rand.IntN(20_000)))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
}
