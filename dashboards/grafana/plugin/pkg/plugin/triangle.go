package plugin

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/tidewatch/tidewatch/dashboards/grafana/look"
	"github.com/tidewatch/tidewatch/dashboards/grafana/plugin/pkg/client"
	"github.com/tidewatch/tidewatch/kpi"
)

// Columns of a triangle that say of which day a row is, and how many it is about.
const (
	dayColumn   = "day"
	usersColumn = "users"
)

// dates is the unit of business days, which stand at their beginning.
const dates = "time:YYYY-MM-DD"

// triangle has a row for each business day that is over, with how many users were first
// seen on it, and a column for each KPI: what became of them.
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
		r, _, err := a.ranged(ctx, s, asked, s.bounded())
		if err != nil {
			return backend.DataResponse{}, err
		}
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
	users   *float64
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
	if c.users == nil {
		c.users = p.Denominator
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
	days, users := make([]time.Time, len(all)), make([]*float64, len(all))
	table := rows{by: by, list: make([]map[string]string, len(all))}
	for i, c := range all {
		days[i], users[i], table.list[i] = c.day, c.users, c.labels
	}
	day, size := data.NewField(dayColumn, nil, days), data.NewField(usersColumn, nil, users)
	day.Config = &data.FieldConfig{DisplayNameFromDS: a.lang.Field("cohort"), Unit: dates}
	size.Config = &data.FieldConfig{DisplayNameFromDS: a.lang.Of(look.Size), Unit: look.Plain}
	fields := append([]*data.Field{day}, table.labels(a.lang)...)
	if slices.ContainsFunc(users, func(n *float64) bool { return n != nil }) && a.Value != partDenominator {
		fields = append(fields, size)
	}
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
