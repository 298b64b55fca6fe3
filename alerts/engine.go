package alerts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// A View is what rules read: the live windows as one close left them. It stays
// as it is.
type View interface {
	// Series are the samples of a KPI by one of its dimension sets. They are
	// not changed after the call. Of a KPI with Top they are the largest, the
	// largest first.
	Series(kpi string, by kpi.Set, w kpi.Window) []sample.Sample
	// Query is what an expression of Prometheus' language comes to at an event time, in
	// Unix milliseconds. It ends with the context. mixed says that a selector in it has
	// nothing, since its series are in several currencies.
	Query(ctx context.Context, expr string, at int64) (_ promql.Vector, mixed bool, err error)
	// Sealed are the samples of a KPI in the sliding window that ended at an event time, in
	// Unix milliseconds. There are none before nothing changes them any more.
	Sealed(kpi string, by kpi.Set, w kpi.Window, end int64) (samples []sample.Sample, ok bool, err error)
}

// A reading is what a View says of a rule, beside the roster that it reads.
type reading struct {
	vector promql.Vector // of a rule that is queried
	mixed  bool          // a selector of it has nothing because of several currencies
	err    error
	// recovered is what the rule recovers on, where that is queried.
	recovered promql.Vector
	// measured is what such a rule compares, by key, where that is asked for.
	measured map[string]float64
	// results are those of the vector, by key, where they are asked for.
	results map[string]float64
}

// EngineOptions are what an Engine needs beside its rules.
type EngineOptions struct {
	// ExternalURL is the address under which people reach the service, without
	// a slash at its end. Links begin with it.
	ExternalURL string
	// ExternalLabels are what templates know by $externalLabels.
	ExternalLabels map[string]string
	// Unsealed is for how long after its end a window changes by late events. With 0 no
	// verdict is judged again.
	Unsealed time.Duration
	// Kept is for how long windows are kept, by default for ever.
	Kept func(kpi.Window) time.Duration
	// Patience is for how long, by the clock, query() in the annotations of one close may
	// take in all: the next close waits for it. By default 0, without an end.
	Patience time.Duration
}

// An Engine evaluates rules and keeps the state of their alerts. Evaluate is
// called by one goroutine, with the closes of a lane in their order, and so are State
// and Restore; every other method may be called beside it.
type Engine struct {
	read    []reading // scratch
	rosters []*roster // of what rules read of live windows
	turn    uint64    // evaluations so far

	mu sync.Mutex // not held while a view is read
	// last is the close that was judged last, nil after a start. Evaluate and Resume alone
	// change it.
	last   View
	closed int64 // when that was
	groups []*group
	files  []*RuleFile
	o      EngineOptions
	// calendar cuts business days.
	calendar *kpi.Calendar
	// now is the event time of the last evaluation, moved that of the last one by which alerts
	// came, fired or went. moves is set while one goes on that does so.
	now, moved int64
	moves      bool
	// ofAlerts is set where a rule, or a template, may ask which alerts there are; known is
	// what it is told.
	ofAlerts bool
	known    atomic.Pointer[[]Active]
	// gone are restored alerts whose rule or series is no longer there.
	gone []*alert
	// doubtful are the alerts that fired and are to be judged again, by what tells them apart.
	doubtful map[doubt]*alert
	// inherited are restored alerts that have the id of another group or form, by that.
	inherited map[string]*alert
	// firing are those that fire, by their ids, nil once that may be out of date.
	firing map[string]*alert
	// lately are the alerts of the last notifications, by their ids.
	lately map[string]*alert
	// saved is what State answers, nil once it is out of date.
	saved []byte
	key   []byte // scratch
}

