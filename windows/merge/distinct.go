package merge

import (
	"iter"
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/history"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/sample"
	"github.com/tidewatch/tidewatch/windows/step"
)

// distinct is an aggregate: the distinct users by a dimension set. What partitions
// say of it are users who enter and leave the live windows, in a column for each
// length, and in one more those whose first slice of a day it is.
type distinct struct {
	*clock
	amendments
	plan     *plan.Users
	target   int
	fresh    int32 // the column of the days
	name     string
	columns  []string   // of its blocks
	texts    [][]string // by code; 0 is kpi.Other, or the total
	keys     []uint64
	windows  []*keptLabels // by length
	live     *distinctLive
	days     map[int32]*distinctDay
	unsealed map[int64][]step.Delta // of days, by slice
	due      dueSeconds
	dropped  []uint64
	dirty    bool // labels changed since the last checkpoint

	revisions *revisions // that it tells
}

// keptLabels is a window length: by code the users in its kept windows that are
// not sealed.
type keptLabels struct {
	plan.Length
	users   []kept
	block   *history.Open
	sealed  int64 // the sum over the codes in the last kept window
	resumed bool  // the next kept window may differ unnoticed
}

// A distinctDay counts the users of a business day that are sealed, by code.
type distinctDay struct {
	final table[int64]
	dirty bool
}

// distinctLive is the users in the live windows.
type distinctLive struct {
	clock    *clock
	plan     *plan.Users
	fresh    int32
	texts    [][]string
	users    table[int64] // by code and length
	days     map[int32]*table[int64]
	versions []uint64 // by length: counts the changes
}

func newDistinct(c *clock, p *plan.Plan, i int, r *revisions) *distinct {
	u := p.Users[i]
	d := &distinct{clock: c, plan: u, target: p.UsersTarget(i), fresh: int32(len(u.Lengths)), name: "users:" + u.Measure + ":" + u.Name,
		columns: []string{u.Measure}, texts: [][]string{u.OtherLabels(make([]string, u.Fields()))}, keys: []uint64{0},
		days: map[int32]*distinctDay{}, unsealed: map[int64][]step.Delta{}, revisions: r}
	for _, l := range u.Lengths {
		d.windows = append(d.windows, &keptLabels{Length: l})
	}
	d.live = &distinctLive{clock: c, plan: u, fresh: d.fresh, users: newTable[int64](len(u.Lengths)), days: map[int32]*table[int64]{}, versions: make([]uint64, len(u.Lengths))}
	return d
}

// label takes in a label in the order in which they were numbered.
func (d *distinct) label(key uint64, texts []string) {
	d.texts, d.keys, d.dirty = append(d.texts, texts), append(d.keys, key), true
}

func (w *keptLabels) of(code int32) *kept {
	for int(code) >= len(w.users) {
		w.users = append(w.users, kept{})
	}
	return &w.users[code]
}

func (d *distinct) advance(int64)   {} // partitions say who leaves
func (d *distinct) nextExit() int64 { return math.MaxInt64 }

func (d *distinct) close(_ int64, as arrivals) { d.take(as) }

// take notes what arrives, live and in the kept windows.
func (d *distinct) take(as arrivals) {
	for _, a := range as {
		for _, n := range a.deltas {
			d.live.add(n)
			if n.Column == d.fresh {
				d.unsealed[n.Head-1] = append(d.unsealed[n.Head-1], n)
				d.due.note(n.Head)
				continue
			}
			w := d.windows[n.Column]
			end := plan.Ceil(n.Head, w.Step)
			w.of(n.Group).add(end/w.Step, n.N)
			d.due.note(end)
		}
	}
}

func (l *distinctLive) add(n step.Delta) {
	if n.Column == l.fresh {
		l.day(l.clock.day(n.Head - 1)).edit(uint32(n.Group))[0] += n.N
		return
	}
	l.users.edit(uint32(n.Group))[n.Column] += n.N
	l.versions[n.Column]++
}

func (l *distinctLive) day(day int32) *table[int64] {
	t := l.days[day]
	if t == nil {
		empty := newTable[int64](1)
		t = &empty
		l.days[day] = t
	}
	return t
}

func (d *distinct) day(day int32) *distinctDay {
	t := d.days[day]
	if t == nil {
		t = &distinctDay{final: newTable[int64](1)}
		d.days[day] = t
	}
	return t
}

// correct takes in what came late, and says what that touches: the days and windows
// that it gives users.
func (d *distinct) correct(late arrivals) {
	d.note(d.clock, late)
	d.take(late)
	type labelColumn struct{ group, column int32 } // a column, or a day
	changes := map[labelColumn][]step.Delta{}
	days := map[labelColumn]int64{}
	for _, a := range late {
		for _, n := range a.deltas {
			if n.Column == d.fresh {
				days[labelColumn{n.Group, d.clock.day(n.Head - 1)}] += n.N
				continue
			}
			k := labelColumn{n.Group, n.Column}
			changes[k] = append(changes[k], n)
		}
	}
	if d.revisions == nil { // nobody asks how often
		return
	}
	for k, ns := range changes {
		d.touch(k.group, k.column, ns)
	}
	for k, n := range days {
		if n != 0 {
			d.revisions.touch(touch{labels: d.texts[k.group], kpis: d.plan.Readers, length: aDay, lo: int64(k.column), hi: int64(k.column)})
		}
	}
}

