package queryable

import (
	"context"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

// Static shows series that are given.
func Static(list []Series) storage.Queryable {
	return storage.QueryableFunc(func(from, to int64) (storage.Querier, error) { return &static{list, from, to}, nil })
}

// NewPoint is a value at a time, in ms.
func NewPoint(t int64, v float64) Point { return Point{t, v} }

// Stale is a marker that a series ends at a time, in ms.
func Stale(t int64) Point { return Point{t, stale} }

type static struct {
	list     []Series
	from, to int64
}

// Select implements storage.Querier.
func (s *static) Select(_ context.Context, _ bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	from, to := s.from, s.to
	if hints != nil {
		from, to = hints.Start, hints.End
	}
	out := &set{}
	for _, one := range s.list {
		if !matchesAll(matchers, one.Labels) {
			continue
		}
		first, _ := slices.BinarySearchFunc(one.Points, from, func(p Point, t int64) int { return int(min(max(p.t-t, -1), 1)) })
		last, _ := slices.BinarySearchFunc(one.Points, to+1, func(p Point, t int64) int { return int(min(max(p.t-t, -1), 1)) })
		if first < last {
			out.list = append(out.list, &series{labels: one.Labels, points: one.Points[first:last]})
		}
	}
	slices.SortFunc(out.list, byLabels)
	return out
}

// LabelValues implements storage.LabelQuerier.
func (s *static) LabelValues(_ context.Context, name string, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	values := map[string]struct{}{}
	for _, one := range s.list {
		if v := one.Labels.Get(name); v != "" && matchesAll(matchers, one.Labels) {
			values[v] = struct{}{}
		}
	}
	return limited(values, hints), nil, nil
}

// LabelNames implements storage.LabelQuerier.
func (s *static) LabelNames(_ context.Context, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	names := map[string]struct{}{}
	for _, one := range s.list {
		if matchesAll(matchers, one.Labels) {
			one.Labels.Range(func(l labels.Label) { names[l.Name] = struct{}{} })
		}
	}
	return limited(names, hints), nil, nil
}

// Close implements storage.Querier.
func (s *static) Close() error { return nil }
