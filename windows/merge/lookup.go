package merge

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/history"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/sample"
)

const noTime = stream.NoTime

// A Question asks for the series of a KPI in one window.
type Question struct {
	KPI    string
	By     kpi.Set
	Window kpi.Window
	Moment Moment
	// Match keeps the series with these label values, by field.
	Match map[string]string
}

// A Moment says which window of a length is asked for.
type Moment struct {
	// End is the end of a kept window in Unix seconds, for sliding windows.
	End int64
	// Day is the business day, for the day window.
	Day int32
}

// At is the newest window of the length with end <= ms.
func At(p *plan.Plan, w kpi.Window, ms int64) Moment {
	if w.IsDay() {
		return Moment{Day: p.Calendar.Before(p.Calendar.Day(ms))}
	}
	return Moment{End: plan.Floor(plan.Floor(ms, 1000)/1000, stepOf(w))}
}

// AheadError says that the window reaches beyond the closed slices: a preview
// at Head is needed.
type AheadError struct{ Head int64 }

func (e AheadError) Error() string {
	return fmt.Sprintf("window ends at %d, ahead of what is closed", e.Head)
}

// A History gives back the blocks that the merger handed out, with the columns named at
// least. A block that is not there is nil: nothing was in its windows, or it is no longer
// kept.
type History interface {
	Block(id history.BlockID, columns ...string) (*history.Block, error)
}

// A Lookup is a question about a window that is closed, with what the merger has
// of the answer. The rest is in history.
type Lookup struct {
	plan     *plan.Plan
	question Question
	answer   *sample.Answer
	window   window
	stored   bool
	parts    [plan.Parts]*part
	done     bool
}

// A part is one measure's numbers: a reading, or the block that they are in.
type part struct {
	reading reading
	id      history.BlockID
	block   *history.Block // nil: in history
	fetched bool           // from there
	columns []string
}

// Lookup plans the answer to a question about a window that is closed: it copies
// what is in memory and names the blocks that are not. The preview is nil or
// stands for a Moment ahead of what is closed, as an AheadError asked for.
func (m *Merger) Lookup(q Question, ahead *Live) (*Lookup, error) {
	k, ss := m.plan.Find(q.KPI, q.By, q.Window)
	l := &Lookup{plan: m.plan, question: q}
	if m.head == math.MinInt64 {
		l.answer, l.done = noAnswer(m.plan, k, ss, q), true
		return l, nil
	}
	l.window = m.window(q)
	if end := l.window.end; m.ahead(l.window) {
		if ahead == nil || ahead.head != end || ahead.steps != m.steps {
			return nil, AheadError{end}
		}
		l.answer, l.done = ahead.ask(q, end), true
		return l, nil
	}
	m.look(l, k, ss, &memory{})
	return l, nil
}

// window is the one that is asked for.
func (m *Merger) window(q Question) window {
	w := window{q.Window, q.Moment.Day, q.Moment.End}
	if q.Window.IsDay() {
		w.end = m.ends(w.day)
	}
	return w
}

// ahead reports whether a window reaches beyond what is closed. Around midnight
// there are events of the next day, and of no day behind that.
func (m *Merger) ahead(w window) bool {
	return w.end > m.head && (!w.IsDay() || m.calendar.Before(w.day) <= m.day(m.head-1))
}

// look plans the answer about a window that is closed.
func (m *Merger) look(l *Lookup, k *plan.KPI, ss *plan.SetSource, in *memory) {
	l.answer = &sample.Answer{KPI: k.KPI, Window: l.window.Window, By: l.question.By, End: time.Unix(l.window.end, 0)}
	if l.window.IsDay() {
		l.answer.Start = time.UnixMilli(m.calendar.Start(l.window.day))
	} else {
		l.answer.Start = time.Unix(m.plan.Begin(l.window.Window, l.window.end), 0)
	}
	final := finalOf(m.plan, k.KPI, l.window)
	l.stored = final <= m.sealed
	l.answer.Sealed = l.stored
	reach := m.head // a day that is over may be open
	if l.window.end > m.head {
		reach = max(m.head, m.reach)
	}
	say(l.answer, k.KPI, final, m.watermark, m.head, reach)
	for i, src := range ss.Sources {
		if src != nil {
			l.parts[i] = m.part(l, k, src, &in[i])
		}
	}
}

