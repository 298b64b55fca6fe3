package windows_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/generate"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/step"
)

// BenchmarkPipeline runs the default catalogue over 25,000 events per second of
// event time from a million users: one operation is a second of events, through
// all stages one after the other, with a checkpoint every twenty. The stages'
// figures are medians over the operations, in ns an event.
//
// The unsealed span is full after the lateness: with the default, see
// -benchtime 700x; the short one shows what sealing costs.
func BenchmarkPipeline(b *testing.B) {
	for _, lateness := range []time.Duration{20 * time.Second, 10 * time.Minute} {
		b.Run("lateness="+lateness.String(), func(b *testing.B) { benchmarkPipeline(b, catalogue(b), lateness) })
	}
	const quantile = `{name: watch_p95, title: {en: p95}, quantile: {field: watch_ms, p: 95}, by: [channel, region, device], windows: [1m, 5m, 1h, day]}`
	b.Run("quantile", func(b *testing.B) { benchmarkPipeline(b, catalogue(b, "kpis: ["+quantile+"]"), 20*time.Second) })
}

func benchmarkPipeline(b *testing.B, c *kpi.Catalogue, lateness time.Duration) {
	const rate, perMessage, perBatch = 25_000, 100, 1_000
	s := setup{c, timing(2*time.Second, lateness, lateness+2*time.Second)}
	p := newPipeline(b, s, 2, newDisk())
	g := generate.New(generate.Options{
		Seed: 1, Start: time.UnixMilli(start), Rate: rate, Steady: true, Users: 1_000_000, Contents: 100_000,
		Disorder: 2 * time.Second, Late: 0.01, LateBy: 5 * time.Minute, Duplicates: 0.001,
	})
	stages := map[string][]float64{}
	var sequence uint64
	batch := new(stream.Batch)
	var raws []stream.Raw
	var crossings []stream.Crossing
	second := func(n int) {
		raws = raws[:0]
		for range rate / perMessage {
			sequence++
			var data []byte
			var e generate.Event
			var stamp int64
			for range perMessage {
				g.Next(&e)
				stamp = max(stamp, e.Arrival())
				data = append(g.Append(data, &e), '\n')
			}
			raws = append(raws, stream.Raw{Sequence: sequence, Stamp: stamp, Data: data})
		}
		b.StartTimer()
		defer b.StopTimer()
		spent := map[string]time.Duration{}
		last := time.Now()
		lap := func(stage string) {
			now := time.Now()
			spent[stage] += now.Sub(last)
			last = now
		}
		for batches := range slices.Chunk(raws, perBatch/perMessage) {
			batch.Reset(p.Plan.Events.Schema)
			for _, raw := range batches {
				p.decoder.Append(batch, raw)
			}
			lap("decode")
			p.filter.Apply(batch)
			lap("filter")
			crossings = p.Sequencer.Pass(batch, crossings[:0])
			lap("sequence")
			labels := p.Labels.Assign(batch)
			lap("labels")
			steps := make([][]*step.Step, len(p.Partitions))
			for i, part := range p.Partitions {
				steps[i] = part.Process(batch, crossings)
			}
			lap("partitions")
			p.Merger.Label(labels)
			all := make([]*step.Step, len(p.Partitions))
			for c := range crossings {
				for i := range all {
					all[i] = steps[i][c]
				}
				for range p.Merger.Step(all) {
				}
				for i, s := range all {
					p.Partitions[i].Recycle(s)
				}
			}
			lap("merge")
		}
		for stage, d := range spent {
			stages[stage] = append(stages[stage], float64(d.Nanoseconds())/rate)
		}
		if n%20 == 19 {
			last = time.Now()
			p.checkpoint()
			stages["checkpoint"] = append(stages["checkpoint"], float64(time.Since(last).Nanoseconds())/rate/20)
		}
	}
	b.StopTimer()
	b.ReportAllocs()
	for n := range b.N {
		second(n)
	}
	for stage, all := range stages {
		slices.Sort(all)
		b.ReportMetric(all[len(all)/2], stage+"-ns/event")
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rate, "ns/event")
}
