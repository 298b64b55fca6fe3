package generate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.FixedZone("", shanghai))

func collect(o Options) []Event {
	var all []Event
	for e := range New(o).Events() {
		all = append(all, *e)
	}
	return all
}

// The stream of a seed is a promise: whoever published numbers about it can
// make it again.
func TestGolden(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    Options
		want string
	}{
		{"in order", Options{Seed: 1}, "edbdca7cf193beda"},
		{"disorder and duplicates", Options{Seed: 2, Disorder: 3 * time.Second, Late: 0.01, LateBy: time.Minute, Duplicates: 0.01, Incidents: monday}, "371004ef044b8d36"},
	} {
		tt.o.Start, tt.o.Events, tt.o.Rate = monday, 20_000, 100
		text, n := New(tt.o).AppendLines(nil, 1e6)
		sum := sha256.Sum256(text)
		if got := hex.EncodeToString(sum[:8]); got != tt.want || n != 20_000 {
			t.Errorf("%s: %d events with hash %s, want 20000 with %s", tt.name, n, got, tt.want)
		}
	}
}

func TestContinues(t *testing.T) {
	for _, o := range []Options{
		{Seed: 3, Rate: 200},
		{Seed: 3, Rate: 200, Disorder: 2 * time.Second, Late: 0.02, LateBy: 5 * time.Second, Duplicates: 0.05},
	} {
		o.Start, o.End = monday, monday.Add(20*time.Minute)
		whole := collect(o)
		o.Start = monday.Add(10 * time.Minute)
		tail := collect(o)
		var want []Event
		for _, e := range whole {
			if e.Time >= o.Start.UnixMilli() {
				want = append(want, e)
			}
		}
		if diff := cmp.Diff(want, tail, cmp.AllowUnexported(Event{})); diff != "" {
			t.Errorf("a generator that starts later gives other events: %.2000s", diff)
		}
	}
}

func TestRate(t *testing.T) {
	week := Options{Seed: 4, Start: monday, End: monday.Add(7 * 24 * time.Hour), Rate: 2}
	all := collect(week)
	want := 2 * 7 * 86400.0
	if got := float64(len(all)); math.Abs(got/want-1) > 0.02 {
		t.Errorf("%g events in a week, want %g: perSession should be %.2f", got, want, perSession*got/want)
	}
	byHour := map[int]int{}
	for _, e := range all {
		byHour[time.UnixMilli(e.Time).In(monday.Location()).Hour()]++
	}
	if byHour[21] < 10*byHour[4] {
		t.Errorf("%d events at 21 h and %d at 4 h: no rhythm", byHour[21], byHour[4])
	}
	steady := collect(Options{Seed: 4, Start: monday.Add(4 * time.Hour), End: monday.Add(5 * time.Hour), Rate: 50, Steady: true})
	if got := float64(len(steady)) / 3600; math.Abs(got/50-1) > 0.05 {
		t.Errorf("%.1f events a second at a steady rate of 50", got)
	}
}

func TestOrder(t *testing.T) {
	in := collect(Options{Seed: 5, Start: monday, Events: 20_000, Rate: 500})
	if !slices.IsSortedFunc(in, func(a, b Event) int { return int(a.Time - b.Time) }) {
		t.Error("without disorder events do not come by time")
	}
	if in[0].Time < monday.UnixMilli() {
		t.Error("the first event is before the start")
	}
	out := collect(Options{Seed: 5, Start: monday, Events: 100_000, Rate: 100, Disorder: 5 * time.Second, Late: 0.01, LateBy: time.Minute, Duplicates: 0.02})
	var newest int64
	late, ids := 0, map[uint64]int{}
	for _, e := range out {
		newest = max(newest, e.Time)
		ids[e.ID]++
		if e.Time < newest-5000 && ids[e.ID] == 1 {
			late++
		}
		if e.Arrival() < e.Time || e.Arrival() > e.Time+75_000 {
			t.Fatalf("an event of %d arrives at %d", e.Time, e.Arrival())
		}
	}
	if got := float64(late) / 100_000; got < 0.005 || got > 0.015 {
		t.Errorf("%.4f of the events are beyond the disorder, want about 0.01", got)
	}
	if got := float64(100_000-len(ids)) / 100_000; got < 0.015 || got > 0.025 {
		t.Errorf("%.4f of the events are duplicates, want about 0.02", got)
	}
}

