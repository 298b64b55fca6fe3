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
	// Live is the window that ends at the next step, or today.
	Live bool
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
func (m *Merger) At(w kpi.Window, ms int64) Moment {
	if w.IsDay() {
		return Moment{Day: m.DayBefore(m.plan.calendar.Day(ms))}
	}
	return Moment{End: floorTo(floorTo(ms, 1000)/1000, int64(w.Step()/time.Second))}
}

// DayBefore is the business day before a day.
func (m *Merger) DayBefore(day int32) int32 { return m.plan.calendar.Before(day) }

// reach is the head up to which live windows reach.
func (m *Merger) reach() int64 {
	if m.preview != nil {
		return m.preview.Head
	}
	return m.head
}

// Today is the business day of live windows.
func (m *Merger) Today() int32 { return m.plan.calendar.Day(m.reach()*1000 - 1) }

// Ask answers a question. The preview is nil or stands for a Moment ahead of
// what is closed, as an AheadError asked for.
func (m *Merger) Ask(q Question, h History, ahead *Preview) (*Answer, error) {
	kp := m.plan.kpis[q.KPI]
	i := slices.IndexFunc(kp.sets, func(s setSource) bool { return slices.Equal(s.set, q.By) })
	out := &Answer{KPI: kp.kpi, Window: q.Window, By: q.By}
	if m.head == math.MinInt64 {
		out.Samples = collect(kp, &kp.sets[i], &column64{}, &column64{}, q.Match)
		for i := range out.Samples {
			out.Samples[i].Revision = 0
		}
		return out, nil
	}
	if m.watermark != stream.NoTime {
		out.Watermark = time.UnixMilli(m.watermark)
	}
	view, err := m.view(q, out, ahead)
	if err != nil {
		return nil, err
	}
	num, err := m.read(kp, q.By, kp.sets[i].num, view, h, q.Match)
	if err != nil {
		return nil, err
	}
	var den *column64
	if kp.kpi.Ratio() {
		if den, err = m.read(kp, q.By, kp.sets[i].den, view, h, q.Match); err != nil {
			return nil, err
		}
	}
	out.Samples = collect(kp, &kp.sets[i], num, den, q.Match)
	if !out.Complete {
		for i := range out.Samples {
			out.Samples[i].Revision = 0
		}
	}
	return out, nil
}

