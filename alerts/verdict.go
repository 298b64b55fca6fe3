package alerts

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/tidewatch/tidewatch/alerts/reason"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// maxDoubtful is how many verdicts wait to be judged again at most: what is beyond is not.
const maxDoubtful = 10_000

// A doubt tells apart what is to be judged again: of a series that fires again while it is,
// the newer verdict.
type doubt struct {
	rule *rule
	key  string
}

// ends is the distance, in ms, between the times at which a kept window of every length
// that the rule reads ends and its group is evaluated: of them the first one after an alert
// fired is looked at again once it is sealed. It is 0 where there are none: days that go on
// are not kept, what an expression reads that names no window or is recorded is not known,
// and windows may be gone before they are sealed.
func (r *Rule) ends(interval int64, o EngineOptions) int64 {
	if o.Unsealed == 0 || r.query.foreign {
		return 0
	}
	windows := make([]kpi.Window, 0, 1+len(r.selectors))
	if r.selector != nil {
		windows = append(windows, r.selector.window)
	}
	for _, v := range r.selectors {
		w, err := kpi.ParseWindow(equalTo(v, "window"))
		if err != nil {
			return 0
		}
		windows = append(windows, w)
	}
	every := int64(0)
	for _, w := range windows {
		if w.Length <= 0 || o.Kept != nil && o.Kept(w) < o.Unsealed+time.Hour {
			return 0
		}
		every = max(every, w.Step().Milliseconds()) // of two steps the longer is a multiple
	}
	if every == 0 || interval == 0 {
		return every
	}
	if every = lcm(every, interval); every > (24 * time.Hour).Milliseconds() {
		return 0
	}
	return every
}

func lcm(a, b int64) int64 {
	x, y := a, b
	for y != 0 {
		x, y = y, x%y
	}
	return a / x * b
}

// doubt has an alert that fires be judged again.
func (e *Engine) doubt(a *alert, now int64) {
	if a.rule.ends == 0 {
		return
	}
	d := doubt{a.rule, a.rule.key(a)}
	older := e.doubtful[d]
	if older == nil && len(e.doubtful) >= maxDoubtful {
		return
	}
	if older != nil {
		older.end, older.stood = 0, false
	}
	a.end = ceil(now, a.rule.ends)
	e.doubtful[d] = a
}

// dispel has an alert not be judged again.
func (e *Engine) dispel(d doubt) {
	a := e.doubtful[d]
	a.end, a.stood, e.saved = 0, false, nil
	delete(e.doubtful, d)
}

// meets notes whether the condition of an alert holds.
func (e *Engine) meets(a *alert, holds bool) {
	if a.met != holds {
		a.met, e.saved = holds, nil
	}
}

// pass notes which of the verdicts whose time is past stood then. The others are not judged
// again: what made their alerts fire was over by itself.
func (e *Engine) pass(now int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.passed(now)
}

func (e *Engine) passed(now int64) {
	for d, a := range e.doubtful {
		switch {
		case a.stood || a.end > now:
		case a.met:
			a.stood, e.saved = true, nil
		default:
			e.dispel(d)
		}
	}
}

// A review is a verdict that can be judged again, with what is known in the end.
type review struct {
	doubt
	*alert
	*past
}

// past is what is known of windows in the end.
type past struct {
	reading
	// samples are those of one selector, by key.
	samples map[string]*sample.Sample
}

// giveUpReview is for how long a verdict is tried to be judged again.
const giveUpReview = time.Hour

// reviews reads what is known of those that are due.
func (e *Engine) reviews(v View, now int64) (out []review) {
	type question struct {
		rule   *rule // that is queried
		roster *roster
		end    int64
	}
	known := map[question]*past{}
	for d, a := range e.doubtful {
		if !a.stood || now < a.end+e.o.Unsealed.Milliseconds() {
			continue
		}
		q := question{nil, a.rule.roster, a.end}
		if a.rule.queried() {
			q = question{a.rule, nil, a.end}
		}
		in, ok := known[q]
		if !ok {
			in = a.rule.reread(v, a.end)
			known[q] = in
		}
		if in != nil {
			out = append(out, review{d, a, in})
		}
	}
	slices.SortFunc(out, func(a, b review) int { return compare(a.alert, b.alert) })
	return out
}

