package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/tidewatch/tidewatch/dashboards/grafana/plugin/pkg/client"
)

// A Query is what a panel asks, as dashboards store it. What is absent has its default.
type Query struct {
	Kind string `json:"kind,omitempty"` // kpi (the default), users, alerts, revisions or freshness

	// Of kpi, and of revisions.
	KPIs    []string `json:"kpis,omitempty"`
	Window  string   `json:"window,omitempty"` // by default the KPI's
	By      []string `json:"by,omitempty"`     // fields; by default the total
	Filters []Filter `json:"filters,omitempty"`
	Compare []string `json:"compare,omitempty"` // previous, yesterday, last_week
	Top     int      `json:"top,omitempty"`     // so many series, the largest; by default all
	Show    string   `json:"show,omitempty"`    // series (the default), latest, table or triangle
	Value   string   `json:"value,omitempty"`   // value (the default), numerator, denominator, n, low or high
	Bounds  bool     `json:"bounds,omitempty"`  // low and high, too
	Minor   bool     `json:"minor,omitempty"`   // amounts in minor units
	Closed  bool     `json:"closed,omitempty"`  // a window that is over; of latest and table
	Live    bool     `json:"live,omitempty"`    // goes on; of series and latest

	// Of users, with filters.
	Segment   string `json:"segment,omitempty"`
	Active    string `json:"active,omitempty"`
	NotActive string `json:"notActive,omitempty"`
	Limit     int    `json:"limit,omitempty"`
}

// A Filter chooses series by the value of a field: one of several (=), or what a regular
// expression matches as a whole (=~).
type Filter struct {
	Field  string   `json:"field"`
	Op     string   `json:"op"`
	Values []string `json:"values"`
}

// Kinds of queries, and what is shown of KPIs. The first is the default.
const (
	kindKPI       = "kpi"
	kindUsers     = "users"
	kindAlerts    = "alerts"
	kindRevisions = "revisions"
	kindFreshness = "freshness"

	showSeries   = "series"
	showLatest   = "latest"
	showTable    = "table"
	showTriangle = "triangle"
)

// all is what Grafana sends for the choice All of a variable.
const all = "$__all"

var (
	kinds = []string{kindKPI, kindUsers, kindAlerts, kindRevisions, kindFreshness}
	shows = []string{showSeries, showLatest, showTable, showTriangle}
	parts = []string{partValue, partNumerator, partDenominator, partN, partLow, partHigh}

	// name is how KPIs are called, and their fields: they stand in the path of a request.
	name = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
)

// parse reads a query, and refuses what no service can answer.
func parse(text []byte) (q Query, err error) {
	if err := json.Unmarshal(text, &q); err != nil {
		return q, fmt.Errorf("read the query: %w", err)
	}
	for _, choice := range []struct {
		name string
		of   *string
		list []string
	}{{"kind", &q.Kind, kinds}, {"show", &q.Show, shows}, {"value", &q.Value, parts}} {
		if *choice.of == "" {
			*choice.of = choice.list[0]
		}
		if !slices.Contains(choice.list, *choice.of) {
			return q, fmt.Errorf("%s %q is none: use %s", choice.name, *choice.of, strings.Join(choice.list, ", "))
		}
	}
	if (q.Kind == kindKPI || q.Kind == kindRevisions) && len(q.KPIs) == 0 {
		return q, fmt.Errorf("no KPI is asked for: choose one")
	}
	for i, k := range q.KPIs {
		if !name.MatchString(k) {
			return q, fmt.Errorf("%q is no name of a KPI: use one of those that are listed", k)
		}
		if slices.Contains(q.KPIs[:i], k) {
			return q, fmt.Errorf("%s is asked for twice: name it once", k)
		}
	}
	for _, f := range q.Filters {
		if f.Op != "=" && f.Op != "=~" && f.Op != "" {
			return q, fmt.Errorf("the filter of %s has the operator %q: use = or =~", f.Field, f.Op)
		}
		if f.Op == "=~" && len(f.Values) > 1 {
			return q, fmt.Errorf("the filter of %s has %d regular expressions: give one, with | between what it may be", f.Field, len(f.Values))
		}
	}
	return q, nil
}

// filters are those that choose something.
func (q *Query) filters() (list []client.Filter) {
	for _, f := range q.Filters {
		switch {
		case f.Field == "" || len(f.Values) == 0 || len(f.Values) == 1 && f.Values[0] == all:
		case f.Op == "=~":
			if f.Values[0] != "" {
				list = append(list, client.Filter{Field: f.Field, Pattern: f.Values[0]})
			}
		default:
			list = append(list, client.Filter{Field: f.Field, Values: f.Values})
		}
	}
	return list
}

// selection is what is asked of some of the KPIs.
func (q *Query) selection(kpis ...string) client.Selection {
	return client.Selection{KPIs: kpis, Window: q.Window, By: q.By, Filters: q.filters(), Compare: q.Compare, Top: q.Top}
}

// query answers one.
func (p *Plugin) query(ctx context.Context, asked backend.DataQuery, alerting bool) (backend.DataResponse, error) {
	if p.wrong != nil {
		return backend.DataResponse{}, p.wrong
	}
	q, err := parse(asked.JSON)
	if err != nil {
		return backend.DataResponse{}, err
	}
	if alerting {
		q.Live = false
	}
	a := &asking{Plugin: p, Query: q, times: asked.TimeRange, interval: asked.Interval, points: asked.MaxDataPoints}
	switch q.Kind {
	case kindUsers:
		return a.users(ctx)
	case kindAlerts:
		return a.alerts(ctx)
	case kindRevisions:
		return a.revisions(ctx)
	case kindFreshness:
		return a.freshness(ctx)
	}
	switch q.Show {
	case showLatest:
		return a.latest(ctx)
	case showTable:
		return a.table(ctx)
	case showTriangle:
		return a.triangle(ctx)
	}
	return a.series(ctx)
}