// memory is what lookups of consecutive windows had of the merger last, since the
// same step.
type memory [plan.Parts]*part

func (m *Merger) part(l *Lookup, k *plan.KPI, src *plan.Source, last **part) *part {
	a := m.aggregates[src.Target]
	q := &query{window: l.window, source: src, kpi: k.KPI}
	p, before := &part{}, *last
	*last = p
	if !l.stored {
		var r reading
		if before != nil {
			r = before.reading
		}
		p.reading = a.kept(q, r)
		return p
	}
	p.columns = a.column(q)
	id, open := a.stored(l.window)
	p.id = id
	if before != nil && before.id == id {
		p.block = before.block
	} else if open != nil {
		p.block = open.Freeze()
	} else if i := slices.IndexFunc(m.blocks, func(b *history.Block) bool { return b.BlockID == id }); i >= 0 {
		p.block = m.blocks[i]
	}
	return p
}

// Answer reads what is missing and puts the answer together.
func (l *Lookup) Answer(h History) (*sample.Answer, error) { return l.read(h, &memory{}) }

func (l *Lookup) read(h History, last *memory) (*sample.Answer, error) {
	if l.done {
		return l.answer, nil
	}
	k, ss := l.plan.Find(l.question.KPI, l.question.By, l.question.Window)
	cs := newColumns(l.plan, ss, l.question)
	for i, src := range ss.Sources {
		if src == nil {
			continue
		}
		p, c := l.parts[i], cs[i]
		if l.stored {
			c.top = k.Top
			if err := p.fetch(h, last[i]); err != nil {
				return nil, err
			}
			last[i] = p
			if p.block == nil {
				continue
			}
		}
		p.reading.each(c.query(k, l.window, src, l.question), c.put)
	}
	l.answer.Samples = collect(k.KPI, ss, cs, l.question.Match)
	finish(l.answer)
	return l.answer, nil
}

// fetch finds the block: that of the last window, if it is the same.
func (p *part) fetch(h History, last *part) (err error) {
	p.fetched = p.block == nil
	if last != nil && last.id == p.id && last.fetched == p.fetched && (p.fetched || p.block == last.block) {
		p.block, p.reading = last.block, last.reading
		return nil
	}
	if p.fetched {
		if p.block, err = h.Block(p.id, p.columns...); err != nil {
			return fmt.Errorf("read history: %w", err)
		}
	}
	p.reading = &blockReading{block: p.block, columns: p.columns}
	return nil
}

// blockReading is one measure's columns of a stored block. It reads windows in
// their order fastest.
type blockReading struct {
	block   *history.Block
	columns []string

	at []int // by series the point behind the one that the last window has
}

func (r *blockReading) each(q *query, visit visit) {
	at := make([]int, len(r.columns))
	for i, name := range r.columns {
		if at[i] = r.block.Column(name); at[i] < 0 {
			return
		}
	}
	if r.at == nil {
		r.at = make([]int, len(r.block.Series))
	}
	state := make([]int64, len(at))
	for i := range r.block.Series {
		s := &r.block.Series[i]
		var vals []int64
		if r.at[i] = s.After(q.end, r.at[i]); r.at[i] > 0 {
			vals = s.Points[r.at[i]-1].Values
		}
		if vals == nil {
			continue
		}
		some := false
		for c, from := range at {
			state[c] = vals[from]
			some = some || state[c] != 0
		}
		switch a := q.source.Algebra; {
		case !some:
		case a == nil:
			visit(s.Labels, sample.Of(state[0]))
		default:
			visit(s.Labels, a.Number(state))
		}
	}
}

// noAnswer is the one before the first event.
func noAnswer(p *plan.Plan, k *plan.KPI, ss *plan.SetSource, q Question) *sample.Answer {
	out := &sample.Answer{KPI: k.KPI, Window: q.Window, By: q.By}
	out.Samples = collect(k.KPI, ss, newColumns(p, ss, q), q.Match)
	finish(out)
	return out
}
