package app

import (
	"math"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/queryable"
)

// alertsBetween implements queryable.AlertsFunc: by the history of those that fired, and by
// what the rules say of those that are active.
func (e *engine) alertsBetween(name string, from, to int64) (list []queryable.Alert, until int64) {
	spans := e.deliver.History().Spans(name, from, to) // first: what goes on by it may be over by the rules
	active, until := e.rules.Load().Active()
	type firing struct {
		labels string
		since  int64
	}
	goesOn := map[firing]bool{}
	for _, a := range active {
		if a.ActiveAt <= to && (name == "" || a.Labels[model.AlertNameLabel] == name) {
			goesOn[firing{labels.FromMap(a.Labels).String(), a.FiredAt}] = true
			list = append(list, activeAlert(a))
		}
	}
	for _, s := range spans {
		one := queryable.Alert{Labels: s.Labels, ActiveAt: s.ActiveAt, FiredAt: s.FiredAt, EndedAt: s.ResolvedAt}
		if one.EndedAt == 0 {
			if goesOn[firing{labels.FromMap(s.Labels).String(), s.FiredAt}] {
				continue
			}
			one.EndedAt = until // that is not in the history yet
		}
		list = append(list, one)
	}
	return list, until
}

// known shows what rules know of alerts while they are judged beside what there is.
func known(q storage.Queryable, rules *alerts.Engine) storage.Queryable {
	return queryable.WithAlerts(q, func(string, int64, int64) (list []queryable.Alert, until int64) {
		for _, a := range rules.Known() {
			list = append(list, activeAlert(a))
		}
		return list, math.MaxInt64
	})
}

func activeAlert(a alerts.Active) queryable.Alert {
	return queryable.Alert{Labels: a.Labels, ActiveAt: a.ActiveAt, FiredAt: a.FiredAt}
}