// Every step of a purchase follows the one before it, by the same user, in the
// same session.
func TestFunnel(t *testing.T) {
	before := map[Type]Type{Click: Impression, PageView: Click, AddToCart: PageView, Order: AddToCart, Pay: Order}
	last := map[uint64]Event{}
	counts := map[Type]int{}
	for _, e := range collect(Options{Seed: 6, Start: monday.Add(-longest * time.Second), Events: 200_000, Rate: 100}) {
		counts[e.Type]++
		prev, known := last[e.Session]
		last[e.Session] = e
		if !known {
			continue // began before the start
		}
		if prev.Time+1000 > e.Time || prev.User != e.User || prev.Place != e.Place {
			t.Fatalf("session jumps from %+v to %+v", prev, e)
		}
		if want, ok := before[e.Type]; ok && (prev.Type != want || prev.Content != e.Content) {
			t.Fatalf("%s follows %s", e.Type, prev.Type)
		}
		if e.Type == Pay && e.AmountMinor != prev.AmountMinor {
			t.Fatalf("ordered %d, paid %d", prev.AmountMinor, e.AmountMinor)
		}
	}
	funnel := []Type{Impression, Click, PageView, AddToCart, Order, Pay}
	for i, k := range funnel[1:] {
		if counts[k] == 0 || counts[k] >= counts[funnel[i]] {
			t.Errorf("funnel: %v", counts)
		}
	}
	for k := range types {
		if counts[k] == 0 {
			t.Errorf("no %s among 200,000 events", k)
		}
	}
}

// Each channel completes at its own rate; an incident is plain to see, from when
// there are any.
func TestCompletionAndIncidents(t *testing.T) {
	type tally struct{ plays, done float64 }
	calm, bad := map[string]tally{}, map[string]tally{}
	begin := monday.Add(12 * time.Hour)
	from := begin.Add(10 * time.Minute)
	for _, e := range collect(Options{Seed: 7, Start: begin, Events: 800_000, Rate: 200, Incidents: from}) {
		if e.Type != Play {
			continue
		}
		to := calm
		if c, ok := Incident(time.UnixMilli(e.Time)); ok && c == e.Channel() && e.Time >= from.UnixMilli() {
			to = bad
		}
		y := to[e.Channel()]
		y.plays++
		if e.WatchMS >= e.DurationMS {
			y.done++
		}
		to[e.Channel()] = y
	}
	for i, c := range channels {
		want := float64(completion[i]) / 100
		if got := calm[c.name].done / calm[c.name].plays; math.Abs(got-want) > 0.03 {
			t.Errorf("%s: completion %.3f, want %.2f", c.name, got, want)
		}
		if got := bad[c.name].done / bad[c.name].plays; got > 0.12 {
			t.Errorf("%s: completion %.3f in an incident", c.name, got)
		}
	}
}

// Users stay away for whole days, and some come back.
func TestChurn(t *testing.T) {
	days := map[uint32]map[int64]bool{}
	for _, e := range collect(Options{Seed: 8, Start: monday, End: monday.Add(35 * 24 * time.Hour), Rate: 0.5, Users: 500}) {
		if days[e.User] == nil {
			days[e.User] = map[int64]bool{}
		}
		days[e.User][floorDiv(e.Time/1000+shanghai, day)] = true
	}
	returned, gone := 0, 0
	end := floorDiv(monday.Unix()+shanghai, day) + 35
	for _, d := range days {
		list := slices.Sorted(maps.Keys(d))
		for i := 1; i < len(list); i++ {
			if list[i]-list[i-1] > 7 {
				returned++
				break
			}
		}
		if end-list[len(list)-1] > 14 {
			gone++
		}
	}
	if returned < 20 || gone < 20 {
		t.Errorf("of %d users %d returned after a week and %d have been away for two", len(days), returned, gone)
	}
}

func TestZipf(t *testing.T) {
	for _, l := range []law{steep, flat} {
		for _, n := range []int{1, 2, 7, 1000} {
			z := newZipf(n, l)
			d := dice(9)
			got := make([]float64, n)
			const draws = 200_000
			for range draws {
				got[z.draw(&d)]++
			}
			total := 0.0
			weight := func(k int) float64 {
				if l == flat {
					return 1 / math.Sqrt(float64(k))
				}
				return 1 / float64(k)
			}
			for k := 1; k <= n; k++ {
				total += weight(k)
			}
			for k := 1; k <= min(n, 20); k++ {
				want := draws * weight(k) / total
				if math.Abs(got[k-1]-want) > 6*math.Sqrt(want) {
					t.Errorf("law %d of %d: rank %d drawn %g times, want %.0f", l, n, k, got[k-1], want)
				}
			}
		}
	}
}

