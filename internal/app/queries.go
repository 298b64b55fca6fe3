package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/tidewatch/tidewatch/internal/api"
	"github.com/tidewatch/tidewatch/internal/spelling"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/state"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/merge"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// Catalogue is what is kept.
func (e *engine) Catalogue() *kpi.Catalogue { return e.catalogue }

// look is what live windows show, with what is in.
func (e *engine) look() *shown {
	if e.await != nil {
		e.await()
	}
	return e.lane.shown.Load()
}

// Ledger is the account that belongs to what queries see.
func (e *engine) Ledger() api.Ledger {
	now := e.look()
	out := api.Ledger{Total: now.ledger, Lanes: map[string]stream.Ledger{e.laneName: now.ledger}, Begins: e.begins(), Position: now.position}
	if wm := now.live.Watermark(); wm != stream.NoTime {
		out.Watermark = time.UnixMilli(wm)
	}
	return out
}

// Query answers for one window.
func (e *engine) Query(ctx context.Context, q api.Query) (*sample.Answer, error) {
	answer, err := e.query(ctx, q)
	if err != nil {
		return nil, err
	}
	m := &maturing{engine: e, history: e.store}
	if err := m.mature(answer); err != nil {
		return nil, err
	}
	answer.Warnings = append(answer.Warnings, m.warnings()...)
	answer.Warnings = append(answer.Warnings, e.unknown(e.tellsOf(q.KPI, q.Window, answer.Start), answer.End)...)
	if !slices.ContainsFunc(answer.Samples, something) {
		answer.Warnings = append(answer.Warnings, e.unseen(q.Match)...)
	}
	return answer, nil
}

func (e *engine) query(ctx context.Context, q api.Query) (*sample.Answer, error) {
	question := merge.Question{KPI: q.KPI.Name, By: q.By, Window: q.Window, Match: q.Match}
	if q.At.IsZero() {
		live := e.look().live
		at, ended := e.newestFinal(q.KPI, q.Window, live.Watermark())
		if !ended && live.Begun(q.Window) {
			return live.Ask(question), nil
		}
		if q.At = at; !ended {
			q.At = time.Unix(live.Head(), 0) // the last one of the day
		}
	} else if err := e.keeps(q.Window, q.At); err != nil {
		return nil, err
	}
	question.Moment = merge.At(e.plan, q.Window, q.At.UnixMilli())
	answer, err := e.ask(ctx, question, e.store)
	if lost, ok := errors.AsType[*state.LostError](err); ok {
		return nil, api.NotFound("%v", lost)
	}
	return answer, err
}

// newestFinal is when the newest day ended that has a value, of a KPI without any
// before nothing more becomes known of it. Of others, and before there is such a
// day, the live window is what is newest.
func (e *engine) newestFinal(k *kpi.KPI, w kpi.Window, watermark int64) (end time.Time, ok bool) {
	if !k.FinalOnly || !w.IsDay() || watermark == stream.NoTime {
		return time.Time{}, false
	}
	day := e.plan.Calendar.Day(watermark)
	for range k.Horizon {
		day = e.plan.Calendar.Before(day)
	}
	end = time.UnixMilli(e.plan.Calendar.Start(day))
	return end, end.After(e.begins())
}

func (e *engine) ask(ctx context.Context, q merge.Question, h merge.History) (*sample.Answer, error) {
	if live := e.look().live; q.Window.IsDay() && q.Moment.Day == live.Today() {
		return live.Ask(q), nil
	}
	answer, err := e.lookup(q, h, nil)
	for range 5 {
		ahead, ok := errors.AsType[merge.AheadError](err)
		if !ok {
			return answer, err
		}
		// What the partitions hold beyond the closed slices has to be asked for.
		// In the meantime those may have closed.
		v, err2 := e.put(ctx, &ask{head: ahead.Head})
		if err2 != nil {
			return nil, err2
		}
		answer, err = e.lookup(q, h, v)
	}
	if _, ok := errors.AsType[merge.AheadError](err); ok {
		return nil, api.Unavailable("the stream moves on too fast for a window ahead of it: ask again")
	}
	return answer, err
}

func (e *engine) lookup(q merge.Question, h merge.History, ahead *merge.Live) (*sample.Answer, error) {
	l, err := e.lane.lookup(q, ahead)
	if err != nil {
		return nil, err
	}
	return l.Answer(h)
}

