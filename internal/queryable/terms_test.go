package queryable

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/kpi"
)

// evaluate is what an expression comes to at instants that are a step apart, with or without
// the terms of the query.
func (l *ledger) evaluate(t *testing.T, text string, from, to time.Time, step time.Duration, terms bool) promql.Matrix {
	t.Helper()
	expr, err := expression.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if terms {
		ctx = WithTerms(ctx, TermsOf(expr, expression.Lookback))
	}
	query, err := expression.NewEngine(10_000_000).NewRangeQuery(ctx, New(l, nil), nil, text, from, to, step)
	if err != nil {
		t.Fatal(err)
	}
	defer query.Close()
	m, err := query.Exec(ctx).Matrix()
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	out := make(promql.Matrix, len(m))
	for i, s := range m { // its points are used again
		out[i] = promql.Series{Metric: s.Metric, Floats: append([]promql.FPoint{}, s.Floats...)}
	}
	return out
}

// TestTerms: around midnight, what is read where a query looks gives the same as all there is.
func TestTerms(t *testing.T) {
	catalogue, err := kpi.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	midnight := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	l := &ledger{catalogue: catalogue, of: func(end int64) []int64 {
		return []int64{1000 + end/1000%86400/600, end / 60_000 % 7} // the second comes and goes
	}}
	before := fmt.Sprint("@ ", midnight.Add(-7*time.Second).Unix())
	for _, window := range []string{"1m", "5m", "1h", "day", "today"} {
		of := `kpi_plays{by="channel",window="` + window + `"}`
		for _, text := range []string{
			"X", "X offset 1h", "X offset -7s", "timestamp(X)", "max_over_time(X[20m])",
			"max_over_time(X[20m:1m])", "sum_over_time(X[20m:7s] offset 13s)", "sum_over_time(X[20m:41s] offset -13s)",
			"sum_over_time((X offset 11s)[20m:90s])", "sum_over_time((X offset -11s)[19m:7s])", "sum_over_time(timestamp(X)[20m:70s])",
			"sum_over_time(X[20m:61s] " + before + ")", "sum_over_time((X " + before + ")[20m:61s])", "sum_over_time(X[20m:77s] @ end() offset 3s)",
			"sum_over_time(sum_over_time(X[3m:66s] offset 5s)[20m:7s] offset 2s)", "sum_over_time(sum_over_time(X[3m:66s] " + before + " offset 5s)[20m:97s])",
			"sum_over_time(X[17m:75s]) + X", "sum_over_time(X[17m:75s]) + sum_over_time(X[17m:80s])",
		} {
			text := strings.ReplaceAll(text, "X", of)
			for _, watermark := range []time.Duration{0, time.Second, 9 * time.Minute, time.Hour} {
				l.watermark = midnight.Add(watermark).UnixMilli()
				for _, step := range []time.Duration{37 * time.Second, time.Minute} {
					from, to := midnight.Add(-15*time.Minute), midnight.Add(20*time.Minute)
					want := l.evaluate(t, text, from, to, step, false)
					if got := l.evaluate(t, text, from, to, step, true); got.String() != want.String() {
						t.Fatalf("%s by %s, watermark %s:\ngot  %s\nwant %s", text, step, watermark, got, want)
					}
				}
			}
		}
	}
	const today = `kpi_plays{by="channel",window="today",channel="c0"}`
	var stood []string
	for _, p := range l.evaluate(t, today, midnight.Add(-2*time.Minute), midnight.Add(11*time.Minute), time.Minute, true)[0].Floats {
		stood = append(stood, time.UnixMilli(p.T).Sub(midnight).String())
	}
	if got, want := strings.Join(stood, " "), "-2m0s -1m0s 0s 10m0s 11m0s"; got != want {
		t.Errorf("today stands at %s, want %s", got, want)
	}
}
