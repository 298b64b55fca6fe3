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

	"github.com/tidewatch/tidewatch/stream"
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
		{"in order", Options{Seed: 1}, "369b3d26ce5e745f"},
		{"disorder and duplicates", Options{Seed: 2, Disorder: 3 * time.Second, Late: 0.01, LateBy: time.Minute, Duplicates: 0.01, Incidents: monday}, "9e16b910227f1e54"},
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

// Every fourth campaign's costs are told a day later, each once and with its own time, and
// nothing else; a generator that starts later tells those of the day before.
func TestBelated(t *testing.T) {
	o := Options{Seed: 3, Rate: 2, Start: monday, End: monday.Add(48 * time.Hour)}
	prompt := map[uint64]Event{}
	for _, e := range collect(o) {
		prompt[e.ID] = e
	}
	o.Belated = 24 * time.Hour
	all := collect(o)
	newest, belated := int64(0), map[uint8]int{}
	for _, e := range all {
		want := prompt[e.ID]
		delete(prompt, e.ID)
		late := e.Arrival() - e.Time
		if want.Time > 0 && (e.Time != want.Time || e.AmountMinor != want.AmountMinor) || want.Time == 0 && late == 0 {
			t.Fatalf("%+v, told as it happens %+v", e, want)
		}
		if e.Arrival() < newest {
			t.Fatalf("an event of %d arrives behind one of %d", e.Arrival(), newest)
		}
		newest = e.Arrival()
		is := e.Type == AdCost && e.Campaign%4 == 0
		if late != 0 && late != 86_400_000 || (late > 0) != is {
			t.Fatalf("%+v arrives %d ms later", e, late)
		}
		if is {
			belated[e.Campaign]++
		}
	}
	if len(prompt) > 0 || len(belated) != campaigns/4 {
		t.Errorf("%d events are missing, and late are those of campaigns %v", len(prompt), belated)
	}
	o.Start = monday.Add(30 * time.Hour)
	tail := collect(o)
	want := slices.DeleteFunc(all, func(e Event) bool { return e.Arrival() < o.Start.UnixMilli() })
	if diff := cmp.Diff(want, tail, cmp.AllowUnexported(Event{})); diff != "" {
		t.Errorf("a generator that starts later gives other events: %.2000s", diff)
	}
}

