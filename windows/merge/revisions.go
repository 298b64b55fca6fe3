package merge

import (
	"cmp"
	"iter"
	"maps"
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/history"
	"github.com/tidewatch/tidewatch/windows/page"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/step"
	"github.com/tidewatch/tidewatch/windows/users"
)

// revisions is an aggregate: how often late rows restated the windows of the
// series of a dimension set, by KPI. The aggregates that the KPIs read say what
// late rows touch, and what one crossing touched, in whatever part of a KPI, is
// counted once.
//
// Only labels with a window that was restated have a row, and only as long as it
// is not sealed.
type revisions struct {
	*clock
	amendments
	plan    *plan.Revisions
	whole   *plan.Plan
	target  int
	columns []string // of its blocks: the KPIs
	windows []*restatedWindow
	days    map[int32]*restatedWindow // that are over
	due     dueSeconds
	touches crossings
	touched []touchedCount // since the last crossing
}

// A restatedWindow is a window length, or a business day.
type restatedWindow struct {
	plan.Length
	keeps []bool // by KPI
	rows  map[uint64]*restated
	due   map[int64][]*restated // by window, rows in which a count changes with it
	block *history.Open         // nil while nothing in it was restated
	saved bool                  // an epoch has the block
}

// restated counts, by KPI, how often the windows of one label combination were
// restated.
type restated struct {
	key    uint64
	labels []string
	counts []*count // nil: never
}

type count struct {
	kept
	spans []span // touched since the last crossing
}

// A span is windows from one to another, both included.
type span struct{ lo, hi int64 }

type touchedCount struct {
	window *restatedWindow
	row    *restated
	count  *count
}

func newRevisions(c *clock, p *plan.Plan, i int) *revisions {
	r := &revisions{clock: c, plan: p.Revisions[i], whole: p, target: p.RevisionsTarget(i), days: map[int32]*restatedWindow{}}
	for _, l := range r.plan.Lengths {
		r.windows = append(r.windows, r.window(l))
	}
	for _, k := range r.plan.KPIs {
		r.columns = append(r.columns, k.Name)
	}
	return r
}

// final is the second from which on nothing becomes known of a day.
func (r *revisions) final(day int32) int64 { return r.ends(day + int32(r.plan.Horizon)) }

func (r *revisions) window(l plan.Length) *restatedWindow {
	w := &restatedWindow{Length: l, rows: map[uint64]*restated{}, due: map[int64][]*restated{}}
	for _, k := range r.plan.KPIs {
		w.keeps = append(w.keeps, k.Keeps(l.Window))
	}
	return w
}

// touch takes note of what a late row touches.
func (r *revisions) touch(t touch) {
	r.touches.add(t)
	r.take(t, r.head)
}

// take takes in what was touched of the windows that are closed at a head and not
// sealed.
func (r *revisions) take(t touch, head int64) {
	key := r.whole.Key(t.labels)
	for j, w := range r.windows {
		s := span{t.lo, t.hi}
		switch t.length {
		case j:
		case covering:
			s = span{plan.Ceil(t.lo+1, w.Step) / w.Step, (w.Exit(t.lo) - 1) / w.Step}
		default:
			continue
		}
		s.lo, s.hi = max(s.lo, plan.Floor(r.sealed, w.Step)/w.Step+1), min(s.hi, plan.Floor(head, w.Step)/w.Step)
		if s.lo <= s.hi {
			r.cover(w, key, t, s)
		}
	}
	if !r.plan.Day || t.length >= 0 {
		return
	}
	day := int32(t.lo)
	if t.length == covering {
		day = r.day(t.lo)
	}
	if end := r.final(day); end <= head && end > r.sealed {
		w := r.days[day]
		if w == nil {
			w = r.window(plan.Length{Window: kpi.Day})
			r.days[day] = w
		}
		r.cover(w, key, t, span{int64(day), int64(day)})
	}
}