// NewEngine makes an engine of rule files over a catalogue.
func NewEngine(files []*RuleFile, c *kpi.Catalogue, o EngineOptions) (*Engine, error) {
	e := &Engine{o: o, files: files, calendar: kpi.NewCalendar(c.Location), doubtful: map[doubt]*alert{}, inherited: map[string]*alert{}, lately: map[string]*alert{}}
	type name struct{ group, alert, labels string }
	count := map[name]int{}
	sharing := map[name]int{}
	var errs []error
	var all []bound
	asks := newAsksOfAlerts(files)
	for _, p := range asks.refuse(files) {
		errs = append(errs, p)
	}
	for _, f := range files {
		for _, g := range f.Groups {
			at := newGroup(&g, g.Interval)
			// Expressions are not evaluated at every close unless that is asked for.
			slow := at
			if g.Interval == 0 {
				slow = newGroup(&g, QueryInterval)
			}
			for _, r := range g.Rules {
				own := &rule{Rule: r, group: g.Name, active: map[string]*alert{}, limit: g.Limit, offset: g.QueryOffset.Milliseconds()}
				to := slow
				if r.selector != nil {
					b, p := r.bind(c)
					if p != nil {
						errs = append(errs, p)
						continue
					}
					all = append(all, bound{r, b})
					own.binding, own.minSamples = b, r.minimum(b)
					own.roster = e.roster(Read{b.kpi.Name, b.by, r.selector.window})
					to = at
				}
				own.ends = r.ends(to.interval, o)
				n := name{g.Name, r.Alert, labels.FromMap(r.Labels).String()}
				own.which = fmt.Sprintf("%s#%d", n.labels, count[n])
				to.rules = append(to.rules, own)
				to.ofAlerts = to.ofAlerts || asks.by(r)
				e.ofAlerts = e.ofAlerts || to.ofAlerts || r.Asks()
				count[n]++
				sharing[name{g.Name, r.Alert, ""}]++
			}
			e.groups = append(e.groups, at)
			if slow != at && len(slow.rules) > 0 {
				e.groups = append(e.groups, slow)
			}
		}
	}
	for _, g := range e.groups {
		for _, r := range g.rules {
			r.alone = sharing[name{g.name, r.Alert, ""}] == 1
		}
	}
	if err := errors.Join(append(errs, document.Join(twins(all)))...); err != nil {
		return nil, err
	}
	return e, nil
}

// Evaluate judges all rules that are due at a close, in event time (Unix
// milliseconds), and returns what is to be sent. Between two closes no series
// changes: what becomes due there is judged by the earlier one. It allocates
// nothing while no alert changes.
func (e *Engine) Evaluate(now int64, v View) []Notification {
	var out []Notification
	for e.last != nil {
		due, ok := e.nextDeadline()
		if !ok || due >= now {
			break
		}
		out = append(out, e.judgeAll(due, e.last)...)
	}
	e.show(v, now)
	return append(out, e.judgeAll(now, v)...)
}

// Resume says how live windows are at the head that was judged last: after a
// restart, or since late rows corrected it.
func (e *Engine) Resume(v View) {
	for _, r := range e.rosters { // what vanishes at the next close was there
		e.turn++
		r.see(v, e.turn)
	}
	e.show(v, e.now)
}

func (e *Engine) show(v View, closed int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last, e.closed = v, closed
}

// judgeAll judges the rules that are due by a view. What makes them due changes
// here alone, so that it can be read without the lock.
func (e *Engine) judgeAll(now int64, v View) (out []Notification) {
	e.pass(now - 1)
	reviews := e.reviews(v, now)
	e.turn++
	e.read = e.read[:0]
	for r := range e.due(now) {
		e.read = append(e.read, r.read(v, now, e.turn))
	}
	defer clear(e.read)
	list := e.judgeRead(now, reviews)
	if len(list) > 0 {
		e.fillIn(list, v)
		out = e.tell(list)
	}
	if e.moves {
		e.moves = false
		e.remember()
	}
	return out
}

// judgeRead judges them by what was read.
func (e *Engine) judgeRead(now int64, reviews []review) []telling {
	e.mu.Lock()
	defer e.mu.Unlock()
	clear(e.lately)
	out, n := e.resolveGone(now), 0
	for r := range e.due(now) {
		if r.queried() {
			out = e.judgeVector(r, e.read[n], now, out)
		} else {
			out = e.judge(r, e.read[n], now, out)
		}
		n++
	}
	for _, g := range e.groups {
		if e.isDue(g, now) {
			g.evaluated = now
		}
	}
	e.now = now
	e.passed(now)
	out = e.correct(reviews, now, out)
	if e.moves {
		e.moved, e.firing = now, nil
	}
	return out
}

// due are the rules of the groups that are due.
func (e *Engine) due(now int64) iter.Seq[*rule] {
	return func(yield func(*rule) bool) {
		for _, g := range e.groups {
			if !e.isDue(g, now) {
				continue
			}
			for _, r := range g.rules {
				if !yield(r) {
					return
				}
			}
		}
	}
}

func (e *Engine) judge(r *rule, in reading, now int64, out []telling) []telling {
	r.evaluated = true
	r.failed = in.err
	r.selected, r.decided, r.mixed = 0, 0, 0
	for _, i := range r.selection.of(r) {
		if s := &r.roster.samples[i]; r.takes(s) {
			r.selected++
			out = e.judgeSample(r, s, in, now, out)
		}
	}
	return e.judgeEmpty(r, in, now, e.judgeVanished(r, in, now, out))
}

