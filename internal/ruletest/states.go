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
type states map[string]*state

type state struct {
	queryable.Series
	rule int   // of which it was last
	at   int64 // when that was
}

// take notes which alerts of a rule there are at an evaluation.
func (s states) take(rule int, list []alerts.Alert, now int64) {
	note := func(ls map[string]string, value float64) {
		of := labels.FromMap(ls)
		key := of.String()
		one := s[key]
		if one == nil {
			one = &state{Series: queryable.Series{Labels: of}}
			s[key] = one
		}
		one.add(rule, now, queryable.NewPoint(now, value))
	}
	for i := range list {
		a := &list[i]
		own := maps.Clone(a.Labels)
		own[model.MetricNameLabel] = expression.AlertsSince
		note(own, float64(a.ActiveAt.Unix()))
		own[model.MetricNameLabel], own[expression.AlertState] = expression.Alerts, string(a.State)
		note(own, 1)
	}
	for _, one := range s {
		if one.rule == rule && one.at < now {
			one.add(rule, now, queryable.Stale(now))
		}
	}
}

// add adds a point: of two rules whose alerts have the same labels that of the later one.
func (s *state) add(rule int, now int64, p queryable.Point) {
	if len(s.Points) > 0 && s.at == now {
		s.Points = s.Points[:len(s.Points)-1]
	}
	s.Points, s.rule, s.at = append(s.Points, p), rule, now
}

// with are these beside others.
func (s states) with(others []queryable.Series) []queryable.Series {
	out := append([]queryable.Series{}, others...)
	for _, one := range s {
		out = append(out, one.Series)
	}
	return out
}