// row is the labels' row, an empty one at first.
func (w *restatedWindow) row(key uint64, labels []string) *restated {
	row := w.rows[key]
	if row == nil {
		row = &restated{key, labels, make([]*count, len(w.keeps))}
		w.rows[key] = row
	}
	return row
}

// cover notes that windows of the KPIs that keep them were touched.
func (r *revisions) cover(w *restatedWindow, key uint64, t touch, s span) {
	var row *restated
	for _, k := range t.kpis {
		if !w.keeps[k] {
			continue
		}
		if row == nil {
			row = w.row(key, t.labels)
		}
		c := row.counts[k]
		if c == nil {
			c = new(count)
			row.counts[k] = c
		}
		n := len(c.spans)
		if n == 0 {
			r.touched = append(r.touched, touchedCount{w, row, c})
		} else if last := &c.spans[n-1]; s.lo >= last.lo && s.lo <= last.hi+1 {
			last.hi = max(last.hi, s.hi)
			continue
		}
		c.spans = append(c.spans, s)
	}
}

// correct counts what the aggregates before this one touched: one for each window,
// however often it was touched since the last crossing.
func (r *revisions) correct(arrivals) {
	r.touches.end(r.head, r.sealed)
	r.count()
}

func (r *revisions) count() {
	for _, t := range r.touched {
		slices.SortFunc(t.count.spans, func(a, b span) int { return cmp.Compare(a.lo, b.lo) })
		reached := int64(math.MinInt64)
		for _, s := range t.count.spans {
			if s.lo = max(s.lo, reached); s.lo <= s.hi {
				r.change(t, s.lo, 1)
				r.change(t, s.hi+1, -1)
				reached = s.hi + 1
			}
		}
		t.count.spans = nil
	}
	clear(r.touched)
	r.touched = r.touched[:0]
}

func (r *revisions) change(t touchedCount, number, n int64) {
	t.count.add(number, n)
	r.expect(t.window, t.row, number)
}

// expect has the row looked at when the window is sealed. A day is as a whole.
func (r *revisions) expect(w *restatedWindow, row *restated, number int64) {
	if w.Window.IsDay() {
		return
	}
	w.due[number] = append(w.due[number], row)
	r.due.note(number * w.Step)
}

func (r *revisions) nextSeal() int64 {
	next := r.due.next(r.sealed)
	for _, w := range r.windows {
		if w.block != nil {
			next = min(next, w.block.Until())
		}
	}
	for day := range r.days {
		next = min(next, r.final(day))
	}
	return max(next, r.sealed+1)
}

func (r *revisions) seal() (finished []*history.Block) {
	for _, w := range r.windows {
		if r.sealed%w.Step != 0 {
			continue
		}
		number := r.sealed / w.Step
		due := w.due[number]
		delete(w.due, number)
		if b := w.block; b != nil && b.Index != history.Index(w.Window, r.sealed) {
			finished = append(finished, b.Finish())
			w.block = nil
			due = slices.Collect(maps.Values(w.rows)) // each block begins with all
		}
		for _, row := range due {
			r.record(w, row, number)
		}
	}
	for _, day := range sealedDays(r.clock, r.days, r.plan.Horizon) {
		block := history.Day(r.plan.Name, r.columns, day, r.ends(day))
		for _, row := range r.days[day].rows {
			vals := make([]int64, len(r.columns))
			for k, c := range row.counts {
				if c != nil {
					vals[k] = c.value(int64(day))
				}
			}
			block.Add(row.labels, vals)
		}
		finished = append(finished, block)
		delete(r.days, day)
	}
	return finished
}

// record notes the counts of a window that is sealed, and lets go of those that
// are zero from there on.
func (r *revisions) record(w *restatedWindow, row *restated, number int64) {
	vals, zero, idle := make([]int64, len(r.columns)), true, true
	for k, c := range row.counts {
		if c == nil {
			continue
		}
		c.seal(number)
		vals[k] = c.base
		zero = zero && c.base == 0
		if c.base == 0 && len(c.changes) == 0 {
			row.counts[k] = nil
		} else {
			idle = false
		}
	}
	if idle {
		delete(w.rows, row.key)
	}
	if w.block == nil {
		if zero {
			return
		}
		w.block = history.NewOpen(r.plan.Name, w.Window, r.columns, history.Index(w.Window, r.sealed))
	}
	w.block.Note(row.key, row.labels, r.sealed, vals, zero)
}