// judgeVanished judges the series that were among the samples before, if the condition is
// true of nothing: of what is counted they have 0, else they are null. Who asks for less than
// so much is told of what stops at once, too.
func (e *Engine) judgeVanished(r *rule, in reading, now int64, out []telling) []telling {
	if r.kpi.Top > 0 || !r.ofNothing() {
		return out
	}
	for _, n := range r.selection.numbers {
		if r.roster.place[n] < 0 {
			r.selected++
			s := sample.Sample{Labels: r.roster.names[n], Null: r.kpi.Nullable()}
			out = e.judgeSample(r, &s, in, now, out)
		}
	}
	return out
}

func (e *Engine) judgeSample(r *rule, s *sample.Sample, in reading, now int64, out []telling) []telling {
	value, ok := r.compares(s)
	decides, holds := r.decides(s, ok), r.holds(value, ok)
	switch {
	case decides:
		r.decided++
	case s.Mixed:
		r.mixed++
	}
	if !holds && len(r.active) == 0 {
		return out
	}
	e.key = appendKey(e.key[:0], s.Labels)
	a := r.active[string(e.key)]
	if a.inOther(s.Currency) {
		out, a = e.leave(a, now, out), nil
	}
	if a != nil {
		a.judged = now
		e.name(a, s)
	}
	if !decides {
		e.undecided(r, a, now)
		return out
	}
	if a == nil {
		if !holds {
			return out
		}
		a = r.activate(r.by, slices.Clone(s.Labels), now)
		a.currency = r.currencyOf(s)
		r.active[string(e.key)] = a
		e.saved = nil
	}
	e.meets(a, holds)
	if ok && !holds && a.state == Firing && r.Recover != "" {
		shown, _ := r.value(s)
		holds = !a.recovers(shown, in)
	}
	e.see(a, s, now)
	out = e.advance(a, holds, now, out)
	if a.state == Inactive || a.state == Resolved {
		delete(r.active, string(e.key))
	}
	return out
}

// judgeEmpty judges the alerts whose series is no longer among the samples:
// nothing of it is left in the window, and its counts are 0. Of a full list of
// the largest it may have left the list only, and is at most what the last has:
// if that is too little for the rule, so is the series, else it is not known.
func (e *Engine) judgeEmpty(r *rule, in reading, now int64, out []telling) []telling {
	samples := r.roster.samples
	var most sample.Number
	if r.kpi.Top > 0 && len(samples) >= r.kpi.Top {
		last := &samples[len(samples)-1]
		if v, ok := r.compares(last); !ok || r.selector.holds(v) {
			for _, a := range r.active {
				if a.judged != now {
					e.undecided(r, a, now)
				}
			}
			return out
		}
		most = last.Numerator
	}
	before := len(out)
	for _, a := range r.active {
		if a.judged == now {
			continue
		}
		s := r.nothing(a)
		s.Numerator = most
		out = e.judgeSample(r, s, in, now, out)
	}
	slices.SortFunc(out[before:], byAlert)
	return out
}

// nothing is the sample of an alert of whose series nothing is left.
func (r *rule) nothing(a *alert) *sample.Sample {
	return &sample.Sample{Labels: a.series, Null: r.kpi.Nullable(), Currency: cmp.Or(a.currency, a.sample.Currency)}
}

func byAlert(a, b telling) int { return cmp.Compare(a.Alert, b.Alert) }

// advance moves an alert on and begins to tell what comes of it.
func (e *Engine) advance(a *alert, holds bool, now int64, out []telling) []telling {
	switch notify := e.step(a, holds, now); {
	case notify:
		return append(out, e.notify(a, now))
	case a.state == Pending && a.labels == nil:
		return append(out, e.label(a))
	}
	return out
}

// step moves an alert on and reports whether people are to know.
func (e *Engine) step(a *alert, holds bool, now int64) (notify bool) {
	before, since := a.state, a.okSince
	switch r := a.rule; {
	case holds:
		a.okSince = 0
		if a.state == Pending && now-a.activeAt >= r.For.Milliseconds() {
			a.state, a.firedAt = Firing, now
			e.tellApart(a)
		}
	case a.state == Pending:
		a.state = Inactive
	default:
		if a.okSince == 0 {
			a.okSince = now
		}
		if now-a.okSince >= r.KeepFiringFor.Milliseconds() {
			a.state, a.resolvedAt = Resolved, now
		}
	}
	if a.state != before || a.okSince != since {
		e.saved = nil
	}
	if a.state != before || a.labels == nil { // it has just come
		e.moves = true
	}
	return a.state != before && a.state != Inactive
}

