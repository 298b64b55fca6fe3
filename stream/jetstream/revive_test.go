//go:build unix

package jetstream

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A failed write makes JetStream refuse all later ones; once the disk takes
// writes again, so does the broker. The limit that makes writes fail holds for
// a whole process: a child takes it.
func TestRevive(t *testing.T) {
	const child = "TIDEWATCH_TEST_REVIVE"
	if os.Getenv(child) != "" {
		revive(t)
		return
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), program, "-test.run=^TestRevive$")
	command.Env = append(os.Environ(), child+"=1")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func revive(t *testing.T) {
	var mu sync.Mutex
	var said []string
	o := Options{Dir: t.TempDir(), Warn: func(m string) {
		mu.Lock()
		said = append(said, m)
		mu.Unlock()
	}}.withDefaults()
	b := newBroker(o)
	b.ackTimeout, b.reviveTime = 200*time.Millisecond, time.Second
	if err := b.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	s := source(t, b, 1)
	appendEvents(t, b, 0, 10)

	// No file may grow beyond 32 KiB: writes fail as on a full disk.
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	small := syscall.Rlimit{Cur: 32 << 10, Max: old.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
		t.Fatal(err)
	}
	answered, failed := 10, false
	for i := 10; i < 1000 && !failed; i++ {
		body := fmt.Appendf(nil, `{"id":"%d","pad":"%s"}`, i, strings.Repeat("x", 1000))
		if _, err := b.Append(t.Context(), body); err != nil {
			failed = true
		} else {
			answered++
		}
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if !failed {
		t.Fatal("no append failed")
	}
	var last uint64
	for tries := 0; last == 0; tries++ {
		if last, _ = b.Append(t.Context(), line(7)); tries > 1_000_000 {
			t.Fatalf("the broker did not recover: %q", said)
		}
		runtime.Gosched()
	}
	if last <= uint64(answered) {
		t.Errorf("an answered append was lost: %d answered, %d now last", answered, last)
	}
	if got := read(t, s, int(last)); got[last-1].Sequence != last {
		t.Errorf("got %d, want %d", got[last-1].Sequence, last)
	}
}
