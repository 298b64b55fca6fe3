package remote

import (
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/VictoriaMetrics/metrics"
	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"
	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/queryable"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// begin is when the source's first window ends.
var begin = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

// source has a KPI by channel, in windows of five minutes and days: the value is the number
// of seconds since begin. Channel b has one for the first 20 seconds.
type source struct {
	kpi  *kpi.KPI
	lost int64 // the end of a window that is
}

func newSource() *source {
	return &source{kpi: &kpi.KPI{Name: "some", By: []kpi.Set{{"channel"}}, Windows: []kpi.Window{{Length: 5 * time.Minute}, kpi.Day}}}
}

func (s *source) Catalogue() *kpi.Catalogue {
	return &kpi.Catalogue{KPIs: []*kpi.KPI{s.kpi}, Location: time.UTC}
}
func (s *source) Look() queryable.View                          { return s }
func (s *source) Calendar() *kpi.Calendar                       { return kpi.NewCalendar(time.UTC) }
func (s *source) Watermark() (int64, bool)                      { return begin.AddDate(1, 0, 0).UnixMilli(), true }
func (s *source) Kept(kpi.Window) int64                         { return begin.UnixMilli() }
func (s *source) Versions(queryable.Question, []int64) []uint64 { panic("nothing is kept") }
func (s *source) Live(queryable.Question) *sample.Answer        { panic("not sealed") }

func (s *source) Windows(_ context.Context, q queryable.Question, ends []int64) iter.Seq2[*sample.Answer, error] {
	return func(yield func(*sample.Answer, error) bool) {
		for _, end := range ends {
			if end == s.lost {
				if !yield(nil, &queryable.LostError{Why: fmt.Errorf("window %d is lost", end)}) {
					return
				}
				continue
			}
			seconds := (end - begin.UnixMilli()) / 1000
			a := &sample.Answer{KPI: q.KPI, By: q.By, Window: q.Window, End: time.UnixMilli(end), Start: time.UnixMilli(end).Add(-time.Second)}
			for _, c := range []string{"a", "b"} {
				if c == "a" || seconds <= 20 {
					a.Samples = append(a.Samples, sample.Sample{Labels: []string{c}, Numerator: sample.Number{N: sample.Of(seconds), Scale: 1}})
				}
			}
			if !yield(a, nil) {
				return
			}
		}
	}
}

// A store takes what is written.
type store struct {
	*httptest.Server
	mu      sync.Mutex
	got     []string // series, time and value
	headers []http.Header
	answer  func(n int, req *prompb.WriteRequest) int // to call n
	calls   int
}

func newStore(t *testing.T) *store {
	s := &store{answer: func(int, *prompb.WriteRequest) int { return 204 }}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		packed, _ := io.ReadAll(r.Body)
		text, err := snappy.Decode(nil, packed)
		var req prompb.WriteRequest
		if err == nil {
			err = req.Unmarshal(text)
		}
		if err != nil || r.Header.Get("Content-Type") != "application/x-protobuf" || r.Header.Get("Content-Encoding") != "snappy" || r.Header.Get("X-Prometheus-Remote-Write-Version") != "0.1.0" {
			t.Errorf("%v: %v", err, r.Header)
		}
		s.headers = append(s.headers, r.Header)
		s.calls++
		if code := s.answer(s.calls, &req); code/100 != 2 {
			w.WriteHeader(code)
			return
		}
		for _, series := range req.Timeseries {
			var labels []string
			for _, l := range series.Labels {
				labels = append(labels, l.Name+"="+l.Value)
			}
			if !slices.IsSorted(labels) {
				t.Errorf("labels %q", labels)
			}
			for _, p := range series.Samples {
				text := fmt.Sprint(p.Value)
				if value.IsStaleNaN(p.Value) {
					text = "stale"
				}
				s.got = append(s.got, fmt.Sprintf("%s +%s %s", strings.Join(labels, " "), time.UnixMilli(p.Timestamp).Sub(begin), text))
			}
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *store) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

// writer writes into the store up to an instant, and answers where it is then.
func (s *store) writer(t *testing.T, c config.RemoteWrite, from map[string]int64, of *source) (*writer, *atomic.Int64) {
	t.Helper()
	sealed := &atomic.Int64{}
	c.URL = s.URL
	ws, err := New([]config.RemoteWrite{c}, from, Options{Series: of, Sealed: sealed.Load, Metrics: metrics.NewSet(), Log: zerolog.New(zerolog.NewTestWriter(t))})
	if err != nil {
		t.Fatal(err)
	}
	return ws[0], sealed
}

// TestWrite: what is sealed is written once, in order, with the end of what has no value
// any more, from where it was.
func TestWrite(t *testing.T) {
	s := newStore(t)
	w, sealed := s.writer(t, config.RemoteWrite{Match: []string{`{window="5m"}`}}, nil, newSource())
	w.catchUp(t.Context()) // nothing is known yet
	sealed.Store(begin.Add(10 * time.Second).UnixMilli())
	w.catchUp(t.Context()) // begins here
	if got := s.all(); len(got) > 0 {
		t.Errorf("before it began: %q", got)
	}
	for _, at := range []time.Duration{20 * time.Second, 22 * time.Second, 30 * time.Second} {
		sealed.Store(begin.Add(at).UnixMilli())
		w.catchUp(t.Context())
	}
	const name = "__name__=kpi_some by=channel channel="
	want := []string{
		name + "a window=5m +15s 15", name + "a window=5m +20s 20", name + "b window=5m +15s 15", name + "b window=5m +20s 20",
		name + "a window=5m +25s 25", name + "a window=5m +30s 30", name + "b window=5m +25s stale",
	}
	if got := s.all(); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	// Another process goes on from there.
	again, sealed := s.writer(t, config.RemoteWrite{Match: []string{`{window="5m"}`}}, Writers{w}.Positions(), newSource())
	sealed.Store(begin.Add(37 * time.Second).UnixMilli())
	again.catchUp(t.Context())
	if got := s.all()[len(want):]; len(got) != 1 || got[0] != name+"a window=5m +35s 35" {
		t.Errorf("again: %q", got)
	}
}

// TestBegins: a store goes on from where one of its name was, one that is given a name from
// where it was without; any other begins.
func TestBegins(t *testing.T) {
	unnamed, first, second := config.RemoteWrite{URL: "http://store"}, config.RemoteWrite{URL: "http://store", Name: "first"}, config.RemoteWrite{URL: "http://store", Name: "second"}
	for _, tt := range []struct {
		name      string
		stores    []config.RemoteWrite
		positions map[string]int64
		want      []int64
	}{
		{"nothing is known", []config.RemoteWrite{unnamed, first}, nil, []int64{0, 0}},
		{"the same", []config.RemoteWrite{unnamed, first}, map[string]int64{"http://store": 1, "first": 2}, []int64{1, 2}},
		{"a name is given", []config.RemoteWrite{first}, map[string]int64{"http://store": 1}, []int64{1}},
		{"names are given", []config.RemoteWrite{first, second}, map[string]int64{"http://store": 1, "second": 2}, []int64{1, 2}},
		{"one more, with a name", []config.RemoteWrite{unnamed, first}, map[string]int64{"http://store": 1}, []int64{1, 0}},
		{"another name", []config.RemoteWrite{second}, map[string]int64{"first": 1}, []int64{0}},
		{"the name is taken away", []config.RemoteWrite{unnamed}, map[string]int64{"first": 1}, []int64{0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ws, err := New(tt.stores, tt.positions, Options{Metrics: metrics.NewSet(), Log: zerolog.Nop()})
			if err != nil {
				t.Fatal(err)
			}
			var got []int64
			for _, w := range ws {
				got = append(got, w.written.Load())
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestTenants: stores of one address go on by their names, and one that is given a name
// from where it was without.
func TestTenants(t *testing.T) {
	s := newStore(t)
	match := []string{`{window="5m",channel="a"}`}
	stores := []config.RemoteWrite{
		{URL: s.URL, Match: match, Headers: map[string]string{"X-Scope-OrgID": "first"}},
		{URL: s.URL, Name: "second", Match: match, Headers: map[string]string{"X-Scope-OrgID": "second"}},
	}
	var sealed atomic.Int64
	write := func(from map[string]int64, until time.Duration) Writers {
		t.Helper()
		ws, err := New(stores, from, Options{Series: newSource(), Sealed: sealed.Load, Metrics: metrics.NewSet(), Log: zerolog.New(zerolog.NewTestWriter(t))})
		if err != nil {
			t.Fatal(err)
		}
		sealed.Store(begin.Add(until).UnixMilli())
		for _, w := range ws {
			w.catchUp(t.Context())
		}
		return ws
	}
	at := func(after time.Duration) int64 { return begin.Add(after).UnixMilli() }
	positions := write(map[string]int64{s.URL: at(10 * time.Second), "second": at(15 * time.Second)}, 20*time.Second).Positions()
	if want := map[string]int64{s.URL: at(20 * time.Second), "second": at(20 * time.Second)}; !maps.Equal(positions, want) {
		t.Errorf("positions %v, want %v", positions, want)
	}
	stores[0].Name = "first"
	positions = write(positions, 25*time.Second).Positions()
	if want := map[string]int64{"first": at(25 * time.Second), "second": at(25 * time.Second)}; !maps.Equal(positions, want) {
		t.Errorf("positions %v, want %v", positions, want)
	}
	const name = "__name__=kpi_some by=channel channel=a window=5m "
	want := []string{name + "+15s 15", name + "+20s 20", name + "+20s 20", name + "+25s 25", name + "+25s 25"}
	if got := s.all(); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	var tenants []string
	for _, h := range s.headers {
		tenants = append(tenants, h.Get("X-Scope-OrgID"))
	}
	if want := []string{"first", "second", "first", "second"}; !slices.Equal(tenants, want) {
		t.Errorf("tenants %q, want %q", tenants, want)
	}
}

// TestWriteDays: a day stands at its end and every minute behind it; one that stays open is
// written once, at its end, when nothing more becomes known of it.
func TestWriteDays(t *testing.T) {
	for horizon, want := range map[int]struct {
		n           int
		first, last string
	}{
		0: {60, "+24h0m0s 86400", "+24h59m0s 86400"},
		2: {1, "+24h0m0s 86400", "+24h0m0s 86400"},
	} {
		s := newStore(t)
		of := newSource()
		of.kpi.Horizon = horizon
		from := begin.Add(24*time.Hour-time.Second).AddDate(0, 0, horizon)
		w, sealed := s.writer(t, config.RemoteWrite{Match: []string{`{window="day",channel="a"}`}}, map[string]int64{s.URL: from.UnixMilli()}, of)
		sealed.Store(from.Add(time.Hour).UnixMilli())
		w.catchUp(t.Context())
		got := s.all()
		if len(got) != want.n || !strings.HasSuffix(got[0], want.first) || !strings.HasSuffix(got[len(got)-1], want.last) {
			t.Errorf("horizon %d: %d %q", horizon, len(got), got)
		}
	}
}

// TestRefused: a store that is away is waited for, what it will never take is told and left
// out, and so is what is lost.
func TestRefused(t *testing.T) {
	s := newStore(t)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	of := newSource()
	of.lost = begin.Add(10 * time.Second).UnixMilli()
	s.answer = func(n int, _ *prompb.WriteRequest) int { return []int{503, 204, 400, 204}[n-1] }
	w, sealed := s.writer(t, config.RemoteWrite{Match: []string{`{window="5m",channel="a"}`}, BearerTokenFile: token}, map[string]int64{s.URL: begin.UnixMilli()}, of)
	for _, at := range []time.Duration{12 * time.Second, 17 * time.Second, 22 * time.Second} {
		sealed.Store(begin.Add(at).UnixMilli())
		w.catchUp(t.Context())
	}
	got := s.all()
	for i := range got {
		_, got[i], _ = strings.Cut(got[i], "5m ")
	}
	if want := []string{"+5s 5", "+10s stale", "+20s 20"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if token := s.headers[0].Get("Authorization"); token != "Bearer s3cret" || w.refused.Get() != 1 || w.samples.Get() != 3 {
		t.Errorf("token %q, %d refused, %d written", token, w.refused.Get(), w.samples.Get())
	}
}

// TestRefusedInPart: what a store refuses is looked for, and all else is written.
func TestRefusedInPart(t *testing.T) {
	for name, tt := range map[string]struct {
		answer  func(_ int, req *prompb.WriteRequest) int
		written []string
		refused uint64
	}{
		"a series": {func(_ int, req *prompb.WriteRequest) int {
			for _, series := range req.Timeseries {
				if series.Labels[2].Value == "b" {
					return 400
				}
			}
			return 204
		}, []string{"channel=a +5s 5", "channel=a +10s 10"}, 2},
		"too much": {func(_ int, req *prompb.WriteRequest) int {
			if len(req.Timeseries) > 1 {
				return 413
			}
			return 204
		}, []string{"channel=a +5s 5", "channel=a +10s 10", "channel=b +5s 5", "channel=b +10s 10"}, 0},
		"everything": {func(int, *prompb.WriteRequest) int { return 422 }, nil, 4},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			s.answer = tt.answer
			w, sealed := s.writer(t, config.RemoteWrite{Match: []string{`{window="5m"}`}}, map[string]int64{s.URL: begin.UnixMilli()}, newSource())
			sealed.Store(begin.Add(12 * time.Second).UnixMilli())
			w.catchUp(t.Context())
			got := s.all()
			for i := range got {
				got[i] = strings.Replace(strings.TrimPrefix(got[i], "__name__=kpi_some by=channel "), " window=5m", "", 1)
			}
			if !slices.Equal(got, tt.written) || w.refused.Get() != tt.refused || w.samples.Get() != uint64(len(tt.written)) {
				t.Errorf("got %q, %d refused, %d written, want %q, %d refused", got, w.refused.Get(), w.samples.Get(), tt.written, tt.refused)
			}
		})
	}
	t.Run("bounded", func(t *testing.T) {
		s := newStore(t)
		s.answer = func(int, *prompb.WriteRequest) int { return 400 }
		w, _ := s.writer(t, config.RemoteWrite{}, nil, newSource())
		r := &request{}
		for range 1000 {
			r.add(queryable.Series{Points: make([]queryable.Point, 1)})
		}
		if err := w.send(t.Context(), r); err != nil || s.calls > maxRefusals+10 || w.refused.Get() != 1000 {
			t.Errorf("%v, %d calls, %d refused", err, s.calls, w.refused.Get())
		}
	})
}

// TestManySamples: more than a request holds goes in several.
func TestManySamples(t *testing.T) {
	s := newStore(t)
	w, sealed := s.writer(t, config.RemoteWrite{Match: []string{`{window="day",channel=~"a"}`}}, map[string]int64{s.URL: begin.UnixMilli()}, newSource())
	sealed.Store(begin.AddDate(0, 0, 9).UnixMilli())
	w.catchUp(t.Context())
	const want = 9 * 24 * 60
	if got := s.all(); len(got) != want || !strings.HasSuffix(got[0], "+1m0s 0") {
		t.Errorf("%d samples, want %d: %q", len(got), want, got[0])
	}
	r := &request{}
	rest := r.add(queryable.Series{Points: make([]queryable.Point, maxSamples+3)})
	if !r.full() || len(rest.Points) != 3 || r.samples != maxSamples {
		t.Errorf("%d samples, rest %d", r.samples, len(rest.Points))
	}
}
