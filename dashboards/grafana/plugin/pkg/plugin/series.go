package plugin

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/tidewatch/tidewatch/dashboards/grafana/plugin/pkg/client"
	"github.com/tidewatch/tidewatch/kpi"
)

// maxPoints is how many points of a series the service answers.
const maxPoints = 11_000

// series are the windows of the time range.
func (a *asking) series(ctx context.Context) (backend.DataResponse, error) {
	list, err := a.of(ctx)
	if err != nil {
		return backend.DataResponse{}, err
	}
	var frames data.Frames
	kind := data.FrameTypeTimeSeriesMulti
	for _, s := range list {
		lines, against, step, err := a.drawn(ctx, s)
		if err != nil {
			return backend.DataResponse{}, err
		}
		if a.goesOn(s) {
			kind = data.FrameTypeTimeSeriesWide
			frames = append(frames, a.channelled(s, wide(lines, step), lines))
			lines = nil
		}
		for _, l := range append(lines, against...) {
			frames = append(frames, framed(data.FrameTypeTimeSeriesMulti, timeField(l.times, step), l.field()))
		}
	}
	return a.told(frames, kind), nil
}

// goesOn reports whether a KPI is followed live. A business day is one point until it is
// over: it changes in place, which a stream of points cannot.
func (a *asking) goesOn(s *shown) bool {
	if !a.Live || a.Closed && a.Show == showLatest || a.times.To.Before(time.Now().Add(-recent)) {
		return false
	}
	if s.window == kpi.Day && a.Show == showSeries {
		a.notices.add(data.NoticeSeverityInfo, s.Name+": a series of days is not followed live: show the latest, or choose the window today where it is kept")
		return false
	}
	return true
}

// recent is how far in the past a range may end that is about the present.
const recent = time.Minute

// drawn are the lines of a KPI, and those they are held against, with the distance between
// their points.
func (a *asking) drawn(ctx context.Context, s *shown) (lines, against []line, step time.Duration, err error) {
	r, span, err := a.ranged(ctx, s, a.selection(s.Name), s.bounded())
	if err != nil {
		return nil, nil, 0, err
	}
	if a.Top == 0 { // always in one order, so that Grafana gives each its colour again
		for _, list := range append([]client.Range{r}, slices.Collect(maps.Values(r.Compare))...) {
			slices.SortStableFunc(list.Series, func(x, y client.Series) int { return s.compare(x.Labels, y.Labels) })
		}
	}
	step = span.Step
	for i := range r.Series {
		figures := make([]figureAt, len(r.Series[i].Points))
		for j := range r.Series[i].Points {
			p := &r.Series[i].Points[j]
			figures[j] = figureAt{s.at(p.End), &p.Figure}
			if s.window == kpi.Day {
				step = max(step, p.End.Sub(figures[j].at))
			}
			a.notices.see(s.Name, p.End, &p.Figure)
			if s.mixed(&p.Figure) { // of a range the service does not warn
				a.notices.of(s.Name).mixed++
			}
		}
		lines = append(lines, s.lines(r.Series[i].Labels, figures, "")...)
	}
	a.lacking(s, lines, func(yield func(*client.Figure) bool) {
		for _, x := range r.Series {
			for i := range x.Points {
				if !yield(&x.Points[i].Figure) {
					return
				}
			}
		}
	})
	for _, c := range kpi.Comparisons {
		if !slices.Contains(a.Compare, c.Name) {
			continue
		}
		for _, x := range r.Compare[c.Name].Series {
			figures := make([]figureAt, len(x.Points))
			for j := range x.Points {
				figures[j] = figureAt{s.at(c.After(x.Points[j].End, s.window, s.days).UTC()), &x.Points[j].Figure}
			}
			against = append(against, s.lines(x.Labels, figures, c.Name)...)
		}
	}
	return lines, against, step, nil
}

// ranged asks for the windows of the time range, none where nothing is kept. Points that
// are further apart than windows are kept for can miss all of these: then it asks again, for
// the last of the time between two points, which is all that there can be.
func (a *asking) ranged(ctx context.Context, s *shown, of client.Selection, bounds bool) (client.Range, client.Span, error) {
	if err := a.reached(ctx); err != nil {
		return client.Range{}, client.Span{}, err
	}
	span := a.span(s)
	span.Bounds = bounds
	if !span.To.After(span.From) {
		if _, _, err := a.client.Window(ctx, of, time.Time{}); err != nil { // the query itself may be wrong
			return client.Range{}, span, err
		}
		a.notices.warn(s.Name + ": a business day is shown once it is over, and none is in this time: choose more of it, or another window")
		return client.Range{}, span, nil
	}
	for {
		r, warnings, err := a.client.Range(ctx, of, span)
		if err != nil {
			if a.nothing(err) {
				err = nil
			}
			return client.Range{}, span, err
		}
		end := a.reach
		if span.To.Before(end) {
			end = span.To
		}
		if len(r.Series) > 0 || s.window == kpi.Day || a.reach.IsZero() || span.Step <= s.window.Step() {
			a.notices.warn(warnings...)
			if step := span.Step.Milliseconds(); step > 0 && !a.reach.IsZero() && end.UnixMilli()/step*step <= span.From.UnixMilli() {
				a.notices.warn(fmt.Sprintf("%s: windows of %s end every %s, and none does in this time: choose more of it", s.Name, s.window, kpi.FormatLength(s.window.Step())))
			}
			return r, span, nil
		}
		if begin := end.Add(-span.Step); begin.After(span.From) {
			span.From = begin
		}
		span.Step = a.step(s, end.Sub(span.From), 0)
	}
}

// span are the windows that end in the time range, no closer than there is room for. Of
// business days it is those that overlap it and are over: beside whole days a part of one
// would be a fall.
func (a *asking) span(s *shown) client.Span {
	of := client.Span{From: a.times.From, To: a.times.To}
	if s.window == kpi.Day {
		of.To = time.UnixMilli(s.days.Start(s.days.Day(a.times.To.UnixMilli()-1) + 1))
		if !a.reach.IsZero() {
			if begun := time.UnixMilli(s.days.Start(s.days.Day(a.reach.UnixMilli()))); begun.Before(of.To) {
				of.To = begun
			}
		}
		return of
	}
	of.Step = a.step(s, of.To.Sub(of.From), a.interval)
	return of
}

// step is how far points are apart over a length of time, at least so far.
func (a *asking) step(s *shown, long, least time.Duration) time.Duration {
	return multiple(s.window.Step(), max(least, apart(long, a.points), apart(long, maxPoints)))
}

// apart is how far so many points are from each other over a length of time.
func apart(long time.Duration, points int64) time.Duration {
	if points <= 0 {
		return 0
	}
	return (long + time.Duration(points) - 1) / time.Duration(points)
}

// multiple is the least multiple of a step that is at least as long.
func multiple(step, long time.Duration) time.Duration {
	n := int64((long + step - 1) / step)
	return time.Duration(max(1, n) * int64(step))
}
