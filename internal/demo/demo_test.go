package demo

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidewatch/tidewatch/internal/generate"
	"github.com/tidewatch/tidewatch/internal/send"
)

// shelf is a service that keeps ids and a watermark, without a network.
type shelf struct {
	mu        sync.Mutex
	ids       map[string]bool
	newest    int64
	backwards int
	belated   int // costs of a day before
	ahead     int
	taken     int // events
	counted   int // of them, some more at every look
}

func (s *shelf) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	var data any
	if r.Method == http.MethodGet {
		s.counted = min(s.taken, s.counted+5000)
		status := map[string]any{"total": map[string]int{"received": s.counted}, "watermark": nil}
		if s.newest > 0 {
			status["watermark"] = time.UnixMilli(s.newest - 2000)
		}
		data = status
	} else {
		body, _ := io.ReadAll(r.Body)
		lines := bytes.Split(bytes.TrimSpace(body), []byte("\n"))
		for _, line := range lines {
			id, at := read(line)
			switch behind := s.newest - at.UnixMilli(); {
			case behind <= 60_000:
			case bytes.Contains(line, []byte(`"type":"ad_cost"`)) && behind > 23*3_600_000 && behind < 25*3_600_000:
				s.belated++
			default:
				s.backwards++
			}
			if at.After(time.Now()) {
				s.ahead++
			}
			s.newest = max(s.newest, at.UnixMilli())
			s.ids[id] = true
		}
		s.taken += len(lines)
		data = map[string]int{"accepted": len(lines)}
	}
	text, _ := json.Marshal(map[string]any{"status": "success", "data": data})
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(text)), Request: r}, nil
}

// read takes the id and the time out of an event as package generate writes it.
func read(line []byte) (id string, at time.Time) {
	parts := strings.SplitN(string(line), `"`, 9)
	at, _ = time.Parse(time.RFC3339Nano, parts[7])
	return parts[3], at
}

// feedFor feeds for a while and returns the progress that was told.
func feedFor(t *testing.T, s *shelf, d time.Duration) (told []float64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	f := &feeder{client: &send.Client{URL: "http://demo", HTTP: &http.Client{Transport: s}}, history: past}
	f.progress = func(p float64) {
		s.mu.Lock()
		defer s.mu.Unlock()
		last := 0.0
		if len(told) > 0 {
			last = told[len(told)-1]
		}
		if p < last || p == 1 && s.counted < int(f.past.Load()) {
			t.Errorf("progress %g after %g with %d of %d counted", p, last, s.counted, s.taken)
		}
		told = append(told, p)
	}
	if err := f.run(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("feeder ended with %v", err)
	}
	return told
}

const past = 24 * time.Hour

func TestFeederContinues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		s := &shelf{ids: map[string]bool{}}
		if told := feedFor(t, s, 2*time.Minute); told[0] != 0 || told[len(told)-1] != 1 {
			t.Errorf("progress %v", told)
		}
		if told := feedFor(t, s, time.Minute); told != nil {
			t.Errorf("all is there, but progress %v", told)
		}
		once := len(s.ids)
		if once < 150_000 || once > 200_000 {
			t.Errorf("%d events of history", once)
		}
		// The demo is not running, for long enough that the gap is squeezed.
		<-time.After(10*time.Hour + 17*time.Second)
		if told := feedFor(t, s, time.Minute); told[0] < 0.55 || told[0] > 0.65 || told[len(told)-1] != 1 {
			t.Errorf("14 of 24 hours are there, but progress %v", told)
		}
		if s.backwards > 0 || s.ahead > 0 {
			t.Errorf("%d events went back in time, %d were ahead of it", s.backwards, s.ahead)
		}
		if s.belated < 20 {
			t.Errorf("%d costs were told a day late", s.belated)
		}
		// One demo that was never stopped has the same events.
		want := map[string]bool{}
		whole := shop(began.Add(-past).Truncate(time.Second), began, true)
		for whole.peek() <= s.newest {
			id, _ := read(whole.append(nil))
			want[id] = true
		}
		missing := 0
		for id := range want {
			if _, ok := s.ids[id]; !ok {
				missing++
			}
		}
		if missing > 0 || len(s.ids) > len(want)+10 {
			t.Errorf("after a restart %d of %d events are missing, %d are there", missing, len(want), len(s.ids))
		}
	})
}

