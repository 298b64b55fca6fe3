package app

import (
	"cmp"
	"slices"
	"strings"
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

// explain has notifications of alerts that fire say what their KPI was before, and where the
// change comes from.
func (e *engine) explain(ns []alerts.Notification, at closed) {
	began, left := time.Now(), explained
	for i := range ns {
		n := &ns[i]
		if n.Status != alerts.Firing || n.Subject == nil {
			continue
		}
		if left--; left < 0 || time.Since(began) > explaining {
			return
		}
		if c := e.changeOf(n, e.since(at.first)); c != nil {
			n.Explain(c)
		}
	}
}

// changeOf is what has changed of the KPI of a notification; nil if that is not known.
func (e *engine) changeOf(n *alerts.Notification, begins time.Time) *alerts.Change {
	k := e.catalogue.KPI(n.Subject.KPI)
	w, err := kpi.ParseWindow(n.Labels["window"])
	if k == nil || n.Subject.Unit != k.Unit || err != nil || w.IsDay() || !k.Keeps(w) || !contribution.Applies(k) {
		return nil
	}
	var fields []string
	if by := n.Labels["by"]; by != "" && by != "total" {
		fields = strings.Split(by, ",")
	}
	set, ok := k.SetOf(fields...)
	if !ok {
		return nil
	}
	q := merge.Question{KPI: k.Name, By: set, Window: w, Match: map[string]string{}}
	for _, f := range set {
		q.Match[f] = n.Labels[f]
	}
	now := merge.At(e.plan, w, n.WindowEnd)
	for _, back := range append(ago, w.Length) {
		if back < max(w.Length, 1) { // today has no length
			continue
		}
		before := merge.At(e.plan, w, n.WindowEnd-back.Milliseconds())
		start, since := e.span(w, before)
		if oldest, _ := e.kept(w, n.WindowEnd, begins); start.Before(begins) || since.Before(oldest) {
			continue
		}
		if c := e.change(k, q, before, now); c != nil {
			return c
		}
	}
	return nil
}

// change compares a KPI at two moments; nil where it had no value at the first one.
func (e *engine) change(k *kpi.KPI, q merge.Question, before, now merge.Moment) *alerts.Change {
	was, ok := e.one(q, before)
	if !ok || was.Null {
		return nil
	}
	is, ok := e.one(q, now)
	if !ok {
		return nil
	}
	_, since := e.span(q.Window, before)
	_, until := e.span(q.Window, now)
	c := &alerts.Change{Since: since, Until: until, Before: was.Value(k)}
	for _, set := range k.By {
		at := further(q.By, set)
		if at < 0 {
			continue
		}
		parts := q
		parts.By = set
		c.Parts = append(c.Parts, contribution.Of(k, set[at],
			contribution.Window{Whole: was, Parts: e.samples(parts, before), At: at},
			contribution.Window{Whole: is, Parts: e.samples(parts, now), At: at}, mostParts)...)
	}
	slices.SortStableFunc(c.Parts, func(a, b alerts.Contribution) int { return cmp.Compare(b.Share, a.Share) })
	return c
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

// one is the sample that a question with all its fields has.
func (e *engine) one(q merge.Question, m merge.Moment) (sample.Sample, bool) {
	s := e.samples(q, m)
	if len(s) != 1 {
		return sample.Sample{}, false
	}
	return s[0], true
}

// samples are those of a window that is closed, none where they are not kept.
func (e *engine) samples(q merge.Question, m merge.Moment) []sample.Sample {
	q.Moment = m
	answer, err := e.lookup(q, e.store, nil)
	if err != nil {
		return nil
	}
	return answer.Samples
}
