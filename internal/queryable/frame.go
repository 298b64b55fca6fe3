package queryable

import (
	"context"
	"errors"
	"iter"
	"math"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// A frame is what a window came to: some parts of a KPI at each set of labels. It does not
// change.
type frame struct {
	names  []*name
	values []float64 // by name and part; noValue, or several, where there is none
	lists  bool      // names are a list of its own
	// version is that of the window, see View.
	version uint64
}

// A name is a set of labels: the values of fields, the currency and the cohort.
type name struct {
	values           []string
	currency, cohort string
	labels           atomic.Pointer[[]labels.Labels] // by part, once some reader made them
	turn             uint64                          // of the cache, as it was told among the bytes
}

// noValue is no number that a value can be, and neither is several: that of amounts in several
// currencies.
var noValue, several = stale, math.Float64frombits(value.StaleNaN + 1)

func isValue(v float64) bool {
	return math.Float64bits(v) != math.Float64bits(noValue) && !isSeveral(v)
}

func isSeveral(v float64) bool { return math.Float64bits(v) == math.Float64bits(several) }

// frames are those of closed windows of the target that end at ends, which ascend, or why
// there is none: a *LostError stands for one window alone.
func (t *target) frames(ctx context.Context, v View, parts []kpi.Part, ends []int64) iter.Seq2[*frame, error] {
	return func(yield func(*frame, error) bool) {
		key := t.key(parts)
		known, names := t.cache.find(key, ends)
		versions := t.versions(v, known, ends)
		var missing []int64
		for i, f := range known {
			if f == nil || f.version != 0 && f.version != versions[i] {
				known[i], missing = nil, append(missing, ends[i])
			}
		}
		next := 0
		before := &frame{names: names}
		// cached hands out those up to the next one that is missing.
		cached := func() bool {
			for ; next < len(known) && known[next] != nil; next++ {
				before = known[next]
				if !yield(before, nil) {
					return false
				}
			}
			return true
		}
		if !cached() || len(missing) == 0 {
			return
		}
		for a, err := range v.Windows(ctx, t.Question, missing) {
			var f *frame
			if err == nil {
				f = t.frame(a, parts, v.Calendar(), before)
				before = f
				if versions != nil {
					if !a.Sealed {
						f.version = versions[next]
					}
					t.cache.keep(key, ends[next], f)
				}
			}
			next++
			if _, lost := errors.AsType[*LostError](err); !yield(f, err) || err != nil && !lost || !cached() {
				return
			}
		}
	}
}

// liveFrame is that of the window that is not over. Names are those of the frame before, or
// of what is kept.
func (t *target) liveFrame(a *sample.Answer, v View, names []*name) *frame {
	key := t.key(t.parts)
	if names == nil {
		_, names = t.cache.find(key, nil)
	}
	f := t.frame(a, t.parts, v.Calendar(), &frame{names: names})
	t.cache.remember(key, f)
	return f
}

// versions are those of windows, before they are read, of whose frames some are known; nil
// if nothing depends on them.
func (t *target) versions(v View, known []*frame, ends []int64) []uint64 {
	if t.cache == nil || !slices.ContainsFunc(known, func(f *frame) bool { return f == nil || f.version != 0 }) {
		return nil
	}
	return v.Versions(t.Question, ends)
}

// frame is what an answer says. Names are those of the frame before where they are the same.
func (t *target) frame(a *sample.Answer, parts []kpi.Part, c *kpi.Calendar, before *frame) *frame {
	of := ""
	if t.KPI.FinalOnly {
		of = cohort(a, c)
	}
	f := &frame{values: make([]float64, 0, len(a.Samples)*len(parts))}
	same, at := true, 0 // names so far, and where to look for the next one
	kept := t.cache != nil
	var fresh []name // not used yet
	for i := range a.Samples {
		s := &a.Samples[i]
		if t.one() && !s.Mixed && s.Numerator.N.Sign() == 0 && s.Denominator.N.Sign() == 0 {
			continue // is there because it was asked for
		}
		n, skipped := before.like(s, of, at, t.KPI.Top == 0)
		if at += skipped + 1; n == nil {
			if len(fresh) == 0 { // one that is kept by itself keeps no others
				fresh = make([]name, 1)
				if !kept || len(before.names) == 0 {
					fresh = make([]name, min(many, len(a.Samples)-i))
				}
			}
			n, fresh, at = &fresh[0], fresh[1:], at-1
			if n.values, n.currency, n.cohort = s.Labels, s.Currency, of; kept && a.Sealed {
				n.detach()
			}
		}
		if place := len(f.values) / max(len(parts), 1); same && (skipped > 0 || place >= len(before.names) || before.names[place] != n) {
			same, f.lists = false, true
			f.names = append(make([]*name, 0, len(a.Samples)), before.names[:place]...)
		}
		if !same {
			f.names = append(f.names, n)
		}
		for _, part := range parts {
			v, ok := s.Part(t.KPI, part)
			switch {
			case s.Mixed:
				v = several
			case !ok:
				v = noValue
			}
			f.values = append(f.values, v)
		}
	}
	if same {
		f.names = before.names[:len(f.values)/max(len(parts), 1)]
	}
	return f
}

// like is the name of a sample's labels, if it is one of those from a place on, and how
// many there are before it, or that are smaller. Of names that are not in order it is looked
// for among the next two.
func (f *frame) like(s *sample.Sample, cohort string, from int, sorted bool) (n *name, skipped int) {
	names := f.names[min(from, len(f.names)):]
	for skipped, n := range names {
		if n.cohort == cohort && n.currency == s.Currency && slices.Equal(n.values, s.Labels) {
			return n, skipped
		}
		switch {
		case !sorted && skipped > 0:
			return nil, 0
		case sorted && slices.Compare(n.values, s.Labels) > 0:
			return nil, skipped
		}
	}
	if sorted {
		return nil, len(names)
	}
	return nil, 0
}

// detach gives the name texts of its own: those of samples lie in what is read of history,
// which they would keep in memory.
func (n *name) detach() {
	n.currency, n.values = strings.Clone(n.currency), slices.Clone(n.values)
	for i, text := range n.values {
		n.values[i] = strings.Clone(text)
	}
}

// one reports whether one series of a breakdown is asked for by its name.
func (t *target) one() bool { return len(t.By) > 0 && len(t.Match) == len(t.By) }

// sameNames reports whether two frames have the same list of names.
func sameNames(a, b []*name) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}
