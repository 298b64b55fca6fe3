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
)

// stale is the value of a stale marker.
var stale = math.Float64frombits(value.StaleNaN)

// A reader puts the answers about a target together to series.
type reader struct {
	*target
	grow     func(more int64) error
	warnings annotations.Annotations
	mixed    bool // a series that is asked for was in several currencies

	groups []*group
	places map[string]int // of groups, once one has to be looked for
	last   []*group       // of the frame before, in its order
	gone   []*group       // may stand, without being in that
	names  []*name        // of that frame
	namer  *Namer
	series []string // what they are called, by part
	follow int      // times behind the frame that is added
	fresh  []group  // not used yet
	lines  []series // not used yet
	points []Point  // not used yet
	labels labels.ScratchBuilder
	turn   int
	key    []byte
}

// A group is the series of one set of labels, one of each part.
type group struct {
	*name
	parts []series // nil: the labels do not match
	turn  int      // of the newest frame with it
}

func newReader(t *target, v View, grow func(more int64) error) *reader {
	r := &reader{target: t, grow: grow, namer: NewNamer(t.Question, v.Calendar())}
	for _, p := range t.parts {
		r.series = append(r.series, t.KPI.Series(p))
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
	for _, in := range instants {
		r.follow += len(in.times)
	}
	next := 0
	for f, err := range t.frames(ctx, v, t.parts, ends) {
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
			f = &frame{} // the value before does not stand for it
		}
		if err := r.add(f, in); err != nil {
			return nil, err
		}
		if in.gone != 0 {
			if err := r.add(&frame{}, instant{times: []int64{in.gone}}); err != nil {
				return nil, err
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(closed) < len(instants) {
		if a := v.Live(t.Question); a != nil {
			return r, r.add(t.liveFrame(a, v, r.names), instants[len(closed)])
		}
	}
	return r, nil
}

// add takes in the next frame.
func (r *reader) add(f *frame, in instant) error {
	before := r.last
	r.meet(f)
	r.follow = max(0, r.follow-len(in.times))
	n := len(r.parts)
	for i, g := range r.last {
		if n > 0 && isSeveral(f.values[i*n]) {
			r.mixed = r.mixed || r.hasButCurrency(g.values, g.cohort)
		}
		if g.parts == nil {
			continue
		}
		if err := r.grow(int64(len(in.times) * n)); err != nil {
			return err
		}
		for p, v := range f.values[i*n : (i+1)*n] {
			if isValue(v) {
				r.room(&g.parts[p], len(in.times))
				g.parts[p].stand(v, in.times)
			} else {
				g.parts[p].end(in.times)
			}
		}
	}
	for _, g := range before {
		if g.turn < r.turn {
			r.gone = append(r.gone, g)
		}
	}
	for _, g := range r.gone {
		if g.turn == r.turn { // it is back
			continue
		}
		for p := range g.parts {
			g.parts[p].end(in.times)
		}
	}
	if len(in.times) > 0 {
		r.gone = r.gone[:0]
	}
	return nil
}

// meet finds the groups of a frame.
func (r *reader) meet(f *frame) {
	r.turn++
	if !sameNames(f.names, r.names) {
		before := r.last
		r.last, r.names = make([]*group, 0, len(f.names)), f.names
		for _, n := range f.names {
			var g *group
			g, before = r.group(n, before)
			r.last = append(r.last, g)
		}
	}
	for _, g := range r.last {
		g.turn = r.turn
	}
}

// group finds that of a name: mostly it is the next one of the frame before.
func (r *reader) group(of *name, before []*group) (*group, []*group) {
	for n, g := range before[:min(2, len(before))] {
		if g.name == of || g.is(of) {
			return g, before[n+1:]
		}
	}
	if g := r.find(of); g != nil {
		return g, before
	}
	if len(r.fresh) == 0 {
		r.fresh = make([]group, r.batch())
	}
	g := &r.fresh[0]
	r.fresh = r.fresh[1:]
	g.name = of
	if r.has(of.values, of.currency, of.cohort) {
		n := len(r.parts)
		if len(r.lines) < n {
			r.lines = make([]series, r.batch()*n)
		}
		g.parts, r.lines = r.lines[:n:n], r.lines[n:]
		for i, l := range r.label(of) {
			g.parts[i].labels = l
		}
	}
	if r.places != nil {
		r.places[string(r.keyOf(of))] = len(r.groups)
	}
	r.groups = append(r.groups, g)
	return g, before
}

// many is how many groups are made at once, at most.
const many = 64

// batch is how many are: all of a frame, or as many as there are.
func (r *reader) batch() int { return min(many, max(len(r.names)-len(r.groups), len(r.groups), 1)) }

// find looks for the group of a name among those of frames before: in the first one each
// is of another.
func (r *reader) find(of *name) *group {
	if r.turn <= 1 {
		return nil
	}
	if r.places == nil {
		r.places = make(map[string]int, len(r.groups))
		for i, g := range r.groups {
			r.places[string(r.keyOf(g.name))] = i
		}
	}
	if place, ok := r.places[string(r.keyOf(of))]; ok {
		return r.groups[place]
	}
	return nil
}

func (r *reader) keyOf(n *name) []byte {
	r.key = r.key[:0]
	for _, text := range n.values {
		r.key = append(append(r.key, text...), 0xff)
	}
	r.key = append(append(append(r.key, n.currency...), 0xff), n.cohort...)
	return r.key
}

func (n *name) is(o *name) bool {
	return n.cohort == o.cohort && n.currency == o.currency && slices.Equal(n.values, o.values)
}

// label is the labels of each part's series.
func (r *reader) label(n *name) []labels.Labels {
	if known := n.labels.Load(); known != nil && !r.usual {
		return *known
	}
	of := make([]labels.Labels, len(r.parts))
	for i, series := range r.series {
		r.labels.Reset()
		r.labels.Add(model.MetricNameLabel, series)
		r.namer.tell(n, r.labels.Add)
		r.labels.Sort()
		of[i] = r.labels.Labels()
	}
	if !r.usual { // names are of frames of values
		n.labels.Store(&of)
	}
	return of
}

// found are the series that have samples.
func (r *reader) found(out []*series) []*series {
	out = slices.Grow(out, len(r.groups)*len(r.parts))
	for _, g := range r.groups {
		for i := range g.parts {
			if s := &g.parts[i]; len(s.points) > 0 {
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
