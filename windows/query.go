package windows

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
)

// A History gives back the blocks that the merger handed out. A block that is
// not there is nil: nothing was in its windows, or it is no longer kept.
type History interface {
	Block(id BlockID) (*Block, error)
}

// A Moment says which window of a length is asked for.
type Moment struct {
	// End is the end of a kept window in Unix seconds, for sliding windows.
	End int64
	// Day is the business day, for the day window.
	Day int32
}

// AheadError says that the window reaches beyond the closed slices: a preview
// at Head is needed.
type AheadError struct{ Head int64 }

func (e AheadError) Error() string {
	return fmt.Sprintf("window ends at %d, ahead of what is closed", e.Head)
}

// A Question asks for the series of a KPI in one window.
type Question struct {
	KPI    string
	By     kpi.Set
	Window kpi.Window
	Moment Moment
	// Match keeps the series with these label values, by field.
	Match map[string]string
}

// At is the newest window of the length with end <= ms.
func (p *Plan) At(w kpi.Window, ms int64) Moment {
	if w.IsDay() {
		return Moment{Day: p.DayBefore(p.calendar.Day(ms))}
	}
	return Moment{End: floorTo(floorTo(ms, 1000)/1000, stepOf(w))}
}

// DayBefore is the business day before a day.
func (p *Plan) DayBefore(day int32) int32 { return p.calendar.Before(day) }

func stepOf(w kpi.Window) int64 { return int64(w.Step() / time.Second) }

// Ask answers a question about a window that is closed. The preview is nil or
// stands for a Moment ahead of that, as an AheadError asked for.
func (m *Merger) Ask(q Question, h History, ahead *Preview) (*Answer, error) {
	kp, ss := m.plan.find(q)
	if m.head == math.MinInt64 {
		return noAnswer(kp, ss, q), nil
	}
	v := view{window: q.Window, day: q.Moment.Day, end: q.Moment.End}
	cal := m.plan.calendar
	out := &Answer{KPI: kp.kpi, Window: q.Window, By: q.By}
	if q.Window.IsDay() {
		v.end = cal.Start(v.day+1) / 1000
		out.Start = time.UnixMilli(cal.Start(v.day))
	} else {
		out.Start = time.Unix(v.end, 0).Add(-q.Window.Length)
	}
	out.End = time.Unix(v.end, 0)
	// Of days to come there is nothing to be asked for.
	if v.end > m.head && (!q.Window.IsDay() || v.day == cal.Day(m.head*1000-1)) {
		if ahead == nil || ahead.Head != v.end || ahead.steps != m.steps {
			return nil, AheadError{v.end}
		}
		return m.live(ahead).ask(q, v.end), nil
	}
	v.stored = v.end <= m.sealed
	out.settle(m.watermark, m.head)
	return out, out.collect(kp, ss, q.Match, func(src source) (*column64, error) {
		c := newColumn(q)
		if v.stored {
			c.top = kp.kpi.Top
		}
		var err error
		switch src.kind {
		case fromSums:
			err = m.readSums(m.sums[src.index], src.column, kp.kpi, v, h, c)
		case fromUsers:
			err = m.readActives(m.actives[src.index], v, h, c)
		default:
			err = m.readRisk(src.index, v, h, c)
		}
		return c, err
	})
}

// find is where the question's KPI is kept.
func (p *Plan) find(q Question) (*kpiPlan, *setSource) {
	kp := p.kpis[q.KPI]
	i := slices.IndexFunc(kp.sets, func(s setSource) bool { return slices.Equal(s.set, q.By) })
	return kp, &kp.sets[i]
}

// noAnswer is the one before the first event.
func noAnswer(kp *kpiPlan, ss *setSource, q Question) *Answer {
	out := &Answer{KPI: kp.kpi, Window: q.Window, By: q.By}
	_ = out.collect(kp, ss, q.Match, func(source) (*column64, error) { return &column64{}, nil }) // reads nothing
	return out
}

