package alerts

import (
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// maxDoubtful is how many verdicts wait to be judged again at most: what is beyond is not.
const maxDoubtful = 10_000

// ends is the distance, in ms, between the times at which a kept window of every length
// that the rule reads ends and its group is evaluated: of them the first one after an alert
// fired is looked at again once it is sealed. It is 0 where there are none: days that go on
// are not kept, and what an expression reads that names no window is not known.
func (r *Rule) ends(interval int64) int64 {
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
		if w.Length <= 0 {
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
	if a.rule.ends > 0 && e.o.Unsealed > 0 && len(e.doubtful) < maxDoubtful {
		a.end = ceil(now, a.rule.ends)
		e.doubtful = append(e.doubtful, a)
	}
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
	e.doubtful = slices.DeleteFunc(e.doubtful, func(a *alert) bool {
		if a.stood || a.end > now {
			return false
		}
		if a.stood, e.saved = a.met, nil; !a.stood {
			a.end = 0
		}
		return !a.stood
	})
}

// A review is a verdict that can be judged again, with what is known in the end.
type review struct {
	*alert
	reading
}

// reviews reads what is known of those that are due.
func (e *Engine) reviews(v View, now int64) (out []review) {
	type question struct {
		rule *rule
		end  int64
	}
	known := map[question]reading{}
	for _, a := range e.doubtful {
		if !a.stood || now < a.end+e.o.Unsealed.Milliseconds() {
			continue
		}
		q := question{a.rule, a.end}
		in, ok := known[q]
		if !ok {
			if in, ok = a.rule.reread(v, a.end); !ok {
				continue
			}
			known[q] = in
		}
		out = append(out, review{a, in})
	}
	slices.SortFunc(out, func(a, b review) int { return compare(a.alert, b.alert) })
	return out
}

// reread is what a view says of windows that are sealed.
func (r *rule) reread(v View, end int64) (in reading, ok bool) {
	if !r.queried() {
		in.samples, ok, in.err = v.Sealed(r.kpi.Name, r.by, r.selector.window, end)
		return in, ok || in.err != nil
	}
	if in.vector, in.err = v.Query(r.Expr, end-r.offset); in.err == nil {
		in.results = index(in.vector)
		in.measured = r.measure(v, end)
	}
	return in, true
}

// measure is what a rule that is queried compares, by key. It is shown to people: nothing
// rests on it, and where it cannot be had none is.
func (r *rule) measure(v View, at int64) map[string]float64 {
	if r.query.measured == "" {
		return nil
	}
	vector, err := v.Query(r.query.measured, at-r.offset)
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
func (e *Engine) correct(reviews []review, now int64, out []Notification) []Notification {
	for _, v := range reviews {
		a, end := v.alert, v.end
		a.end, a.stood, e.saved = 0, false, nil
		if v.err != nil || a.state == Firing && a.met || !v.overturned() {
			continue
		}
		if again := a.rule.active[a.rule.key(a)]; again != nil && again != a && again.state == Firing {
			continue
		}
		if a.state == Firing {
			a.state, a.resolvedAt = Resolved, now
			delete(a.rule.active, a.rule.key(a))
		}
		out = append(out, e.correction(a, end, now))
	}
	if len(reviews) > 0 {
		e.doubtful = slices.DeleteFunc(e.doubtful, func(a *alert) bool { return a.end == 0 })
	}
	return out
}

// overturned reports whether the condition is not true of what is known in the end, and has
// the alert show that.
func (v *review) overturned() bool {
	r := v.rule
	if r.queried() {
		key := r.key(v.alert)
		if _, holds := v.results[key]; holds {
			return false
		}
		v.shows(v.measured)
		return true
	}
	s, known := v.inTheEnd()
	if !known {
		return false
	}
	value, ok := r.compares(&s)
	if !r.decides(&s, ok) || r.holds(value, ok) {
		return false
	}
	v.sample, v.seen = s, true
	return true
}

// inTheEnd is the sample of the alert's series. Of a list of the largest that it is not in it
// is not known.
func (v *review) inTheEnd() (s sample.Sample, known bool) {
	r := v.rule
	for _, s := range v.samples {
		if r.takes(&s) && slices.Equal(s.Labels, v.series) {
			s.Labels = v.series
			return s, true
		}
	}
	return sample.Sample{Labels: v.series, Null: r.kpi.Nullable(), Currency: v.sample.Currency}, r.kpi.Top == 0
}

// overturned is why an alert is over that should not have fired.
const overturned = "late events show that it should not have fired"

// correction is the notification that an alert should not have fired, as the window that ended
// at an event time shows.
func (e *Engine) correction(a *alert, end, now int64) Notification {
	link := a.link(e.o.ExternalURL, end)
	e.annotate(a, end, link)
	a.annotations["corrected"], a.annotations["resolved_because"] = "true", overturned
	n := e.notification(a, now, link)
	n.Corrected = true
	n.ID = digest(n.Alert, strconv.FormatInt(a.firedAt, 10), "corrected")
	n.Annotations["notification_id"] = n.ID
	return n
}
