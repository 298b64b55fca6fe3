package queryable

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"math"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

// A Store has series that are given. It implements storage.Queryable.
type Store struct {
	known  map[string]*Series // by labels
	byName map[string][]*Series
}

// NewStore makes one of some series.
func NewStore(list ...Series) *Store {
	s := &Store{known: map[string]*Series{}, byName: map[string][]*Series{}}
	for _, one := range list {
		s.Series(one.Labels).Points = slices.Clone(one.Points)
	}
	return s
}

// Series is the one of these labels, without points if it is new.
func (s *Store) Series(of labels.Labels) *Series {
	var room [256]byte
	key := of.Bytes(room[:])
	one := s.known[string(key)]
	if one == nil {
		one = &Series{Labels: of}
		s.known[string(key)] = one
		name := of.Get(model.MetricNameLabel)
		s.byName[name] = append(s.byName[name], one)
	}
	return one
}

// Add adds a point, and reports whether the series has it: another one of that time stays.
func (s *Series) Add(p Point) bool {
	at, there := s.place(p.t)
	if !there {
		s.Points = slices.Insert(s.Points, at, p)
	}
	return math.Float64bits(s.Points[at].v) == math.Float64bits(p.v)
}

// place is where the first point is that is not before a time, and whether it is of that.
func (s *Series) place(t int64) (at int, there bool) {
	return slices.BinarySearchFunc(s.Points, t, func(p Point, t int64) int { return cmp.Compare(p.t, t) })
}

// matching are the series that match.
func (s *Store) matching(matchers []*labels.Matcher) iter.Seq[*Series] {
	lists := maps.Values(s.byName)
	for _, m := range matchers {
		if m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual {
			lists = slices.Values([][]*Series{s.byName[m.Value]})
		}
	}
	return func(yield func(*Series) bool) {
		for list := range lists {
			for _, one := range list {
				if matchesAll(matchers, one.Labels) && !yield(one) {
					return
				}
			}
		}
	}
}

// Querier implements storage.Queryable.
func (s *Store) Querier(from, to int64) (storage.Querier, error) {
	return &storeQuerier{s, from, to}, nil
}

type storeQuerier struct {
	*Store
	from, to int64
}

// Select implements storage.Querier.
func (q *storeQuerier) Select(_ context.Context, _ bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	from, to := q.from, q.to
	if hints != nil {
		from, to = hints.Start, hints.End
	}
	out := &set{}
	for one := range q.matching(matchers) {
		first, _ := one.place(from)
		last, _ := one.place(to + 1)
		if first < last {
			out.list = append(out.list, &series{labels: one.Labels, points: one.Points[first:last]})
		}
	}
	slices.SortFunc(out.list, byLabels)
	return out
}

// LabelValues implements storage.LabelQuerier.
func (q *storeQuerier) LabelValues(_ context.Context, name string, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	values := map[string]struct{}{}
	for one := range q.matching(matchers) {
		if v := one.Labels.Get(name); v != "" {
			values[v] = struct{}{}
		}
	}
	return limited(values, hints), nil, nil
}

// LabelNames implements storage.LabelQuerier.
func (q *storeQuerier) LabelNames(_ context.Context, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	names := map[string]struct{}{}
	for one := range q.matching(matchers) {
		one.Labels.Range(func(l labels.Label) { names[l.Name] = struct{}{} })
	}
	return limited(names, hints), nil, nil
}

// Close implements storage.Querier.
func (q *storeQuerier) Close() error { return nil }
