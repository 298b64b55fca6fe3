package app

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/contribution"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/merge"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// Of the notifications of a close so many are explained, and for so long: of more people look
// at the first ones, and all wait for it.
const (
	explained  = 20
	explaining = 50 * time.Millisecond
)

// mostParts is how many values of a field are named.
const mostParts = 2

// ago are the distances at which a value is usual, the better ones first.
var ago = []time.Duration{24 * time.Hour, time.Hour}

// leastChange is the share of a value by which it has changed for that to come from somewhere.
const leastChange = 0.1

// explain has alerts that fire say what their KPI was before, and where the change comes from.
func (e *engine) explain(ns []alerts.Notification, at closed) {
	x := explanation{engine: e, begins: e.since(at.first), until: time.Now().Add(explaining)}
	left := explained
	for i := range ns {
		n := &ns[i]
		if n.Status != alerts.Firing {
			continue
		}
		if left--; left < 0 || x.late() {
			return
		}
		asked, ok := e.rules.Load().About(n)
		if !ok {
			continue
		}
		if c := x.change(asked); c != nil {
			e.rules.Load().Explain(n, c)
		}
	}
}

// An explanation is of what fires at one close.
type explanation struct {
	*engine
	begins time.Time // of what is known
	until  time.Time // by the clock
}

// late reports whether there is no time for more.
func (x *explanation) late() bool { return time.Now().After(x.until) }

// change is what has changed of a KPI; nil if that is not known.
func (x *explanation) change(asked alerts.Asked) *alerts.Change {
	k, w := x.catalogue.KPI(asked.KPI), asked.Window
	if k == nil || w.IsDay() || !k.Keeps(w) || !contribution.Applies(k) {
		return nil
	}
	set, ok := k.SetOf(slices.Collect(maps.Keys(asked.Series))...)
	if !ok {
		return nil
	}
	q := merge.Question{KPI: k.Name, By: set, Window: w, Match: asked.Series}
	now := merge.At(x.plan, w, asked.At)
	for _, back := range append(ago, w.Length) {
		if back < max(w.Length, 1) { // today has no length
			continue
		}
		before := merge.At(x.plan, w, asked.At-back.Milliseconds())
		start, since := x.span(w, before)
		if oldest, _ := x.kept(w, asked.At, x.begins); start.Before(x.begins) || since.Before(oldest) {
			continue
		}
		if c := x.between(k, q, before, now, asked.Comparison); c != nil {
			return c
		}
	}
	return nil
}

// between compares a KPI at two moments; nil where it had no value at the first one.
func (x *explanation) between(k *kpi.KPI, q merge.Question, before, now merge.Moment, comparison string) *alerts.Change {
	was, ok := x.one(k, q, before)
	if !ok || was.Null {
		return nil
	}
	is, ok := x.one(k, q, now)
	if !ok {
		return nil
	}
	_, since := x.span(q.Window, before)
	_, until := x.span(q.Window, now)
	c := &alerts.Change{Since: since, Until: until, Before: was.Value(k), Currency: was.Currency}
	if is.Null || !toward(comparison, is.Value(k)-c.Before, leastChange*math.Abs(c.Before)) {
		return c
	}
	for _, set := range slices.SortedFunc(slices.Values(k.By), wideLast) {
		at := further(q.By, set)
		if at < 0 || x.late() {
			continue
		}
		parts := q
		parts.By = set
		then, ok := x.samples(parts, before)
		if !ok || len(then) == 0 && c.Before != 0 {
			continue
		}
		those, ok := x.samples(parts, now)
		if !ok {
			continue
		}
		c.Parts = append(c.Parts, contribution.Of(k, set[at], contribution.Window{Whole: was, Parts: then, At: at}, contribution.Window{Whole: is, Parts: those, At: at}, mostParts)...)
	}
	slices.SortStableFunc(c.Parts, func(a, b alerts.Contribution) int { return cmp.Compare(b.Share, a.Share) })
	return c
}

// toward reports whether a value went where the comparison looks, by a least amount.
func toward(comparison string, by, least float64) bool {
	switch comparison {
	case "<", "<=":
		return by < 0 && -by >= least
	case ">", ">=":
		return by > 0 && by >= least
	}
	return by != 0 && math.Abs(by) >= least
}

// wideLast orders dimension sets: those with many series are read last.
func wideLast(a, b kpi.Set) int {
	wide := func(s kpi.Set) int {
		if slices.Contains(s, "content_id") || slices.Contains(s, "creator_id") {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(wide(a), wide(b)), cmp.Compare(a.Key(), b.Key()))
}

// further is the place of the one field that a set has beyond another, -1 if it is not that
// and one more.
func further(of, set kpi.Set) int {
	if len(set) != len(of)+1 {
		return -1
	}
	at := -1
	for i, f := range set {
		if slices.Contains(of, f) {
			continue
		}
		if at >= 0 {
			return -1
		}
		at = i
	}
	return at
}

// one is the sample that a question with all its fields has: of what is counted 0 where
// nothing is there.
func (e *engine) one(k *kpi.KPI, q merge.Question, m merge.Moment) (sample.Sample, bool) {
	s, ok := e.samples(q, m)
	switch {
	case ok && len(s) == 1:
		return s[0], true
	case ok && len(s) == 0 && !k.Nullable():
		return sample.Sample{Numerator: sample.Number{Scale: 1}}, true
	}
	return sample.Sample{}, false
}

// samples are those of a window that is closed, not ok where it cannot be read.
func (e *engine) samples(q merge.Question, m merge.Moment) (_ []sample.Sample, ok bool) {
	q.Moment = m
	answer, err := e.lookup(q, e.store, nil)
	if err != nil {
		return nil, false
	}
	return answer.Samples, true
}
