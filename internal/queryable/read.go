package queryable

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// stale is the value of a stale marker.
var stale = math.Float64frombits(value.StaleNaN)

// A reader puts the answers about a target together to series.
type reader struct {
	*target
	calendar *kpi.Calendar
	grow     func(more int64) error
	warnings annotations.Annotations

	groups []*group
	places map[string]int // of groups, once one has to be looked for
	last   []*group       // of the answer before, in its order
	namer  *Namer
	names  []string // of the series, by part
	fresh  []group  // not used yet
	lines  []series // not used yet
	labels labels.ScratchBuilder
	turn   int
	key    []byte
}

// A group is the series of one set of labels, one of each part.
type group struct {
	values           []string
	currency, cohort string
	parts            []*series // nil: the labels do not match
	turn             int       // of the newest answer with it
}

func newReader(t *target, v View, grow func(more int64) error) *reader {
	r := &reader{target: t, calendar: v.Calendar(), grow: grow, namer: NewNamer(t.Question, v.Calendar())}
	for _, p := range t.parts {
		r.names = append(r.names, t.KPI.Series(p))
	}
	return r
}

// read reads the windows of a target at some instants, which ascend.
func (t *target) read(ctx context.Context, v View, instants []instant, grow func(more int64) error) (*reader, error) {
	r := newReader(t, v, grow)
	closed := instants
	if n := len(instants); n > 0 && instants[n-1].live {
		closed = instants[:n-1]
	}
	ends := make([]int64, len(closed))
	for i, in := range closed {
		ends[i] = in.end
	}
	next := 0
	for a, err := range v.Windows(ctx, t.Question, ends) {
		in := closed[next]
		next++
		if err != nil {
			lost, ok := errors.AsType[*LostError](err)
			switch {
			case ctx.Err() != nil:
				return nil, ctx.Err()
			case !ok:
				return nil, &ReadError{err}
			}
			r.warnings.Add(lost)
			a = &sample.Answer{KPI: t.KPI} // the value before does not stand for it
		}
		if err := r.add(a, in); err != nil {
			return nil, err
		}
		if in.gone != 0 {
			if err := r.add(&sample.Answer{KPI: t.KPI, Start: a.Start}, instant{times: []int64{in.gone}}); err != nil {
				return nil, err
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(closed) < len(instants) {
		if a := v.Live(t.Question); a != nil {
			return r, r.add(a, instants[len(closed)])
		}
	}
	return r, nil
}

// add takes in the answer about the next window.
func (r *reader) add(a *sample.Answer, in instant) error {
	of := ""
	if r.KPI.FinalOnly {
		of = cohort(a, r.calendar)
	}
	r.turn++
	before := r.last
	r.last = make([]*group, 0, len(a.Samples))
	for i := range a.Samples {
		s := &a.Samples[i]
		if r.named() && !s.Mixed && s.Numerator.N.Sign() == 0 && s.Denominator.N.Sign() == 0 {
			continue // is there because it was asked for
		}
		var g *group
		g, before = r.group(a, s, of, before)
		r.last = append(r.last, g)
		if g.parts == nil {
			continue
		}
		if err := r.grow(int64(len(in.times) * len(r.parts))); err != nil {
			return err
		}
		g.turn = r.turn
		for p, part := range r.parts {
			if v, ok := s.Part(r.KPI, part); ok {
				g.parts[p].stand(v, in.times)
			} else {
				g.parts[p].end(in.times)
			}
		}
	}
	for _, g := range r.groups {
		if g.turn == r.turn {
			continue
		}
		for _, p := range g.parts {
			p.end(in.times)
		}
	}
	return nil
}

// named reports whether one series of a breakdown is asked for by its name.
func (r *reader) named() bool { return len(r.By) > 0 && len(r.Match) == len(r.By) }

// group finds that of a sample: mostly it is the next one of the answer before.
func (r *reader) group(a *sample.Answer, s *sample.Sample, cohort string, before []*group) (*group, []*group) {
	for n, g := range before[:min(2, len(before))] {
		if g.is(s, cohort) {
			return g, before[n+1:]
		}
	}
	if g := r.find(s, cohort); g != nil {
		return g, before
	}
	if len(r.fresh) == 0 {
		r.fresh = make([]group, many)
	}
	g := &r.fresh[0]
	r.fresh = r.fresh[1:]
	g.values, g.cohort, g.currency = s.Labels, cohort, s.Currency
	if r.has(s.Labels, s.Currency, cohort) {
		g.parts = make([]*series, len(r.parts))
		for i := range r.parts {
			if len(r.lines) == 0 {
				r.lines = make([]series, many)
			}
			g.parts[i], r.lines = &r.lines[0], r.lines[1:]
			g.parts[i].labels = r.name(a, s, r.names[i])
		}
	}
	if r.places != nil {
		r.places[string(r.keyOf(g))] = len(r.groups)
	}
	r.groups = append(r.groups, g)
	return g, before
}

// many is how many groups, or series, are made at once.
const many = 64

// find looks for the group of a sample among those of answers before: in the first one
// each sample is of another.
func (r *reader) find(s *sample.Sample, cohort string) *group {
	if r.turn <= 1 {
		return nil
	}
	if r.places == nil {
		r.places = make(map[string]int, len(r.groups))
		for i, g := range r.groups {
			r.places[string(r.keyOf(g))] = i
		}
	}
	if place, ok := r.places[string(r.keyOf(&group{values: s.Labels, currency: s.Currency, cohort: cohort}))]; ok {
		return r.groups[place]
	}
	return nil
}

func (r *reader) keyOf(g *group) []byte {
	r.key = r.key[:0]
	for _, text := range g.values {
		r.key = append(append(r.key, text...), 0xff)
	}
	r.key = append(append(append(r.key, g.currency...), 0xff), g.cohort...)
	return r.key
}

func (g *group) is(s *sample.Sample, cohort string) bool {
	return g.cohort == cohort && g.currency == s.Currency && slices.Equal(g.values, s.Labels)
}

// name makes the labels of a part's series.
func (r *reader) name(a *sample.Answer, s *sample.Sample, of string) labels.Labels {
	r.labels.Reset()
	r.labels.Add(model.MetricNameLabel, of)
	r.namer.Tell(a, s, r.labels.Add)
	r.labels.Sort()
	return r.labels.Labels()
}

// series are those that have samples.
func (r *reader) series(out []*series) []*series {
	for _, g := range r.groups {
		for _, s := range g.parts {
			if len(s.points) > 0 {
				out = append(out, s)
			}
		}
	}
	return out
}

// byLabels orders series.
func byLabels(a, b *series) int { return labels.Compare(a.labels, b.labels) }

// valueOf is a series' value of a label.
func valueOf(s *series, name string) string { return strings.Clone(s.labels.Get(name)) }