// The past has the level of the present, hour by hour, so that no chart has a
// cliff: neither where the demo began nor where its past is squeezed.
func TestLevel(t *testing.T) {
	now := time.Date(2026, 3, 11, 12, 34, 56, 0, time.UTC)
	from := now.Add(-6 * 24 * time.Hour)
	byHour, byMinute := map[int64]float64{}, map[int64]float64{}
	seconds := map[int64]map[int64]bool{} // in which something happens, by hour
	s, last := shop(from, now, true), int64(0)
	for s.peek() < now.Add(26*time.Hour).UnixMilli() {
		if s.peek() < last {
			t.Fatalf("time goes from %d back to %d", last, s.peek())
		}
		last = s.peek()
		byHour[last/3_600_000]++
		byMinute[last/60_000]++
		if seconds[last/3_600_000] == nil {
			seconds[last/3_600_000] = map[int64]bool{}
		}
		seconds[last/3_600_000][last/1000] = true
		s.append(nil)
	}
	hour := now.UnixMilli() / 3_600_000
	for back := int64(24); back <= 5*24; back += 24 {
		day, live := 0.0, 0.0
		for h := hour + 1; h <= hour+24; h++ { // each hour of the day, live
			if got, want := byHour[h-back], byHour[h]; math.Abs(got/want-1) > 0.3 {
				t.Errorf("%.0f events an hour %d h before an hour of %.0f", got, back, want)
			}
			day, live = day+byHour[h-back], live+byHour[h]
		}
		if math.Abs(day/live-1) > 0.08 {
			t.Errorf("%.0f events %d h before a day of %.0f", day, back, live)
		}
	}
	for h := hour - 5*24; h < hour+24; h++ {
		if next := byHour[h+1]; math.Abs(next/byHour[h]-1) > 0.4 {
			t.Errorf("%.0f events, and %.0f in the hour after", byHour[h], next)
		}
	}
	for back, most := range map[int64]int{2: 3600, 30: 61, 130: 13} {
		if got := len(seconds[hour-back]); got > most {
			t.Errorf("%d h ago something happens in %d seconds of an hour, want at most %d", back, got, most)
		}
	}
	for m := now.Add(-3*24*time.Hour).UnixMilli() / 60_000; m < now.UnixMilli()/60_000; m++ {
		if byMinute[m] < 30 { // the mean is 120
			t.Errorf("%.0f events in a minute of the last three days", byMinute[m])
		}
	}
}

// The demo's rule holds in the incidents, and in three days of the past never:
// a demo that begins pages nobody for what is over.
func TestRule(t *testing.T) {
	const below, least, lasting = 0.2, 8, 60 // as rules.yml has it
	for _, part := range []string{`channel="douyin",window="1m"} < 0.2`, "min_samples: 8", "for: 1m"} {
		if !bytes.Contains(rules, []byte(part)) {
			t.Fatalf("the rules do not say %s", part)
		}
	}
	type play struct {
		second int64
		done   int
	}
	now := time.Date(2026, 3, 11, 20, 0, 0, 0, time.UTC) // four in the morning in Shanghai
	var window []play
	done, low := 0, int64(0) // since when
	fired := map[int64]int{} // seconds by five minutes
	s := shop(now.Add(-3*24*time.Hour), now, true)
	end := now.Add(2 * time.Hour).Unix()
	for second := now.Add(-3 * 24 * time.Hour).Unix(); second < end; second++ {
		for ; s.peek()/1000 == second; s.append(nil) {
			if e := s.head; e.Type == generate.Play && e.Channel() == "douyin" {
				p := play{second: second}
				if e.WatchMS >= e.DurationMS {
					p.done = 1
				}
				window, done = append(window, p), done+p.done
			}
		}
		for len(window) > 0 && window[0].second <= second-60 {
			done -= window[0].done
			window = window[1:]
		}
		if len(window) < least { // what was decided stays
			continue
		}
		if float64(done) >= below*float64(len(window)) {
			low = 0
			continue
		}
		if low = cmp.Or(low, second); second-low >= lasting {
			fired[second/300]++
		}
	}
	for five, seconds := range fired {
		if five < now.Unix()/300 {
			t.Errorf("%s: it would fire for %d s", time.Unix(five*300, 0).UTC(), seconds)
		}
	}
	incidents, seen := 0, 0
	for five := now.Unix() / 300; five < end/300; five++ {
		if incidents++; fired[five] > 0 {
			seen++
		}
	}
	if seen < incidents-2 { // in the quietest hours of the night
		t.Errorf("it fires in %d of %d incidents", seen, incidents)
	}
}

