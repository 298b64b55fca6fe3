package windows_test

import (
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/generate"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/merge"
	"github.com/tidewatch/tidewatch/windows/sample"
)

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
		measured := func(name string, read func(held func(func()), visit func(*sample.Answer, error))) {
			b.Run(kind+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				values, longest := 0, time.Duration(0)
				for range b.N {
					read(func(f func()) {
						began := time.Now()
						f()
						longest = max(longest, time.Since(began))
					}, func(a *sample.Answer, err error) {
						if err != nil {
							b.Fatal(err)
						}
						values += len(a.Samples)
					})
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(values), "ns/value")
				b.ReportMetric(float64(longest.Microseconds()), "µs-held")
			})
		}
		measured("range", func(held func(func()), visit func(*sample.Answer, error)) {
			r := merge.NewRange(p.Plan, q, moments)
			for more := true; more; {
				held(func() { more = p.Merger.Plan(r) })
				for a, err := range r.Answers(p.disk) {
					visit(a, err)
				}
			}
		})
		measured("singly", func(held func(func()), visit func(*sample.Answer, error)) {
			for _, q.Moment = range moments {
				var l *merge.Lookup
				held(func() { l, _ = p.Merger.Lookup(q, nil) })
				visit(l.Answer(p.disk))
			}
		})
	}
}
