package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/tidewatch/tidewatch/kpi"
)

// reads bound the memory of answers under way, from before they are computed
// until their clients have read them.
type reads struct {
	room
	refusals refusals
}

func newReads(l Limits, set *metrics.Set) *reads {
	r := &reads{room: room{max: l.Reads}, refusals: newRefusals(set)}
	set.GetOrCreateGauge("tidewatch_http_read_bytes", func() float64 {
		r.mu.Lock()
		defer r.mu.Unlock()
		return float64(r.used)
	})
	return r
}

// valueBytes is about what a value takes in an answer.
const valueBytes = 256

// most is how many values an answer may hold.
func (r *reads) most() int64 { return r.max / 2 / valueBytes }

// start takes the room for an answer of so many values, at most of one that may
// be asked for. It is given back when the reading is done.
func (r *reads) start(ctx context.Context, values int64) (*reading, error) {
	s := &reading{r, min(max(values, 1), r.most()) * valueBytes}
	if !r.take(ctx, s.size) {
		r.refusals[limitReads].Inc()
		return nil, Unavailable("answers that others ask for fill %d MiB (limits.reads): ask again a little later, or for less", r.max>>20)
	}
	return s, nil
}

// A reading is the room of one answer.
type reading struct {
	of   *reads
	size int64
}

// holds corrects it to what the answer has.
func (s *reading) holds(values int64) {
	size := max(values, 1) * valueBytes
	s.of.give(s.size - size)
	s.size = size
}

func (s *reading) done() { s.of.give(s.size) }

// doneUnless is done, but for an answer that will be.
func (s *reading) doneUnless(later func()) {
	if later == nil {
		s.done()
	}
}

// series bounds the series of a window.
func (s *selection) series() int64 {
	switch {
	case len(s.by) == len(s.match):
		return 1
	case s.kpi.Top > 0:
		return int64(s.kpi.Top) + 1
	}
	return int64(s.kpi.Budget) + 1 // with what is beyond it
}

// probes are how many windows of a range are asked for their series.
const probes = 8

// startRange takes the room for a range. It holds its points times the series
// that a window has; a range that could be too large is probed for these.
func (q *queries) startRange(ctx context.Context, s *selection, r RangeQuery, points int64) (*reading, error) {
	series := s.series()
	if points*series > q.reads.most()/probes {
		var err error
		if series, err = q.probe(ctx, s, r); err != nil {
			return nil, err
		}
	}
	if most := q.reads.most(); points*series > most {
		q.reads.refusals[limitTooLarge].Inc()
		return nil, tooWide(s, r, points, series, most)
	}
	return q.reads.start(ctx, points*series)
}

// probe is the most series that windows spread over a range have.
func (q *queries) probe(ctx context.Context, s *selection, r RangeQuery) (int64, error) {
	share, err := q.reads.start(ctx, s.series())
	if err != nil {
		return 0, err
	}
	defer share.done()
	end, most := q.end(r), 1
	for i := range probes {
		at := end.Add(-end.Sub(r.From) * time.Duration(i) / probes)
		a, err := q.engine.Query(ctx, Query{KPI: r.KPI, Window: r.Window, By: r.By, Match: r.Match, At: at})
		if gone, ok := errors.AsType[*Error](err); ok && gone.Kind == KindNotFound {
			break // so are the windows before
		}
		if err != nil {
			return 0, err
		}
		most = max(most, len(a.Samples))
	}
	return int64(most), nil
}

// tooWide says how to ask for less.
func tooWide(s *selection, r RangeQuery, points, series, most int64) *Error {
	var ways []string
	for _, field := range r.By {
		if _, named := s.match[field]; !named {
			ways = append(ways, "name a "+field)
		}
	}
	if fewer := (points*series + most - 1) / most; !r.Window.IsDay() {
		ways = append(ways, "give step="+kpi.FormatLength(r.Step*time.Duration(fewer)))
	}
	e := TooLarge("the range holds about %d values, %d points of %d series, more than %d, which half of limits.reads has room for: %s, or ask for less time",
		points*series, points, series, most, strings.Join(ways, ", "))
	e.Status = http.StatusUnprocessableEntity
	return e
}
