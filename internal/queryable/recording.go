package queryable

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/expression"
)

// A Recording is a series that is made of others: what its expression comes to. It is
// not stored but evaluated whenever it is read, so that it has all of history, as
// corrected since.
type Recording struct {
	Name   string
	Expr   parser.Expr
	Labels labels.Labels
	// Every is how far apart its samples are where a range of them is read.
	Every time.Duration
}

// WithRecordings shows recordings beside what is there.
func WithRecordings(q storage.Queryable, e *promql.Engine, list []Recording) storage.Queryable {
	if len(list) == 0 {
		return q
	}
	r := &recorder{inner: q, engine: e, list: list}
	return storage.QueryableFunc(func(from, to int64) (storage.Querier, error) {
		inner, err := q.Querier(from, to)
		if err != nil {
			return nil, err
		}
		return &recordedQuerier{inner, r, from, to}, nil
	})
}

// MaxReads is how many recordings are evaluated at most when one is read: those that it
// reads, as often as it reads them, and what they read.
const MaxReads = 1000

// CheckRecordings refuses those that read themselves, by whatever way, and those that read
// too many others.
func CheckRecordings(list []Recording) error {
	reads := map[string][]string{}
	for _, r := range list {
		reads[r.Name] = append(reads[r.Name], selected(r.Expr)...)
	}
	const underway = -1
	counts := map[string]int{}
	var count func(name string) error
	count = func(name string) error {
		names, recorded := reads[name]
		switch {
		case !recorded || counts[name] > 0:
			return nil
		case counts[name] == underway:
			return fmt.Errorf("recording %s reads itself: a recording is what its expression comes to, give that another name", name)
		}
		counts[name] = underway
		n := 1
		for _, read := range names {
			if err := count(read); err != nil {
				return err
			}
			if n += counts[read]; n > MaxReads {
				return fmt.Errorf("recording %s is made of more than %d others, those that these read among them: a recording is evaluated whenever it is read, have it read fewer", name, MaxReads)
			}
		}
		counts[name] = n
		return nil
	}
	for _, r := range list {
		if err := count(r.Name); err != nil {
			return err
		}
	}
	return nil
}

// selected are the names that an expression selects. One without a name is about what is
// not recorded.
func selected(e parser.Expr) (names []string) {
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			for _, m := range v.LabelMatchers {
				if m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual {
					names = append(names, m.Value)
				}
			}
		}
		return nil
	})
	return names
}

type recorder struct {
	inner  storage.Queryable
	engine *promql.Engine
	list   []Recording
}

// A recordedQuerier reads recordings by evaluating them.
type recordedQuerier struct {
	storage.Querier
	*recorder
	from, to int64
}

// Select implements storage.Querier. Recordings are selected by name.
func (q *recordedQuerier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	var out *set
	for _, r := range q.named(matchers) {
		if out == nil {
			out = &set{}
		}
		if err := q.evaluate(ctx, r, hints, matchers, out); err != nil {
			return storage.ErrSeriesSet(err)
		}
	}
	if out == nil {
		return &others{SeriesSet: q.Querier.Select(ctx, sorted, hints, matchers...), left: q.left(matchers)}
	}
	slices.SortFunc(out.list, byLabels)
	for i := 1; i < len(out.list); i++ {
		if ls := out.list[i].labels; labels.Equal(ls, out.list[i-1].labels) {
			return storage.ErrSeriesSet(fmt.Errorf("two series are recorded as %s: tell them apart by labels", ls))
		}
	}
	return out
}

// named are the recordings that a selector is about: it has to name them.
func (q *recorder) named(matchers []*labels.Matcher) (out []*Recording) {
	name := slices.IndexFunc(matchers, func(m *labels.Matcher) bool { return m.Name == model.MetricNameLabel })
	if name < 0 || matchers[name].Type != labels.MatchEqual {
		return nil
	}
	for i := range q.list {
		if q.list[i].Name == matchers[name].Value {
			out = append(out, &q.list[i])
		}
	}
	return out
}

