package queryable

import (
	"context"

	"github.com/prometheus/prometheus/model/labels"
)

// A Series is what there is of a series between two times.
type Series struct {
	Labels labels.Labels
	Points []Point // which ascend
}

// Export visits the samples that stand in (from, to] of the series that match, to being an
// instant up to which everything is sealed: they change no more. A business day whose
// facts are known later stands in the span in which nothing more becomes known of it, once
// and at its own end.
func Export(ctx context.Context, s Source, from, to int64, matchers []*labels.Matcher, visit func(Series) error) error {
	v := sealed{s.Look(), to}
	var lost error
	for t := range targets(s.Catalogue(), matchers) {
		if t.usual { // it follows from what is written
			continue
		}
		st, known := standOf(v, t.KPI, t.Window)
		if !known {
			return nil
		}
		st.live = false
		var at []instant
		if late := t.Window.IsDay() && t.KPI.Horizon > 0 && !t.KPI.FinalOnly; late {
			at = st.final(from, to, t.KPI.Horizon)
		} else {
			at = st.every(from+1, to)
		}
		r, err := t.read(ctx, v, at, func(int64) error { return nil })
		if err != nil {
			return err
		}
		for _, why := range r.warnings {
			lost = &LostError{why}
		}
		for _, one := range r.found(nil) {
			if err := visit(Series{one.labels, one.points}); err != nil {
				return err
			}
		}
	}
	return lost
}

// sealed is a view as of an instant up to which everything is sealed.
type sealed struct {
	View
	to int64
}

func (s sealed) Watermark() (int64, bool) {
	_, known := s.View.Watermark()
	return s.to, known
}

// final is the days of which the last becomes known in (from, to], so many days behind
// their own, each at its end.
func (s *stand) final(from, to int64, horizon int) (out []instant) {
	later := *s
	later.open = horizon
	for _, in := range later.every(from+1, to) {
		if len(in.times) > 0 && later.last(in.times[0]) == in.times[0] { // it begins to stand there
			out = append(out, instant{end: in.end, times: []int64{in.end}})
		}
	}
	return out
}