// settle says up to when the answer holds; reach is the second up to which it
// has what is in.
func (a *Answer) settle(watermark, reach int64) {
	if watermark != stream.NoTime {
		a.Watermark = time.UnixMilli(watermark)
	}
	a.Complete = a.End.UnixMilli() <= watermark
	a.AsOf = time.Unix(min(a.End.Unix(), reach), 0)
}

// collect fills the samples in from the measures that read gives.
func (a *Answer) collect(kp *kpiPlan, ss *setSource, match map[string]string, read func(source) (*column64, error)) error {
	num, err := read(ss.num)
	if err != nil {
		return err
	}
	var den *column64
	if kp.kpi.Ratio() {
		if den, err = read(ss.den); err != nil {
			return err
		}
	}
	a.Samples = collect(kp, ss, num, den, match)
	if !a.Complete {
		for i := range a.Samples {
			a.Samples[i].Revision = 0
		}
	}
	return nil
}

// Version changes whenever the live window of a question may have: equal
// versions mean equal samples at the head.
func (m *Merger) Version(q Question) uint64 {
	kp, ss := m.plan.find(q)
	v := m.version(ss.num, q.Window)
	if kp.kpi.Ratio() {
		v += m.version(ss.den, q.Window)
	}
	return v
}

func (m *Merger) version(src source, w kpi.Window) uint64 {
	switch {
	case src.kind == fromSums && !w.IsDay():
		s := m.sums[src.index]
		return s.windows[s.plan.lens(w)].version
	case src.kind == fromUsers && !w.IsDay():
		a := m.actives[src.index]
		return a.versions[a.plan.lens(w)]
	}
	return uint64(m.head) // days change all the time
}

// A view is a window that is closed.
type view struct {
	window kpi.Window
	day    int32
	end    int64 // Unix seconds
	stored bool  // sealed: in history
}

// A column64 is one measure by label combination.
type column64 struct {
	rows map[string]cell
	rest int64 // of kpi.Other: as much may be missing elsewhere

	fields  int
	wanted  func(labels []string) bool
	matched bool

	top      int // the length of the stored list that is read, 0 if none is
	listed   int
	smallest int64 // value listed
}

func newColumn(q Question) *column64 {
	return &column64{rows: map[string]cell{}, fields: len(q.By), wanted: matcher(q.By, q.Match), matched: len(q.Match) > 0}
}

// put adds what a label combination has.
func (c *column64) put(labels []string, n, revision int64) {
	if n == 0 {
		return
	}
	if isOther(labels[:c.fields]) {
		c.rest += n
	} else if c.top > 0 {
		if c.listed++; c.listed == 1 || n < c.smallest {
			c.smallest = n
		}
	}
	if c.wanted(labels) {
		k := labelKey(labels)
		old := c.rows[k]
		c.rows[k] = cell{labels, old.n + n, max(old.revision, revision)}
	}
}

// least is the smallest value of a stored list that is full: a key that it does
// not name has no more.
func (c *column64) least() int64 {
	if c.top == 0 || c.listed < c.top {
		return 0
	}
	return c.smallest
}

type cell struct {
	labels   []string
	n        int64
	revision int64
}

func labelKey(labels []string) string {
	if len(labels) == 1 {
		return labels[0]
	}
	return strings.Join(labels, "\x00")
}

// matcher tells whether a label combination of the set (and what is hidden
// behind it) is asked for.
func matcher(set kpi.Set, match map[string]string) func(labels []string) bool {
	type want struct {
		at   int
		text string
	}
	var wants []want
	for f, text := range match {
		wants = append(wants, want{slices.Index(set, f), text})
	}
	return func(labels []string) bool {
		for _, w := range wants {
			if labels[w.at] != w.text {
				return false
			}
		}
		return true
	}
}

