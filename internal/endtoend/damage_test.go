package endtoend

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A blow damages one file.
type blow struct {
	name string
	hit  func(t *testing.T, path, older string) (done bool)
}

var blows = []blow{
	{"half", func(t *testing.T, path, _ string) bool {
		return len(written(t, path)) > 1 && os.Truncate(path, int64(len(written(t, path))/2)) == nil
	}},
	{"flipped", func(t *testing.T, path, _ string) bool { return flip(t, path, 1, 2) }},
	{"flipped at its head", func(t *testing.T, path, _ string) bool { return flip(t, path, 1, 20) }},
	{"flipped at its end", func(t *testing.T, path, _ string) bool { return flip(t, path, 1, 1) }},
	{"gone", func(t *testing.T, path, _ string) bool { return os.Remove(path) == nil }},
	{"older", func(t *testing.T, path, older string) bool {
		old, err := os.ReadFile(older)
		if err != nil {
			return false // it is younger
		}
		now, err := os.ReadFile(path)
		return err == nil && !bytes.Equal(old, now) && os.WriteFile(path, old, 0o600) == nil
	}},
}

// written is what a file has up to its last byte that is not zero.
func written(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimRight(data, "\x00")
}

// flip changes the byte at a share of what is written.
func flip(t *testing.T, path string, share, of int) bool {
	t.Helper()
	data := written(t, path)
	if len(data) == 0 {
		return false
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	at := min(len(data)*share/of, len(data)-1)
	_, err = f.WriteAt([]byte{data[at] ^ 0x41}, int64(at))
	return err == nil
}

// TestDamage damages the files of a data folder, each in one way, or in all with
// "make damage". The service then refuses in words, or says in words what it does
// not know, and every number is right.
func TestDamage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		purged, killed bool
	}{{"stopped and purged", true, false}, {"killed", false, true}} {
		t.Run(c.name, func(t *testing.T) {
			f := makeFolder(t, c.purged, c.killed)
			turn := make(chan struct{}, 2)
			for i, file := range filesOf(t, f.whole) {
				for j, b := range blows {
					if os.Getenv("TIDEWATCH_DAMAGE") != "all" && i%len(blows) != j {
						continue
					}
					t.Run(file+" "+b.name, func(t *testing.T) {
						t.Parallel()
						turn <- struct{}{}
						defer func() { <-turn }()
						s := newService(t, damageConfig)
						clone(t, f.whole, s.data)
						if b.hit(t, filepath.Join(s.data, file), filepath.Join(f.older, file)) {
							t.Log(f.survives(t, s))
						}
					})
				}
			}
		})
	}
}