// see keeps the sample without what it shares with others.
func (e *Engine) see(a *alert, s *sample.Sample, now int64) {
	a.sample = *s
	a.sample.Labels = a.series
	a.seen = true
	e.decide(a, now)
}

// decide notes that an alert could be judged. For how long it could not counts neither towards
// for nor towards keep_firing_for.
func (e *Engine) decide(a *alert, now int64) {
	if a.stale != 0 {
		e.saved = nil
		if a.state == Pending {
			a.activeAt += now - a.stale
		}
		if a.okSince != 0 {
			a.okSince += now - a.stale
		}
	}
	a.decided, a.stale = now, 0
}

// undecided notes that a sample says too little to judge an alert: it stays. One that is pending
// is over once that is so for as long as its condition would have had to hold.
func (e *Engine) undecided(r *rule, a *alert, now int64) {
	switch {
	case a == nil:
	case a.state == Pending && a.stale != 0 && now-a.stale >= r.For.Milliseconds():
		delete(r.active, r.key(a))
		e.saved, e.moves = nil, true
	default:
		e.stays(a, now)
	}
}

// stays notes that an alert stays as it is because it cannot be judged.
func (e *Engine) stays(a *alert, now int64) {
	if a.stale != 0 {
		return
	}
	if a.decided == 0 { // not since the restart
		a.decided = now
	}
	a.stale, e.saved = now, nil
}

// notification is of an alert as it is. It is not identified yet.
func (e *Engine) notification(a *alert, now int64, link string) Notification {
	n := Notification{
		Alert: a.id(), Group: a.group, Rule: a.name, Status: a.state,
		Labels: a.labels, Annotations: maps.Clone(a.annotations), Subject: a.subject, Change: a.change,
		ActiveAt: instant(a.activeAt), StartsAt: instant(a.firedAt), WindowEnd: now,
		Link: link, ExternalURL: e.o.ExternalURL,
	}
	if a.state == Resolved {
		n.EndsAt = instant(a.resolvedAt)
	}
	if a.end != 0 {
		n.FinalAt = a.end + e.o.Unsealed.Milliseconds()
	}
	return n
}

// resolveGone resolves what was firing under rules that are no longer there, or of its series.
func (e *Engine) resolveGone(now int64) []telling {
	if e.gone == nil {
		return nil
	}
	var out []telling
	for _, a := range e.gone {
		if a.state != Firing {
			continue
		}
		a.state, a.resolvedAt = Resolved, now
		a.annotations = merge(a.annotations, map[string]string{"resolved_because": a.because})
		a.change.leave(a.annotations)
		a.change = nil
		n := e.notification(a, now, a.annotations["link"])
		if asOf, err := time.Parse(timeFormat, a.annotations["as_of"]); err == nil {
			n.SeenAt = asOf.UnixMilli()
		}
		out = append(out, telling{Notification: n, alert: a})
	}
	e.gone, e.saved, e.moves = nil, nil, true
	return out
}

// nextDeadline is the next event time at which an alert would change although
// no series does: when `for` or `keep_firing_for` is over, or when the group of
// a rule is due.
func (e *Engine) nextDeadline() (ms int64, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	at := int64(0)
	soonest := func(t int64) {
		t = max(ceil(t, sliceMillis), e.now+1)
		if at == 0 || t < at {
			at = t
		}
	}
	if e.gone != nil {
		soonest(e.now + sliceMillis)
	}
	for _, g := range e.groups {
		if g.interval > 0 && e.behind(g) {
			soonest((e.now/g.interval + 1) * g.interval)
			continue // its alerts are older than what they rest on
		}
		for _, r := range g.rules {
			for _, a := range r.active {
				if t, ok := a.deadline(); ok && t > e.now {
					soonest(ceil(t, max(g.interval, 1)))
				}
			}
		}
	}
	return at, at != 0
}

// sliceMillis is the length of a slice: rules are evaluated at its multiples.
const sliceMillis = int64(time.Second / time.Millisecond)

func ceil(t, unit int64) int64 {
	if rest := t % unit; rest != 0 {
		return t + unit - rest
	}
	return t
}