// reread is what a view says of windows that are sealed, nil before they are.
func (r *rule) reread(v View, end int64) *past {
	in := &past{}
	if r.queried() {
		if in.vector, _, in.err = v.Query(context.Background(), r.Expr, end-r.offset); in.err == nil {
			in.results = index(in.vector)
			in.measured = r.measure(v, end)
		}
		return in
	}
	samples, ok, err := v.Sealed(r.kpi.Name, r.by, r.selector.window, end)
	if !ok && err == nil {
		return nil
	}
	in.err, in.samples = err, make(map[string]*sample.Sample, len(samples))
	for i := range samples {
		in.samples[string(appendKey(nil, samples[i].Labels))] = &samples[i]
	}
	return in
}

// measure is what a rule that is queried compares, by key. It is shown to people: nothing
// rests on it, and where it cannot be had none is.
func (r *rule) measure(v View, at int64) map[string]float64 {
	if r.query.measured == "" {
		return nil
	}
	vector, _, err := v.Query(context.Background(), r.query.measured, at-r.offset)
	if err != nil {
		return nil
	}
	return index(vector)
}

// index are results by the key that their alerts have.
func index(results promql.Vector) map[string]float64 {
	out := make(map[string]float64, len(results))
	for i := range results {
		fields, series := apartByLabel(results[i].Metric)
		out[string(appendKey(appendKey(nil, fields), series))] = results[i].F
	}
	return out
}

// correct takes back the verdicts that late events have overturned. An alert whose condition
// holds by what is known at now is right in the meantime.
func (e *Engine) correct(reviews []review, now int64, out []telling) []telling {
	for _, v := range reviews {
		a, end := v.alert, v.end
		if e.doubtful[v.doubt] != a { // it has just fired again
			continue
		}
		failed := v.err != nil || a.state == Firing && a.stale != 0
		if failed && now < end+(e.o.Unsealed+giveUpReview).Milliseconds() {
			continue
		}
		e.dispel(v.doubt)
		again := a.rule.active[v.key]
		if failed || a.state == Firing && a.met || again != nil && again != a && again.state == Firing || !v.overturned() {
			continue
		}
		if a.state == Firing {
			a.state, a.resolvedAt, e.moves = Resolved, now, true
			delete(a.rule.active, v.key)
		}
		out = append(out, e.correction(a, end, now))
	}
	return out
}

// overturned reports whether the condition is not true of what is known in the end, and has
// the alert show that.
func (v *review) overturned() bool {
	r := v.alert.rule
	if r.queried() {
		if _, holds := v.results[v.key]; holds {
			return false
		}
		v.shows(v.measured)
		return true
	}
	s := v.past.samples[v.key]
	switch {
	case s != nil && (!r.takes(s) || v.inOther(s.Currency)), s == nil && r.kpi.Top > 0: // of a list of the largest others are not known
		return false
	case s == nil:
		s = &sample.Sample{Null: r.kpi.Nullable(), Currency: cmp.Or(v.currency, v.sample.Currency)}
	}
	value, ok := r.compares(s)
	if !r.decides(s, ok) || r.holds(value, ok) {
		return false
	}
	v.sample, v.seen = *s, true
	v.sample.Labels = v.series
	return true
}

// correction is the notification that an alert should not have fired, as the window that ended
// at an event time shows.
func (e *Engine) correction(a *alert, end, now int64) telling {
	t := e.telling(a, end, now)
	t.Corrected, t.SeenAt, t.Change = true, end, nil
	t.ours = map[string]string{"corrected": "true", "resolved_because": reason.Overturned}
	return t
}
