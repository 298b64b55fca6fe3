package windows

import (
	"math"
	"slices"
	"time"
)

// A Live is what the windows show that are not over: all that is closed, with a
// preview of what is not. One that Publish made stays as it is, for any reader;
// one of Merger.Live holds until the merger's next step.
type Live struct {
	plan      *Plan
	watermark int64 // ms
	head      int64
	reach     int64 // the head up to which it has what is in
	day       int32 // the business day that is not over
	steps     uint64
	preview   *Preview
	sums      []liveSums
	actives   []liveActives
	risk      []int64 // by churn measure
}

// liveSums are the totals of a sum set, by group and column.
type liveSums struct {
	labels  [][]string // by group
	other   int        // the group of kpi.Other, negative without one
	windows [][]int64  // by lens
	day     []int64
}

// liveActives are the distinct users of a user set.
type liveActives struct {
	texts   [][]string // by code
	windows []int32    // by code and lens
	day     []int64    // by code
}

// Live is what is closed.
func (m *Merger) Live() *Live { return m.live(nil) }

// Publish keeps what live windows show with the preview, nil for none.
func (m *Merger) Publish(v *Preview) *Live {
	l, last := m.live(v), m.published
	if v != nil {
		l.reach = v.Head
	}
	same := last != nil && last.steps == l.steps && last.day == l.day
	for i := range l.sums {
		if same {
			l.sums[i] = last.sums[i]
		} else {
			l.sums[i] = l.sums[i].clone()
		}
	}
	for i := range l.actives {
		a := &l.actives[i] // texts only grow at their end
		if same {
			a.windows, a.day = last.actives[i].windows, last.actives[i].day
		} else {
			a.windows, a.day = slices.Clone(a.windows), slices.Clone(a.day)
		}
	}
	m.published = l
	return l
}

func (s liveSums) clone() liveSums {
	s.labels, s.day = slices.Clone(s.labels), slices.Clone(s.day)
	for j, w := range s.windows {
		s.windows[j] = slices.Clone(w)
	}
	return s
}

func (m *Merger) live(v *Preview) *Live {
	l := &Live{plan: m.plan, watermark: m.watermark, head: m.head, reach: m.head, steps: m.steps, preview: v}
	if m.head == math.MinInt64 {
		return l
	}
	head := m.head
	if v != nil {
		l.reach, head = v.reach, v.Head
	}
	l.day = m.plan.calendar.Day(head*1000 - 1)
	for _, s := range m.sums {
		t := liveSums{labels: s.groups.labels, other: s.groups.otherID(s.plan.other), windows: make([][]int64, 0, len(s.windows))}
		for _, w := range s.windows {
			t.windows = append(t.windows, w.live)
		}
		if d := s.days[l.day]; d != nil {
			t.day = d.live
		}
		l.sums = append(l.sums, t)
	}
	for _, a := range m.actives {
		t := liveActives{texts: a.texts, windows: a.live}
		if d := a.days[l.day]; d != nil {
			t.day = d.live
		}
		l.actives = append(l.actives, t)
	}
	for i := range m.risk {
		l.risk = append(l.risk, m.riskOn(i, l.day))
	}
	return l
}

// Watermark is the event time in ms before which the input is believed
// complete, stream.NoTime before the first event.
func (l *Live) Watermark() int64 { return l.watermark }

// Today is the business day that is not over.
func (l *Live) Today() int32 { return l.day }

// Ask answers for the window that ends at the next step, or for today; the
// question's moment is not looked at.
func (l *Live) Ask(q Question) *Answer { return l.ask(q, ceilTo(l.reach, stepOf(q.Window))) }

// ask answers for the sliding window that ends at end, or for today.
func (l *Live) ask(q Question, end int64) *Answer {
	kp, ss := l.plan.find(q)
	if l.head == math.MinInt64 {
		return noAnswer(kp, ss, q)
	}
	out := &Answer{KPI: kp.kpi, Window: q.Window, By: q.By}
	if q.Window.IsDay() {
		cal := l.plan.calendar
		out.Start, out.End = time.UnixMilli(cal.Start(l.day)), time.UnixMilli(cal.Start(l.day+1))
	} else {
		out.Start, out.End = time.Unix(end, 0).Add(-q.Window.Length), time.Unix(end, 0)
	}
	out.settle(l.watermark, l.reach)
	_ = out.collect(kp, ss, q.Match, func(src source) (*column64, error) { // fails never
		c := newColumn(q)
		switch src.kind {
		case fromSums:
			l.readSums(src, q, kp.kpi.Top, c)
		case fromUsers:
			l.readActives(src.index, q, c)
		default:
			l.readRisk(src.index, c)
		}
		return c, nil
	})
	return out
}

func (l *Live) readSums(src source, q Question, top int, out *column64) {
	s, plan := &l.sums[src.index], l.plan.sums[src.index]
	j := plan.lens(q.Window)
	totals, diff := s.day, func(p *previewGroup) []int64 { return p.day }
	if j >= 0 {
		totals, diff = s.windows[j], func(p *previewGroup) []int64 { return p.lenses[j] }
	}
	width := len(plan.columns)
	numbers := make([]int64, len(s.labels))
	for id := range numbers {
		numbers[id] = at(totals, id*width+src.column)
	}
	if l.preview != nil {
		for id, p := range l.preview.sums[src.index].groups {
			if d := diff(p); d != nil {
				numbers[id] += d[src.column]
			}
		}
		for _, p := range l.preview.sums[src.index].fresh {
			if d := diff(p); d != nil {
				out.put(p.labels, d[src.column], 0)
			}
		}
	}
	for _, id := range asked(s.labels, s.other, top, out.matched, func(id uint32) int64 { return numbers[id] }) {
		out.put(s.labels[id], numbers[id], 0)
	}
}

func (l *Live) readActives(set int, q Question, out *column64) {
	a, plan := &l.actives[set], l.plan.users[set]
	var diffs map[uint32]*previewCode
	if l.preview != nil {
		diffs = l.preview.actives[set]
	}
	j, lenses := plan.lens(q.Window), len(plan.lenses)
	same := make([]int32, lenses)
	for code, labels := range a.texts {
		p := diffs[uint32(code)]
		if p == nil {
			p = &previewCode{lenses: same}
		}
		if j < 0 {
			out.put(labels, at(a.day, code)+p.day, 0)
		} else {
			out.put(labels, int64(at(a.windows, code*lenses+j)+p.lenses[j]), 0)
		}
	}
}

func (l *Live) readRisk(measure int, out *column64) {
	n := l.risk[measure]
	if l.preview != nil {
		for _, r := range l.preview.risk {
			if int(r.Measure) == measure && r.Day <= l.day {
				n += int64(r.N)
			}
		}
	}
	out.put([]string{}, n, 0)
}