func TestAppend(t *testing.T) {
	g := New(Options{Seed: 10, Start: monday.Add(-26 * time.Hour), Events: 50_000, Rate: 1})
	var e Event
	seen := map[uint64]bool{}
	for g.Next(&e) {
		line := g.Append(nil, &e)
		var got struct {
			ID, Type  string
			Time      time.Time
			UserID    string `json:"user_id"`
			ContentID string `json:"content_id"`
			Watch     int32  `json:"watch_ms"`
			Currency  string
			Props     struct{ Vertical string }
		}
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if got.Time.UnixMilli() != e.Time || got.Type != e.Type.String() || got.UserID == "" || len(got.ID) != 13 {
			t.Fatalf("%+v is written as %s", e, line)
		}
		if got.Watch != e.WatchMS || (e.Type == Pay) != (got.Currency == "CNY") && e.Type != Order || (got.ContentID == "") != (got.Props.Vertical == "") {
			t.Fatalf("%+v is written as %s", e, line)
		}
		if seen[e.ID] {
			t.Fatalf("id twice: %s", line)
		}
		seen[e.ID] = true
	}
}

func BenchmarkAppendLines(b *testing.B) {
	for _, bb := range []struct {
		name string
		o    Options
	}{
		{"in_order", Options{}},
		{"disorder", Options{Disorder: 2 * time.Second, Late: 0.01, LateBy: 5 * time.Minute, Duplicates: 0.001}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			o := bb.o
			o.Seed, o.Start, o.Rate, o.Steady, o.Users, o.Contents = 1, monday, 25_000, true, 1_000_000, 100_000
			g := New(o)
			var e Event
			g.Next(&e) // the lead-in is set-up
			var buf []byte
			size, n := 0, 0
			b.ReportAllocs()
			b.ResetTimer()
			for n < b.N {
				var k int
				buf, k = g.AppendLines(buf[:0], 2000)
				n, size = n+k, size+len(buf)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/event")
			b.ReportMetric(float64(size)/float64(n), "B/event")
		})
	}
}

// What is spread over days lies in them, at any rate and by any seed.
func TestFit(t *testing.T) {
	start := time.Date(2026, 1, 5, 0, 0, 0, 0, time.FixedZone("", 8*3600))
	for _, tt := range []struct {
		events int64
		days   int
		seeds  uint64
	}{{1, 1, 20}, {1, 30, 1}, {20, 365, 1}, {1000, 1, 5}, {100_000, 2, 2}, {100_000, 7, 2}} {
		for seed := range tt.seeds {
			end := start.AddDate(0, 0, tt.days)
			o, err := Fit(Options{Seed: seed, Start: start, End: end, Events: tt.events, Users: 1000})
			if err != nil {
				t.Fatal(err)
			}
			g := New(o)
			var n int64
			var last Event
			for g.Next(&last) {
				n++
			}
			if n != tt.events || last.Time >= end.UnixMilli() || tt.events >= 1000 && last.Time < end.UnixMilli()-end.Sub(start).Milliseconds()/2 {
				t.Errorf("%d events over %d days by seed %d: %d, the last at %s", tt.events, tt.days, seed, n, time.UnixMilli(last.Time))
			}
		}
	}
	for _, tt := range []struct {
		span   time.Duration
		events int64
		want   string
	}{
		{time.Millisecond, 5, "from 2026-01-05T00:00:00+08:00 to 2026-01-05T00:00:00+08:00 is no second: give an end that is later"},
		{time.Second, 2_000_000, "2000000 events between 2026-01-05T00:00:00+08:00 and 2026-01-05T00:00:01+08:00 are too many: give at most 1000000 a second"},
	} {
		_, err := Fit(Options{Start: start, End: start.Add(tt.span), Events: tt.events})
		if err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

// A stream that is stopped ends, however far its next event is.
func TestStop(t *testing.T) {
	stop := make(chan struct{})
	close(stop)
	o := Options{Start: monday, End: monday.AddDate(100, 0, 0), Events: 1, Stop: stop}
	o, err := Fit(o)
	if err != nil {
		t.Fatal(err)
	}
	if text, n := New(o).AppendLines(nil, 1); n != 0 {
		t.Errorf("a stopped stream gave %s", text)
	}
}
