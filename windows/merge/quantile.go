package merge

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/measure"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// A spread is how many values of one label combination are in which bins.
type spread struct {
	bins []int
	n    []int64
	all  int64
}

// add puts n values into a bin that is not below those before.
func (s *spread) add(bin int, n int64) {
	if last := len(s.bins) - 1; last >= 0 && s.bins[last] == bin {
		s.n[last] += n
	} else {
		s.bins, s.n = append(s.bins, bin), append(s.n, n)
	}
	s.all += n
}

// spreadOf is what the cells of one label combination hold.
func spreadOf(cells []cell) (s spread) {
	for _, c := range cells {
		// A group without a number has no bin, and nothing in it.
		if bin, err := strconv.Atoi(c.hidden); err == nil && c.n.Sign() != 0 {
			s.add(bin, c.n.Saturated())
		}
	}
	return s
}

// quantiles lowers counts by bin to samples, in the order of their labels. If one
// series is asked for by name, it is there.
func quantiles(k *kpi.KPI, src *plan.Source, c, restated *column, name []string) []sample.Sample {
	c.sort()
	restated.sort()
	slices.SortFunc(c.rest, func(a, b cell) int { return strings.Compare(a.hidden, b.hidden) })
	q := quantile{k, src.Grid, src.Scale, spreadOf(c.rest)}
	var out []sample.Sample
	for rows := c.rows; len(rows) > 0; {
		n := 1
		for n < len(rows) && slices.Equal(rows[n].labels, rows[0].labels) {
			n++
		}
		if s := spreadOf(rows[:n]); s.all > 0 || name != nil {
			out = append(out, q.sample(rows[0].labels, s))
		}
		rows = rows[n:]
	}
	if name != nil && len(out) == 0 {
		out = append(out, q.sample(name, spread{}))
	}
	for i := range out {
		out[i].Revision = 1 + restated.of(out[i].Labels)
	}
	return out
}

// A quantile is what lowers a spread to a sample.
type quantile struct {
	kpi   *kpi.KPI
	grid  *measure.Grid
	scale int64
	rest  spread // what kpi.Other has: any of it may be missing
}

func (q *quantile) sample(labels []string, s spread) sample.Sample {
	out := sample.Sample{Labels: labels,
		Numerator: sample.Number{Scale: q.scale}, Denominator: sample.Number{N: sample.Of(s.all), Scale: 1}, Bound: sample.Number{Scale: q.scale}}
	if s.all == 0 {
		if out.Null = true; q.rest.all > 0 {
			out.Limit = sample.Unknown
		}
		return out
	}
	low, high := q.between(s)
	bin := s.bins[0]
	for i, n := 0, int64(0); n < q.rank(s.all); i++ {
		bin, n = s.bins[i], n+s.n[i]
	}
	value := q.grid.Value(bin)
	out.Numerator.N = sample.Of(value)
	least, most := q.grid.Least(low), q.grid.Most(high)
	switch below, beyond := q.grid.Below(low), q.grid.Beyond(high); {
	case below && beyond:
		out.Limit = sample.Unknown
	case below:
		out.Limit, out.Bound = sample.AtMost, q.shown(most)
	case beyond:
		out.Limit, out.Bound = sample.AtLeast, q.shown(least)
	case low == high:
		out.Limit = sample.ByGrid
	default:
		out.Bound = q.shown(max(value-least, most-value))
	}
	return out
}

// rank says which of n values in their order the quantile is, the first being 1.
func (q *quantile) rank(n int64) int64 {
	const whole = 100 * kpi.ShareScale
	share := int64(q.kpi.Numerator.Share)
	return n/whole*share + (n%whole*share+whole-1)/whole
}

// between are the bins in which the quantile lies, whatever the series lacks of
// the rest: it is lowest if that is all of the rest up to it, highest if all
// beyond it.
func (q *quantile) between(s spread) (low, high int) {
	low = -1
	var here, there int64 // values up to the bin, of the series and of the rest
	for i, j := 0, 0; ; {
		var bin int
		switch {
		case j == len(q.rest.bins) || i < len(s.bins) && s.bins[i] <= q.rest.bins[j]:
			if bin = s.bins[i]; j < len(q.rest.bins) && q.rest.bins[j] == bin {
				there += q.rest.n[j]
				j++
			}
			here += s.n[i]
			i++
		default:
			bin = q.rest.bins[j]
			there += q.rest.n[j]
			j++
		}
		if low < 0 && here+there >= q.rank(s.all+there) {
			low = bin
		}
		if here >= q.rank(s.all+q.rest.all-there) {
			return low, bin
		}
	}
}

// shown is a number of the field in the unit of the value.
func (q *quantile) shown(n int64) sample.Number {
	if q.kpi.Scale == 0 {
		return sample.Number{N: sample.Of(n), Scale: q.scale}
	}
	return sample.Number{N: sample.Of(n).Mul(q.kpi.Scale), Scale: q.scale * kpi.Scale}
}