// evaluate adds the series of a recording that match: at the steps of the query, or
// where a range of samples is wanted, at multiples of the recording's own distance.
func (q *recordedQuerier) evaluate(ctx context.Context, r *Recording, hints *storage.SelectHints, matchers []*labels.Matcher, out *set) error {
	terms := termsOf(ctx)
	from, to := q.from, q.to
	if hints != nil && hints.Func != SeriesFunc {
		from, to = hints.Start, hints.End
	}
	step := r.Every
	if first, apart, ok := terms.instants(hints, matchers); ok && (!terms.subquery(matchers) || apart >= r.Every.Milliseconds()) {
		from, step = first, time.Duration(max(apart, 1))*time.Millisecond
	} else {
		every := step.Milliseconds()
		from = (from + every - 1) / every * every
	}
	if from > to {
		return nil
	}
	if terms.Grow != nil {
		if err := terms.Grow(expression.Steps(r.Expr, time.Duration(to-from)*time.Millisecond)); err != nil {
			return err
		}
	}
	own := TermsOf(r.Expr, expression.Lookback)
	own.Grow = terms.Grow
	ctx = WithTerms(ctx, own)
	query, err := q.engine.NewRangeQuery(ctx, WithRecordings(q.inner, q.engine, q.list), nil, r.Expr.String(), time.UnixMilli(from), time.UnixMilli(to), step)
	if err != nil {
		return fmt.Errorf("recording %s: %w", r.Name, err)
	}
	defer query.Close()
	result := query.Exec(ctx)
	if result.Err != nil {
		return result.Err
	}
	out.warnings.Merge(result.Warnings)
	matrix, err := result.Matrix()
	if err != nil {
		return fmt.Errorf("recording %s: %w", r.Name, err)
	}
	for _, s := range matrix {
		ls := r.labels(s.Metric)
		if len(s.Floats) == 0 || !matchesAll(matchers, ls) {
			continue
		}
		one := &series{labels: ls}
		for i, p := range s.Floats {
			if i > 0 && p.T > s.Floats[i-1].T+step.Milliseconds() { // it was gone in between
				one.end([]int64{s.Floats[i-1].T + step.Milliseconds()})
			}
			one.stand(p.F, []int64{p.T})
		}
		if last := s.Floats[len(s.Floats)-1].T + step.Milliseconds(); last <= to {
			one.end([]int64{last})
		}
		out.list = append(out.list, one)
	}
	return nil
}

// labels are those of a recording's series.
func (r *Recording) labels(of labels.Labels) labels.Labels {
	b := labels.NewBuilder(of).Set(model.MetricNameLabel, r.Name)
	r.Labels.Range(func(l labels.Label) { b.Set(l.Name, l.Value) })
	return b.Labels()
}

func matchesAll(matchers []*labels.Matcher, ls labels.Labels) bool {
	return !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(ls.Get(m.Name)) })
}

// others are series that are not recorded. Where there are none, it is told which recording
// may be meant.
type others struct {
	storage.SeriesSet
	left *Recording
	some bool
}

func (o *others) Next() bool {
	next := o.SeriesSet.Next()
	o.some = o.some || next
	return next
}

func (o *others) Warnings() annotations.Annotations {
	warnings := o.SeriesSet.Warnings()
	if o.left != nil && !o.some {
		warnings.Add(&document.Problem{Value: o.left.Name, Rule: "is a recording, which is found by its name alone", Remedy: "write it out"})
	}
	return warnings
}

// left is one that a selector matches without naming it.
func (q *recorder) left(matchers []*labels.Matcher) *Recording {
	for i := range q.list {
		if possibly, _ := ofNames(matchers, q.list[i].Name); possibly {
			return &q.list[i]
		}
	}
	return nil
}

// ofNames reports whether matchers say something of the name, and match this one; and
// whether they say anything else.
func ofNames(matchers []*labels.Matcher, name string) (matches, more bool) {
	for _, m := range matchers {
		switch {
		case m.Name != model.MetricNameLabel:
			more = true
		case !m.Matches(name):
			return false, more
		default:
			matches = true
		}
	}
	return matches, more
}

// LabelNames implements storage.LabelQuerier.
func (q *recordedQuerier) LabelNames(ctx context.Context, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	if len(q.named(matchers)) == 0 {
		return q.Querier.LabelNames(ctx, hints, matchers...)
	}
	return q.texts(ctx, hints, matchers, func(ls labels.Labels, tell func(string)) {
		ls.Range(func(l labels.Label) { tell(l.Name) })
	})
}

// LabelValues implements storage.LabelQuerier: names of recordings are among those that
// can be.
func (q *recordedQuerier) LabelValues(ctx context.Context, name string, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	if name != model.MetricNameLabel && len(q.named(matchers)) > 0 {
		return q.texts(ctx, hints, matchers, func(ls labels.Labels, tell func(string)) {
			if v := ls.Get(name); v != "" {
				tell(v)
			}
		})
	}
	list, warnings, err := q.Querier.LabelValues(ctx, name, hints, matchers...)
	if err != nil || name != model.MetricNameLabel {
		return list, warnings, err
	}
	all := map[string]struct{}{}
	for _, r := range q.list {
		if matches, more := ofNames(matchers, r.Name); len(matchers) == 0 || matches && !more {
			all[r.Name] = struct{}{}
		}
	}
	if len(all) == 0 {
		return list, warnings, nil
	}
	if len(list) == 0 {
		warnings = nil
	}
	for _, text := range list {
		all[text] = struct{}{}
	}
	return limited(all, hints), warnings, nil
}

// texts are those of the series of recordings that match.
func (q *recordedQuerier) texts(ctx context.Context, hints *storage.LabelHints, matchers []*labels.Matcher, of func(ls labels.Labels, tell func(string))) ([]string, annotations.Annotations, error) {
	series := q.Select(ctx, false, &storage.SelectHints{Func: SeriesFunc}, matchers...)
	all := map[string]struct{}{}
	for series.Next() {
		of(series.At().Labels(), func(text string) { all[text] = struct{}{} })
	}
	return limited(all, hints), series.Warnings(), series.Err()
}
