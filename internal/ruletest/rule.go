package ruletest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/internal/queryable"
)

// A rule is evaluated when its turn comes, and writes what it comes to as series: a recording
// its results, an alert ALERTS and ALERTS_FOR_STATE.
type rule struct {
	name      string
	alert     *alerts.Engine    // of this rule alone, nil for a recording
	recording *alerts.Recording // nil for an alert
	limit     int               // of results; 0 for none
	offset    int64             // ms that it looks back
	wrote     map[*queryable.Series]bool
}

// rulesOf are those of a group, in the order of its file.
func rulesOf(g alerts.Group, o alerts.EngineOptions) (list []*rule, err error) {
	offset := g.QueryOffset.Milliseconds()
	for _, r := range g.Rules {
		one := g
		one.Rules, one.Recordings = []*alerts.Rule{r}, nil
		e, err := newEngine(o, &alerts.RuleFile{Groups: []alerts.Group{one}})
		if err != nil {
			return nil, err
		}
		list = append(list, &rule{name: r.Alert, alert: e, offset: offset})
	}
	for i := range g.Recordings {
		r := &g.Recordings[i]
		list = slices.Insert(list, r.Above+i, &rule{name: r.Name, recording: r, limit: g.Limit, offset: offset})
	}
	return list, nil
}

// evaluate is what the rule comes to at a time, as series.
func (r *rule) evaluate(b *bench, now int64) (promql.Vector, error) {
	if r.alert == nil {
		return r.record(b, now-r.offset)
	}
	r.alert.Evaluate(now, b)
	if s := r.alert.Rules()[0]; s.Health == "err" {
		return nil, errors.New(s.LastError)
	}
	var out promql.Vector
	active, _ := r.alert.Active()
	for i := range active {
		a := &active[i]
		of := labels.NewBuilder(labels.FromMap(a.Labels))
		since := of.Set(model.MetricNameLabel, expression.AlertsSince).Labels()
		state := of.Set(model.MetricNameLabel, expression.Alerts).Set(expression.AlertState, string(a.State)).Labels()
		out = append(out, promql.Sample{Metric: since, F: float64(a.ActiveAt / 1000)}, promql.Sample{Metric: state, F: 1})
	}
	return out, nil
}

// record is what a recording comes to.
func (r *rule) record(b *bench, at int64) (promql.Vector, error) {
	out, _, err := b.Query(b.ctx, r.recording.Expr, at)
	if err == nil && r.limit > 0 && len(out) > r.limit {
		err = fmt.Errorf("the expression has %d results, more than limit: %d: narrow it, or raise limit", len(out), r.limit)
	}
	for i := range out {
		of := labels.NewBuilder(out[i].Metric).Set(model.MetricNameLabel, r.name)
		for name, value := range r.recording.Labels {
			of.Set(name, value)
		}
		out[i].Metric = of.Labels()
	}
	return out, err
}

// write adds points to series, and ends those that the rule no longer comes to, unless
// another rule does.
func (r *rule) write(to *queryable.Store, results promql.Vector, at int64) error {
	if results.ContainsSameLabelset() {
		return errors.New("two results have the same labels: tell them apart, or aggregate them")
	}
	before := r.wrote
	r.wrote = make(map[*queryable.Series]bool, len(results))
	for i := range results {
		s := to.Series(results[i].Metric)
		if !s.Add(queryable.NewPoint(at, results[i].F)) {
			return fmt.Errorf("%s has another value at this time: give the rule another name, or labels of its own", s.Labels)
		}
		r.wrote[s] = true
	}
	for s := range before {
		if !r.wrote[s] {
			s.Add(queryable.Stale(at))
		}
	}
	return nil
}
