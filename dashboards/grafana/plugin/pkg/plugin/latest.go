package plugin

import (
	"context"
	"slices"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/tidewatch/tidewatch/dashboards/grafana/plugin/pkg/client"
	"github.com/tidewatch/tidewatch/kpi"
)

// skew is how far the clock that a time range is of may be behind that of the service.
const skew = 10 * time.Second

// latest is one window: the live one where the time range ends at the present, if none is
// asked for that is over, else the last that ended by then.
func (a *asking) latest(ctx context.Context) (backend.DataResponse, error) {
	list, err := a.of(ctx)
	if err != nil {
		return backend.DataResponse{}, err
	}
	answers, err := a.window(ctx, list, a.selection(a.KPIs...))
	if err != nil {
		return backend.DataResponse{}, err
	}
	var frames data.Frames
	kind := data.FrameTypeNumericMulti
	for i := range answers {
		s, answer := list[i], &answers[i]
		a.seen(answer)
		lines := s.figures(answer)
		a.lacking(s, lines, func(yield func(*client.Figure) bool) {
			for i := range answer.Samples {
				if !yield(&answer.Samples[i].Figure) {
					return
				}
			}
		})
		if a.goesOn(s) {
			kind = data.FrameTypeTimeSeriesWide
			frames = append(frames, a.channelled(s, wide(timed(lines, s.instant(answer)), 0), lines))
			lines = nil
		}
		for _, l := range append(lines, s.changes(answer)...) {
			frames = append(frames, framed(data.FrameTypeNumericMulti, l.field()))
		}
	}
	return a.told(frames, kind), nil
}

// window asks for one window of each KPI; none where nothing is kept.
func (a *asking) window(ctx context.Context, list []*shown, s client.Selection) ([]client.Answer, error) {
	answers, warnings, err := a.client.Window(ctx, s, time.Time{})
	if err == nil && !answers[0].Watermark.IsZero() {
		switch known := answers[0].Watermark; {
		case a.times.To.Before(known.Add(-skew)):
			answers, warnings, err = a.client.Window(ctx, s, a.times.To)
		case a.Closed:
			answers, warnings, err = a.client.Window(ctx, s, known)
		}
	}
	if err != nil {
		if a.nothing(err) {
			return nil, nil
		}
		return nil, err
	}
	a.notices.warn(warnings...)
	if s.Top == 0 {
		for i := range answers {
			slices.SortStableFunc(answers[i].Samples, func(x, y client.Sample) int { return list[i].compare(x.Labels, y.Labels) })
		}
	}
	return answers, nil
}

// seen looks at all figures of an answer.
func (a *asking) seen(answer *client.Answer) {
	for i := range answer.Samples {
		a.notices.see(answer.KPI, answer.End, &answer.Samples[i].Figure)
	}
	if !answer.Complete && answer.AsOf.Before(answer.End) {
		a.notices.of(answer.KPI).asOf = answer.AsOf
	}
}

// figures are the lines of an answer, each of one value.
func (s *shown) figures(answer *client.Answer) (list []line) {
	for i := range answer.Samples {
		list = append(list, s.lines(answer.Samples[i].Labels, []figureAt{{answer.End, &answer.Samples[i].Figure}}, "")...)
	}
	return list
}

// changes are by how much the value of an answer changed, against all it is held to.
func (s *shown) changes(answer *client.Answer) (list []line) {
	for i := range answer.Samples {
		x := &answer.Samples[i]
		for _, c := range kpi.Comparisons {
			if !slices.Contains(s.query.Compare, c.Name) {
				continue
			}
			labels := labelled(x.Labels, compareLabel, c.Name)
			var change *float64
			if before := x.Compare[c.Name]; before != nil {
				change = before.Change
			}
			list = append(list, line{
				name: s.Name + "_" + c.Name + changeSuffix, labels: labels, values: []*float64{change},
				config: s.changeConfig(labels, x.Currency, c.Name),
			})
		}
	}
	return list
}

// changeSuffix ends the names of relative changes.
const changeSuffix = "_change"

// instant is when an answer stands that is followed live: at its end once that is over,
// until then at the watermark, which is before it.
func (s *shown) instant(answer *client.Answer) time.Time {
	if answer.Complete || answer.Watermark.IsZero() {
		return answer.End
	}
	return answer.Watermark
}

// timed are lines of one value, at a time.
func timed(lines []line, t time.Time) []line {
	out := slices.Clone(lines)
	for i := range out {
		out[i].times = []time.Time{t}
	}
	return out
}
