package plugin

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/tidewatch/tidewatch/dashboards/grafana/plugin/pkg/client"
	"github.com/tidewatch/tidewatch/internal/spelling"
	"github.com/tidewatch/tidewatch/kpi"
)

// A restatement is a run of windows that late events changed after they had closed.
type restatement struct {
	kpi      *shown
	from, to time.Time // where the first and the last of them stand
	windows  int
	series   map[string]bool
	revision int // the highest
}

// revisions are the windows of the time range that late events restated, those that follow
// each other as one.
func (a *asking) revisions(ctx context.Context) (backend.DataResponse, error) {
	list, err := a.of(ctx)
	if err != nil {
		return backend.DataResponse{}, err
	}
	var found []restatement
	for _, s := range list {
		asked := a.selection(s.Name)
		asked.Compare, asked.Top = nil, 0
		r, span, err := a.ranged(ctx, s, asked, false)
		if err != nil {
			return backend.DataResponse{}, err
		}
		if s.window.Length > 0 && span.Step > s.window.Length {
			a.notices.add(data.NoticeSeverityInfo, fmt.Sprintf("%s: windows of %s are looked at every %s alone: ask for less time, or for longer windows",
				s.Name, s.window, kpi.FormatLength(span.Step)))
		}
		found = append(found, restated(s, r, cmp.Or(span.Step, 25*time.Hour))...)
	}
	slices.SortStableFunc(found, func(x, y restatement) int { return x.from.Compare(y.from) })
	return a.told(data.Frames{restatements(found)}, data.FrameTypeTable), nil
}

// restated are the runs of a KPI: windows that stand no further apart than a step.
func restated(s *shown, r client.Range, step time.Duration) (runs []restatement) {
	type window struct {
		series   map[string]bool
		revision int
	}
	windows := map[time.Time]*window{}
	for i := range r.Series {
		for j := range r.Series[i].Points {
			p := &r.Series[i].Points[j]
			if !p.Complete || p.Revision < 2 {
				continue
			}
			at := s.at(p.End)
			if windows[at] == nil {
				windows[at] = &window{series: map[string]bool{}}
			}
			windows[at].series[keyOf(r.Series[i].Labels)] = true
			windows[at].revision = max(windows[at].revision, p.Revision)
		}
	}
	for _, at := range slices.SortedFunc(maps.Keys(windows), time.Time.Compare) {
		if last := len(runs) - 1; last < 0 || at.Sub(runs[last].to) > step {
			runs = append(runs, restatement{kpi: s, from: at, series: map[string]bool{}})
		}
		run := &runs[len(runs)-1]
		run.to, run.revision = at, max(run.revision, windows[at].revision)
		run.windows++
		maps.Copy(run.series, windows[at].series)
	}
	return runs
}

// restatements are a table with the columns of annotations before all others.
func restatements(list []restatement) *data.Frame {
	times, ends := make([]time.Time, len(list)), make([]*time.Time, len(list))
	titles, texts, tags := make([]string, len(list)), make([]string, len(list)), make([]string, len(list))
	revisions := make([]int64, len(list))
	for i, x := range list {
		times[i], titles[i], tags[i], revisions[i] = x.from, x.kpi.lang.Of(x.kpi.Title), x.kpi.Name+","+x.kpi.window.String(), int64(x.revision)
		if x.to.After(x.from) {
			ends[i] = &x.to
		}
		texts[i] = fmt.Sprintf("Late events restated %s of %s, up to revision %d",
			spelling.Number(x.windows, "window", "windows"), spelling.Number(len(x.series), "series", "series"), x.revision)
	}
	return framed(data.FrameTypeTable,
		data.NewField("time", nil, times), data.NewField("timeEnd", nil, ends), data.NewField("title", nil, titles),
		data.NewField("text", nil, texts), data.NewField("tags", nil, tags), data.NewField("revision", nil, revisions))
}
