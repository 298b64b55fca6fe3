package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/config"
)

// TestRebuildKeepsHistory: what is computed anew leaves alone what was over
// before the stream's first event that is left, and replaces all behind it.
func TestRebuildKeepsHistory(t *testing.T) {
	c := config.Default()
	c.Data, c.Location = t.TempDir(), time.UTC
	definitions := filepath.Join(c.Data, "kpis.yaml")
	if err := os.WriteFile(definitions, []byte(`kpis: [{name: clicks, count: , windows: [1h, day]}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	c.KPIs = []string{definitions}
	log := NewLog()
	after := []time.Duration{0, 48 * time.Hour, 50 * time.Hour, 120 * time.Hour}
	for i, d := range after {
		at := noon.Add(d).UnixMilli()
		log.Append(at, fmt.Appendf(nil, `{"id":%d,"time":%d,"type":"click","user_id":"u"}`, i, at))
	}
	var r *Replica
	startUntil := func(last uint64) {
		t.Helper()
		var err error
		if r, err = OpenReplica(c, log, ReplicaOptions{Until: last}); err != nil {
			t.Fatal(err)
		}
	}
	start := func() { t.Helper(); startUntil(0) }
	end := func() {
		t.Helper()
		if err := r.Crash(); err != nil {
			t.Fatal(err)
		}
	}
	check := func(when string, want [3]int) {
		t.Helper()
		for i, n := range want {
			at := noon.Add(after[i] + 30*time.Minute)
			day := at.Format(time.DateOnly)
			for _, path := range []string{
				"clicks?window=1h&at=" + at.Format(time.RFC3339),
				"clicks/range?window=day&from=" + day + "&to=" + day,
			} {
				code, a := r.get(t, path)
				got := 0
				switch {
				case len(a.Data.Samples) == 1:
					got = a.Data.Samples[0].N
				case len(a.Data.Series) == 1 && len(a.Data.Series[0].Points) == 1:
					got = a.Data.Series[0].Points[0].N
				default:
					t.Fatalf("%s: %s: %d %+v", when, path, code, a)
				}
				if i > 0 && path[len("clicks")] == '/' {
					n = want[1] + want[2] // of one day
				}
				if got != n {
					t.Errorf("%s: %s is %d, want %d", when, path, got, n)
				}
			}
		}
	}
	start()
	check("counted", [3]int{1, 1, 1})
	if err := r.Checkpoint(); err != nil {
		t.Fatal(err)
	}
	end()
	c.Lateness -= time.Minute
	log.Purge(1)
	log.messages[2].Data = []byte("{") // not counted any more
	start()
	check("anew", [3]int{1, 1, 0})
	end()
	// In the midst of it there can be an epoch, from which it goes on.
	startUntil(3)
	if err := r.Checkpoint(); err != nil {
		t.Fatal(err)
	}
	end()
	tail := log.messages[3:]
	log.messages = log.messages[:3:3]
	start()
	if r.lane.quietTo != 3 || len(r.Warnings()) != 1 || !strings.Contains(r.Warnings()[0], "lost its tail") {
		t.Errorf("without the tail nobody is told of what is up to %d, and it says %q", r.lane.quietTo, r.Warnings())
	}
	end()
	log.messages = append(log.messages, tail...)
	start()
	if from := r.store.Current().Manifest().Lanes[theLane].Position; from != 3 || r.lane.quietTo != log.last() {
		t.Errorf("it goes on behind message %d, and nobody is told of what is up to %d, want 3 and %d", from, r.lane.quietTo, log.last())
	}
	check("from the midst", [3]int{1, 1, 0})
	if err := r.Checkpoint(); err != nil {
		t.Fatal(err)
	}
	end()
	start()
	check("restored", [3]int{1, 1, 0})
	if r.lane.quietTo != log.last() {
		t.Errorf("what is up to %d was done before, want %d", r.lane.quietTo, log.last())
	}
	end()
}
