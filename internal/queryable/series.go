package queryable

import (
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

// A series has samples, which ascend. It implements storage.Series.
type series struct {
	labels labels.Labels
	points []point
	stands bool // and so its end is told
}

// Labels implements storage.Series.
func (s *series) Labels() labels.Labels { return s.labels }

// Iterator implements storage.Series.
func (s *series) Iterator(chunkenc.Iterator) chunkenc.Iterator {
	return storage.NewListSeriesIterator(points(s.points))
}

// stand appends a value at some times.
func (s *series) stand(v float64, times []int64) {
	s.stands = true
	for _, t := range times {
		s.points = append(s.points, point{t, v})
	}
}

// end appends a stale marker, if there is something that it ends.
func (s *series) end(times []int64) {
	if s.stands && len(times) > 0 {
		s.points, s.stands = append(s.points, point{times[0], stale}), false
	}
}

// points implement storage.Samples.
type points []point

func (p points) Get(i int) chunks.Sample { return &p[i] }
func (p points) Len() int                { return len(p) }

// A point is a value at a time, in ms. It implements chunks.Sample.
type point struct {
	t int64
	v float64
}

func (p *point) T() int64                      { return p.t }
func (p *point) ST() int64                     { return 0 }
func (p *point) F() float64                    { return p.v }
func (p *point) H() *histogram.Histogram       { return nil }
func (p *point) FH() *histogram.FloatHistogram { return nil }
func (p *point) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (p *point) Copy() chunks.Sample           { c := *p; return &c }

// A set hands out series. It implements storage.SeriesSet.
type set struct {
	list     []*series
	at       int
	err      error
	warnings annotations.Annotations
}

func (s *set) Next() bool                        { s.at++; return s.err == nil && s.at <= len(s.list) }
func (s *set) At() storage.Series                { return s.list[s.at-1] }
func (s *set) Err() error                        { return s.err }
func (s *set) Warnings() annotations.Annotations { return s.warnings }
