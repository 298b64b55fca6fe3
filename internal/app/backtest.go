package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/api"
	"github.com/tidewatch/tidewatch/internal/backtest"
	"github.com/tidewatch/tidewatch/internal/queryable"
	"github.com/tidewatch/tidewatch/kpi"
)

// Backtest judges the rules of a file over history.
func (e *engine) Backtest(ctx context.Context, b api.Backtest) (*backtest.Report, []string, error) {
	t, err := readTrial(b.Name, b.Rules, e.catalogue, alerts.EngineOptions{ExternalURL: e.config.URL()}, e.rules.Load().recordings)
	if err != nil {
		return nil, nil, api.BadData("%v", err)
	}
	rules, warnings := t.all, t.Warnings()
	for _, r := range rules.Reads() {
		if oldest, _ := e.Kept(r.Window); oldest.After(b.From) {
			warnings = append(warnings, fmt.Sprintf("windows of %s are kept from %s on: what reads them is judged from there", r.Window, oldest.UTC().Format(time.RFC3339)))
		}
	}
	slices.Sort(warnings)
	warnings = slices.Compact(warnings)
	q := backtest.Question{Rules: rules, Source: e, From: b.From, To: b.To, Step: b.Step}
	if q.Step == 0 {
		q.Step = rules.Finest()
	}
	if n := q.To.Sub(q.From) / q.Step; n > backtest.MaxInstants {
		least := (q.To.Sub(q.From)/backtest.MaxInstants + time.Second).Truncate(time.Second)
		if b.Step != 0 {
			return nil, nil, api.BadData("%d instants are asked for, more than %d: give a step of %s or more, or less time", n, backtest.MaxInstants, kpi.FormatLength(least))
		}
		warnings = append(warnings, fmt.Sprintf("judged every %s, where live it is every %s: ask for less time to be as fine", kpi.FormatLength(least), kpi.FormatLength(q.Step)))
		q.Step = least
	}
	every := q.Step.Milliseconds()
	q.From = time.UnixMilli(q.From.UnixMilli() / every * every) // where live rules are judged too
	series := queryable.WithRecordings(known(queryable.New(e, e.frames), rules), e.promql, t.recordings)
	q.Query = func(expr string, at int64) (promql.Vector, bool, error) { return e.vector(ctx, series, expr, at) }
	r, err := backtest.Run(ctx, q)
	if errors.Is(err, backtest.ErrAlerts) {
		err = api.BadData("%v", err)
	}
	if err != nil {
		return nil, nil, err
	}
	r.Definitions = e.lane.Identity()
	return r, warnings, nil
}

// instead are recordings with others in place of those of the same name.
func instead(list, others []queryable.Recording) []queryable.Recording {
	kept := slices.DeleteFunc(slices.Clone(list), func(r queryable.Recording) bool {
		return slices.ContainsFunc(others, func(o queryable.Recording) bool { return o.Name == r.Name })
	})
	return append(kept, others...)
}
