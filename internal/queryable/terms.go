package queryable

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
)

// Terms are what a query says of itself, besides its expression.
type Terms struct {
	// Lookback is the query's.
	Lookback time.Duration
	// Grow is asked before the query holds so many more samples, and may refuse. Nil
	// never does.
	Grow func(more int64) error

	beats map[string]beat // of selectors, by what they match
}

// A beat says which instants a selector is looked at, if it has no range.
type beat struct {
	// subquery says that they are the multiples of the step, less the offset in ms, and
	// not the query's own steps.
	subquery bool
	offset   int64
	// several says that they are not told: the selector stands in several places.
	several bool
}

// TermsOf are the terms of an expression.
func TermsOf(expr parser.Expr, lookback time.Duration) Terms {
	t := Terms{Lookback: lookback, beats: map[string]beat{}}
	parser.Inspect(expr, func(n parser.Node, path []parser.Node) error {
		s, ok := n.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		var b beat
		if slices.ContainsFunc(path, func(n parser.Node) bool { _, is := n.(*parser.SubqueryExpr); return is }) {
			b = beat{subquery: true, offset: s.OriginalOffset.Milliseconds(), several: s.Timestamp != nil || s.StartOrEnd != 0}
		}
		of := matched(s.LabelMatchers)
		if before, twice := t.beats[of]; twice && before != b {
			b.several = true
		}
		t.beats[of] = b
		return nil
	})
	return t
}

// matched tells selectors apart.
func matched(by []*labels.Matcher) string {
	texts := make([]string, len(by))
	for i, m := range by {
		texts[i] = m.String()
	}
	slices.Sort(texts)
	return strings.Join(texts, ",")
}

// instants are those at which a selection is looked at, from first to the end of the
// hints: a step of 0 is of one alone. All samples between are looked at where it is not ok.
func (t *Terms) instants(hints *storage.SelectHints, matchers []*labels.Matcher) (first, step int64, ok bool) {
	if hints == nil || hints.Func == SeriesFunc || hints.Range != 0 {
		return 0, 0, false
	}
	b, known := t.beats[matched(matchers)]
	if !known || b.several {
		return 0, 0, false
	}
	first, step = hints.Start+t.Lookback.Milliseconds()-1, hints.Step
	if b.subquery {
		if step <= 0 {
			return 0, 0, false
		}
		first++ // a range does not have its first instant
		first += ((-first-b.offset)%step + step) % step
	}
	return first, step, true
}

// subquery reports whether a selection is that of a subquery.
func (t *Terms) subquery(matchers []*labels.Matcher) bool { return t.beats[matched(matchers)].subquery }

type termsKey struct{}

// WithTerms gives the terms to the selections of a query. Without any, all samples are
// selected.
func WithTerms(ctx context.Context, t Terms) context.Context {
	return context.WithValue(ctx, termsKey{}, t)
}

func termsOf(ctx context.Context) Terms {
	t, _ := ctx.Value(termsKey{}).(Terms)
	return t
}
