package windows_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
)

// BenchmarkSparse runs the default catalogue over an event a second, with 100,000
// contents in the windows: one operation is an hour of them, each in a message of
// its own, with a checkpoint a minute. What it costs follows what happens, not
// what there is.
func BenchmarkSparse(b *testing.B) { benchmarkSparse(b, catalogue(b)) }

// BenchmarkCrowded is BenchmarkSparse with as many contents, and a budget that keeps a
// tenth of them.
func BenchmarkCrowded(b *testing.B) {
	benchmarkSparse(b, catalogue(b, `
keep: []
kpis:
  - {name: plays, title: {en: a, zh: a}, count: {where: 'type == "play"'}, by: [content_id], windows: [5m, 1h, 1d, day], budget: 10000}
`))
}

func benchmarkSparse(b *testing.B, c *kpi.Catalogue) {
	const contents, hour = 100_000, 3600
	p := newPipeline(b, setup{c, timing(2*time.Second, 10*time.Minute, 602*time.Second)}, 2, newDisk())
	p.unwatched = true
	now, sequence := start, uint64(0)
	feed := func(events int) {
		var data []byte
		for range events {
			n := sequence*7_919 + uint64(len(data))
			data = fmt.Appendf(data, `{"id":"%d-%d","time":%d,"type":"%s","user_id":"u%d","channel":"c%d","region":"r%d","content_id":"v%d","watch_ms":3000,"duration_ms":4000}`+"\n",
				sequence, len(data), now, [...]string{"play", "impression", "impression", "click", "like"}[n%5], n%1_000_000, n%4, n%30, n%contents)
		}
		sequence++
		p.feed([]stream.Raw{{Sequence: sequence, Stamp: now + 100, Data: data}})
	}
	for range 600 {
		now += 1000
		feed(contents / 600 * 3)
	}
	p.checkpoint()
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		for second := range hour {
			now += 1000
			feed(1)
			if second%60 == 0 {
				p.checkpoint()
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/hour, "ns/event")
}
