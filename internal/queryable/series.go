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
	points []Point
	stands bool // and so its end is told
}

// Labels implements storage.Series.
func (s *series) Labels() labels.Labels { return s.labels }

// Iterator implements storage.Series. It goes over this series with an iterator that went
// over another one, if it is given one.
func (s *series) Iterator(it chunkenc.Iterator) chunkenc.Iterator {
	if again, ok := it.(interface{ Reset(of storage.Samples) }); ok {
		again.Reset((*points)(&s.points))
		return it
	}
	return storage.NewListSeriesIterator((*points)(&s.points))
}

// fewPoints is what a series has room for at first, at most.
const fewPoints = 8

// room makes room for more points, behind which no more than so many follow.
func (r *reader) room(s *series, more int) {
	n := len(s.points)
	if n+more <= cap(s.points) {
		return
	}
	size := n + min(more+r.follow, max(more, fewPoints, 3*n))
	if size > fewPoints {
		s.points = append(make([]Point, 0, size), s.points...)
		return
	}
	if len(r.points) < size {
		r.points = make([]Point, size*many)
	}
	s.points = append(r.points[:0:size], s.points...)
	r.points = r.points[size:]
}

// stand appends a value at some times.
func (s *series) stand(v float64, times []int64) {
	s.stands = true
	for _, t := range times {
		s.points = append(s.points, Point{t, v})
	}
}

// end appends a stale marker, if there is something that it ends.
func (s *series) end(times []int64) {
	if s.stands && len(times) > 0 {
		s.points, s.stands = append(s.points, Point{times[0], stale}), false
	}
}

// points implement storage.Samples.
type points []Point

func (p *points) Get(i int) chunks.Sample { return &(*p)[i] }
func (p *points) Len() int                { return len(*p) }

// A Point is a value at a time, in ms; it may be a stale marker. It implements
// chunks.Sample.
type Point struct {
	t int64
	v float64
}

// NewPoint is a value at a time, in ms.
func NewPoint(t int64, v float64) Point { return Point{t, v} }

// Stale is a marker that a series ends at a time, in ms.
func Stale(t int64) Point { return Point{t, stale} }

// T is the time, in ms.
func (p *Point) T() int64 { return p.t }

// F is the value.
func (p *Point) F() float64 { return p.v }

// ST is no time: nothing says when a series began.
func (p *Point) ST() int64 { return 0 }

// H is none: a value is a number.
func (p *Point) H() *histogram.Histogram { return nil }

// FH is none, too.
func (p *Point) FH() *histogram.FloatHistogram { return nil }

// Type is that of numbers.
func (p *Point) Type() chunkenc.ValueType { return chunkenc.ValFloat }

// Copy is a point of its own.
func (p *Point) Copy() chunks.Sample { c := *p; return &c }

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
