package queryable

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

// What is usual of a window is told by those at the same time of the weeks before, but
// for seasons, in which nothing is: the median of at most weeks of them, once there are
// fewest. The band reaches as many median absolute deviations to each side as spread says,
// in units of a standard deviation of normally distributed values, and at least a share of
// the median.
const (
	weeks     = 8
	fewest    = 3
	spread    = 3
	normal    = 1.4826
	narrowest = 0.1
)

// Past is how far the windows lie back that a part of a KPI is made of, 0 of one that is of
// the window itself.
func Past(p kpi.Part) time.Duration {
	const week = 7 * 24 * time.Hour
	switch p {
	case kpi.BaselinePart, kpi.BandLowPart, kpi.BandHighPart:
		return (weeks + 1) * week
	case kpi.ShiftPart:
		return (weeks+1)*week + (lastDays+daysBefore)*24*time.Hour
	}
	return 0
}

// A past is what windows before came to.
type past struct {
	*reader
	calendar  *kpi.Calendar
	catalogue *kpi.Catalogue
	oldest    int64
	values    map[*group]map[int64]float64
	known     map[int64]bool // the ends of windows that are
	// What was found, lest it be looked for again.
	seasons map[int32]bool // by day
	before  map[int64][]int64
	offs    map[*group]map[int64]float64 // NaN: none
}

// readUsual says what was usual at some instants, which ascend, or how far values have
// shifted from it.
func (t *target) readUsual(ctx context.Context, c *kpi.Catalogue, v View, s *stand, instants []instant, grow func(samples int64) error) (*reader, error) {
	p := &past{
		reader: newReader(t, v, grow), calendar: v.Calendar(), catalogue: c, oldest: s.oldest,
		values: map[*group]map[int64]float64{}, known: map[int64]bool{},
		seasons: map[int32]bool{}, before: map[int64][]int64{}, offs: map[*group]map[int64]float64{},
	}
	tell, needs := p.tellUsual, p.weeksBefore
	if slices.Contains(t.parts, kpi.ShiftPart) {
		tell, needs = p.tellShift, p.hoursBefore
	}
	var ends []int64
	for i := range instants {
		in := &instants[i]
		if in.live {
			in.end = s.last(s.watermark)
		}
		ends = append(ends, needs(in.end)...)
	}
	slices.Sort(ends)
	if err := p.read(ctx, v, slices.Compact(ends)); err != nil {
		return nil, err
	}
	for _, in := range instants {
		if err := tell(in); err != nil {
			return nil, err
		}
	}
	return p.reader, nil
}

func (p *past) season(end int64) bool {
	day := p.calendar.Day(end - 1)
	in, known := p.seasons[day]
	if !known {
		in = p.catalogue.Season(day) != nil
		p.seasons[day] = in
	}
	return in
}

// weeksBefore are the ends of the windows that say what is usual of one, the newest first;
// none in a season.
func (p *past) weeksBefore(end int64) []int64 {
	list, known := p.before[end]
	if known {
		return list
	}
	for k := 1; k <= weeks && !p.season(end); k++ {
		if at := p.calendar.WeeksBefore(end, k); at >= p.oldest && !p.season(at) {
			list = append(list, at)
		}
	}
	p.before[end] = list
	return list
}

// read reads the windows that end at some times, which ascend.
func (p *past) read(ctx context.Context, v View, ends []int64) error {
	next := 0
	for f, err := range p.frames(ctx, v, []kpi.Part{kpi.ValuePart}, ends) {
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
		if err := p.grow(int64(len(f.values))); err != nil {
			return err
		}
		p.take(f, end)
	}
	return ctx.Err()
}

func (p *past) take(f *frame, end int64) {
	p.meet(f)
	for i, g := range p.last {
		if g.parts == nil {
			continue
		}
		if p.values[g] == nil {
			p.values[g] = map[int64]float64{}
		}
		if isValue(f.values[i]) {
			p.values[g][end] = f.values[i]
		}
	}
}

// tellUsual has the series tell what was usual at an instant.
func (p *past) tellUsual(in instant) error {
	return p.tell(in, func(g *group, part kpi.Part) (float64, bool) {
		u, ok := p.usual(g, in.end)
		switch part {
		case kpi.BandLowPart:
			return u.low, ok
		case kpi.BandHighPart:
			return u.middle + u.half, ok
		}
		return u.middle, ok
	})
}

// tell has the series tell at an instant what there is to be told.
func (p *past) tell(in instant, what func(*group, kpi.Part) (v float64, ok bool)) error {
	for _, g := range p.groups {
		for i := range g.parts {
			one := &g.parts[i]
			v, ok := what(g, p.parts[i])
			if !ok {
				one.end(in.times)
				continue
			}
			if err := p.grow(int64(len(in.times))); err != nil {
				return err
			}
			one.stand(v, in.times)
		}
	}
	return nil
}

// A usual is what is usual of a value: the median, and how far it may be from it.
type usual struct{ middle, half, low float64 }

// usual says what is of a series in a window, if that is known.
func (p *past) usual(g *group, end int64) (u usual, ok bool) {
	list := p.of(g, p.weeksBefore(end))
	if len(list) < fewest {
		return u, false
	}
	u.middle, u.half = band(list)
	u.low = u.middle - u.half
	if slices.Min(list) >= 0 {
		u.low = max(u.low, 0)
	}
	return u, true
}

// of are the values of a series in some windows. One that it was not in has nothing of
// it, which is 0 of what is counted, from the first of them that it was in on.
func (p *past) of(g *group, ends []int64) (list []float64) {
	values, missing := p.values[g], 0
	for _, end := range ends { // the newest first
		if v, ok := values[end]; ok {
			for ; missing > 0; missing-- {
				list = append(list, 0)
			}
			list = append(list, v)
		} else if p.zero(end) {
			missing++
		}
	}
	return list
}

// zero reports whether a series that is not in a window has 0 there. Of money another
// currency may have been there.
func (p *past) zero(end int64) bool {
	return p.known[end] && !p.KPI.Nullable() && !p.KPI.ByCurrency(p.By)
}

// band is the median of some values, and how far a usual one is from it. The list is put
// in order.
func band(list []float64) (middle, half float64) {
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
