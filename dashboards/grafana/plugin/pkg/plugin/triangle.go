package plugin

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/tidewatch/tidewatch/dashboards/grafana/plugin/pkg/client"
	"github.com/tidewatch/tidewatch/kpi"
)

// dayColumn is the column of a triangle that says of which day a row is.
const dayColumn = "day"

// triangle has a row for each business day, and a column for each KPI: what became of those
// whose first day it was.
func (a *asking) triangle(ctx context.Context) (backend.DataResponse, error) {
	a.Window = kpi.Day.String()
	list, err := a.of(ctx)
	if err != nil {
		return backend.DataResponse{}, err
	}
	var by []string
	cells := map[string]*cohort{}
	for i, s := range list {
		asked := a.selection(s.Name)
		asked.Compare = nil
		r, warnings, err := a.client.Range(ctx, asked, a.span(s))
		if err != nil {
			if a.nothing(err) {
				continue
			}
			return backend.DataResponse{}, err
		}
		a.notices.warn(warnings...)
		for _, label := range r.By {
			if !slices.Contains(by, label) {
				by = append(by, label)
			}
		}
		for j := range r.Series {
			x := &r.Series[j]
			for k := range x.Points {
				a.place(cells, s, i, len(list), x.Labels, &x.Points[k])
			}
		}
	}
	return a.told(data.Frames{cohorts(a, list, by, cells)}, data.FrameTypeTable), nil
}

// A cohort is a row of a triangle.
type cohort struct {
	day     time.Time
	labels  map[string]string
	figures []*client.Figure // of each KPI, nil where it has none
}

// place puts a figure where it belongs. What is not final is no figure yet, though how many
// it will be of is known.
func (a *asking) place(cells map[string]*cohort, s *shown, column, columns int, labels map[string]string, p *client.Point) {
	day := s.at(p.End)
	key := day.String() + keyOf(labels)
	c := cells[key]
	if c == nil {
		c = &cohort{day: day, labels: labels, figures: make([]*client.Figure, columns)}
		cells[key] = c
	}
	if s.FinalOnly && p.Value == nil && a.Value != partDenominator {
		return
	}
	if !s.FinalOnly {
		a.notices.see(s.Name, p.End, &p.Figure)
	}
	c.figures[column] = &p.Figure
}

// cohorts are the rows, by day and labels.
func cohorts(a *asking, list []*shown, by []string, cells map[string]*cohort) *data.Frame {
	all := slices.SortedFunc(maps.Values(cells), func(x, y *cohort) int {
		return cmp.Or(x.day.Compare(y.day), cmp.Compare(keyOf(x.labels), keyOf(y.labels)))
	})
	days := make([]time.Time, len(all))
	table := rows{by: by, list: make([]map[string]string, len(all))}
	for i, c := range all {
		days[i], table.list[i] = c.day, c.labels
	}
	fields := append([]*data.Field{data.NewField(dayColumn, nil, days)}, table.labels(a.lang)...)
	for column, s := range list {
		values := make([]*float64, len(all))
		var figures []figureAt
		for i, c := range all {
			if f := c.figures[column]; f != nil {
				values[i] = s.pick(f, a.Value)
				figures = append(figures, figureAt{c.day, f})
			}
		}
		currency := s.one(a.Value, figures)
		f := data.NewField(s.fieldName(a.Value), nil, values)
		f.Config = s.config(a.Value, currency, s.title(a.Value, nil, currency, ""))
		fields = append(fields, f)
	}
	return framed(data.FrameTypeTable, fields...)
}
