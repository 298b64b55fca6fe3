package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"

	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/internal/queryable"
)

// prometheus answers as the HTTP API of Prometheus does, under /prometheus, over the
// series of the KPIs.
type prometheus struct {
	engine Engine
	alerts Alerts
	series storage.Queryable
	promql *promql.Engine
	reads  *reads
	bodies *bodies
}

const (
	// promPath is where the API of Prometheus begins.
	promPath = "/prometheus/api/v1/"
	// promPoints is how many points a series of a range may have: as in Prometheus.
	promPoints = 11_000
	// sampleBytes is what a sample takes while a query looks at it, and a step of a
	// subquery.
	sampleBytes = 16
)

func newPrometheus(d Deps, reads *reads, bodies *bodies) *prometheus {
	return &prometheus{
		engine: d.Engine, alerts: d.Alerts, series: d.Series, reads: reads, bodies: bodies,
		promql: expression.NewEngine(int(reads.max / 2 / sampleBytes)),
	}
}

// routes are the paths that Prometheus' clients ask for.
func (p *prometheus) routes(r *router) {
	forms := map[string]func(form) (answer, error){
		"query": p.query, "query_range": p.queryRange, "query_exemplars": p.exemplars, "format_query": p.format,
		"labels": p.labelNames, "series": p.seriesList,
	}
	for name, h := range forms {
		r.handle("GET "+promPath+name, func(req *http.Request) (answer, error) { return h(form{req, req.URL.Query()}) })
		r.withBody("POST "+promPath+name, func(c *http.ResponseController, req *http.Request) (answer, error) {
			f, err := p.posted(c, req)
			if err != nil {
				return answer{}, err
			}
			return h(f)
		})
	}
	for name, h := range map[string]func(form) (answer, error){
		"label/{name}/values": p.labelValues, "metadata": p.metadata, "rules": p.rules, "alerts": p.alertList,
		"status/buildinfo": p.build,
	} {
		r.handle("GET "+promPath+name, func(req *http.Request) (answer, error) { return h(form{req, req.URL.Query()}) })
	}
}

// query answers at one instant.
func (p *prometheus) query(f form) (answer, error) {
	at, err := f.time("time", time.Now())
	if err != nil {
		return answer{}, err
	}
	return p.evaluate(f, 0, 1, func(o promql.QueryOpts, expr string) (promql.Query, error) {
		return p.promql.NewInstantQuery(f.Context(), p.series, o, expr, at)
	})
}

// queryRange answers at instants that are a step apart.
func (p *prometheus) queryRange(f form) (answer, error) {
	from, to, err := f.span(time.Time{}, time.Time{})
	if err != nil {
		return answer{}, err
	}
	step, err := f.length("step", 0)
	switch {
	case err != nil:
		return answer{}, err
	case step < time.Millisecond:
		return answer{}, BadData("step is missing or below a millisecond: give seconds (60) or a length of time (1m)")
	}
	span := to.Sub(from)
	points := int64(span/step) + 1
	if points > promPoints {
		return answer{}, execution("%d points a series are asked for, more than %d: give a step of %s or more, or ask for less time",
			points, promPoints, (span/(promPoints-1) + time.Second).Truncate(time.Second))
	}
	return p.evaluate(f, span, points, func(o promql.QueryOpts, expr string) (promql.Query, error) {
		return p.promql.NewRangeQuery(f.Context(), p.series, o, expr, from, to, step)
	})
}

// evaluate runs a query at so many points within a span. What it holds is given back once
// the answer is out.
func (p *prometheus) evaluate(f form, span time.Duration, points int64, begin func(o promql.QueryOpts, expr string) (promql.Query, error)) (got answer, err error) {
	if err := p.engine.Ready(); err != nil {
		return answer{}, Unavailable("%v", err)
	}
	timeout, err := f.length("timeout", expression.Timeout)
	if err != nil {
		return answer{}, err
	}
	lookback, err := f.length("lookback_delta", expression.Lookback)
	if err != nil {
		return answer{}, err
	}
	limit, err := f.limit()
	if err != nil {
		return answer{}, err
	}
	q, err := f.begin(lookback, begin)
	if err != nil {
		return answer{}, err
	}
	defer func() {
		if got.done == nil {
			q.Close()
		}
	}()
	expr := q.Statement().(*parser.EvalStmt).Expr
	share, err := p.reads.start(f.Context(), points)
	if err != nil {
		return answer{}, err
	}
	defer func() { share.doneUnless(got.done) }()
	ctx, cancel := context.WithTimeout(f.Context(), min(timeout, expression.Timeout))
	defer cancel()
	terms := queryable.TermsOf(expr, lookback)
	terms.Grow = p.grow(f.Context(), share)
	if err := terms.Grow(expression.Steps(expr, span)); err != nil {
		return answer{}, err
	}
	result := q.Exec(queryable.WithTerms(ctx, terms))
	if result.Err != nil {
		return answer{}, p.failed(result.Err)
	}
	warnings, infos := result.Warnings.AsStrings(f.Get("query"), 10, 10)
	data := &promResult{value: result.Value, limit: limit}
	if n, all := data.cut(); n < all {
		warnings = append(warnings, "results truncated due to limit")
	}
	return answer{data: data, warnings: warnings, infos: infos, done: func() { q.Close(); share.done() }}, nil
}

// grow has a query grow within the room for answers, by all that its selectors read and
// its subqueries step through.
func (p *prometheus) grow(ctx context.Context, share *reading) func(more int64) error {
	held := int64(0)
	return func(more int64) error {
		held += more
		values := held / (valueBytes / sampleBytes)
		if most := p.reads.most(); values > most {
			p.reads.refusals[limitTooLarge].Inc()
			return execution("the query reads more than %d samples, or steps of subqueries, which half of limits.reads has room for: ask for less time, for longer steps, or for fewer series by naming labels",
				most*valueBytes/sampleBytes)
		}
		if values*valueBytes > share.size {
			return share.grow(ctx, 2*values)
		}
		return nil
	}
}

// failed is why a query has no answer, as its asker is told.
func (p *prometheus) failed(err error) error {
	if told, ok := errors.AsType[*Error](err); ok {
		return told
	}
	if _, ok := errors.AsType[*queryable.ReadError](err); ok {
		return err
	}
	_, timeout := errors.AsType[promql.ErrQueryTimeout](err)
	_, canceled := errors.AsType[promql.ErrQueryCanceled](err)
	_, large := errors.AsType[promql.ErrTooManySamples](err)
	switch {
	case timeout || errors.Is(err, context.DeadlineExceeded):
		return &Error{Kind: KindTimeout, Msg: err.Error() + ": ask for less time or fewer series, or give a longer timeout (at most " + expression.Timeout.String() + ")"}
	case canceled || errors.Is(err, context.Canceled):
		return &Error{Kind: KindCanceled, Msg: err.Error()}
	case large:
		p.reads.refusals[limitTooLarge].Inc()
		return execution("%v: ask for less time, for a longer step, or for fewer series by naming labels", err)
	}
	return execution("%v", err)
}

// execution is for a query that can be read and not answered: 422.
func execution(format string, args ...any) *Error { return newError(KindExecution, format, args) }

// format answers an expression as people write it.
func (p *prometheus) format(f form) (answer, error) {
	expr, err := f.expression()
	if err != nil {
		return answer{}, err
	}
	return answer{data: expr.Pretty(0)}, nil
}

// exemplars answers that there are none.
func (p *prometheus) exemplars(form) (answer, error) { return answer{data: []struct{}{}}, nil }
