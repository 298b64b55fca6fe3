package app

import (
	"context"
	"errors"
	"iter"

	"github.com/tidewatch/tidewatch/internal/queryable"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/state"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/merge"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// Look implements queryable.Source.
func (e *engine) Look() queryable.View {
	now := e.look()
	return view{e, now.live, now.first}
}

// sealedTo is the event time, in ms, up to which nothing changes any more but business days
// of facts; 0 before there is any.
func (e *engine) sealedTo() int64 {
	wm := e.look().live.Watermark() // what is in is shown to who looks
	if wm == stream.NoTime {
		return 0
	}
	return (wm - plan.Unsealed(e.timing)) / 1000 * 1000
}

// A view is what Prometheus' queries see: the windows that were closed when they began,
// and the live ones of then. It implements queryable.View.
type view struct {
	engine *engine
	live   *merge.Live
	first  int64 // event time in ms of the earliest event
}

func (v view) Calendar() *kpi.Calendar { return v.engine.plan.Calendar }

func (v view) Watermark() (ms int64, known bool) {
	ms = v.live.Watermark()
	return ms, ms != stream.NoTime
}

func (v view) Kept(w kpi.Window) (oldest int64) {
	begins := v.engine.since(v.first)
	first, _ := v.engine.kept(w, v.live.Watermark(), begins)
	if !first.After(begins) { // nothing is known of what ended by then
		return begins.UnixMilli() + 1
	}
	return first.UnixMilli()
}

func (v view) question(q queryable.Question) merge.Question {
	return merge.Question{KPI: q.KPI.Name, By: q.By, Window: q.Window, Match: q.Match}
}

func (v view) moments(q queryable.Question, ends []int64) []merge.Moment {
	out := make([]merge.Moment, len(ends))
	for i, end := range ends {
		out[i] = merge.At(v.engine.plan, q.Window, end)
	}
	return out
}

func (v view) Versions(q queryable.Question, ends []int64) []uint64 {
	return v.engine.lane.versions(v.question(q), v.moments(q, ends))
}

func (v view) Windows(ctx context.Context, q queryable.Question, ends []int64) iter.Seq2[*sample.Answer, error] {
	e := v.engine
	return func(yield func(*sample.Answer, error) bool) {
		r := merge.NewRange(e.plan, v.question(q), v.moments(q, ends))
		for e.lane.planRange(r) {
			for a, err := range r.Answers(e.store) {
				if lost, ok := errors.AsType[*state.LostError](err); ok {
					err = &queryable.LostError{Why: lost}
				}
				if !yield(a, err) || ctx.Err() != nil {
					return
				}
			}
		}
	}
}

func (v view) Live(q queryable.Question) *sample.Answer {
	if !v.live.Begun(q.Window) {
		return nil
	}
	return v.live.Ask(v.question(q))
}
