package endtoend

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidewatch/tidewatch/internal/generate"
)

// A folder is a data folder that a service left behind, what the service
// answered, and an older copy of the folder.
type folder struct {
	whole, older string
	now          truth // of whole
}

// A truth is what the service answers about a folder that is whole.
type truth struct {
	answers map[string]answer // by path
	ledger  ledger
}

// told asks the service.
func told(t *testing.T, s *service, paths []string) truth {
	t.Helper()
	out := truth{map[string]answer{}, s.ledger(t)}
	for _, path := range paths {
		var a answer
		s.get(t, path, &a)
		out.answers[path] = a
	}
	return out
}

// makeFolder feeds a service twice, and keeps a copy of its folder each time.
// purged drops what is read of the stream; killed has the service end as by a
// crash.
func makeFolder(t *testing.T, purged, killed bool) *folder {
	t.Helper()
	addr := freeAddr(t)
	s := serving(t, damageConfig, "--nats-listen", addr)
	f := &folder{whole: filepath.Join(s.files, "whole"), older: filepath.Join(s.files, "older")}
	end := time.Now().Add(-time.Hour).Truncate(time.Hour)
	lines := generated(generate.Options{Rate: 0.024, Users: 150, Contents: 40, Start: end.Add(-75 * time.Hour), End: end, Seed: 7, Disorder: time.Second, Duplicates: 0.01})
	half := len(lines) / 2
	feedAll := func(lines [][]byte) {
		for len(lines) > 0 {
			n := min(200, len(lines))
			s.post(t, string(bytes.Join(lines[:n], []byte("\n"))))
			lines = lines[n:]
		}
	}
	feedAll(lines[:half])
	s.post(t, "no event") // for the dead letters
	s.awaitReceived(t, int64(half)+1)
	s.stop(t)
	clone(t, s.data, f.older)

	s.start(t)
	feedAll(lines[half:])
	s.post(t, "no event either", event("too late", end.Add(-50*time.Hour), "play"))
	s.close(t, end.Add(20*time.Minute))
	s.awaitReceived(t, int64(len(lines))+3)
	if purged {
		s.stop(t) // both kept epochs are at the stream's end then
		s.start(t)
		s.post(t, event("last", end, "play", "channel", "douyin", "watch_ms", 1))
		at := s.awaitReceived(t, int64(len(lines))+4).Position
		s.stop(t)
		s.start(t)
		_, js := dial(t, addr)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		events, err := js.Stream(ctx, "EVENTS")
		if err != nil {
			t.Fatal(err)
		}
		if err := events.Purge(ctx, jetstream.WithPurgeSequence(at-5)); err != nil {
			t.Fatal(err)
		}
	}
	f.now = told(t, s, damageQuestions(end))
	if killed {
		s.awaitEpochs(t)
		s.kill(t)
	} else {
		s.stop(t)
	}
	clone(t, s.data, f.whole)
	return f
}

// awaitEpochs waits until every kept epoch has what the call found counted.
func (s *service) awaitEpochs(t *testing.T) {
	t.Helper()
	written := func() (n int) {
		r, err := s.do("GET", "/metrics", "")
		if err != nil {
			t.Fatal(err)
		}
		_, count, _ := strings.Cut(r.body, "\ntidewatch_checkpoint_duration_seconds_count ")
		_, _ = fmt.Sscan(count, &n) // none yet: 0
		return n
	}
	enough := written() + 3 // one was under way, and two are kept
	eventually(t, fmt.Sprint(enough, " epochs"), func() bool { return written() >= enough }, func() any { return written() })
}

const damageConfig = "checkpoint_interval: 100ms\nretention: {events: 30d}\n"

// damageQuestions ask for live windows, closed ones and days, in history and
// beside it.
func damageQuestions(end time.Time) (paths []string) {
	for _, kpi := range []string{"plays", "active_users", "completion_rate"} {
		for _, q := range []struct {
			window string
			back   []time.Duration
		}{
			{"1m", []time.Duration{10 * time.Minute, 3 * time.Hour}},
			{"5m", []time.Duration{time.Hour, 11 * time.Hour, 30 * time.Hour, 50 * time.Hour}},
			{"1h", []time.Duration{0, 26 * time.Hour, 55 * time.Hour}},
			{"24h", []time.Duration{time.Hour, 30 * time.Hour}},
		} {
			for _, back := range q.back {
				for _, by := range []string{"", "channel"} {
					v := url.Values{"window": {q.window}, "at": {fmt.Sprint(end.Add(-back).UnixMilli())}}
					if by != "" {
						v.Set("by", by)
					}
					paths = append(paths, "/api/v1/kpis/"+kpi+"?"+v.Encode())
				}
			}
		}
	}
	for back := range 3 {
		for _, kpi := range []string{"dau", "plays"} {
			paths = append(paths, fmt.Sprintf("/api/v1/kpis/%s?window=day&at=%d", kpi, end.Add(-time.Duration(back)*24*time.Hour).UnixMilli()))
		}
	}
	return paths
}

// clone copies a folder; what is zero in a file takes no room.
func clone(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, name), 0o700)
		}
		return cloneFile(path, filepath.Join(to, name))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func cloneFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	chunk, zero := make([]byte, 1<<20), make([]byte, 1<<20)
	for at := int64(0); ; {
		n, err := io.ReadFull(in, chunk)
		if !bytes.Equal(chunk[:n], zero[:n]) {
			if _, err := out.WriteAt(chunk[:n], at); err != nil {
				return err
			}
		}
		if at += int64(n); err == io.EOF || err == io.ErrUnexpectedEOF {
			return out.Truncate(at)
		}
		if err != nil {
			return err
		}
	}
}
