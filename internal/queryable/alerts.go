package queryable

import (
	"context"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/tidewatch/tidewatch/internal/expression"
)

// An Alert is a time for which an alert was active: its condition held, and perhaps it
// fired. Times are event time in Unix milliseconds.
type Alert struct {
	Labels   map[string]string // with alertname
	ActiveAt int64             // since when the condition holds
	FiredAt  int64             // 0: it has not fired
	EndedAt  int64             // 0: it goes on
}

// An AlertsFunc finds the alerts that were active at some time from one to another, both
// inclusive: those of a name, with "" all. Those that go on are known to do so until a time.
type AlertsFunc func(name string, from, to int64) (list []Alert, until int64)

// WithAlerts shows alerts beside what is there, as the series that Prometheus has of them:
// who names these finds them.
func WithAlerts(q storage.Queryable, find AlertsFunc) storage.Queryable {
	return storage.QueryableFunc(func(from, to int64) (storage.Querier, error) {
		inner, err := q.Querier(from, to)
		if err != nil {
			return nil, err
		}
		return &alertsQuerier{inner, find, from, to}, nil
	})
}

type alertsQuerier struct {
	storage.Querier
	find     AlertsFunc
	from, to int64
}

// Select implements storage.Querier.
func (q *alertsQuerier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	if !expression.OfAlerts(matchers) {
		return q.Querier.Select(ctx, sorted, hints, matchers...)
	}
	own, limit := &set{}, 0
	if own.list, own.err = q.alerts(ctx, hints, matchers); hints != nil {
		limit = hints.Limit
	}
	others := q.Querier.Select(ctx, true, hints, matchers...)
	return storage.NewMergeSeriesSet([]storage.SeriesSet{others, own}, limit, storage.ChainedSeriesMerge)
}

// alerts are the series of alerts that match, in order.
func (q *alertsQuerier) alerts(ctx context.Context, hints *storage.SelectHints, matchers []*labels.Matcher) (out []*series, err error) {
	terms := termsOf(ctx)
	from, to := q.from, q.to
	if hints != nil && hints.Func != SeriesFunc {
		from, to = hints.Start, hints.End
	}
	name := ""
	for _, m := range matchers {
		if m.Name == model.AlertNameLabel && m.Type == labels.MatchEqual {
			name = m.Value
		}
	}
	list, until := q.find(name, from, to)
	first, step, instants := terms.instants(hints, matchers)
	for _, l := range linesOf(list) {
		if !matchesAll(matchers, l.labels) {
			continue
		}
		var one *series
		switch {
		case hints != nil && hints.Func == SeriesFunc:
			one = l.once(from, to)
		case instants:
			one = l.at(first, step, from, to, until)
		default:
			one = l.every(from, to, until)
		}
		if len(one.points) == 0 {
			continue
		}
		if terms.Grow != nil {
			if err := terms.Grow(int64(len(one.points))); err != nil {
				return nil, err
			}
		}
		out = append(out, one)
	}
	slices.SortFunc(out, byLabels)
	return out, nil
}

// LabelNames implements storage.LabelQuerier. Those of all series of alerts are among those
// that there can be.
func (q *alertsQuerier) LabelNames(ctx context.Context, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	list, warnings, err := q.Querier.LabelNames(ctx, hints, matchers...)
	if err != nil {
		return nil, nil, err
	}
	always := []string{model.MetricNameLabel, model.AlertNameLabel, expression.AlertState}
	list, err = q.beside(ctx, list, always, hints, matchers, func(s *series, tell func(string)) {
		s.labels.Range(func(l labels.Label) { tell(l.Name) })
	})
	return list, warnings, err
}

// LabelValues implements storage.LabelQuerier. The names of series of alerts are among those
// that there can be.
func (q *alertsQuerier) LabelValues(ctx context.Context, name string, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	list, warnings, err := q.Querier.LabelValues(ctx, name, hints, matchers...)
	if err != nil {
		return nil, nil, err
	}
	var always []string
	if name == model.MetricNameLabel {
		always = []string{expression.Alerts, expression.AlertsSince}
	}
	list, err = q.beside(ctx, list, always, hints, matchers, func(s *series, tell func(string)) {
		if v := valueOf(s, name); v != "" {
			tell(v)
		}
	})
	return list, warnings, err
}

// beside adds to texts those of the alerts that there are, and where nothing is matched those
// that there can be always.
func (q *alertsQuerier) beside(ctx context.Context, list, always []string, hints *storage.LabelHints, matchers []*labels.Matcher, texts func(s *series, tell func(string))) ([]string, error) {
	if len(matchers) > 0 && !expression.OfAlerts(matchers) {
		return list, nil
	}
	there, err := q.alerts(ctx, &storage.SelectHints{Func: SeriesFunc}, matchers)
	if err != nil {
		return nil, err
	}
	all := map[string]struct{}{}
	tell := func(text string) { all[text] = struct{}{} }
	for _, text := range list {
		tell(text)
	}
	if len(matchers) == 0 {
		for _, text := range always {
			tell(text)
		}
	}
	for _, one := range there {
		texts(one, tell)
	}
	return limited(all, hints), nil
}