func filesOf(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(dir, path)
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// survives starts the service on a damaged folder and reports what it did.
func (f *folder) survives(t *testing.T, s *service) string {
	t.Helper()
	s.launch(t)
	listens := s.says("listening on ")
	if !listens {
		select {
		case <-s.exited:
		case <-time.After(patience):
			t.Fatal("it neither listens nor ends")
		}
	}
	panicked := func() {
		said := strings.ReplaceAll(s.text(), "SIGNAL", "") // a stream's name, also in a path cut short, and no crash
		for _, sign := range []string{"panic", "goroutine ", "SIG"} {
			if strings.Contains(said, sign) {
				t.Errorf("%q in the log", sign)
			}
		}
	}
	defer panicked()
	if !listens {
		return f.refused(t, s)
	}
	var r *reply
	var err error
	limit := time.After(patience)
	for {
		r, err = s.do("GET", "/-/ready", "")
		if err == nil && r.code == http.StatusOK {
			break
		}
		select {
		case <-s.exited:
			return f.refused(t, s)
		case <-limit:
			t.Fatalf("not ready: %v %+v", err, r)
		case <-time.After(10 * time.Millisecond):
		}
	}
	want := f.now
	s.await(t, "what the stream holds", func(l ledger) bool {
		return l.Total.Received >= want.ledger.Total.Received && !l.Watermark.Before(want.ledger.Watermark)
	})
	unknown := 0
	for path, want := range want.answers {
		r, err := s.do("GET", path, "")
		if err != nil {
			t.Fatal(err)
		}
		if r.code != http.StatusOK {
			unknown++
			if r.code != http.StatusNotFound || !strings.Contains(r.err, s.data) {
				t.Errorf("GET %s: %d %s", path, r.code, r.body)
			}
			continue
		}
		var got answer
		if err := json.Unmarshal(r.data, &got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("GET %s: wrong number:\n%s", path, d)
		}
	}
	if got := s.ledger(t).Total; got != want.ledger.Total {
		t.Errorf("ledger %+v, want %+v", got, want.ledger.Total)
	}
	s.post(t, event("afterwards", time.Now(), "play"))
	s.awaitReceived(t, want.ledger.Total.Received+1)
	s.stop(t)
	s.start(t)
	s.awaitReceived(t, want.ledger.Total.Received+1)
	if unknown > 0 && !strings.Contains(r.body, s.data) {
		t.Errorf("%d answers are missing; ready says %s", unknown, r.body)
	}
	return fmt.Sprintf("%d of %d answers are not known; ready says %s", unknown, len(want.answers), r.body)
}

func (f *folder) refused(t *testing.T, s *service) string {
	t.Helper()
	if code := s.cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit code %d", code)
	}
	text := s.text()
	_, why, _ := strings.Cut(text[max(0, strings.LastIndex(text, "\ntidewatch: ")):], "tidewatch: ")
	why, _, _ = strings.Cut(why, "\n") // behind it, that the stop took long
	if !strings.Contains(why, s.data+"/") {
		t.Errorf("it names no folder: %s", why)
	}
	return "refused: " + why
}

// TestDamagedStream: events that were read long ago and are damaged harm nobody
// until they are needed once more. Then their loss is told.
func TestDamagedStream(t *testing.T) {
	t.Parallel()
	f := makeFolder(t, false, false)
	file := "stream/jetstream/$G/streams/EVENTS/msgs/1.blk"
	for of := range 4 {
		for _, config := range []string{damageConfig, damageConfig + "dedup_window: 1h\n"} {
			s := newService(t, config)
			clone(t, f.whole, s.data)
			if !flip(t, filepath.Join(s.data, file), 2*of+1, 8) {
				t.Fatal("nothing to flip")
			}
			said := f.survives(t, s)
			if refused := strings.HasPrefix(said, "refused"); refused != (config != damageConfig) {
				t.Errorf("message at %d/8 damaged: %s", 2*of+1, said)
			} else if refused {
				s.args = []string{"--rebuild"}
				s.start(t)
				s.await(t, "what is left", func(l ledger) bool {
					return l.Total.Received < f.now.ledger.Total.Received && !l.Watermark.Before(f.now.ledger.Watermark)
				})
				match(t, s.text(), "passed over: ", "it is missing")
			}
		}
	}
}