func isOther(labels []string) bool {
	return len(labels) > 0 && !slices.ContainsFunc(labels, func(l string) bool { return l != kpi.Other })
}

// readSums reads a column: of the top series of a list alone, unless some are
// asked for by name.
func (m *Merger) readSums(s *sums, column int, k *kpi.KPI, v view, h History, out *column64) error {
	q := s.plan.kpiIndex(k)
	if v.stored {
		var open *openBlock
		if j := s.plan.lens(v.window); j >= 0 {
			open = s.windows[j].block
		}
		return m.readBlock(s.plan.name, v, open, s.plan.columns[column].key, revisionColumn+":"+k.Name, h, out)
	}
	var totals []int64
	revision := func(uint32) int64 { return 0 }
	if v.window.IsDay() {
		if d := s.days[v.day]; d != nil {
			totals = d.live
			revision = func(id uint32) int64 { return int64(d.revisions[revisionKey{id, uint8(q)}]) }
		}
	} else {
		j := s.plan.lens(v.window)
		w := s.windows[j]
		totals = s.keptTotals(w, m.sealed, v.end)
		from := m.sealed/w.step + 1
		revision = func(id uint32) int64 {
			if r := s.revised[id]; r != nil {
				return int64(r.counts[j][q].value(from, v.end/w.step))
			}
			return 0
		}
	}
	number := func(id uint32) int64 { return at(totals, int(id)*s.width+column) }
	for _, id := range asked(s.groups.labels, s.groups.otherID(s.plan.other), k.Top, out.matched, number) {
		out.put(s.groups.labels[id], number(id), revision(id))
	}
	return nil
}

// asked are the groups that a question reads: of a list the top and kpi.Other
// (negative: none), unless some are asked for by name; all otherwise.
func asked(labels [][]string, other, n int, named bool, number func(id uint32) int64) []uint32 {
	if n == 0 || named {
		out := make([]uint32, 0, len(labels))
		for id, l := range labels {
			if l != nil {
				out = append(out, uint32(id))
			}
		}
		return out
	}
	return topAndOther(labels, other, n, number)
}

// keptTotals are the totals of a kept window that is closed but not sealed.
func (s *sums) keptTotals(w *sumWindow, sealed, end int64) []int64 {
	totals := slices.Clone(w.final)
	for _, v := range s.between(sealed, end) {
		totals = apply(totals, v, s.width, 1)
	}
	to := (end - w.length) / w.step
	for _, v := range w.panesBetween(w.finalTail, to) {
		totals = apply(totals, v, s.width, -1)
	}
	for _, v := range s.between(w.finalTail*w.step, to*w.step) {
		totals = apply(totals, v, s.width, -1)
	}
	return totals
}

func (m *Merger) readActives(a *actives, v view, h History, out *column64) error {
	j := a.plan.lens(v.window)
	switch {
	case v.stored:
		var open *openBlock
		if j >= 0 {
			open = a.blocks[j]
		}
		return m.readBlock(a.name, v, open, a.plan.key, revisionColumn, h, out)
	case v.window.IsDay():
		if d := a.days[v.day]; d != nil {
			for code, labels := range a.texts {
				out.put(labels, at(d.live, code), int64(d.revisions[uint32(code)]))
			}
		}
		return nil
	}
	step := a.plan.lenses[j].step
	from, number := m.sealed/step+1, v.end/step
	for code, c := range a.codes {
		revision := int64(0)
		if c.revisions != nil {
			revision = int64(c.revisions[j].value(from, number))
		}
		out.put(a.texts[code], int64(c.values[j].value(from, number)), revision)
	}
	return nil
}

func (m *Merger) readRisk(measure int, v view, h History, out *column64) error {
	if v.stored {
		return m.readBlock(churnName, v, nil, m.plan.churn[measure].key, "", h, out)
	}
	out.put([]string{}, m.riskOn(measure, v.day), 0)
	return nil
}