func TestRate(t *testing.T) {
	week := Options{Seed: 4, Start: monday, End: monday.Add(7 * 24 * time.Hour), Rate: 2}
	all := collect(week)
	want := 2 * 7 * 86400.0
	if got := float64(len(all)); math.Abs(got/want-1) > 0.02 {
		t.Errorf("%g events in a week, want %g: perSession should be %.2f", got, want, perSession*got/want)
	}
	began, ages := map[uint64]int64{}, 0.0
	for _, e := range all {
		if e.Type == SessionStart {
			began[e.Session] = e.Time
		}
		if b, ok := began[e.Session]; ok {
			ages += float64(e.Time-b) / 1000
		}
	}
	if got := ages / float64(len(all)); math.Abs(got/meanAge-1) > 0.02 {
		t.Errorf("events are %.1f s after the beginning of their session, want %g", got, meanAge)
	}
	byHour := map[int]int{}
	for _, e := range all {
		byHour[time.UnixMilli(e.Time).In(monday.Location()).Hour()]++
	}
	if byHour[21] < 10*byHour[4] {
		t.Errorf("%d events at 21 h and %d at 4 h: no rhythm", byHour[21], byHour[4])
	}
	hour := func(h int) float64 {
		return float64(len(collect(Options{Seed: 4, Start: monday.Add(time.Duration(h) * time.Hour), End: monday.Add(time.Duration(h+1) * time.Hour), Rate: 2, Mild: true})))
	}
	if night, evening := hour(4), hour(21); evening < 1.7*night || evening > 3*night {
		t.Errorf("%g events at 4 h and %g at 21 h, want a mild rhythm", night, evening)
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
// same session, about the same content.
func TestFunnel(t *testing.T) {
	before := map[Type][]Type{
		Click: {Impression}, AdCost: {Click}, PageView: {Click, AdCost}, Ask: {PageView}, Reply: {Ask}, AddToCart: {PageView, Reply, Identify}, Identify: {PageView, Reply},
		Order: {AddToCart}, Pay: {Order}, Cancel: {Order}, SurveyCSAT: {Pay}, Complaint: {Pay}, Unlike: {Like},
	}
	last, paid := map[uint64]Event{}, map[uint64]Event{}
	counts := map[Type]int{}
	for _, e := range collect(Options{Seed: 6, Start: monday.Add(-longest * time.Second), Events: 400_000, Rate: 100, Guests: true}) {
		counts[e.Type]++
		prev, known := last[e.Session]
		last[e.Session] = e
		if !known {
			continue // began before the start
		}
		if prev.Time+1000 > e.Time || prev.User != e.User || prev.Place != e.Place {
			t.Fatalf("session jumps from %+v to %+v", prev, e)
		}
		if want, ok := before[e.Type]; ok && (!slices.Contains(want, prev.Type) || prev.Content != e.Content || prev.Campaign != e.Campaign) {
			t.Fatalf("%s (%d) follows %s", e.Type, e.Type, prev.Type)
		}
		switch e.Type {
		case Pay:
			if _, twice := paid[e.Session]; twice || e.AmountMinor != prev.AmountMinor {
				t.Fatalf("ordered %d, paid %d, twice: %t", prev.AmountMinor, e.AmountMinor, twice)
			}
			paid[e.Session] = e
		case Refund, Settle:
			if p, ok := paid[e.Session]; ok && (prev.Type != SessionEnd || p.Content != e.Content || p.Campaign != e.Campaign || p.AmountMinor != e.AmountMinor) {
				t.Fatalf("%+v settles %+v", e, p)
			}
			delete(paid, e.Session)
		case Reply:
			if int64(e.ResponseMS) != e.Time-prev.Time {
				t.Fatalf("%d ms for a reply after %d", e.ResponseMS, e.Time-prev.Time)
			}
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
			t.Errorf("no %s (%d) among 400,000 events", k, k)
		}
	}
	if len(paid) > 20 {
		t.Errorf("%d purchases are neither settled nor refunded", len(paid))
	}
}

// The shop is one that could be: its figures lie where those of shops lie.
func TestProportions(t *testing.T) {
	var counts [types]float64
	var scores [2][11]float64 // by survey
	negative, watched, spent, took := 0.0, 0.0, 0.0, 0.0
	for _, e := range collect(Options{Seed: 11, Start: monday, Events: 2_000_000, Rate: 2000, Steady: true}) {
		counts[e.Type]++
		switch e.Type {
		case SurveyCSAT:
			scores[0][e.Score]++
		case SurveyNPS:
			scores[1][e.Score]++
		case Comment:
			if sentiment[e.Sentiment].name == "negative" {
				negative++
			}
		case Play, PlayEnd:
			counts[Play] += float64(min(1, e.Type-Play)) // one that was told in parts
			watched += float64(e.WatchMS)
		case AdCost:
			spent += float64(e.AmountMinor)
		case Reply:
			if e.ResponseMS <= 15_000 {
				took++
			}
		}
	}
	sum := func(list []float64) (total float64) {
		for _, v := range list {
			total += v
		}
		return total
	}
	if scores[0][0] > 0 || sum(scores[0][6:]) > 0 {
		t.Errorf("satisfaction is from 1 to 5: %v", scores[0])
	}
	for _, tt := range []struct {
		name        string
		got, lo, hi float64
	}{
		{"click-through rate", counts[Click] / counts[Impression], 0.06, 0.08},
		{"payments by click", counts[Pay] / counts[Click], 0.07, 0.11},
		{"paid orders", counts[Pay] / counts[Order], 0.85, 0.9},
		{"likes by play", counts[Like] / counts[Play], 0.04, 0.06},
		{"likes taken back", counts[Unlike] / counts[Like], 0.02, 0.04},
		{"follows ended by follow", counts[Unfollow] / counts[Follow], 0.2, 0.4},
		{"refunds by payment", counts[Refund] / counts[Pay], 0.045, 0.075},
		{"settlements by payment", counts[Settle] / counts[Pay], 0.9, 0.96},
		{"complaints by payment", counts[Complaint] / counts[Pay], 0.006, 0.014},
		{"cost of a click, fen", spent / counts[AdCost], 80, 180},
		{"clicks that cost", counts[AdCost] / counts[Click], 0.4, 0.6},
		{"replies", counts[Reply] / counts[Ask], 0.88, 0.96},
		{"replies within 15 s", took / counts[Reply], 0.6, 0.8},
		{"negative comments", negative / counts[Comment], 0.07, 0.09},
		{"satisfied", sum(scores[0][4:]) / counts[SurveyCSAT], 0.8, 0.9},
		{"net promoters", (sum(scores[1][9:]) - sum(scores[1][:7])) / counts[SurveyNPS], 0.3, 0.5},
		{"visits asked", counts[SurveyNPS] / counts[SessionEnd], 0.008, 0.012},
		{"watch time, ms", watched / counts[Play], 8_000, 25_000},
	} {
		if !(tt.got > tt.lo && tt.got < tt.hi) {
			t.Errorf("%s: %.4f, want %g to %g", tt.name, tt.got, tt.lo, tt.hi)
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
		if e.Type != Play && e.Type != PlayEnd {
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
	}
	worst := bad[channels[troubled].name]
	if got := worst.done / worst.plays; len(bad) != 1 || !(got < 0.12) {
		t.Errorf("completion %.3f in incidents of %d channels, want little in one", got, len(bad))
	}
}

// A user is acquired once. Whoever is there from the start begins with a visit, also
// where events come in disorder.
func TestAcquisition(t *testing.T) {
	o := Options{Seed: 12, Start: monday, Events: 200_000, Rate: 100, Disorder: 5 * time.Second, Duplicates: 0.01, Fresh: true}
	first, by := map[uint32]Event{}, map[uint32]uint8{}
	for _, e := range collect(o) {
		if f, known := first[e.User]; e.Type != AdCost && (!known || e.Time < f.Time) {
			first[e.User] = e
		}
		if e.Type != SessionStart {
			continue
		}
		if c, known := by[e.User]; known && c != e.Acquired {
			t.Fatalf("user %d is acquired by %s and by %s", e.User, acquired[c].name, acquired[e.Acquired].name)
		}
		by[e.User] = e.Acquired
	}
	for _, e := range first {
		if e.Type != SessionStart {
			t.Fatalf("the first event of a user is %+v", e)
		}
	}
	counts := make([]float64, len(acquired))
	for _, c := range by {
		counts[c]++
	}
	for c, n := range counts {
		if got, want := n/float64(len(by)), float64(acquired[c].weight)/100; math.Abs(got-want) > 0.02 {
			t.Errorf("%.3f of the users come by %s, want %.2f", got, acquired[c].name, want)
		}
	}
}

// At the counter people pay whom the shop never showed anything, and some take back what was
// not bought in the stream; all else is as without it.
func TestCounter(t *testing.T) {
	o := Options{Seed: 3, Rate: 200, Users: 1000, Start: monday, End: monday.Add(3 * time.Hour), Guests: true, Disorder: time.Second}
	want := collect(o)
	o.Counter = true
	type purchase struct {
		session uint64
		content uint32
	}
	paid, unknown := map[purchase]bool{}, 0
	got := slices.DeleteFunc(collect(o), func(e Event) bool {
		if int(e.User) < o.Users {
			return false
		}
		switch of := (purchase{e.Session, e.Content}); {
		case e.Type == Pay:
			paid[of] = true
		case e.Type == Refund && !paid[of]:
			unknown++
		case !slices.Contains([]Type{SessionStart, SessionEnd, Settle, Refund}, e.Type):
			t.Errorf("%s at the counter", e.Type)
		}
		return true
	})
	if len(paid) < 20 || unknown < 10 || unknown > len(paid) {
		t.Errorf("%d paid, and %d got back what nobody paid", len(paid), unknown)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Event{})); diff != "" {
		t.Errorf("what else happens is another: %.2000s", diff)
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
	g := New(Options{Seed: 10, Start: monday.Add(-26 * time.Hour), Events: 200_000, Rate: 5, Guests: true})
	var e Event
	seen := map[uint64]bool{}
	service := stream.NewDecoder(stream.Schema{}, stream.HashKey{})
	for g.Next(&e) {
		line := g.Append(nil, &e)
		if _, _, err := service.Check(line); err != nil {
			t.Fatalf("the service does not take %s: %v", line, err)
		}
		var got struct {
			ID, Type, Direction string
			Time                time.Time
			UserID              string `json:"user_id"`
			AnonymousID         string `json:"anonymous_id"`
			SessionID           string `json:"session_id"`
			ContentID           string `json:"content_id"`
			CreatorID           string `json:"creator_id"`
			CampaignID          string `json:"campaign_id"`
			OrderID             string `json:"order_id"`
			Channel             string
			Region              string
			Device              string
			Watch               int32 `json:"watch_ms"`
			Response            int32 `json:"response_ms"`
			Amount              int32 `json:"amount_minor"`
			Currency            string
			Score               *uint8
			Sentiment           string
			Acquired            string `json:"acquisition_channel"`
			Props               struct{ Vertical string }
		}
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		has := func(x traits) bool { return traitsOf[e.Type]&x != 0 }
		survey := e.Type == SurveyCSAT || e.Type == SurveyNPS
		switch {
		case got.Time.UnixMilli() != e.Time, got.Type != e.Type.String(), len(got.ID) != 13, got.Watch != e.WatchMS,
			got.Channel == "", got.Region == "", got.Device == "", (got.UserID != "") != (has(hasUser) && !e.Guest), (got.AnonymousID != "") != (has(hasUser) && (e.Guest || e.Type == Identify)), (got.SessionID != "") != has(hasSession),
			(got.ContentID != "") != has(hasContent), (got.CreatorID != "") != has(hasContent), (got.Props.Vertical != "") != has(hasContent),
			(got.CampaignID != "") != (e.Campaign > 0 && has(hasContent)), (got.Currency == "CNY") != has(hasAmount), got.Amount != e.AmountMinor,
			has(hasAmount) && e.AmountMinor <= 0, (got.OrderID != "") != has(hasOrder), (got.Score != nil) != survey, survey && *got.Score != e.Score,
			(got.Sentiment != "") != (e.Type == Comment), (got.Direction == "outbound") != (e.Type == Ask), (got.Direction == "inbound") != (e.Type == Reply),
			got.Response != e.ResponseMS, (got.Acquired != "") != (e.Type == SessionStart):
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
		days   float64
		seeds  uint64
	}{{1, 1, 20}, {1, 30, 1}, {20, 365, 1}, {1000, 1, 6}, {100_000, 2, 2}, {100_000, 7, 2}, {1_000_001, 0.002, 2}} {
		for seed := range tt.seeds {
			end := start.Add(time.Duration(tt.days * 24 * float64(time.Hour)))
			o, err := Fit(Options{Seed: seed, Start: start, End: end, Events: tt.events, Users: 1000, Fresh: seed%2 == 1})
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
				t.Errorf("%d events over %g days by seed %d: %d, the last at %s", tt.events, tt.days, seed, n, time.UnixMilli(last.Time))
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
