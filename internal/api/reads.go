package api

import (
	"context"
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
	s := &reading{of: r}
	return s, s.grow(ctx, values)
}

// A reading is the room of one answer.
type reading struct {
	of   *reads
	size int64
}

// grow takes what is missing for an answer of so many values.
func (s *reading) grow(ctx context.Context, values int64) error {
	more := min(max(values, 1), s.of.most())*valueBytes - s.size
	if more <= 0 {
		return nil
	}
	if !s.of.take(ctx, more) {
		s.of.refusals[limitReads].Inc()
		return Unavailable("answers that others ask for fill %d MiB (limits.reads): ask again a little later, or for less", s.of.max>>20)
	}
	s.size += more
	return nil
}

// holds corrects it to what the answer has.
func (s *reading) holds(values int64) {
	size := max(values, 1) * valueBytes
	s.of.give(s.size - size)
	s.size = size
}

func (s *reading) done() { s.of.give(s.size) }

// readings are those of an answer in several parts.
type readings []*reading

func (ss readings) done() {
	for _, s := range ss {
		s.done()
	}
}

// doneUnless is done, but for an answer that will be.
func (s *reading) doneUnless(later func()) {
	if later == nil {
		s.done()
	}
}

// list is an answer of at most so many values: ask gives its data and how many they
// were.
func (r *reads) list(ctx context.Context, most int64, ask func() (a answer, values int64, err error)) (got answer, err error) {
	share, err := r.start(ctx, most)
	if err != nil {
		return answer{}, err
	}
	defer func() { share.doneUnless(got.done) }()
	a, values, err := ask()
	if err != nil {
		return answer{}, err
	}
	share.holds(values)
	a.done = share.done
	return a, nil
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

// rangeValues is the room that a range begins with. It takes as much again when
// that is full.
const rangeValues = 4096

// startRange takes the room for a range, and more as it grows. One that grows too
// large ends there.
func (q *queries) startRange(ctx context.Context, s *selection, r *RangeQuery, points int64) (*reading, error) {
	share, err := q.reads.start(ctx, min(points*s.series(), rangeValues))
	r.Grow = func(values, windows int64) error {
		switch most := q.reads.most(); {
		case values > most:
			q.reads.refusals[limitTooLarge].Inc()
			return tooWide(s, *r, max(points, windows), (values+windows-1)/windows, most)
		case values*valueBytes > share.size:
			return share.grow(ctx, 2*values)
		}
		return nil
	}
	return share, err
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
