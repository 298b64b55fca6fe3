package endtoend

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"
)

// Killed at any moment of its first start, and of a later one, the service
// starts the next time.
func TestKilledWhileStarting(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	s := newService(t, "checkpoint_interval: 20ms\n")
	begin := time.Now().Add(-time.Hour).Truncate(time.Second)
	took := 100 * time.Millisecond
	for n := range 3 {
		if n > 0 {
			s.kill(t)
		}
		for range 6 {
			s.launch(t)
			select { // the moment is the point
			case <-time.After(time.Duration(dice.Int64N(int64(took)))):
			case <-s.exited:
				t.Fatal("the service ended by itself")
			}
			s.kill(t)
		}
		began := time.Now()
		s.start(t)
		took = time.Since(began)
		s.batch(t, begin, 10*n, 10)
		if got := s.plays(t); got != int64(10*n+10) {
			t.Errorf("plays %d, want %d", got, 10*n+10)
		}
	}
	if n := s.ledger(t).Total.Counted; n != 30 {
		t.Errorf("counted %d, want 30", n)
	}
}

// What the ledger shows as received, queries see.
func TestLedgerThenQuery(t *testing.T) {
	t.Parallel()
	s := serving(t, "")
	now := time.Now().Truncate(time.Second)
	for i := range 40 {
		at := now.Add(time.Duration(i-40) * 37 * time.Second)
		s.post(t, event(fmt.Sprint(i), at, "play", "watch_ms", 1, "user_id", fmt.Sprint("u", i%20)))
		s.awaitReceived(t, int64(i+1))
		if got := s.plays(t); got != int64(i+1) {
			t.Errorf("plays %d as the ledger shows %d", got, i+1)
		}
		if a := s.kpi(t, "active_users", "window", "24h"); a.Samples[0].Numerator != int64(min(i+1, 20)) {
			t.Errorf("active users %d after %d events of 20 users", a.Samples[0].Numerator, i+1)
		}
		if a := s.kpi(t, "plays", "window", "1m", "at", fmt.Sprint(at.Add(time.Second).UnixMilli())); a.Samples[0].Numerator < 1 || a.Samples[0].Numerator > 2 {
			t.Errorf("plays of the last minute at the event's time: %+v", a)
		}
	}
}

// It stays so while events come and seconds close.
func TestLedgerThenQueryUnderLoad(t *testing.T) {
	t.Parallel()
	s := serving(t, "")
	done := make(chan struct{})
	var posting sync.WaitGroup
	for k := range 4 {
		posting.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				line := event(fmt.Sprint(k, "-", i), time.Now(), "play", "watch_ms", 1)
				if r, err := s.do("POST", "/v1/events", line); err != nil || r.code != http.StatusOK {
					t.Errorf("POST /v1/events: %+v, %v", r, err)
					return
				}
			}
		})
	}
	first := s.await(t, "the first events", func(l ledger) bool { return l.Total.Counted > 0 }).Watermark
	for l := s.ledger(t); l.Watermark.Sub(first) < 6*time.Second && !t.Failed(); l = s.ledger(t) {
		for _, window := range []string{"1m", "5m"} {
			if a := s.kpi(t, "plays", "window", window); a.Samples[0].Numerator < l.Total.Counted {
				t.Errorf("plays in %s: %d as the ledger shows %d, watermark %s", window, a.Samples[0].Numerator, l.Total.Counted, l.Watermark)
			}
		}
	}
	close(done)
	posting.Wait()
}

// A KPI that is added counts what the stream still has; nobody is paged for
// what was told before, though there is an epoch in the midst, for want of memory.
func TestDefinitionsChange(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string]string{"roomy": "", "narrow": "memory_budget: 64MiB\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			definitionsChange(t, settings)
		})
	}
}

func definitionsChange(t *testing.T, settings string) {
	t.Helper()
	s, p := watching(t, "checkpoint_interval: 50ms\n"+settings)
	s.start(t)
	begin := time.Now().Add(-time.Hour).Truncate(time.Second)
	s.watch(t, begin, 40, 0)
	s.post(t, event("old", begin.Add(-24*time.Hour), "play"))
	s.close(t, begin.Add(2*time.Second))
	s.close(t, begin.Add(10*time.Second))
	p.await(t, 1)
	before := s.awaitReceived(t, 41).Total
	s.stop(t)
	s.file(t, "kpis.yaml", "kpis: [{name: long_plays, count: {where: 'type == \"play\" and duration_ms >= 10000'}, by: [channel], windows: [2m]}]\n")
	s.config += "kpis: [kpis.yaml]\n"
	for range 3 { // also killed on the way
		s.launch(t)
		if !s.says("rebuilding") {
			t.Fatalf("no word of the rebuilding:\n%s", s.text())
		}
		s.kill(t)
	}
	s.start(t)
	after := s.awaitReceived(t, 41).Total
	if after != before {
		t.Errorf("ledger %+v after the rebuilding, %+v before", after, before)
	}
	at := fmt.Sprint(begin.Add(10 * time.Second).UnixMilli())
	if a := s.kpi(t, "long_plays", "window", "2m", "at", at, "by", "channel"); len(a.Samples) != 1 || a.Samples[0].Numerator != 40 {
		t.Errorf("long plays %+v, want 40", a)
	}
	s.close(t, begin.Add(15*time.Second))
	p.await(t, 1)
	s.watch(t, begin.Add(20*time.Second), 200, 200)
	s.close(t, begin.Add(22*time.Second))
	if got := p.await(t, 2)[1]; got.Status != "resolved" {
		t.Errorf("page %+v, want it resolved", got)
	}
}

// While a broken producer posts without a pause what does not count, windows
// close as in silence.
func TestNoiseDoesNotStopTime(t *testing.T) {
	t.Parallel()
	s := serving(t, "disorder: 100ms\n")
	at := time.Now()
	s.post(t, event("a", at, "play", "watch_ms", 1))
	s.await(t, "the watermark to go on", func(l ledger) bool {
		for range 5 { // less apart than idle_tick
			s.post(t, `{"id":"a","time":12,"type":"play","user_id":"u1"}`)
		}
		return l.Watermark.After(at.Add(time.Second))
	})
}