// touch says which closed windows the changes of one crossing give users: those of
// one label and length, ascending by head.
func (d *distinct) touch(group, column int32, ns []step.Delta) {
	w, n := d.windows[column], int64(0)
	t := touch{labels: d.texts[group], kpis: d.plan.Readers, length: d.revisions.plan.Length(w.Window)}
	for i, c := range ns {
		if n += c.N; n == 0 {
			continue
		}
		t.lo, t.hi = plan.Ceil(c.Head, w.Step)/w.Step, plan.Floor(d.head, w.Step)/w.Step
		if i+1 < len(ns) {
			t.hi = plan.Floor(ns[i+1].Head-1, w.Step) / w.Step
		}
		if t.lo <= t.hi {
			d.revisions.touch(t)
		}
	}
}

func (d *distinct) nextSeal() int64 {
	next := d.due.next(d.sealed)
	for _, w := range d.windows {
		if w.block != nil && (w.sealed != 0 || !w.block.Empty()) {
			next = min(next, w.block.Until())
		}
	}
	for day := range d.days {
		next = min(next, d.ends(day))
	}
	return max(next, d.sealed+1)
}

func (d *distinct) seal() (finished []*history.Block) {
	for _, n := range d.unsealed[d.sealed-1] {
		day := d.day(d.clock.day(d.sealed - 1))
		day.final.edit(uint32(n.Group))[0] += n.N
		day.dirty = true
	}
	delete(d.unsealed, d.sealed-1)
	for _, w := range d.windows {
		if d.sealed%w.Step == 0 {
			finished = turn(finished, &w.block, d.name, w.Length, d.columns, d.sealed)
			d.record(w)
		}
	}
	for _, day := range sealedDays(d.clock, d.days, 0) {
		finished = append(finished, d.dayBlock(day, d.days[day]))
		delete(d.days, day)
		delete(d.live.days, day)
		d.dropped = append(d.dropped, uint64(day))
	}
	return finished
}

// record notes the values of one window length. Every block begins with all
// that are not zero.
func (d *distinct) record(w *keptLabels) {
	number := d.sealed / w.Step
	all := w.block.Begins || w.resumed
	w.block.Begins, w.resumed, w.sealed = false, false, 0
	for code := range w.users {
		changed := w.users[code].seal(number)
		n := w.users[code].base
		w.sealed += n
		if changed || all {
			w.block.Note(d.keys[code], d.texts[code], d.sealed, []int64{n}, n == 0)
		}
	}
}

func (d *distinct) dayBlock(day int32, t *distinctDay) *history.Block {
	out := history.Day(d.name, d.columns, day, d.ends(day))
	for code, texts := range d.texts {
		if row := t.final.row(uint32(code)); row != nil && row[0] != 0 {
			out.Add(texts, []int64{row[0]})
		}
	}
	return out
}

func (d *distinct) present() live {
	d.live.texts = d.texts
	return d.live
}

// share is the live part as it is; texts only grow at their end.
func (d *distinct) share() live {
	out := *d.live
	out.texts, out.users, out.versions, out.days = d.texts, d.live.users.share(), slices.Clone(d.live.versions), map[int32]*table[int64]{}
	for day, t := range d.live.days {
		shared := t.share()
		out.days[day] = &shared
	}
	return &out
}

// preview takes in what counts by the end of each window, and of days whatever is
// in.
func (l *distinctLive) preview(head int64, late, as arrivals) {
	for _, as := range [...]arrivals{late, as} {
		for _, a := range as {
			for _, n := range a.deltas {
				if n.Column == l.fresh || l.plan.Lengths[n.Column].Reaches(n.Head-1, head) {
					l.add(n)
				}
			}
		}
	}
}

func (l *distinctLive) known() iter.Seq[[]string] { return slices.Values(l.texts[1:]) }

func (l *distinctLive) version(w kpi.Window, _ *plan.Source) uint64 {
	return l.versions[l.plan.Length(w)]
}

func (l *distinctLive) each(q *query, visit visit) {
	t, column := l.days[q.day], 0
	if j := l.plan.Length(q.Window); j >= 0 {
		t, column = &l.users, j
	}
	if t == nil {
		return
	}
	for code, texts := range l.texts {
		if row := t.row(uint32(code)); row != nil && row[column] != 0 {
			visit(texts, sample.Of(row[column]))
		}
	}
}

// labelReading is a number of one window by labels.
type labelReading struct {
	texts [][]string
	n     []int64
}

func (r *labelReading) each(_ *query, visit visit) {
	for i, n := range r.n {
		if n != 0 {
			visit(r.texts[i], sample.Of(n))
		}
	}
}

func (d *distinct) kept(q *query, _ reading) reading {
	r := &labelReading{texts: d.texts, n: make([]int64, len(d.texts))}
	if q.IsDay() {
		if live := d.live.days[q.day]; live != nil {
			for code := range d.texts {
				if row := live.row(uint32(code)); row != nil {
					r.n[code] = row[0]
				}
			}
		}
		return r
	}
	w := d.windows[d.plan.Length(q.Window)]
	number := q.end / w.Step
	for code := range d.texts {
		if code < len(w.users) {
			r.n[code] = w.users[code].value(number)
		}
	}
	return r
}

func (d *distinct) stored(w window) (history.BlockID, *history.Open) {
	var open *history.Open
	if j := d.plan.Length(w.Window); j >= 0 {
		open = d.windows[j].block
	}
	return storedIn(d.name, w, open)
}

func (d *distinct) column(*query) []string { return d.columns }
