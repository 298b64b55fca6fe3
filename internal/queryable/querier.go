package queryable

import (
	"context"
	"maps"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

// SeriesFunc is the function of hints for whoever wants to know which series there are,
// and not their samples.
const SeriesFunc = "series"

// New shows what a source has, whose windows the cache may have. It implements
// storage.Queryable.
func New(s Source, c *Cache) storage.Queryable {
	return storage.QueryableFunc(func(from, to int64) (storage.Querier, error) {
		return &querier{source: s, cache: c, from: from, to: to}, nil
	})
}

// A querier reads what stands between two times, in ms, both inclusive, as of the first
// time that it is asked.
type querier struct {
	source   Source
	cache    *Cache
	view     View
	from, to int64
}

func (q *querier) look() View {
	if q.view == nil {
		q.view = q.source.Look()
	}
	return q.view
}

// Close implements storage.Querier.
func (q *querier) Close() error { return nil }

// Select implements storage.Querier.
func (q *querier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	out := &set{}
	var mixed *reader
	out.err = q.read(ctx, hints, matchers, func(r *reader) bool {
		out.list = r.found(out.list)
		out.warnings.Merge(r.warnings)
		if r.mixed {
			mixed = r
		}
		return hints == nil || hints.Limit == 0 || len(out.list) < hints.Limit
	})
	switch {
	case len(out.list) > 0:
	case mixed != nil:
		out.warnings.Add(&MixedError{mixed.series[0], mixed.KPI.Apart(mixed.By, "ask for by=%q")})
	default:
		out.warnings.Merge(amiss(q.source.Catalogue(), matchers))
	}
	if sorted {
		slices.SortFunc(out.list, byLabels)
	}
	return out
}

// read reads what matches, target by target, until take has enough.
func (q *querier) read(ctx context.Context, hints *storage.SelectHints, matchers []*labels.Matcher, take func(*reader) bool) error {
	v, terms := q.look(), termsOf(ctx)
	from, to := q.from, q.to
	if hints != nil && hints.Func != SeriesFunc {
		from, to = hints.Start, hints.End
	}
	grow := terms.Grow
	if grow == nil {
		grow = func(int64) error { return nil }
	}
	first, step, instants := terms.instants(hints, matchers)
	room := sequences.Get().(*sequence)
	defer room.free()
	for t := range targets(q.source.Catalogue(), matchers) {
		if err := ctx.Err(); err != nil {
			return err
		}
		t.cache = q.cache
		s, known := standOf(v, t.KPI, t.Window)
		if !known {
			return nil
		}
		var at []instant
		switch {
		case hints != nil && hints.Func == SeriesFunc:
			at = s.some(from, to)
		case instants && (step == 0 || step >= s.apart()):
			at = s.at(first, to, step, terms.Lookback.Milliseconds(), room)
		default:
			at = s.every(from, to)
		}
		var r *reader
		var err error
		if t.usual {
			r, err = t.readUsual(ctx, q.source.Catalogue(), v, &s, at, grow)
		} else {
			r, err = t.read(ctx, v, at, grow)
		}
		if err != nil {
			return err
		}
		if !take(r) {
			break
		}
	}
	return nil
}

// LabelNames implements storage.LabelQuerier. The names are those that series can have.
func (q *querier) LabelNames(_ context.Context, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	names := map[string]struct{}{}
	for t := range possible(q.source.Catalogue(), matchers) {
		for _, name := range t.names() {
			names[name] = struct{}{}
		}
	}
	return limited(names, hints), q.impossible(names, matchers), nil
}

// LabelValues implements storage.LabelQuerier. Values of fields are those of series that
// there are between the two times; others are those that there can be.
func (q *querier) LabelValues(ctx context.Context, name string, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	values := map[string]struct{}{}
	switch name {
	case model.MetricNameLabel, byLabel, windowLabel:
		for t := range possible(q.source.Catalogue(), matchers) {
			switch name {
			case byLabel:
				values[t.By.String()] = struct{}{}
			case windowLabel:
				values[t.Window.String()] = struct{}{}
			default:
				for _, p := range t.parts {
					values[t.KPI.Series(p)] = struct{}{}
				}
			}
		}
		return limited(values, hints), q.impossible(values, matchers), nil
	}
	there, warnings := labels.MustNewMatcher(labels.MatchNotEqual, name, ""), amiss(q.source.Catalogue(), matchers)
	err := q.read(ctx, &storage.SelectHints{Func: SeriesFunc}, append(slices.Clone(matchers), there), func(r *reader) bool {
		for _, one := range r.found(nil) {
			values[valueOf(one, name)] = struct{}{}
		}
		warnings.Merge(r.warnings)
		return hints == nil || hints.Limit == 0 || len(values) <= hints.Limit
	})
	if err != nil {
		return nil, nil, err
	}
	return limited(values, hints), warnings, nil
}

// impossible warns where matchers leave nothing.
func (q *querier) impossible(found map[string]struct{}, matchers []*labels.Matcher) annotations.Annotations {
	if len(found) > 0 {
		return nil
	}
	return amiss(q.source.Catalogue(), matchers)
}

// limited are the first of a set of texts, as many as are wanted.
func limited(of map[string]struct{}, hints *storage.LabelHints) []string {
	list := slices.Sorted(maps.Keys(of))
	if hints != nil && hints.Limit > 0 && len(list) > hints.Limit {
		list = list[:hints.Limit]
	}
	return list
}