func (r *revisions) kept(q *query, _ reading) reading {
	w, number := r.days[q.day], int64(q.day)
	if j := r.plan.Length(q.Window); j >= 0 {
		w = r.windows[j]
		number = q.end / w.Step
	}
	out := &labelReading{}
	if w == nil {
		return out
	}
	for _, row := range w.rows {
		if c := row.counts[q.source.Column]; c != nil {
			out.texts, out.n = append(out.texts, row.labels), append(out.n, c.value(number))
		}
	}
	return out
}

func (r *revisions) stored(w window) (history.BlockID, *history.Open) {
	var open *history.Open
	if j := r.plan.Length(w.Window); j >= 0 {
		open = r.windows[j].block
	}
	return storedIn(r.plan.Name, w, open)
}

func (r *revisions) column(q *query) []string { return r.columns[q.source.Column:][:1] }

func (r *revisions) checkpoint(pages []page.Page, _ uint64) []page.Page {
	for j, w := range r.windows {
		switch data := w.block.Encode(); {
		case data != nil:
			w.saved = true
			pages = append(pages, page.Page{Kind: page.Block, A: page.Of(r.target, j), Data: data})
		case w.block == nil && w.saved:
			w.saved = false
			pages = append(pages, page.Page{Kind: page.Block, A: page.Of(r.target, j)})
		}
	}
	return r.touches.checkpoint(pages, r.target, r.sealed)
}

func (r *revisions) load(kind page.Kind, length int, b uint64, in *codec.Reader) {
	if kind == page.Block {
		w := r.windows[length]
		w.block, w.saved = history.Decode(r.plan.Name, w.Window, r.columns, in), true
		return
	}
	head := int64(b)
	for in.Len() > 0 {
		t := readTouch(in)
		if in.Err() != nil || len(t.labels) != len(r.plan.Set) || slices.ContainsFunc(t.kpis, func(k int) bool { return k >= len(r.columns) }) {
			in.Fail()
			return
		}
		r.take(t, head)
	}
	r.count()
	r.touches.saved = append(r.touches.saved, head)
}

func (r *revisions) unsaved() int { return len(r.touches.unsaved) }

// What crossings touched is written once, and told by the other aggregates.
func (r *revisions) corrections(b []byte) []byte               { return b }
func (r *revisions) loadCorrection(_ uint64, in *codec.Reader) { in.Fail() }
func (r *revisions) renumber(*users.Labels)                    {}
func (r *revisions) hold(step.Delta)                           {}

// resume has all that the open blocks hold looked at with the next window: what
// ended with the last is in no page any more.
func (r *revisions) resume() {
	for _, w := range r.windows {
		if w.block == nil {
			continue
		}
		w.block.Each(func(key uint64, s *history.Series) {
			if !s.Ended() {
				r.expect(w, w.row(key, s.Labels), plan.Ceil(r.sealed+1, w.Step)/w.Step)
			}
		})
	}
}

// Windows that are not over have no revisions, and time alone makes none.
func (r *revisions) advance(int64)         {}
func (r *revisions) nextExit() int64       { return math.MaxInt64 }
func (r *revisions) close(int64, arrivals) {}
func (r *revisions) present() live         { return unrevised{} }
func (r *revisions) share() live           { return unrevised{} }

type unrevised struct{}

func (unrevised) each(*query, visit)                      {}
func (unrevised) preview(int64, arrivals, arrivals)       {}
func (unrevised) version(kpi.Window, *plan.Source) uint64 { return 0 }
func (unrevised) known() iter.Seq[[]string]               { return slices.Values[[][]string](nil) }