func TestReceiver(t *testing.T) {
	r := NewReceiver()
	post := func(body string) int {
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/webhook", strings.NewReader(body)))
		return w.Code
	}
	if got := post("not JSON"); got != http.StatusBadRequest {
		t.Errorf("a body that is not JSON: %d", got)
	}
	for i := range kept + 5 {
		if got := post(fmt.Sprintf(`{"n":%d}`, i)); got != http.StatusOK {
			t.Fatalf("a webhook: %d", got)
		}
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/bodies", nil))
	var bodies []Body
	if err := json.Unmarshal(w.Body.Bytes(), &bodies); err != nil {
		t.Fatal(err)
	}
	if len(bodies) != kept || string(bodies[0].Body) != fmt.Sprintf(`{"n":%d}`, kept+4) {
		t.Errorf("%d bodies, first %s; want the newest %d, newest first", len(bodies), bodies[0].Body, kept)
	}
	w = httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "<title>") {
		t.Errorf("the page: %d", w.Code)
	}
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	s := &shelf{ids: map[string]bool{}}
	ctx, cancel := context.WithCancel(t.Context())
	stopped := false
	service := func(ctx context.Context, got Settings) error {
		receivers, err := os.ReadFile(got.Alertmanager)
		if err != nil || !bytes.Contains(receivers, []byte("/webhook")) {
			t.Errorf("receivers: %s, %v", receivers, err)
		}
		if _, err := os.Stat(got.Rules[0]); err != nil || filepath.Dir(got.Data) != dir {
			t.Errorf("settings %+v: %v", got, err)
		}
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			res, err := s.RoundTrip(r)
			if err != nil {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			io.Copy(w, res.Body)
		}))
		defer web.Close()
		got.Ready(web.URL)
		<-ctx.Done()
		stopped = true
		return nil
	}
	var out bytes.Buffer
	err := Run(ctx, Options{Listen: "127.0.0.1:0", Receiver: "127.0.0.1:0", Data: dir, Service: service, Out: &out,
		Progress: func(share float64) {
			if share > 0.01 {
				cancel()
			}
		}})
	if err != nil || !stopped || !strings.Contains(out.String(), "live page        http://127.0.0.1:") {
		t.Errorf("got %v, service stopped: %t, output %q", err, stopped, out.String())
	}
}

func TestRunBusyPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	busy := l.Addr().String()
	for _, o := range []Options{{Listen: busy, Receiver: "127.0.0.1:0"}, {Listen: "127.0.0.1:0", Receiver: busy}} {
		o.Data = t.TempDir()
		err := Run(t.Context(), o)
		if err == nil || !strings.Contains(err.Error(), busy) || !strings.Contains(err.Error(), "choose another with --") {
			t.Errorf("got %v", err)
		}
	}
	broken := errors.New("broken")
	err = Run(t.Context(), Options{Listen: "127.0.0.1:0", Receiver: "127.0.0.1:0", Data: t.TempDir(),
		Service: func(context.Context, Settings) error { return broken }})
	if !errors.Is(err, broken) {
		t.Errorf("a service that fails: got %v", err)
	}
}
