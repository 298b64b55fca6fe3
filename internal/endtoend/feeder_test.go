package endtoend

import (
	"bytes"
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/generate"
)

const (
	batchEvents = 50
	clients     = 4
	// inFlight bounds how far a client may be ahead of one that still repeats
	// its batch: by less event time than the lateness.
	inFlight = 32
)

// A feeder is several clients that post batches in their order and repeat each
// until it is taken.
type feeder struct {
	service *service
	batches [][]byte
	lines   [][]byte
	// answers has something for every batch that was taken.
	answers chan struct{}
	done    chan struct{} // all are taken

	mu     sync.Mutex
	turn   sync.Cond
	next   int
	oldest int
	taken  []bool

	answered atomic.Int64 // events, by what the service said
	repeats  atomic.Int64
	fault    atomic.Pointer[string]
}

// generated are the events of options, as lines.
func generated(o generate.Options) (lines [][]byte) {
	g := generate.New(o)
	for e := range g.Events() {
		lines = append(lines, g.Append(nil, e))
	}
	return lines
}

// feed begins to post lines.
func feed(t *testing.T, s *service, lines [][]byte) *feeder {
	t.Helper()
	f := &feeder{service: s, lines: lines, done: make(chan struct{})}
	for i := 0; i < len(lines); i += batchEvents {
		f.batches = append(f.batches, bytes.Join(lines[i:min(i+batchEvents, len(lines))], []byte("\n")))
	}
	f.answers = make(chan struct{}, len(f.batches))
	f.turn.L = &f.mu
	f.taken = make([]bool, len(f.batches))
	addr := s.addr // it stays the same
	var running sync.WaitGroup
	for range clients {
		running.Go(func() {
			for i, ok := f.take(); ok; i, ok = f.take() {
				f.post("http://"+addr+"/v1/events", i)
				f.advance(i)
			}
		})
	}
	go func() { running.Wait(); close(f.done) }()
	return f
}

func (f *feeder) take() (i int, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.next < len(f.batches) && f.next >= f.oldest+inFlight {
		f.turn.Wait()
	}
	i = f.next
	f.next++
	return i, i < len(f.batches)
}

func (f *feeder) advance(i int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.taken[i] = true
	for f.oldest < len(f.taken) && f.taken[f.oldest] {
		f.oldest++
	}
	f.turn.Broadcast()
}

// post repeats a batch until it is answered.
func (f *feeder) post(url string, i int) {
	for {
		res, err := client.Post(url, "application/x-ndjson", bytes.NewReader(f.batches[i]))
		if err == nil {
			var answer struct{ Data taken }
			err = json.NewDecoder(res.Body).Decode(&answer)
			res.Body.Close()
			if err == nil && res.StatusCode == http.StatusOK {
				f.answered.Add(int64(answer.Data.Accepted + answer.Data.Duplicate))
				f.answers <- struct{}{}
				return
			}
			if res.StatusCode/100 == 4 && res.StatusCode != http.StatusTooManyRequests || res.StatusCode == http.StatusMultiStatus {
				why := res.Status
				f.fault.Store(&why)
				return
			}
		}
		f.repeats.Add(1)
		<-time.After(5 * time.Millisecond) // be gentle to a service that starts
	}
}

// progress waits for n more batches that are taken; false when all are.
func (f *feeder) progress(n int) bool {
	for range n {
		select {
		case <-f.answers:
		case <-f.done:
			return false
		}
	}
	return true
}

// finish waits until everything is taken.
func (f *feeder) finish(t *testing.T) {
	t.Helper()
	select {
	case <-f.done:
	case <-time.After(2 * patience):
		t.Fatalf("the clients are not done: %d of %d batches are taken", f.oldest, len(f.batches))
	}
	if why := f.fault.Load(); why != nil {
		t.Fatalf("a batch was refused: %s", *why)
	}
	if got := f.answered.Load(); got != int64(len(f.lines)) {
		t.Fatalf("%d events were taken, %d were sent", got, len(f.lines))
	}
}
