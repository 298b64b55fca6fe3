package expression

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

const (
	// Lookback is for how long a sample stands, unless a query says otherwise.
	Lookback = 5 * time.Minute
	// Timeout is how long a query may take, at most.
	Timeout = 2 * time.Minute
	// SubqueryStep is that of subqueries that name none: standing values repeat so often.
	SubqueryStep = time.Minute
)

// NewEngine is Prometheus' own engine; a query holds at most so many samples.
func NewEngine(samples int) *promql.Engine {
	return promql.NewEngine(promql.EngineOpts{
		Logger:                   slog.New(slog.DiscardHandler),
		MaxSamples:               samples,
		Timeout:                  Timeout,
		LookbackDelta:            Lookback,
		NoStepSubqueryIntervalFn: func(int64) int64 { return SubqueryStep.Milliseconds() },
		EnableAtModifier:         true,
		EnableNegativeOffset:     true,
		Parser:                   Language,
	})
}

// Vector is what an expression comes to at a time; of a number one result without labels.
func Vector(ctx context.Context, e *promql.Engine, series storage.Queryable, expr string, at time.Time) (promql.Vector, annotations.Annotations, error) {
	q, err := e.NewInstantQuery(ctx, series, nil, expr, at)
	if err != nil {
		return nil, nil, err
	}
	defer q.Close()
	result := q.Exec(ctx)
	switch v := result.Value.(type) {
	case promql.Vector:
		return slices.Clone(v), result.Warnings, result.Err
	case promql.Scalar:
		return promql.Vector{{T: v.T, F: v.V}}, result.Warnings, result.Err
	}
	return nil, nil, cmp.Or(result.Err, fmt.Errorf("%s is no vector", expr))
}