// What the errors say to do is done, and helps.
func TestRemedies(t *testing.T) {
	t.Parallel()
	purged, whole := makeFolder(t, true, false), makeFolder(t, false, false)
	begin := func(f *folder) (s *service, state string) {
		t.Helper()
		s = newService(t, damageConfig)
		clone(t, f.whole, s.data)
		return s, filepath.Join(s.data, "state")
	}
	drop := func(dir string) {
		t.Helper()
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	rebuilt := func(s *service) {
		t.Helper()
		s.args = []string{"--rebuild"}
		s.start(t)
		l := s.await(t, "what is left", func(l ledger) bool { return l.Total.Received > 0 }).Total
		match(t, s.text(), "--rebuild: counting anew")
		if l.Received >= purged.now.ledger.Total.Received {
			t.Errorf("ledger %+v, though events are purged", l)
		}
		s.stop(t)
		s.args = nil
		s.start(t)
		s.await(t, "the same", func(now ledger) bool { return now.Total == l })
	}

	s, state := begin(purged)
	drop(filepath.Join(state, "epochs"))
	match(t, s.refuses(t), "there were epochs in "+filepath.Join(state, "epochs"), "none is left", "--rebuild")
	clone(t, filepath.Join(purged.whole, "state", "epochs"), filepath.Join(state, "epochs"))
	t.Log(purged.survives(t, s)) // a copy put back

	s, state = begin(purged)
	drop(filepath.Join(state, "epochs"))
	rebuilt(s)

	s, state = begin(purged)
	drop(state)
	match(t, s.refuses(t), filepath.Join(s.data, "stream"), "no epoch has what was before", "--rebuild")
	drop(state)
	rebuilt(s)

	s, state = begin(purged)
	drop(filepath.Join(state, "history"))
	if said := purged.survives(t, s); !strings.Contains(said, "has lost") {
		t.Error(said)
	}

	s, state = begin(purged)
	drop(filepath.Join(state, "history"))
	s.start(t)
	s.ledger(t) // ready
	match(t, s.ready(t), "has lost")
	s.kill(t) // before it has written any
	drop(filepath.Join(state, "history"))
	clone(t, filepath.Join(purged.whole, "state", "history"), filepath.Join(state, "history"))
	s.start(t)
	s.ledger(t)
	if told := s.ready(t); !strings.Contains(told, `"warnings":[]`) {
		t.Errorf("with the copy put back: %s", told)
	}

	s, state = begin(whole)
	drop(state) // nothing was purged: nothing is lost
	if said := whole.survives(t, s); strings.Contains(said, "has lost") {
		t.Error(said)
	}
	match(t, s.past[0], "the state is gone: counting anew")
}

// Nobody is told again of what is past because the state was lost.
func TestLostStateTellsNothing(t *testing.T) {
	t.Parallel()
	s, p := watching(t, "checkpoint_interval: 50ms\n")
	s.start(t)
	begin := time.Now().Add(-time.Hour).Truncate(time.Second)
	s.watch(t, begin, 40, 0)
	s.close(t, begin.Add(10*time.Second))
	p.await(t, 1)
	s.stop(t)
	if err := os.RemoveAll(filepath.Join(s.data, "state")); err != nil {
		t.Fatal(err)
	}
	s.start(t)
	s.awaitReceived(t, 40)
	s.watch(t, begin.Add(20*time.Second), 200, 200)
	s.close(t, begin.Add(22*time.Second))
	if got := p.await(t, 2)[1]; got.Status != "resolved" {
		t.Errorf("page %+v, want it resolved", got)
	}
}

// A stream whose first messages are gone, though a purge would have left them, is told; and
// where none is left, nothing is to be counted anew.
func TestLostBeginning(t *testing.T) {
	t.Parallel()
	s := newService(t, "checkpoint_interval: 20ms\n")
	for i := range 3 {
		s.start(t)
		s.post(t, event(fmt.Sprint(i), time.Now(), "play", "watch_ms", 1))
		s.awaitReceived(t, int64(i+1))
		s.stop(t)
	}
	blocks, err := filepath.Glob(filepath.Join(s.data, "stream", "jetstream", "*", "streams", "EVENTS", "msgs", "*.blk"))
	if err != nil || len(blocks) == 0 {
		t.Fatal(blocks, err)
	}
	for _, block := range blocks {
		if err := os.Truncate(block, 0); err != nil {
			t.Fatal(err)
		}
	}
	s.start(t)
	s.awaitReceived(t, 3)
	match(t, s.ready(t), `"ready"`, "has lost messages up to")
	s.stop(t)
	s.config += "timezone: UTC\n"
	s.start(t)
	match(t, s.text(), "changed: rebuilding")
	s.await(t, "nothing", func(l ledger) bool { return l.Total.Received == 0 })
	s.post(t, event("4", time.Now(), "play", "watch_ms", 1))
	s.awaitReceived(t, 1)
}
