// Package sample holds what the engine answers: numbers, samples of series, and
// answers for one window or for several. It is what rules, HTTP and /metrics
// know of the engine.
package sample

import (
	"math"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

// A Sample is the value of one series for one window.
type Sample struct {
	// Labels are the values of the dimension set's fields, in its order.
	Labels []string
	// Null is set when there is no value: 0/0, or money in several currencies.
	Null bool
	// Numerator is the first measure less what the KPI takes off it.
	Numerator Number
	// Minus is what was taken off.
	Minus Number
	// Denominator is that of a ratio, and of a quantile the number of its values.
	Denominator Number
	// Currency is the ISO 4217 code of a money value.
	Currency string
	// Revision is 1 for a window as it closed, one more for every time late
	// events restated it. 0 while it is open.
	Revision int
	// Bound is how much of a measure the series may lack at most: what kpi.Other
	// has of it in the window, or for a key that a stored list does not name, the
	// list's smallest value. 0 means that the sample is exact. Of a quantile it is
	// of the value, as Limit says.
	Bound Number
	Limit Limit
	// Mixed is set when a money value is null because of several currencies.
	Mixed bool
}

// Value is the sample's value: the numerator times the KPI's scale, for a ratio
// divided by the denominator. Only for a sample that is not null.
func (s *Sample) Value(k *kpi.KPI) float64 {
	if !k.Ratio() {
		return k.Scaled(s.Numerator.Float())
	}
	if s.Numerator.N.Sign() == 0 {
		return 0 // not -0
	}
	return k.Scaled(s.Numerator.Float()) / s.Denominator.Float()
}

// N is the number of things the value rests on: the denominator of a ratio, the
// values of a quantile, the value of a count.
func (s *Sample) N(k *kpi.KPI) int64 {
	if k.Ratio() || k.Quantile() {
		return s.Denominator.Whole()
	}
	return s.Numerator.Whole()
}

// A Limit is what is known of a value that may be off.
type Limit uint8

// The limits.
const (
	ByBound Limit = iota // it is off by at most Bound
	ByGrid               // by at most a hundredth of it
	AtMost               // it is Bound or less
	AtLeast              // it is Bound or more
	Unknown
)

// Exact reports whether the value is not off.
func (s *Sample) Exact() bool { return s.Limit == ByBound && s.Bound.N.Sign() == 0 }

// Exactness says how far off the value may be: "exact", "within 3", "within 1 %".
func (s *Sample) Exactness() string {
	switch s.Limit {
	case ByGrid:
		return "within 1 %"
	case AtMost:
		return "at most " + s.Bound.String()
	case AtLeast:
		return "at least " + s.Bound.String()
	case Unknown:
		return "unknown"
	}
	if s.Exact() {
		return "exact"
	}
	return "within " + s.Bound.String()
}

// Interval is the 95 % interval of a sample that is not null: that of a share, or
// the margin of a difference of shares.
func (s *Sample) Interval(k *kpi.KPI) (low, high float64, ok bool) {
	if k.Difference {
		return s.interval(k, marginWidth)
	}
	return s.interval(k, wilsonWidth)
}

// IntervalOf is the interval of a confidence between 0 and 1.
func (s *Sample) IntervalOf(k *kpi.KPI, confidence float64) (low, high float64, ok bool) {
	z := math.Sqrt2 * math.Erfinv(confidence)
	return s.interval(k, width{z, z * z})
}

func (s *Sample) interval(k *kpi.KPI, w width) (low, high float64, ok bool) {
	n := s.Denominator.Float()
	if !k.Difference {
		return wilson(s.Numerator.Float(), n, w)
	}
	less, off := s.Minus.Float(), 0.0
	if off, ok = margin(s.Numerator.Float()+less, less, n, w); !ok || !s.Exact() {
		return 0, 0, false
	}
	value := s.Value(k)
	return value - k.Scaled(off), value + k.Scaled(off), true
}

// A width is how many standard errors an interval reaches to each side, and that squared.
type width struct{ z, z2 float64 }

// The widths at 95 %; that of Wilson's is the 97.5 % quantile of the normal distribution.
var (
	marginWidth = width{1.96, 1.96 * 1.96}
	wilsonWidth = width{wilsonZ, wilsonZ * wilsonZ}
)

const wilsonZ = 1.959963984540054

// margin is how far the difference of two shares of n things, a less b of them, may
// be off. It counts on none of them being both; else it is wider than need be.
func margin(a, b, n float64, w width) (off float64, ok bool) {
	if n <= 0 || a > n || b > n {
		return 0, false
	}
	p, d := a/n, b/n
	return w.z * math.Sqrt(max(0, p+d-(p-d)*(p-d))/n), true
}

// Thin is below how many things a margin says little.
const Thin = 30

// wilson is the score interval of a share of k in n (Wilson 1927). A share above 1 (a
// click without its impression in the window) has none.
func wilson(k, n float64, w width) (low, high float64, ok bool) {
	if n <= 0 || k < 0 || k > n {
		return 0, 0, false
	}
	p := k / n
	centre := p + w.z2/(2*n)
	spread := w.z * math.Sqrt(p*(1-p)/n+w.z2/(4*n*n))
	return max(0, (centre-spread)/(1+w.z2/n)), min(1, (centre+spread)/(1+w.z2/n)), true
}

// An Answer is a KPI for one window: all its series, or those asked for.
type Answer struct {
	KPI    *kpi.KPI
	Window kpi.Window
	By     kpi.Set
	// Start and End bound the window, [Start, End).
	Start, End time.Time
	// AsOf is the event time up to which the answer has what is in.
	AsOf time.Time
	// Watermark is the event time before which the input is believed complete;
	// zero before the first event.
	Watermark time.Time
	// Complete is set once the watermark has passed the window's end.
	Complete bool
	// Sealed is set where nothing changes the answer any more.
	Sealed bool
	// Maturity is that of a business day of a KPI that has one.
	Maturity Maturity
	Samples  []Sample
	Warnings []string
}

// A Series is a KPI at one set of labels over time.
type Series struct {
	Labels []string
	Points []Point
}

// A Point is one window of a series.
type Point struct {
	End      time.Time
	AsOf     time.Time // what is in by then is in it
	Complete bool
	Maturity Maturity
	Sample
}