// keeps refuses a time that history no longer has, or never had.
func (e *engine) keeps(w kpi.Window, at time.Time) error {
	oldest, newest := e.Kept(w)
	_, end := e.span(w, merge.At(e.plan, w, at.UnixMilli()))
	switch {
	case newest.IsZero():
	case !end.After(e.begins()):
		return outside(w, oldest, newest, "the one at "+at.UTC().Format(time.RFC3339)+" ends before the first event")
	case at.Before(oldest):
		return outside(w, oldest, newest, at.UTC().Format(time.RFC3339)+" is before")
	}
	return nil
}

// earliest is the time of the earliest event, zero before it.
func (e *engine) earliest() time.Time { return timeOf(e.lane.shown.Load().first) }

// timeOf is the time of the earliest event, zero before there is any.
func timeOf(first int64) time.Time {
	if first == math.MaxInt64 {
		return time.Time{}
	}
	return time.UnixMilli(first)
}

// begins is the earliest time of which history may tell: the first event's, also
// if it was counted before a rebuild.
func (e *engine) begins() time.Time { return e.since(e.lane.shown.Load().first) }

// since is the same of an earliest event.
func (e *engine) since(earliest int64) time.Time {
	first := timeOf(earliest)
	if former := time.UnixMilli(e.former); e.former != 0 && former.Before(first) {
		return former
	}
	return first
}

// tellsOf is where what a window tells of begins, which begins itself at start.
func (e *engine) tellsOf(k *kpi.KPI, w kpi.Window, start time.Time) time.Time {
	if !w.IsDay() || start.IsZero() {
		return start
	}
	return time.UnixMilli(e.plan.Calendar.Start(k.Since(e.plan.Calendar.Day(start.UnixMilli()))))
}

// unknown warns of windows that begin before the first event, the last of which
// ends at end.
func (e *engine) unknown(start, end time.Time) []string {
	first, known := e.earliest(), e.begins()
	switch {
	case start.IsZero():
	case start.Before(known):
		return []string{fmt.Sprintf("nothing is known of the time before the first event, %s", known.UTC().Format(time.RFC3339))}
	case start.Before(first) && end.After(first):
		return []string{fmt.Sprintf("a rebuild began with %s: windows that end later have nothing of before", first.UTC().Format(time.RFC3339))}
	}
	return nil
}

// something reports whether anything is in a sample.
func something(s sample.Sample) bool {
	return s.Numerator.N.Sign() != 0 || s.Minus.N.Sign() != 0 || s.Denominator.N.Sign() != 0 || s.Mixed
}

// maxSpelt is how many values of a field are looked through for the one that may
// have been meant.
const maxSpelt = 10_000

// unseen warns of the values, by field, that nothing asked for has and no live
// window knows.
func (e *engine) unseen(match map[string]string) (warnings []string) {
	live := e.lane.shown.Load().live
fields:
	for _, field := range slices.Sorted(maps.Keys(match)) {
		value := match[field]
		if value == kpi.None || value == kpi.Other {
			continue
		}
		var known []string
		for v := range live.Values(field) {
			if v == value {
				continue fields
			}
			if len(known) < maxSpelt {
				known = append(known, v)
			}
		}
		slices.Sort(known) // the same one among equals, however they were counted
		warning := fmt.Sprintf("%s %q was not seen of late", field, value)
		if near := spelling.Nearest(value, slices.Compact(known)); near != "" {
			warning += fmt.Sprintf(": did you mean %q?", near)
		}
		warnings = append(warnings, warning)
	}
	return warnings
}

// span is where a kept window begins and ends.
func (e *engine) span(w kpi.Window, m merge.Moment) (start, end time.Time) {
	if w.IsDay() {
		return time.UnixMilli(e.plan.Calendar.Start(m.Day)), time.UnixMilli(e.plan.Calendar.Start(m.Day + 1))
	}
	return time.Unix(e.plan.Begin(w, m.End), 0), time.Unix(m.End, 0)
}

func outside(w kpi.Window, oldest, newest time.Time, what string) error {
	if newest.Before(oldest) { // the watermark is behind the first event
		return api.NotFound("%s windows: none is over yet, the first event is of %s: %s", w, oldest.UTC().Format(time.RFC3339), what)
	}
	return api.NotFound("%s windows are kept from %s to %s: %s", w, oldest.UTC().Format(time.RFC3339), newest.UTC().Format(time.RFC3339), what)
}

// Kept is the span of time whose windows are kept, zero before the first event.
func (e *engine) Kept(w kpi.Window) (oldest, newest time.Time) {
	now := e.look()
	return e.kept(w, now.live.Watermark(), e.since(now.first))
}

