package queryable

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/tidewatch/tidewatch/internal/expression"
)

// A line is a series that has a value for spans of time, one after the other.
type line struct {
	labels labels.Labels
	spans  []span
}

// A span is from <= time < to, in Unix milliseconds.
type span struct {
	from, to int64
	value    float64
}

// goesOn is the end of a span that has none yet.
const goesOn = math.MaxInt64

// linesOf are the series of alerts, by their labels.
func linesOf(list []Alert) map[string]*line {
	lines := map[string]*line{}
	add := func(a *Alert, series, state string, s span) {
		if s.from >= s.to {
			return
		}
		of := maps.Clone(a.Labels)
		of[model.MetricNameLabel] = series
		if delete(of, expression.AlertState); state != "" {
			of[expression.AlertState] = state
		}
		l := labels.FromMap(of)
		key := l.String()
		if lines[key] == nil {
			lines[key] = &line{labels: l}
		}
		lines[key].spans = append(lines[key].spans, s)
	}
	for i := range list {
		a := &list[i]
		ended := cmp.Or(a.EndedAt, goesOn)
		fired := cmp.Or(a.FiredAt, ended)
		add(a, expression.Alerts, "pending", span{a.ActiveAt, fired, 1})
		add(a, expression.Alerts, "firing", span{fired, ended, 1})
		add(a, expression.AlertsSince, "", span{a.ActiveAt, ended, float64(a.ActiveAt / 1000)})
	}
	for _, l := range lines {
		l.part()
	}
	return lines
}

// part puts the spans in order, and has none reach into the next.
func (l *line) part() {
	slices.SortFunc(l.spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	out := l.spans[:1]
	for _, s := range l.spans[1:] {
		last := &out[len(out)-1]
		switch {
		case s.from > last.to:
		case s.value == last.value:
			last.to = max(last.to, s.to)
			continue
		default:
			last.to = s.from
		}
		out = append(out, s)
	}
	l.spans = out
}

// once is the series with one sample, if it has a value at some time from one to another.
func (l *line) once(from, to int64) *series {
	one := &series{labels: l.labels}
	for _, s := range l.spans {
		if s.from <= to && s.to > from {
			one.stand(s.value, []int64{max(s.from, from)})
			break
		}
	}
	return one
}

// at has a sample at each of the times from first on by step: see draw.
func (l *line) at(first, step, from, to, until int64) *series {
	step = max(step, 1)
	return l.draw(from, to, until, func(s span, last int64) (times []int64) {
		t := first
		if s.from > t {
			t += (s.from - t + step - 1) / step * step
		}
		for ; t <= last; t += step {
			times = append(times, t)
		}
		return times
	})
}

// every has a sample where a span begins, and at the whole minutes in it: see draw.
func (l *line) every(from, to, until int64) *series {
	return l.draw(from, to, until, func(s span, last int64) (times []int64) {
		if s.from >= from && s.from <= last {
			times = append(times, s.from)
		}
		for t := max(s.from, from-1)/minute*minute + minute; t <= last; t += minute {
			times = append(times, t)
		}
		return times
	})
}

// draw has the samples between two times: those that times has of each span up to a last one,
// at until one of a span that goes on, and a stale marker where nothing follows.
func (l *line) draw(from, to, until int64, times func(s span, last int64) []int64) *series {
	one := &series{labels: l.labels}
	for i, s := range l.spans {
		if s.to <= from || s.from > to {
			continue
		}
		at := times(s, min(s.to-1, to, until))
		if n := len(at); s.to > until && until >= max(from, s.from) && until <= to && (n == 0 || at[n-1] < until) {
			at = append(at, until)
		}
		if len(at) > 0 {
			one.stand(s.value, at)
		}
		if s.to <= to && (i+1 == len(l.spans) || l.spans[i+1].from > s.to) {
			one.end([]int64{s.to})
		}
	}
	return one
}
