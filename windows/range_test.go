package windows_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/generate"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/merge"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// TestRange holds ranges to what the single windows are answered, while time goes
// on between the pieces.
func TestRange(t *testing.T) {
	short := catalogue(t, small)
	for _, c := range []struct {
		name   string
		setup  setup
		pauses int
	}{
		{"short", setup{short, timing(2*time.Second, 30*time.Second, 40*time.Second)}, 60},
		{"wide", setup{short, timing(2*time.Second, 20*time.Minute, 21*time.Minute)}, 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 1))
			g := &generator{Rand: r, setup: c.setup, now: start, users: 7, contents: 9, pauses: c.pauses}
			p := newPipeline(t, c.setup, 3, newDisk())
			more := func() {
				n := len(g.log)
				for range r.IntN(20) {
					g.message()
				}
				p.feed(g.log[n:])
				if r.IntN(3) == 0 {
					p.checkpoint()
				}
			}
			for len(g.log) < 600 && !t.Failed() {
				more()
				if p.Merger.Head() == math.MinInt64 {
					continue
				}
				for _, k := range c.setup.catalogue.KPIs {
					q := merge.Question{KPI: k.Name, By: k.By[r.IntN(len(k.By))], Window: k.Windows[r.IntN(len(k.Windows))]}
					if len(q.By) > 0 && r.IntN(4) == 0 {
						q.Match = map[string]string{q.By[0]: q.By[0][:1] + "1"}
					}
					compareRange(t, p, q, momentsBefore(r, p, q.Window), func() {
						if r.IntN(4) == 0 {
							more()
						}
					})
				}
			}
		})
	}
}

// momentsBefore are those of consecutive windows, some of them ahead of what is
// closed.
func momentsBefore(r *rand.Rand, p *pipeline, w kpi.Window) (out []merge.Moment) {
	n := 1 + r.IntN(60)
	if w.IsDay() {
		day := p.Plan.Calendar.Day(p.Merger.Head()*1000-1) - int32(n)%5
		for i := range int32(n)%5 + 1 {
			out = append(out, merge.Moment{Day: day + i})
		}
		return out
	}
	step := int64(w.Step().Seconds())
	last := p.Merger.Head()
	if r.IntN(2) == 0 { // where it seals
		last = p.Merger.Sealed() + r.Int64N(20*step)
	}
	for i := range int64(n) {
		out = append(out, merge.Moment{End: (last/step + 2 - int64(n) + i) * step})
	}
	return out
}

func compareRange(t *testing.T, p *pipeline, q merge.Question, moments []merge.Moment, between func()) {
	t.Helper()
	r := merge.NewRange(p.Plan, q, moments)
	next := 0
	for p.Merger.Plan(r) {
		err := r.Answer(p.disk, func(got *sample.Answer, err error) error {
			if err != nil {
				return err
			}
			q.Moment = moments[next]
			next++
			want, err := p.ask(q)
			if err == nil && !reflect.DeepEqual(got, want) {
				err = fmt.Errorf("at %v:\n got %s %s complete=%v\nwant %s %s complete=%v", q.Moment, got.End, showGot(got.Samples), got.Complete, want.End, showGot(want.Samples), want.Complete)
			}
			return err
		})
		if err != nil {
			t.Errorf("head %d, sealed %d: %s by %s %s %v: %v", p.Merger.Head(), p.Merger.Sealed(), q.KPI, q.By, q.Window, q.Match, err)
			return
		}
		between()
	}
	if next+len(r.Rest) != len(moments) {
		t.Errorf("%d of %d moments are planned, %d are left", next, len(moments), len(r.Rest))
	}
	for _, q.Moment = range r.Rest[:min(1, len(r.Rest))] {
		if _, err := p.Merger.Lookup(q, nil); err == nil {
			t.Errorf("%v is closed, and left", q)
		}
	}
}

// BenchmarkRange reads consecutive windows of a KPI by 2,000 contents, sealed ones
// and such that are not, at once and one by one: ns a value, and how long the
// merger is kept from moving on.
func BenchmarkRange(b *testing.B) {
	const rate, seconds = 1000, 1200
	s := setup{catalogue(b, small, `
kpis:
  - {name: watched, title: {en: a, zh: a}, ratio: {numerator: {count: {where: 'type == "play" and watch_ms > 3000'}}, denominator: {count: {where: 'type == "play"'}}}, by: [content_id], windows: [5m]}
`), timing(2*time.Second, 10*time.Minute, 602*time.Second)}
	p := newPipeline(b, s, 2, newDisk())
	g := generate.New(generate.Options{Seed: 1, Start: time.UnixMilli(start), Rate: rate, Steady: true, Users: 10_000, Contents: 2000, Disorder: 2 * time.Second})
	for n := range seconds {
		var raw stream.Raw
		raw.Sequence = uint64(n + 1)
		for range rate {
			var e generate.Event
			g.Next(&e)
			raw.Stamp = max(raw.Stamp, e.Arrival())
			raw.Data = append(g.Append(raw.Data, &e), '\n')
		}
		p.feed([]stream.Raw{raw})
	}
	p.checkpoint()
	q := merge.Question{KPI: "watched", By: kpi.Set{"content_id"}, Window: kpi.Window{Length: 5 * time.Minute}}
	spans := map[string][]merge.Moment{}
	for end := p.Merger.Head() - seconds; end <= p.Merger.Head(); end++ {
		switch {
		case end%5 != 0:
		case end <= p.Merger.Sealed():
			spans["sealed"] = append(spans["sealed"], merge.Moment{End: end})
		default:
			spans["closed"] = append(spans["closed"], merge.Moment{End: end})
		}
	}
	for _, kind := range []string{"sealed", "closed"} {
		moments := spans[kind]
		measured := func(name string, read func(held func(func()), visit func(*sample.Answer, error) error)) {
			b.Run(kind+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				values, longest := 0, time.Duration(0)
				for range b.N {
					read(func(f func()) {
						began := time.Now()
						f()
						longest = max(longest, time.Since(began))
					}, func(a *sample.Answer, err error) error {
						values += len(a.Samples)
						return err
					})
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(values), "ns/value")
				b.ReportMetric(float64(longest.Microseconds()), "µs-held")
			})
		}
		measured("range", func(held func(func()), visit func(*sample.Answer, error) error) {
			r := merge.NewRange(p.Plan, q, moments)
			for more := true; more; {
				held(func() { more = p.Merger.Plan(r) })
				if err := r.Answer(p.disk, visit); err != nil {
					b.Fatal(err)
				}
			}
		})
		measured("singly", func(held func(func()), visit func(*sample.Answer, error) error) {
			for _, q.Moment = range moments {
				var l *merge.Lookup
				held(func() { l, _ = p.Merger.Lookup(q, nil) })
				a, err := l.Answer(p.disk)
				if err != nil {
					b.Fatal(err)
				}
				_ = visit(a, nil)
			}
		})
	}
}