// kept is the same of a watermark, and of when what is known begins.
func (e *engine) kept(w kpi.Window, watermark int64, begins time.Time) (oldest, newest time.Time) {
	if watermark == stream.NoTime {
		return time.Time{}, time.Time{}
	}
	newest = time.UnixMilli(watermark)
	oldest = newest.Add(-e.store.Kept(w))
	if oldest.Before(begins) {
		oldest = begins
	}
	return oldest, newest
}

// Range answers for consecutive windows.
func (e *engine) Range(ctx context.Context, q api.RangeQuery) (*api.RangeAnswer, error) {
	out := &api.RangeAnswer{KPI: q.KPI, Window: q.Window, By: q.By}
	moments := e.moments(q)
	oldest, newest := e.Kept(q.Window)
	out.Watermark = newest
	if n := len(moments); n > 0 {
		out.Start, _ = e.span(q.Window, moments[0])
		_, out.End = e.span(q.Window, moments[n-1])
	}
	switch {
	case newest.IsZero():
	case len(moments) == 0 && (!q.From.Before(newest) || !q.To.IsZero() && !q.To.After(oldest)):
		return nil, outside(q.Window, oldest, newest, "the range lies outside")
	case q.From.Before(oldest) && oldest.After(e.begins()):
		out.Warnings = append(out.Warnings, fmt.Sprintf("%s windows are kept from %s: nothing before", q.Window, oldest.UTC().Format(time.RFC3339)))
	case len(moments) > 0:
		start := e.tellsOf(q.KPI, q.Window, out.Start)
		if q.From.Before(start) {
			start = q.From
		}
		out.Warnings = e.unknown(start, out.End)
	}
	question := merge.Question{KPI: q.KPI.Name, By: q.By, Window: q.Window, Match: q.Match}
	closed, today := moments, e.lane.shown.Load().live.Today()
	if n := len(moments); n > 0 && q.Window.IsDay() && moments[n-1].Day == today {
		closed = moments[:n-1]
	}
	built, m := newSeries(), &maturing{engine: e, history: e.store}
	take := func(a *sample.Answer) error {
		if err := m.mature(a); err != nil {
			return err
		}
		out.AsOf, out.Watermark = a.AsOf, a.Watermark
		return built.add(a, q.Grow)
	}
	r := merge.NewRange(e.plan, question, closed)
	for e.lane.planRange(r) {
		for a, err := range r.Answers(e.store) {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				err = built.miss(err)
			} else {
				err = take(a)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	for _, question.Moment = range moments[len(closed)-len(r.Rest):] { // ahead of what is closed
		a, err := e.ask(ctx, question, e.store)
		if err != nil {
			return nil, err
		}
		if err := take(a); err != nil {
			return nil, err
		}
	}
	out.Series = built.list
	out.Warnings = append(out.Warnings, m.warnings()...)
	if !slices.ContainsFunc(out.Series, func(s sample.Series) bool {
		return slices.ContainsFunc(s.Points, func(p sample.Point) bool { return something(p.Sample) })
	}) {
		out.Warnings = append(out.Warnings, e.unseen(q.Match)...)
	}
	if built.lost > 0 {
		out.Warnings = append(out.Warnings, fmt.Sprintf("%d windows are left out: %v", built.lost, built.why))
	}
	return out, nil
}

// moments are the windows that end in (From, To], oldest first.
func (e *engine) moments(q api.RangeQuery) []merge.Moment {
	live := e.lane.shown.Load().live
	wm := live.Watermark()
	if wm == stream.NoTime {
		return nil
	}
	from := q.From
	if oldest, _ := e.Kept(q.Window); from.Before(oldest) {
		from = oldest
	}
	to := q.To
	if q.Window.IsDay() {
		last := live.Today()
		if !to.IsZero() {
			last = min(last, merge.At(e.plan, q.Window, to.UnixMilli()).Day)
		}
		var out []merge.Moment
		for first := merge.At(e.plan, q.Window, from.UnixMilli()).Day; last > first; last = e.plan.Calendar.Before(last) {
			out = append(out, merge.Moment{Day: last})
		}
		slices.Reverse(out)
		return out
	}
	if reach := time.UnixMilli(wm); to.IsZero() || to.After(reach) {
		to = reach
	}
	step := int64(q.Step / time.Second)
	if step == 0 {
		step = int64(q.Window.Step() / time.Second)
	}
	end := merge.At(e.plan, q.Window, to.UnixMilli()).End
	end -= end % step
	var out []merge.Moment
	for first := from.Unix(); end > first; end -= step {
		out = append(out, merge.Moment{End: end})
	}
	slices.Reverse(out)
	return out
}
