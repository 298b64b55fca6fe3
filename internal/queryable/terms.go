package queryable

import (
	"context"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// Terms are what a query says of itself, besides its expression.
type Terms struct {
	// Lookback is the query's.
	Lookback time.Duration
	// Instants says that the expression has no subquery: selectors without a range are
	// looked at on the query's steps alone.
	Instants bool
	// Grow is asked before the query holds so many more samples, and may refuse. Nil
	// never does.
	Grow func(more int64) error
}

// TermsOf are the terms of an expression.
func TermsOf(expr parser.Expr, lookback time.Duration) Terms {
	t := Terms{Lookback: lookback, Instants: true}
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		if _, ok := n.(*parser.SubqueryExpr); ok {
			t.Instants = false
		}
		return nil
	})
	return t
}

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