// readBlock reads a sealed window from the open block, the blocks that wait to
// be stored, or history.
func (m *Merger) readBlock(set string, v view, open *openBlock, column, revision string, h History, out *column64) error {
	index := int64(v.day)
	if !v.window.IsDay() {
		index = lensOf(v.window).blockIndex(v.end)
	}
	visit := func(b *Block, s *BlockSeries) {
		c, r := slices.Index(b.Columns, column), slices.Index(b.Columns, revision)
		if c < 0 {
			return
		}
		if vals := s.At(v.end); vals != nil {
			n := int64(0)
			if r >= 0 {
				n = vals[r]
			}
			out.put(s.Labels, vals[c], n)
		}
	}
	if open != nil && open.Index == index {
		for _, s := range open.series {
			visit(&open.Block, s)
		}
		return nil
	}
	id := BlockID{set, v.window, index}
	i := slices.IndexFunc(m.blocks, func(b *Block) bool { return b.BlockID == id })
	var b *Block
	if i >= 0 {
		b = m.blocks[i]
	} else {
		var err error
		if b, err = h.Block(id); err != nil {
			return fmt.Errorf("read history: %w", err)
		}
	}
	if b != nil {
		for i := range b.Series {
			visit(b, &b.Series[i])
		}
	}
	return nil
}

// collect joins numerators and denominators to samples.
func collect(kp *kpiPlan, ss *setSource, num, den *column64, match map[string]string) []Sample {
	k := kp.kpi
	ratio := k.Ratio()
	scale := source{scale: 1}
	fields := len(ss.set)
	byLabels := map[string]*Sample{}
	sample := func(labels []string) (*Sample, string) {
		currency := ""
		if len(labels) > fields {
			currency, labels = labels[fields], labels[:fields]
		}
		key := labelKey(labels)
		s := byLabels[key]
		if s == nil {
			s = &Sample{Labels: labels, Numerator: Number{0, cmp.Or(ss.num.scale, 1)}, Denominator: Number{0, cmp.Or(ss.den.scale, scale.scale)}, Revision: 1}
			byLabels[key] = s
		}
		if currency != "" && s.Currency != "" && s.Currency != currency {
			s.Mixed = true
		}
		s.Currency = cmp.Or(currency, s.Currency)
		return s, currency
	}
	for _, c := range num.rows {
		s, _ := sample(c.labels)
		s.Numerator.N += c.n
		s.Revision = max(s.Revision, int(c.revision)+1)
	}
	if ratio {
		for _, c := range den.rows {
			s, _ := sample(c.labels)
			s.Denominator.N += c.n
			s.Revision = max(s.Revision, int(c.revision)+1)
		}
	}
	if fields == 0 || len(match) == fields {
		if len(byLabels) == 0 {
			labels := make([]string, fields)
			for i, f := range ss.set {
				labels[i] = match[f]
			}
			s, _ := sample(labels)
			s.Bound = num.least()
		}
	}
	out := make([]Sample, 0, len(byLabels))
	for _, s := range byLabels {
		s.Bound = max(s.Bound, num.rest)
		if ratio {
			s.Bound = max(s.Bound, den.rest)
		}
		if s.Mixed {
			s.Currency = ""
		}
		s.Null = s.Mixed || ratio && s.Denominator.N == 0
		out = append(out, *s)
	}
	if k.Top > 0 {
		slices.SortFunc(out, func(a, b Sample) int {
			return cmp.Or(cmp.Compare(b.rank(ratio), a.rank(ratio)), slices.Compare(a.Labels, b.Labels))
		})
		return out[:min(len(out), k.Top)]
	}
	slices.SortFunc(out, func(a, b Sample) int { return slices.Compare(a.Labels, b.Labels) })
	return out
}

func (s *Sample) rank(ratio bool) float64 {
	if s.Null {
		return math.Inf(-1)
	}
	return s.Value(ratio)
}