// Version changes whenever the live window of a question may have: equal
// versions mean equal samples at the head.
func (m *Merger) Version(q Question) uint64 {
	kp := m.plan.kpis[q.KPI]
	i := slices.IndexFunc(kp.sets, func(s setSource) bool { return slices.Equal(s.set, q.By) })
	v := m.version(kp.sets[i].num, q.Window)
	if kp.kpi.Ratio() {
		v += m.version(kp.sets[i].den, q.Window)
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

// A view is where the numbers of one window are.
type view struct {
	window  kpi.Window
	day     int32
	end     int64 // Unix seconds, of a sliding window
	preview *Preview
	stored  bool // sealed: in history
	live    bool
}

func (m *Merger) view(q Question, out *Answer, ahead *Preview) (view, error) {
	v := view{window: q.Window, day: q.Moment.Day, end: q.Moment.End, live: q.Moment.Live}
	cal := m.plan.calendar
	reach := m.reach()
	if q.Window.IsDay() {
		if v.live {
			v.day = m.Today()
		}
		out.Start, out.End = time.UnixMilli(cal.Start(v.day)), time.UnixMilli(cal.Start(v.day+1))
		v.end = out.End.Unix()
		v.stored = v.end <= m.sealed
		if m.preview != nil && m.preview.day == v.day {
			v.preview = m.preview
		}
	} else {
		step := int64(q.Window.Step() / time.Second)
		switch {
		case v.live:
			v.end, v.preview = ceilTo(reach, step), m.preview
		case v.end > m.head && (ahead == nil || ahead.Head != v.end || ahead.steps != m.steps):
			return v, AheadError{v.end}
		case v.end > m.head:
			v.live, v.preview = true, ahead
		}
		v.stored = !v.live && v.end <= m.sealed
		out.End = time.Unix(v.end, 0)
		out.Start = out.End.Add(-q.Window.Length)
	}
	out.Complete = out.End.UnixMilli() <= m.watermark
	out.AsOf = time.Unix(min(v.end, reach), 0)
	return v, nil
}

// A column64 is one measure by label combination.
type column64 struct {
	rows  map[string]cell
	rest  int64 // of kpi.Other: as much may be missing elsewhere
	least int64 // the smallest value of a stored list that is full
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

func (m *Merger) read(kp *kpiPlan, set kpi.Set, src source, v view, h History, match map[string]string) (*column64, error) {
	keep, matched := matcher(set, match), len(match) > 0
	out := &column64{rows: map[string]cell{}}
	var listed []int64
	put := func(labels []string, n, revision int64) {
		if n == 0 {
			return
		}
		if isOther(labels[:len(set)]) {
			out.rest += n
		} else if v.stored && kp.kpi.Top > 0 {
			listed = append(listed, n)
		}
		if keep(labels) {
			k := labelKey(labels)
			c := out.rows[k]
			out.rows[k] = cell{labels, c.n + n, max(c.revision, revision)}
		}
	}
	var err error
	switch src.kind {
	case fromSums:
		s := m.sums[src.index]
		top := kp.kpi.Top
		if matched {
			top = 0
		}
		err = m.readSums(s, src.column, s.plan.kpiIndex(kp.kpi), top, v, h, put)
	case fromUsers:
		err = m.readActives(m.actives[src.index], v, h, put)
	default:
		err = m.readRisk(src.index, v, h, put)
	}
	if len(listed) > 0 && len(listed) >= kp.kpi.Top {
		out.least = slices.Min(listed)
	}
	return out, err
}

func isOther(labels []string) bool {
	return len(labels) > 0 && !slices.ContainsFunc(labels, func(l string) bool { return l != kpi.Other })
}

type putter func(labels []string, n, revision int64)

// readSums reads a column: of the top series alone, unless top is zero.
func (m *Merger) readSums(s *sums, column, kpiIndex, top int, v view, h History, put putter) error {
	if v.stored {
		var open *openBlock
		if j := s.plan.lens(v.window); j >= 0 {
			open = s.windows[j].block
		}
		return m.readBlock(s.plan.name, v, open, s.plan.columns[column].key, revisionColumn+":"+s.plan.kpis[kpiIndex].Name, h, put)
	}
	var totals []int64
	revision := func(uint32) int64 { return 0 }
	preview := func(p *previewGroup) []int64 { return p.day }
	if v.window.IsDay() {
		if d := s.days[v.day]; d != nil {
			totals = d.live
			revision = func(id uint32) int64 { return int64(d.revisions[revisionKey{id, uint8(kpiIndex)}]) }
		}
	} else {
		j := s.plan.lens(v.window)
		w := s.windows[j]
		preview = func(p *previewGroup) []int64 { return p.lenses[j] }
		if v.live {
			totals = w.live
		} else {
			totals = s.keptTotals(w, m.sealed, v.end)
			from := m.sealed/w.step + 1
			revision = func(id uint32) int64 {
				if r := s.revised[id]; r != nil {
					return int64(r.counts[j][kpiIndex].value(from, v.end/w.step))
				}
				return 0
			}
		}
	}
	var groups map[uint64]*previewGroup
	if v.preview != nil {
		groups = v.preview.sums[slices.Index(m.sums, s)]
	}
	number := func(id uint32) int64 {
		n := at(totals, int(id)*s.width+column)
		if p := groups[s.groups.keys[id]]; p != nil && s.groups.kept[id] {
			if d := preview(p); d != nil {
				n += d[column]
			}
		}
		return n
	}
	if top > 0 {
		ids := s.top(top, number)
		if other, ok := s.groups.index[s.plan.other]; ok && !slices.Contains(ids, other) {
			ids = append(ids, other)
		}
		for _, id := range ids {
			put(s.groups.labels[id], number(id), revision(id))
		}
	} else {
		for id, labels := range s.groups.labels {
			if labels != nil {
				put(labels, number(uint32(id)), revision(uint32(id)))
			}
		}
	}
	for _, p := range groups {
		if d := preview(p); p.labels != nil && d != nil {
			put(p.labels, d[column], 0)
		}
	}
	return nil
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

func (m *Merger) readActives(a *actives, v view, h History, put putter) error {
	if v.stored {
		var open *openBlock
		if j := a.plan.lens(v.window); j >= 0 {
			open = a.blocks[j]
		}
		return m.readBlock(a.name, v, open, a.plan.key, revisionColumn, h, put)
	}
	var codes map[uint32]*previewCode
	if v.preview != nil {
		codes = v.preview.actives[slices.Index(m.actives, a)]
	}
	if v.window.IsDay() {
		d := a.days[v.day]
		for code, labels := range a.texts {
			var n, revision int64
			if d != nil {
				n, revision = at(d.live, code), int64(d.revisions[uint32(code)])
			}
			if p := codes[uint32(code)]; p != nil {
				n += p.day
			}
			put(labels, n, revision)
		}
		return nil
	}
	j := a.plan.lens(v.window)
	l := a.plan.lenses[j]
	for code, labels := range a.texts {
		var n, revision int64
		if code < len(a.codes) {
			c := a.codes[code]
			if v.live {
				n = int64(c.live[j])
			} else {
				from := m.sealed/l.step + 1
				n = int64(c.values[j].value(from, v.end/l.step))
				if c.revisions != nil {
					revision = int64(c.revisions[j].value(from, v.end/l.step))
				}
			}
		}
		if p := codes[uint32(code)]; p != nil {
			n += int64(p.lenses[j])
		}
		put(labels, n, revision)
	}
	return nil
}

func (m *Merger) readRisk(measure int, v view, h History, put putter) error {
	if v.stored {
		return m.readBlock(churnName, v, nil, m.plan.churn[measure].key, "", h, put)
	}
	n := m.riskOn(measure, v.day)
	if v.preview != nil {
		for _, r := range v.preview.risk {
			if int(r.Measure) == measure && r.Day <= v.day {
				n += int64(r.N)
			}
		}
	}
	put([]string{}, n, 0)
	return nil
}

// readBlock reads a sealed window from the open block, the blocks that wait to
// be stored, or history.
func (m *Merger) readBlock(set string, v view, open *openBlock, column, revision string, h History, put putter) error {
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
			put(s.Labels, vals[c], n)
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
			s.Bound = num.least
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
