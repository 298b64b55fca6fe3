package expression

import (
	"log/slog"
	"time"

	"github.com/prometheus/prometheus/promql"
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
