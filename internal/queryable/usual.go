package queryable

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// What is usual of a window is told by those at the same time of the weeks before, but
// for seasons, in which nothing is: the median of at most weeks of them, once there are fewest. The band reaches as many
// median absolute deviations to each side as spread says, in units of a standard
// deviation of normally distributed values, and at least a share of the median.
const (
	weeks     = 8
	fewest    = 3
	spread    = 3
	normal    = 1.4826
	narrowest = 0.1
)

// readUsual says what was usual at some instants, which ascend.
func (t *target) readUsual(ctx context.Context, c *kpi.Catalogue, v View, s *stand, instants []instant, grow func(samples int64) error) (*reader, error) {
	r := newReader(t, v, grow)
	p := &past{reader: r, values: map[*group]map[int64]float64{}, known: map[int64]bool{}}
	before := make([][]int64, len(instants)) // by instant, the same time of the weeks before
	var ends []int64
	for i, in := range instants {
		end := in.end
		if in.live {
			end = s.last(s.watermark)
		}
		season := func(end int64) bool { return c.Season(v.Calendar().Day(end-1)) != nil }
		for k := 1; k <= weeks && !season(end); k++ {
			if at := v.Calendar().WeeksBefore(end, k); at >= s.oldest && !season(at) {
				before[i] = append(before[i], at)
			}
		}
		ends = append(ends, before[i]...)
	}
	slices.Sort(ends)
	if err := p.read(ctx, v, slices.Compact(ends)); err != nil {
		return nil, err
	}
	for i, in := range instants {
		if err := p.tell(in, before[i]); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// A past is what windows before came to.
type past struct {
	*reader
	values map[*group]map[int64]float64
	known  map[int64]bool // the ends of windows that are
}

// read reads the windows that end at some times, which ascend.
func (p *past) read(ctx context.Context, v View, ends []int64) error {
	next := 0
	for a, err := range v.Windows(ctx, p.Question, ends) {
		end := ends[next]
		next++
		if err != nil {
			lost, ok := errors.AsType[*LostError](err)
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case !ok:
				return &ReadError{err}
			}
			p.warnings.Add(lost)
			continue
		}
		p.known[end] = true
		if err := p.grow(int64(len(a.Samples))); err != nil {
			return err
		}
		p.take(a, end)
	}
	return ctx.Err()
}

func (p *past) take(a *sample.Answer, end int64) {
	p.turn++
	before := p.last
	p.last = make([]*group, 0, len(a.Samples))
	for i := range a.Samples {
		s := &a.Samples[i]
		if p.named() && !s.Mixed && s.Numerator.N.Sign() == 0 && s.Denominator.N.Sign() == 0 {
			continue // is there because it was asked for
		}
		var g *group
		g, before = p.group(a, s, "", before)
		p.last = append(p.last, g)
		if g.parts == nil {
			continue
		}
		if p.values[g] == nil {
			p.values[g] = map[int64]float64{}
		}
		if value, ok := s.Part(p.KPI, kpi.ValuePart); ok {
			p.values[g][end] = value
		}
	}
}

// tell has the series tell what was usual at an instant.
func (p *past) tell(in instant, before []int64) error {
	var list []float64
	for _, g := range p.groups {
		if g.parts == nil {
			continue
		}
		list = p.of(g, before, list[:0])
		if len(list) < fewest {
			for _, one := range g.parts {
				one.end(in.times)
			}
			continue
		}
		if err := p.grow(int64(len(in.times) * len(g.parts))); err != nil {
			return err
		}
		middle, half := usual(list)
		low := middle - half
		if slices.Min(list) >= 0 {
			low = max(low, 0)
		}
		for i, part := range p.parts {
			g.parts[i].stand(map[kpi.Part]float64{kpi.BaselinePart: middle, kpi.BandLowPart: low, kpi.BandHighPart: middle + half}[part], in.times)
		}
	}
	return nil
}

// of are the values of a series in some windows. One that it was not in has nothing of
// it, which is 0 of what is counted, from the first of them that it was in on.
func (p *past) of(g *group, ends []int64, list []float64) []float64 {
	values, missing := p.values[g], 0
	for _, end := range ends { // the newest first
		if v, ok := values[end]; ok {
			for ; missing > 0; missing-- {
				list = append(list, 0)
			}
			list = append(list, v)
		} else if p.known[end] && !p.KPI.Nullable() && !p.money() { // of money another currency may have been there
			missing++
		}
	}
	return list
}

// usual is the median of some values, and how far a usual one is from it. The list is put
// in order.
func usual(list []float64) (middle, half float64) {
	middle = median(list)
	off := make([]float64, len(list))
	for i, v := range list {
		off[i] = math.Abs(v - middle)
	}
	return middle, max(spread*normal*median(off), narrowest*math.Abs(middle))
}

func median(list []float64) float64 {
	slices.Sort(list)
	n := len(list)
	return (list[(n-1)/2] + list[n/2]) / 2
}
