package ruletest

import (
	"maps"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/internal/queryable"
)

// states are the series ALERTS and ALERTS_FOR_STATE, as Prometheus writes them beside what
// is scraped, by their labels.
type states map[string]*queryable.Series

// take notes which alerts there are at an evaluation.
func (s states) take(list []alerts.Alert, now int64) {
	there := map[string]bool{}
	note := func(ls map[string]string, value float64) {
		of := labels.FromMap(ls)
		key := of.String()
		if s[key] == nil {
			s[key] = &queryable.Series{Labels: of}
		}
		s[key].Points = append(s[key].Points, queryable.NewPoint(now, value))
		there[key] = true
	}
	for i := range list {
		a := &list[i]
		own := maps.Clone(a.Labels)
		own[model.MetricNameLabel] = expression.AlertsSince
		note(own, float64(a.ActiveAt.Unix()))
		own[model.MetricNameLabel], own[expression.AlertState] = expression.Alerts, string(a.State)
		note(own, 1)
	}
	for key, one := range s {
		if !there[key] {
			one.Points = append(one.Points, queryable.Stale(now))
		}
	}
}

// with are these beside others.
func (s states) with(others []queryable.Series) []queryable.Series {
	out := append([]queryable.Series{}, others...)
	for _, one := range s {
		out = append(out, *one)
	}
	return out
}
